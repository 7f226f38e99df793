"""Search tasks: the run's own, and those of islands and stages, which change them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azgen.language.userfile import NOTHING, UserFile
from azgen.plain import as_plain
from azgen.settings.evolution import StageSettings
from azgen.settings.settings import Settings
from azgen.settings.values import read_tasks
from azgen.tasks.sources import SOURCES, Source
from azgen.tasks.task import Task


@dataclass(frozen=True)
class SearchTasks:
    """Search tasks as they are searched on.

    Attributes:
        source: where they come from.
        epochs: passes over their training examples.
    """

    source: Source
    epochs: int

    def beside(
        self, run: SearchTasks, seed: int, redraw: int = 0, user: UserFile = NOTHING
    ) -> tuple[Task, ...]:
        """These tasks; if they are not the run's own, they share none with its selection and test tasks.

        Args:
            run: the run's own search tasks.
            seed, redraw, user: see `TaskSource.split`; redraw is 0 for an island's first population.
        """
        if self != run:
            redraw = self.source.redraw_beside(run.source, redraw)
        return self.source.search(seed, redraw, user)

    def changed(self, changes: Mapping[str, Any], at: str) -> SearchTasks:
        """The same with some changes.

        Args:
            changes: to the settings of tasks, by name, and `epochs`; what another source does not have is
                left out.
            at: where the changes stand, for messages.
        """
        given = dict(changes)
        epochs = given.pop("epochs", self.epochs)
        plain = changed_plain(as_plain(self.source), given)
        return SearchTasks(read_tasks(plain, "configuration", at), epochs)


def changed_plain(tasks: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of tasks as plain values, with changes; what another source does not have is left out."""
    kind = SOURCES.get(changes.get("source", tasks["source"]))
    names = {field.name for field in dataclasses.fields(kind)} if kind else tasks.keys()
    return {name: value for name, value in tasks.items() if name in names} | dict(changes)


def own_tasks(settings: Settings) -> SearchTasks:
    """The run's own search tasks."""
    return SearchTasks(settings.tasks, settings.execution.epochs)


def island_tasks(settings: Settings, island: int) -> SearchTasks:
    """An island's search tasks: the run's, with the changes that this island was dealt."""
    changes = settings.islands.tasks
    if not changes:
        return own_tasks(settings)
    return own_tasks(settings).changed(changes[island % len(changes)], "islands.tasks")


def number_searched_on(source: Source) -> int:
    """Number of search tasks; of large tables there are fewer."""
    return getattr(source, "folds", 0) or source.n_search


def most_searched_on(settings: Settings) -> int:
    """Most search tasks that an island may have, in any stage."""
    own = [island_tasks(settings, island) for island in range(len(settings.islands.tasks) or 1)]
    staged = [stage_tasks(tasks, stage) for tasks in own for stage in settings.stages]
    return max(number_searched_on(tasks.source) for tasks in (*own, *staged))


def stage_tasks(tasks: SearchTasks, stage: StageSettings) -> SearchTasks:
    """A stage's search tasks: the run's, or an island's, with its changes."""
    return tasks.changed(stage.tasks, "stages.tasks")
