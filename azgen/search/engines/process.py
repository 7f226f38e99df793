"""One watched worker process: its pipe, what it is at, and the trace that names what it is about to run."""

from __future__ import annotations

import os
import signal
import sys
import time
import types
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import multiprocess
import numpy as np
from multiprocess import reduction

from azgen.errors import AzgenError
from azgen.language.program import Program
from azgen.search.engines import worker
from azgen.search.engines.channel import Channel
from azgen.search.engines.orders import Order
from azgen.search.engines.shared import SharedMemory

START_SECONDS = 120.0
"""Longest time from starting a worker to its first sign of life."""

_TRACE_BYTES = 16
"""Whether a program is about to run, and how many have been, before the program itself."""

_ENDING_SECONDS = 5.0
"""How long what has closed its pipe may take to end, so that it can be said what it has died of."""

Entry = Callable[[Any, int], None]


@dataclass(frozen=True)
class Trace:
    """Where a worker names the program that it is about to run.

    Attributes:
        memory: that it shares with the coordinator.
        offset: of the trace, in bytes.
        record: the kernel's record of a program.
    """

    memory: SharedMemory
    offset: int
    record: np.dtype[Any]

    @staticmethod
    def n_bytes(record: np.dtype[Any]) -> int:
        """Size of a trace."""
        return _TRACE_BYTES + record.itemsize

    @property
    def count(self) -> int:
        """How many programs have been named so far."""
        return int(self._numbers[1])

    @property
    def running(self) -> Any:
        """The record of the program that is about to run; None if there is none."""
        if not self._numbers[0]:
            return None
        return self.memory.array(self.record, (1,), self.offset + _TRACE_BYTES)[0]

    def clear(self) -> None:
        """Forgets what the worker before has named."""
        self._numbers[...] = 0

    @property
    def _numbers(self) -> Any:
        return self.memory.array(np.dtype(np.int64), (2,), self.offset)


class WatchedProcess:
    """A worker process, from its start to its end.

    Args:
        entry: what it runs.
        trace: where it names what it is about to run.

    Attributes:
        process, channel, trace: what it consists of.
        ready: it has given its first sign of life.
        order: what it is at: a round, a program to rate, or None.
        islands: those that it has run last.

    Raises:
        AzgenError: it cannot be started.
    """

    def __init__(self, entry: Entry, trace: Trace):
        trace.clear()
        self.trace, self.ready, self.islands = trace, False, set[int]()
        self.order: Order | Program | None = None
        self.process, connection = _started(entry)
        self.channel, self.since = Channel(connection), time.monotonic()
        self._processor = 0.0  # processor time when it was given its order, or named a program
        self._traced = self._given = 0
        with suppress(OSError):  # dead already; seen when polled
            reduction.send_handle(connection, trace.memory.descriptor, self.process.pid)

    def give(self, order: Order | Program, message: bytes) -> None:
        """Sets it to work."""
        self.order, self.since = order, time.monotonic()
        self._processor = processor_seconds(self.process.pid)
        self._traced = self._given = self.trace.count
        self.channel.send(message)

    def allowed(self, limit: float) -> float:
        """Seconds until the next sign of life: the limit, or more while it starts or compiles."""
        compiling = isinstance(self.order, Program) and self.trace.count == self._given
        return max(limit, START_SECONDS) if compiling or not self.ready else limit

    def overdue(self, limit: float) -> str:
        """What to say of one that has given no sign of life for too long; "" if it has.

        With care it is each program that must come to an end, and each that it names is a sign of life.

        Args:
            limit: seconds.
        """
        now, traced = time.monotonic(), self.trace.count
        if traced != self._traced:
            self._traced, self.since = traced, now
            self._processor = processor_seconds(self.process.pid)
        if now - self.since <= limit:
            return ""
        return f"no answer for {limit:.0f} s ({self.used:.1f} s of processor time)"

    @property
    def used(self) -> float:
        """Seconds of processor time since it was given its order, or named a program."""
        return processor_seconds(self.process.pid) - self._processor

    @property
    def cause(self) -> str:
        """What one that is gone has died of, in words."""
        self.process.join(_ENDING_SECONDS)  # its pipe closes a little before it has ended
        exitcode = self.process.exitcode
        if exitcode is None:
            return "it has closed its pipe"
        if exitcode < 0:
            known = -exitcode in set(signal.Signals)
            name = signal.Signals(-exitcode).name if known else f"signal {-exitcode}"
            return f"killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
        if exitcode == worker.OUT_OF_MEMORY:
            return "out of memory"
        return f"ended with status {exitcode}"

    def end(self) -> None:
        """Ends it, with the compiler that it may be running."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.join()
        self.process.close()
        self.channel.close()


def _started(entry: Entry) -> tuple[Any, Any]:
    """A new process, and this end of the pipe to it."""
    ours, theirs = multiprocess.Pipe()
    context = multiprocess.get_context("spawn")
    process = context.Process(target=entry, args=(theirs, os.getpid()), daemon=True)
    # Ctrl-C is not the workers' business, not even before they can say so.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    # A worker has no need of the main module; a script that calls azgen without a guard would start itself
    # again.
    main, sys.modules["__main__"] = sys.modules["__main__"], types.ModuleType("__main__")
    try:
        process.start()
    except OSError as error:
        ours.close()
        raise AzgenError(f"cannot start a worker process: {error.strerror or error}") from None
    finally:
        sys.modules["__main__"] = main
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        theirs.close()
    return process, ours


def processor_seconds(process: int) -> float:
    """Processor time of a process in seconds; where the system does not tell, that of the clock."""
    try:
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return time.monotonic()
