"""Starts worker processes in a few milliseconds.

On Linux they are forked from a server (multiprocess's forkserver) that has imported what a worker needs. It
has one thread, and none of the coordinator's tasks, locks and open files, so that a fork of it is safe; it
lasts for as long as the coordinator and ends with it, however that ends, and its workers with it. On other
systems the libraries that NumPy calls do not stand a fork, and each worker is a new interpreter.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import multiprocess
from multiprocess import forkserver, util

from azgen import deadline
from azgen.errors import AzgenError

Entry = Callable[[Any], None]

_FORKED = sys.platform == "linux"

_LONGEST_ADDRESS = 107
"""Bytes of a socket's path on Linux."""

_server = forkserver._forkserver


def start(entry: Entry) -> tuple[Any, Any]:
    """A new process that runs `entry` with the other end of a pipe.

    It has the environment and the working directory that this process has now.

    Returns:
        The process, as multiprocess has it, and this end of the pipe.

    Raises:
        AzgenError: the system refuses.
    """
    ours, theirs = multiprocess.Pipe()
    try:
        return _start(entry, theirs), ours
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()


def _start(entry: Entry, theirs: Any) -> Any:
    methods = [*(["forkserver"] * 2 if _possible() else []), "spawn"]
    while True:
        method = methods.pop(0)
        arguments = (entry, theirs, dict(os.environ))
        process = multiprocess.get_context(method).Process(target=_begin, args=arguments, daemon=True)
        try:
            if method == "forkserver":
                _see_to_server()
            with _without_main_module():
                process.start()
            return process
        except (OSError, EOFError) as error:  # somebody has killed the server, say, or there can be none
            if not methods:
                why = getattr(error, "strerror", None) or error
                raise AzgenError(f"cannot start a worker process: {why}") from None


def prepare() -> None:
    """Starts the server, if there can be one, and does not wait until it can work."""
    if _possible():
        with suppress(OSError):  # there is no room in the folder for temporary files, say
            _see_to_server()


def _possible() -> bool:
    """Whether there can be a server: it listens in a folder in that for temporary files."""
    address = os.path.join(tempfile.gettempdir(), "pymp-12345678", "listener-12345678")
    return _FORKED and len(os.fsencode(address)) <= _LONGEST_ADDRESS


def _see_to_server() -> None:
    if _server._forkserver_pid is None:
        util.Finalize(None, _end_server, exitpriority=-1)  # after multiprocess has ended all workers
    forkserver.set_forkserver_preload(["azgen.search.engines.preloaded"])
    # What lies in the working directory is nothing to be imported; a worker has this process's sys.path.
    safe = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        with _without_main_module():
            forkserver.ensure_running()
    finally:
        if safe is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = safe


@contextmanager
def _without_main_module() -> Iterator[None]:
    """Nothing that is started here has the main module, or is ended by Ctrl-C.

    A worker has no need of it, and a script that calls azgen without a guard would start itself again. Ctrl-C
    is the coordinator's, even before a worker can say so.
    """
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    main, sys.modules["__main__"] = sys.modules["__main__"], types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _begin(entry: Entry, connection: Any, environment: dict[str, str]) -> None:
    """What a worker does first."""
    if _server._forkserver_alive_fd is not None:
        # The server ends when nobody holds this any more: it is not to wait for a worker that is stopped.
        os.close(_server._forkserver_alive_fd)
    os.environ.clear()
    os.environ.update(environment)
    entry(connection)


def processor_seconds(process: int, ended_children: bool = False) -> float:
    """Processor time of a process in seconds; where the system does not tell, that of the clock.

    Args:
        ended_children: with that of all that it has started and that has ended.
    """
    try:
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        ticks = sum(int(field) for field in fields[11 : 15 if ended_children else 13])
        return ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return time.monotonic()


def _server_seconds() -> float:
    """Processor time of the server and of the workers that have ended."""
    return 0.0 if _server._forkserver_pid is None else processor_seconds(_server._forkserver_pid, True)


def _end_server() -> None:
    """Ends the server; the next worker starts another."""
    if _server._forkserver_pid is not None:
        with suppress(OSError):
            os.kill(_server._forkserver_pid, signal.SIGKILL)
            os.waitpid(_server._forkserver_pid, 0)
        _forget_server()


def _forget_server() -> None:
    if _server._forkserver_pid is not None:
        os.close(_server._forkserver_alive_fd)
        _server.__init__()


if _FORKED:
    deadline.count_too(_server_seconds)
    os.register_at_fork(after_in_child=_forget_server)  # a server is its starter's, not a copy's of it
