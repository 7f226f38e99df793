"""Peak memory, and functions that are measured in a process of their own."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from azgen.errors import AzgenError

CHECKOUT = Path(__file__).resolve().parents[1]


def in_new_process(function: Callable[..., Any], **arguments: Any) -> Any:
    """What a module's function returns in a fresh Python process.

    Arguments and result are plain values.

    Raises:
        AzgenError: the process fails; says how.
    """
    program = "from benchmarks.processes import answer; answer()"
    request = json.dumps({"module": function.__module__, "name": function.__name__, "arguments": arguments})
    finished = subprocess.run(
        [sys.executable, "-c", program], input=request, capture_output=True, text=True, cwd=CHECKOUT
    )
    if finished.returncode != 0:
        last = (finished.stderr.strip().splitlines() or ["(no message)"])[-1]
        raise AzgenError(
            f"the benchmark's process for {function.__name__} ended with status {finished.returncode}: {last}"
        )
    return json.loads(finished.stdout.splitlines()[-1])


def answer() -> None:
    """Reads a request from standard input, calls its function and prints the result."""
    request = json.loads(sys.stdin.read())
    function: Callable[..., Any] = getattr(import_module(request["module"]), request["name"])
    print(json.dumps(function(**request["arguments"])))


def peak_memory(process: int | str = "self") -> float:
    """Largest resident set of a process so far, in MB (10**6 bytes); elsewhere than on Linux, of this one."""
    try:
        # Not getrusage: its maximum includes the parent's pages from before this process started its program.
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass  # no Linux
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
