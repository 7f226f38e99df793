"""How long there is, and work that does not keep anybody waiting for longer."""

from __future__ import annotations

import contextvars
import math
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

_POLL_SECONDS = 0.05

_CLOSING_SHARE, _MOST_CLOSING = 5, 30.0
"""A time limit's fifth, and at most so many seconds of it, are for what comes after the search."""


class Deadline:
    """A moment after which nothing new is begun.

    Args:
        seconds: from now on; infinite: never.
        clock: tells the seconds: of the wall, or of this process.
    """

    def __init__(self, seconds: float = math.inf, clock: Callable[[], float] = time.perf_counter):
        self._clock, self._end = clock, clock() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left, 0 if it is over."""
        return max(0.0, self._end - self._clock())

    def passed(self) -> bool:
        """Whether it is over."""
        return self.left == 0.0

    def end(self) -> None:
        """It is over now."""
        self._end = -math.inf


class BusyDeadline(Deadline):
    """A deadline that on a busy machine waits until this process has had some time of a processor, so that
    what has to be done in any case is done there too.

    Args:
        seconds: from now on, by the wall's clock.
        cpu_seconds: processor time from now on that must be over as well.
    """

    def __init__(self, seconds: float, cpu_seconds: float):
        super().__init__(seconds)
        self._worked = Deadline(cpu_seconds, time.process_time)

    @property
    def left(self) -> float:
        """Seconds that are left, 0 if both are over."""
        return max(super().left, self._worked.left)


NEVER = Deadline()
"""There is no hurry."""


_counted_too: list[Callable[[], float]] = []


def count_too(seconds: Callable[[], float]) -> None:
    """Counts what others than this process wait for: `seconds` tells their processor time so far."""
    _counted_too.append(seconds)


def cpu_seconds() -> float:
    """Processor time of this process and the processes that have ended and were started for it."""
    times = os.times()
    own = times.user + times.system + times.children_user + times.children_system
    return own + sum(seconds() for seconds in _counted_too)


@dataclass(frozen=True)
class Stopwatch:
    """When something began, by both clocks."""

    began: float = field(default_factory=time.perf_counter)
    began_cpu: float = field(default_factory=cpu_seconds)

    @property
    def seconds(self) -> float:
        """Seconds since then."""
        return time.perf_counter() - self.began

    @property
    def cpu_seconds(self) -> float:
        """Processor time since then."""
        return cpu_seconds() - self.began_cpu


@dataclass(frozen=True)
class Pace:
    """How a run stands with its time limit, which counts from when it began.

    Attributes:
        limit: seconds; infinite: there is none.
        watch: when it began.
    """

    limit: float = math.inf
    watch: Stopwatch = field(default_factory=Stopwatch)

    @property
    def closing(self) -> float:
        """Seconds that are kept for what comes after the search: choosing, testing, comparing."""
        return 0.0 if self.limit == math.inf else min(self.limit / _CLOSING_SHARE, _MOST_CLOSING)

    def until(self, share: float) -> Deadline:
        """When a share of the limit is over."""
        return Deadline(share * self.limit - self.watch.seconds)


class Overdue(Exception):
    """Work was not done in time; it goes on where nobody looks until it ends, or the process does."""


_given_up: list[threading.Thread] = []


def work_goes_on() -> bool:
    """Whether work that was given up has not ended yet; Python would wait for some of it as it ends."""
    return any(thread.is_alive() for thread in _given_up)


def aside(work: Callable[[], T], overdue: Callable[[], bool] = lambda: False) -> T:
    """What `work` returns, which another thread does, so that Ctrl-C is heard while native code runs.

    Args:
        work: must leave nothing half done that somebody else uses, as it may be given up.
        overdue: asked many times a second whether to wait no longer.

    Raises:
        Overdue: it was not done by then.
        BaseException: what `work` raises.
    """
    found: list[T] = []
    failed: list[BaseException] = []
    done = threading.Event()
    context = contextvars.copy_context()  # messages speak the caller's language there too

    def run() -> None:
        try:
            found.append(context.run(work))
        except BaseException as error:
            failed.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        while not done.wait(_POLL_SECONDS):
            if overdue():
                raise Overdue
    except BaseException:
        _given_up.append(thread)
        raise
    if failed:
        raise failed[0]
    return found[0]
