"""What commands that study a program are about: the program, and the tasks that were named with it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from azgen.cli.naming import Named
from azgen.cli.options import use_build_directory
from azgen.cli.references import Reference, find
from azgen.errors import AzgenError
from azgen.execution.verify import verify
from azgen.language.conditions import Conditions
from azgen.language.instruction import VECTOR
from azgen.runs.saved import SavedRun, split_of_run
from azgen.search.task_set import population_tasks
from azgen.settings.presets import preset_names
from azgen.settings.resolve import resolve_settings, source_of
from azgen.settings.settings import Settings
from azgen.study.wording import SET_NAMES
from azgen.tasks.sources import TeacherTasks
from azgen.tasks.synthetic import TEACHERS
from azgen.tasks.task import Task, TaskSplit


@dataclass
class Subject:
    """What a command is about: a program, and the tasks that were named or are those of its run."""

    found: Reference
    given: dict[str, Any]

    @classmethod
    def of(cls, named: Named, table: dict[str, Any], build_dir: Path | None) -> Subject:
        """What was named.

        Args:
            table: changes to `TableTasks`, by name.
            build_dir: folder of the compile cache; None: the usual one.

        Raises:
            AzgenError: there is no such program, or it is damaged.
        """
        use_build_directory(build_dir)
        given = {field.name: getattr(named, field.name) for field in fields(named)}
        return cls(find(given.pop("reference"), named.ops), given | {"table": table})

    @property
    def has_tasks(self) -> bool:
        """Whether tasks were named, or are known from a run."""
        return self.found.run is not None or any(self.given[name] is not None for name in ("data", "tasks"))

    @cached_property
    def settings(self) -> Settings:
        """What the program is executed with."""
        given = dict(self.given)
        name, table, epochs = given.pop("tasks"), given.pop("table"), given.pop("epochs")
        return task_settings(self.found, name, **given, tasks=table, epochs=epochs)

    @cached_property
    def split(self) -> TaskSplit:
        """Search, selection and test tasks."""
        verify(self.settings.user, self.settings.dtype)
        run = self.found.run
        if run is not None:
            return self._as_searched(split_of_run(run.path, self.settings), run)
        return self.settings.tasks.split(self.settings.seed, user=self.settings.user)

    def _as_searched(self, split: TaskSplit, run: SavedRun) -> TaskSplit:
        """A run's tasks, the search tasks being those of the population that the champion comes from, as for
        `azgen show`, where each population has its own."""
        same = (self.settings.tasks, self.settings.seed) == (run.settings.tasks, run.settings.seed)
        if not (same and self.settings.tasks.redraw and run.champion.population):
            return split
        return replace(split, search=population_tasks(self.settings, split, run.champion.population))

    def tasks(self, name: str) -> tuple[Task, ...]:
        """The tasks of a set.

        Raises:
            AzgenError: there is no such set.
        """
        if name not in SET_NAMES:
            raise AzgenError(f"there is no task set {name!r}; there are {', '.join(SET_NAMES)}")
        return dict(self.split.sets())[name]  # type: ignore[index]  # just checked

    @property
    def conditions(self) -> Conditions:
        """How programs are executed."""
        return self.settings.conditions


def task_settings(found: Reference, name: str | None, **overrides: Any) -> Settings:
    """Settings whose tasks a program is to be executed on.

    Args:
        found: the program, and the run whose champion it is, if it is one.
        name: a preset, a configuration file or a teacher.
        overrides: see `resolve_settings`.
    """
    run, data = found.run, overrides["data"]
    if found.program.form == VECTOR and data:  # it takes one-hot labels alone
        name_of, all_of = ("kind", "multiclass") if source_of(data) == "table" else ("classes", "all")
        overrides[name_of] = overrides[name_of] or all_of
    if name is not None and overrides["data"] is not None:
        raise AzgenError("--tasks and --data exclude each other; give one of them")
    if name is not None and name not in preset_names() and name in TEACHERS:
        base: Any = Settings(tasks=TeacherTasks(name))
    elif name is not None:
        base = name
    elif overrides["data"] is not None:
        base = None
    elif run is not None:
        base = run.settings
    else:
        raise AzgenError(
            "on which tasks? Give --data FILE --target COLUMN, or --tasks NAME, such as --tasks linear"
        )
    return resolve_settings(base, **overrides)
