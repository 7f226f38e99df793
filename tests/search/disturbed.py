"""Workers that something is wrong with, for tests: each runs in a process of its own, which imports this
module, and so imports little.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import sys
import time
from contextlib import suppress
from typing import Any

import numpy as np

from azgen.execution import kernel as kernel_module
from azgen.execution import native as native_module
from azgen.language.program import Program
from azgen.search.engines import worker
from azgen.search.engines.orders import Order, Report
from azgen.search.engines.runner import Runner

# -- programs that kill or hang whatever runs them: injected into generated source by what the workers run

_IMPORT = "from libc.signal cimport SIGSEGV, raise_\n"
_CODE = {"crash": "raise_(SIGSEGV)", "hang": "\n            while True:\n                pass"}


def _inject_into_kernel(what: str, key: int) -> None:
    """The kernel crashes or hangs when it runs the program with this key."""
    render = kernel_module.render_kernel
    check = (
        "    for i in range(n_programs):\n"
        f"        if program_key(&programs[i].program, True) == <uint64_t>{key}ULL:\n"
        f"            {_CODE[what]}\n"
    )

    def injected(spec: Any) -> dict[str, str]:
        files = render(spec)
        head, found, _ = files["kernel.pyx"].partition("cdef ")
        assert found
        source = head + _IMPORT + files["kernel.pyx"][len(head) :]
        source, count = re.subn(r"(?=    while job < n_jobs:\n)", lambda _: check, source)
        assert count == 2, f"{count} places where programs are run; there should be two"
        return {**files, "kernel.pyx": source}

    kernel_module.render_kernel = injected


def _inject_into_candidate(what: str, structure: str) -> None:
    """The candidate of this structure crashes or hangs when it runs."""
    render = native_module.render_candidates

    def injected(programs: Any, *rest: Any) -> dict[str, str]:
        files = render(programs, *rest)
        source = _IMPORT + files["candidates.pyx"]
        place = re.search(rf"\ncdef [^\n]*{structure}[^\n]*:\n", source)
        if place:
            source = (
                source[: place.end()] + f"    if True:\n            {_CODE[what]}\n" + source[place.end() :]
            )
        return {**files, "candidates.pyx": source}

    native_module.render_candidates = injected


def disturbed_worker(connection: Any) -> None:
    """A worker whose generated source is not quite what it should be; runs in a process of its own."""
    level, what, which = os.environ["AZGEN_TEST_INJECTION"].split()
    if level == "kernel":
        _inject_into_kernel(what, int(which))
    else:
        _inject_into_candidate(what, which)
    worker.main(connection)


def weak_worker(connection: Any) -> None:
    """The first worker to get this far is slow, or has no memory; runs in a process of its own."""
    what, flag = os.environ["AZGEN_TEST_WEAKNESS"].split(":")
    run_round = Runner.run

    def run_weakly(self: Runner, order: Order) -> Report:
        with suppress(FileExistsError):
            os.close(os.open(flag, os.O_CREAT | os.O_EXCL))
            if what == "slow":
                time.sleep(60)
            resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
            np.ones(1 << 30)
        return run_round(self, order)

    Runner.run = run_weakly  # type: ignore[method-assign]
    worker.main(connection)


def worker_that_dies_compiling(connection: Any) -> None:
    """Three workers are killed as they compile a program; runs in a process of its own."""
    prepare = native_module.NativeCode.prepare

    def die_or_prepare(self: Any, program: Program) -> Any:
        for number in range(3):
            with suppress(FileExistsError):
                os.close(os.open(f"{os.environ['AZGEN_TEST_FLAG']}{number}", os.O_CREAT | os.O_EXCL))
                os.kill(os.getpid(), signal.SIGKILL)
        return prepare(self, program)

    native_module.NativeCode.prepare = die_or_prepare  # type: ignore[method-assign]
    worker.main(connection)


def failing_worker(connection: Any) -> None:
    raise SystemExit(3)


# -- workers that only tell of themselves


def where_it_is(connection: Any) -> None:
    preloaded = "azgen.search.engines.preloaded" in sys.modules
    connection.send({"folder": os.getcwd(), "environment": dict(os.environ), "preloaded": preloaded})


def busy(connection: Any) -> None:
    while time.process_time() < 0.3:
        pass
