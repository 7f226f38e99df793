"""The tasks of a search with an archive: stage by stage, sets for its runs and one to rate its members on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from azgen.execution.kernel import Kernel
from azgen.execution.layout import LaneTasks, trained_twice
from azgen.settings.evolution import ArchiveSettings, StageSettings
from azgen.settings.settings import Settings
from azgen.settings.tasks import SearchTasks, stage_tasks

_MOST_BYTES = 64 << 20
"""Memory of the task sets of a stage; the least that are kept are two."""

LayOut = Callable[[SearchTasks, int], tuple[Kernel, LaneTasks]]
"""Draws search tasks by their settings and the draw's number, and lays them out for their kernel."""


class StageTasks:
    """Tasks of one stage, drawn when they are needed.

    Args:
        tasks: the stage's search tasks.
        lay_out: see `LayOut`.
        n_rating: tasks to rate members of the archive on.
        n_sets: different sets for runs; fewer where they are large.
    """

    def __init__(self, tasks: SearchTasks, lay_out: LayOut, n_rating: int, n_sets: int):
        self.kernel, first = lay_out(tasks, 0)
        size = sum(array.nbytes for array in first.arrays.values())
        self._n_sets = max(2, min(n_sets, _MOST_BYTES // max(size, 1)))
        self._draw = lru_cache(maxsize=None)(lambda number: lay_out(tasks, number)[1])
        # Draws are numbered by tasks: those of the rating tasks begin where the runs' sets have ended.
        rating = dataclasses.replace(tasks.source, n_search=n_rating)
        first_free = -(-tasks.source.n_search * (n_sets + 1) // n_rating)
        _, self.rating = lay_out(SearchTasks(rating, tasks.epochs), first_free)
        self.longer = trained_twice(self.rating)

    def search(self, run: int) -> LaneTasks:
        """The search tasks of a run."""
        return self._draw(run % self._n_sets)


def stages_of(settings: Settings, tasks: SearchTasks, lay_out: LayOut) -> list[StageTasks]:
    """The stages of a search, the run's own tasks last.

    Args:
        settings: see `Settings`.
        tasks: the search tasks, such as an island's.
        lay_out: see `LayOut`.
    """
    archive = settings.archive
    changed = [stage_tasks(tasks, stage) for stage in settings.stages]
    return [StageTasks(t, lay_out, archive.rating_tasks, archive.task_sets) for t in (*changed, tasks)]


@dataclass(frozen=True)
class Stage:
    """What an archive does in a stage."""

    tasks: StageTasks
    goal: float
    fresh: bool
    solutions: int
    run_programs: int
    patience: int
    give_up_programs: int


def stage_of(settings: Settings, number: int, tasks: StageTasks) -> Stage:
    """What is done in the stage of this number; after the settings' stages comes the run's own."""
    archive: ArchiveSettings = settings.archive
    if number == len(settings.stages):
        return Stage(tasks, 2.0, False, 1, archive.run_programs, archive.patience, archive.give_up_programs)
    stage: StageSettings = settings.stages[number]
    return Stage(
        tasks,
        stage.goal,
        stage.fresh,
        stage.solutions,
        stage.run_programs or archive.run_programs,
        stage.patience or archive.patience,
        stage.give_up_programs or archive.give_up_programs,
    )
