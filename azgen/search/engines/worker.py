"""A worker process: maps the shared memory, carries out orders until its pipe closes."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from multiprocess import parent_process, reduction

from azgen.bounds import Bounded, Count, Positive
from azgen.codegen.cache_folder import set_build_directory
from azgen.codegen.confined import confine_worker
from azgen.errors import AzgenError
from azgen.search.engines.messages import decode, encode, read_message
from azgen.search.engines.orders import Order
from azgen.search.engines.runner import Runner
from azgen.search.engines.shared import SharedMemory, SharedStates, Trace
from azgen.search.island_state import state_block
from azgen.search.space import SearchSpace
from azgen.settings.reading import settings_from

OUT_OF_MEMORY = 12
"""Exit status of a worker that got no memory (the number of the system's error ENOMEM)."""

_PR_SET_PDEATHSIG = 1


def main(connection: Any) -> None:
    """Runs in a process of its own.

    Args:
        connection: to the coordinator: a descriptor of shared memory, what the run is, then orders.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the coordinator's; SIGINT was blocked until here
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    os.setsid()  # what this process starts, a compiler say, ends with it
    _end_with_coordinator()
    try:
        descriptor = reduction.recv_handle(connection)
        runner = _runner(descriptor, connection.recv_bytes())
        confine_worker()  # from here on no file of the user's, no network, no program but the compiler
        connection.send_bytes(encode({"kind": "ready"}))
        while True:
            connection.send_bytes(_answer(runner, connection.recv_bytes()))
    except (EOFError, OSError):
        return  # the coordinator is gone, or needs this worker no more
    except MemoryError:
        os._exit(OUT_OF_MEMORY)  # all that this process holds goes with it; another begins with less
    except BaseException as error:
        connection.send_bytes(_error(error))


@dataclass(frozen=True)
class _Run(Bounded):
    """What the run is: the first message to a worker.

    Attributes:
        settings, space: see `SearchSpace.described`.
        tasks: type, shape and place in the shared memory of each array of the tasks.
        size: of the shared memory in bytes; states, trace: places in it.
        n_islands: islands whose states there is room for.
        capacity: islands that this worker holds.
        build_directory: folder of the compile cache.
    """

    settings: Mapping[str, Any]
    space: Mapping[str, Any]
    tasks: dict[str, tuple[str, tuple[int, ...], int]]
    size: Positive
    states: Count
    trace: Count
    n_islands: Positive
    capacity: Positive
    build_directory: str


def _runner(descriptor: int, message: bytes) -> Runner:
    run = read_message(_Run, decode(message)[0])
    set_build_directory(run.build_directory)
    memory = SharedMemory(descriptor, run.size)
    arrays = {name: memory.array(*place) for name, place in run.tasks.items()}
    space = SearchSpace.described(settings_from(run.settings), dict(run.space), arrays)
    program = space.kernel.program
    states = SharedStates(memory, state_block(space.settings, program), run.states, run.n_islands)
    return Runner(space, states, run.capacity, Trace(memory, run.trace, program).name)


@dataclass(frozen=True)
class _Rate:
    """A program whose native fitness on the selection tasks is asked for."""

    program: str


def _answer(runner: Runner, message: bytes) -> bytes:
    try:
        header, arrays = decode(message)
        if header["kind"] == "rate":
            program = runner.parse(read_message(_Rate, header).program)
            return encode({"kind": "fitness"}, {"fitness": runner.rate(program)})
        return runner.run(Order.decode(header, arrays)).encode()
    except MemoryError:
        raise
    except Exception as error:
        return _error(error)


def _error(error: BaseException) -> bytes:
    text = str(error) if isinstance(error, AzgenError) else "".join(traceback.format_exception(error))
    text = text.encode(errors="replace").decode().replace("\0", "?")  # it may speak of any bytes
    return encode({"kind": "error", "message": text, "mistake": isinstance(error, AzgenError)})


def _end_with_coordinator() -> None:
    """Ends this process when the coordinator ends, however that happens."""
    if sys.platform == "linux":
        # The server that it is forked from ends with the coordinator. This ends one that is stopped, too.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    coordinator = parent_process()

    def watch() -> None:
        coordinator.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
