"""Reading in a process of its own, for formats whose library a damaged file can crash: this process lives on.

The child is started when the first such file is read, and ends with this process. It loads the library once,
and forks for each file, so that one that crashes costs milliseconds.
"""

from __future__ import annotations

import importlib
import json
import mmap
import os
import resource
import selectors
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from azgen.confinement import Rights, confine
from azgen.errors import AzgenError

SECONDS, BYTES_A_SECOND = 60.0, 1e6
"""Longest silence of the child: so long, and a second more for so many bytes of the file."""

Read = Callable[[Path], Sequence[NDArray[Any]]]

_TYPES = ("|u1", "<i8")
"""Number types of arrays that come back."""


class _Child:
    """The process, and one file at a time in it.

    Raises:
        AzgenError: it cannot be started.
    """

    def __init__(self) -> None:
        code = f"import sys; sys.path[:] = {sys.path!r}; import {__name__} as it; it.serve()"
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,  # Ctrl-C is not its business: it ends with its pipe
            )
        except OSError as error:
            raise AzgenError(f"cannot start a process to read with: {error.strerror or error}") from None

    def read(self, read: Read, path: Path, library: str) -> list[NDArray[Any]]:
        """The arrays that a function makes of a file; see `read_apart`."""
        assert self._process.stdin is not None and self._process.stdout is not None
        limit = SECONDS + path.stat().st_size / BYTES_A_SECOND
        order = {
            "module": read.__module__,
            "function": read.__name__,
            "library": library,
            "path": str(path),
        }
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        answer = json.loads(_line(self._process.stdout, limit))
        if "error" in answer:
            raise AzgenError(answer["error"])
        if "status" in answer:
            raise AzgenError(_damaged(path, _crashed(answer["status"])))
        return [_array(self._process.stdout, kind, shape, limit) for kind, shape in answer["arrays"]]

    def end(self) -> str:
        """Ends it; says of what it has died, if it has."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        code = self._process.poll()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)  # with what it has forked
        self._process.communicate()
        return _crashed(code) if code is not None else "no answer"


def _crashed(status: int) -> str:
    return f"the reading library crashed, status {status}"


def _damaged(path: Path, why: str) -> str:
    return f"{path} is damaged ({why}); get it again"


_child: _Child | None = None
_lock = threading.Lock()


def read_apart(read: Read, path: Path, library: str) -> list[NDArray[Any]]:
    """The arrays (of bytes or whole numbers) that a function makes of a file, called in another process.

    Args:
        read: a function at the top of a module.
        path: the file.
        library: module that the function needs, loaded once for all files.

    Raises:
        AzgenError: as the function does; or the process crashed or gave no answer, which is the file's fault.
    """
    global _child
    with _lock:
        _child = _child or _Child()
        try:
            return _child.read(read, path, library)
        except (EOFError, BrokenPipeError, TimeoutError, ValueError, KeyError, TypeError):
            why, _child = _child.end(), None
            raise AzgenError(_damaged(path, why)) from None


def serve() -> None:
    """The child's loop: a line of JSON asks for a file; a line of JSON answers, and arrays follow it."""
    output = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a library prints is no answer
    confine(Rights(read=(Path("/"),)))  # a file made to do more than crash the library can read, and no more
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash is expected: nobody looks into its memory
    answering = mmap.mmap(-1, 1)  # shared with what is forked
    for line in sys.stdin.buffer:
        order = json.loads(line)
        importlib.import_module(order["library"])
        answering[0] = 0
        process = os.fork()
        if not process:
            _answer(order, output, answering)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        if status and answering[0]:
            os._exit(1)  # whoever reads half an answer waits for the other half
        if status:
            output.write(json.dumps({"status": status}).encode() + b"\n")


def _answer(order: dict[str, str], output: IO[bytes], answering: mmap.mmap) -> NoReturn:
    """Reads a file and answers, in a process that ends then."""
    try:
        function = getattr(importlib.import_module(order["module"]), order["function"])
        arrays = [np.ascontiguousarray(array) for array in function(Path(order["path"]))]
        answer: dict[str, Any] = {"arrays": [(array.dtype.str, array.shape) for array in arrays]}
    except AzgenError as error:
        arrays, answer = [], {"error": str(error)}
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    head: Any = json.dumps(answer).encode() + b"\n"
    answering[0] = 1
    with suppress(BrokenPipeError):
        for part in (head, *(array.reshape(-1).view(np.uint8).data for array in arrays)):
            left = memoryview(part)
            while left:
                left = left[output.write(left) or 0 :]
    os._exit(0)


def _wait(pipe: IO[bytes], limit: float) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        if not selector.select(limit):
            raise TimeoutError


def _line(pipe: IO[bytes], limit: float) -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        _wait(pipe, limit)
        line += _some(pipe.read(1))
    return bytes(line)


def _array(pipe: IO[bytes], kind: str, shape: list[int], limit: float) -> NDArray[Any]:
    if kind not in _TYPES:
        raise ValueError(f"arrays of {kind} do not come back")
    array = np.empty(shape, kind)
    left = array.reshape(-1).view(np.uint8).data
    while left:
        _wait(pipe, limit)
        part = _some(pipe.read(min(len(left), 1 << 20)))
        left[: len(part)] = part
        left = left[len(part) :]
    return array


def _some(part: bytes | None) -> bytes:
    if not part:
        raise EOFError
    return part
