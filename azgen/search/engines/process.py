"""Watched worker processes: what each is at, the trace that names what it is about to run, and waiting for
signs of life of all of them."""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from multiprocess import reduction

from azgen.language.program import Program
from azgen.search.engines import server, worker
from azgen.search.engines.channel import Channel
from azgen.search.engines.messages import MessageError
from azgen.search.engines.orders import Order
from azgen.search.engines.shared import Trace

START_SECONDS = 120.0
"""Longest time from starting a worker to its first sign of life."""

_ENDING_SECONDS = 5.0
"""How long what has closed its pipe may take to end, so that it can be said what it has died of."""


class Body(Protocol):
    """What a watched process consists of: a process of this machine, or a simulated one."""

    def send(self, message: bytes) -> None:
        """Takes a message to the process on, and does not wait."""

    def processor_seconds(self) -> float:
        """Processor time so far."""

    def end(self) -> None:
        """Ends it, with the compiler that it may be running."""


class WatchedProcess:
    """A worker process, from its start to its end.

    Args:
        body: the process, which has just been started.
        trace: where it names what it is about to run.
        clock: tells the seconds.

    Attributes:
        body, trace: what it consists of.
        ready: it has given its first sign of life.
        order: what it is at: a round, a program to rate, or None.
        since: when it was started, given its order, or named a program.
        islands: those that it has run last.
    """

    def __init__(self, body: Body, trace: Trace, clock: Callable[[], float] = time.monotonic):
        self.body, self.trace, self._clock = body, trace, clock
        self.ready, self.islands = False, set[int]()
        self.order: Order | Program | None = None
        self.since = clock()
        self._processor = 0.0  # processor time when it was given its order, or named a program
        self._traced = self._given = 0

    def give(self, order: Order | Program, message: bytes) -> None:
        """Sets it to work."""
        self.order, self.since = order, self._clock()
        self._processor = self.body.processor_seconds()
        self._traced = self._given = self.trace.count
        self.body.send(message)

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
        now, traced = self._clock(), self.trace.count
        if traced != self._traced:
            self._traced, self.since = traced, now
            self._processor = self.body.processor_seconds()
        if now - self.since <= limit:
            return ""
        return f"no answer for {limit:.0f} s ({self.used:.1f} s of processor time)"

    @property
    def used(self) -> float:
        """Seconds of processor time since it was given its order, or named a program."""
        return self.body.processor_seconds() - self._processor


@dataclass(frozen=True)
class Signs:
    """What was heard of a watched process.

    Attributes:
        of: the process.
        messages: from it.
        trouble: why it is to be given up, in words; "" if it is not.
    """

    of: WatchedProcess
    messages: Sequence[bytes] = ()
    trouble: str = ""


class Fleet(Protocol):
    """Starts watched processes, and waits for them: those of this machine, or simulated ones."""

    def clock(self) -> float:
        """Seconds, from any moment on."""

    def start(self, trace: Trace) -> WatchedProcess:
        """A new process that names in `trace` what it is about to run.

        Raises:
            AzgenError: it cannot be started.
        """

    def wait(self, timeout: float) -> Iterable[Signs]:
        """Waits for at most `timeout` seconds for the first signs of life, or of death."""

    def end(self, one: WatchedProcess) -> None:
        """Ends a process."""

    def close(self) -> None:
        """Watches no more; all processes have been ended."""


class Processes:
    """Watched processes of this machine.

    Args:
        entry: what a process runs.
    """

    def __init__(self, entry: server.Entry = worker.main):
        self._entry, self._selector = entry, selectors.DefaultSelector()
        server.prepare()

    def clock(self) -> float:
        """Seconds that this machine is up."""
        return time.monotonic()

    def start(self, trace: Trace) -> WatchedProcess:
        """A new process.

        Raises:
            AzgenError: it cannot be started.
        """
        trace.clear()
        process, connection = server.start(self._entry)
        with suppress(OSError):  # dead already; seen when polled
            reduction.send_handle(connection, trace.memory.descriptor, process.pid)
        body = ProcessBody(process, Channel(connection), self._selector)
        started = WatchedProcess(body, trace)
        self._selector.register(process.sentinel, selectors.EVENT_READ, started)
        self._selector.register(body.channel, selectors.EVENT_READ, started)
        return started

    def wait(self, timeout: float) -> Iterator[Signs]:
        """Waits for at most `timeout` seconds for the first signs of life, or of death."""
        for key, events in self._selector.select(timeout):
            one, body = key.data, key.data.body
            if body.channel.closed:  # one before it in this list has had it ended
                continue
            if events & selectors.EVENT_WRITE:
                body.flush()
            if key.fileobj is not body.channel and body.process.exitcode is None:
                body.process.join(1.0)  # the sentinel tells a moment before the system does
            try:
                yield Signs(one, body.channel.receive())
            except MessageError as error:
                yield Signs(one, trouble=str(error))
            except EOFError:
                yield Signs(one, trouble=body.wait_for_cause())

    def end(self, one: WatchedProcess) -> None:
        """Ends a process."""
        assert isinstance(one.body, ProcessBody)
        self._selector.unregister(one.body.channel)
        self._selector.unregister(one.body.process.sentinel)
        one.body.end()

    def close(self) -> None:
        """Watches no more."""
        self._selector.close()


class ProcessBody:
    """A process of this machine, and the pipe to it.

    Args:
        process: as multiprocess has it.
        channel: this end of the pipe.
        selector: what watches both, told when more is to be sent than fits into the pipe.
    """

    def __init__(self, process: Any, channel: Channel, selector: selectors.BaseSelector):
        self.process, self.channel, self._selector = process, channel, selector

    def send(self, message: bytes) -> None:
        """Takes a message on."""
        self.channel.send(message)
        self._watch()

    def flush(self) -> None:
        """Sends what fits into the pipe now."""
        self.channel.flush()
        self._watch()

    def _watch(self) -> None:
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.channel.pending else 0)
        self._selector.modify(self.channel, events, self._selector.get_key(self.channel).data)

    def processor_seconds(self) -> float:
        """Processor time so far."""
        return server.processor_seconds(self.process.pid)

    def wait_for_cause(self) -> str:
        """Waits a few seconds for the end of one that is gone; what it has died of, in words."""
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
