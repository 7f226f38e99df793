"""Clocks: processor time, best and median of many runs that take turns."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def cpu_seconds() -> float:
    """Processor time, user and system, of this process and of the children that it has waited for."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


@dataclass
class Stopwatch:
    """Processor time and wall-clock time of a `with` block, child processes included."""

    cpu: float = 0.0
    wall: float = 0.0
    _began: tuple[float, float] = field(default=(0.0, 0.0), repr=False)

    def __enter__(self) -> Stopwatch:
        self._began = cpu_seconds(), time.perf_counter()
        return self

    def __exit__(self, *error: object) -> None:
        self.cpu += cpu_seconds() - self._began[0]
        self.wall += time.perf_counter() - self._began[1]


def thread_seconds(work: Callable[[], object], count: int) -> float:
    """Processor time per call. The work makes no system calls, so this is user time."""
    began = time.thread_time()
    for _ in range(count):
        work()
    return (time.thread_time() - began) / count


def in_turns(works: Mapping[str, Callable[[], object]], runs: int, seconds: float) -> dict[str, list[float]]:
    """Processor time per call of several works, in µs, of each run.

    The works take turns, so that whatever else the machine does disturbs all of them alike.

    Args:
        works: what to call.
        runs: runs of each.
        seconds: each run repeats its work for about this long.
    """
    counts = {}
    for name, work in works.items():
        work()  # memory and branch predictors warm up
        counts[name] = max(1, round(seconds / max(thread_seconds(work, 1), 1e-7)))
    values: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            values[name].append(1e6 * thread_seconds(work, counts[name]))
    return values
