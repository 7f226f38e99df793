"""What a search touches outside itself, in one place: who runs its islands, the clock, the disk, Ctrl-C.

The simulation of faults has a world of its own (azgen/simulation); all else takes this machine's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from azgen.files import SYSTEM_DISK, Disk
from azgen.language.program import Program
from azgen.search.engines.base import Engine
from azgen.search.engines.dask import DaskEngine, require_dask
from azgen.search.engines.inline import InlineEngine
from azgen.search.engines.workers import WorkerEngine
from azgen.search.interrupts import deferred_interrupts
from azgen.search.space import SearchSpace
from azgen.settings.settings import Settings
from azgen.tasks.task import TaskSplit

Interrupts = Callable[[], AbstractContextManager[Callable[[], bool]]]
SpaceOf = Callable[[Settings, TaskSplit, Sequence[Program]], SearchSpace]


def engine_of(space: SearchSpace) -> Engine:
    """The engine that the settings ask for."""
    islands = space.settings.islands
    if islands.engine == "dask":
        return DaskEngine(space, islands.scheduler)
    if islands.engine == "workers" or (islands.engine == "auto" and islands.workers > 1):
        return WorkerEngine(space)
    return InlineEngine(space)


def space_of(settings: Settings, split: TaskSplit, tuned: Sequence[Program]) -> SearchSpace:
    """The kernels and tasks of a search."""
    if settings.islands.engine == "dask":
        require_dask()  # before anything is compiled
    return SearchSpace.of(settings, split, tuned)


@dataclass(frozen=True)
class World:
    """What a search touches outside itself.

    Attributes:
        engine: makes what runs the islands.
        clock: tells the seconds, from any moment on.
        disk: where checkpoints are kept.
        interrupts: while it is entered, says whether Ctrl-C has been pressed.
        space: builds kernels and lays out tasks.
    """

    engine: Callable[[SearchSpace], Engine] = engine_of
    clock: Callable[[], float] = time.perf_counter
    disk: Disk = SYSTEM_DISK
    interrupts: Interrupts = deferred_interrupts
    space: SpaceOf = space_of


THIS_MACHINE = World()
