"""Settings of a run's tasks, as they are written: one table of settings for every source."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from azgen.language.userfile import NOTHING, UserFile
from azgen.tasks.sources import ImageTasks, Sizes, Source, TableTasks, TeacherTasks
from azgen.tasks.task import Task, TaskSplit

DATA_SOURCES = ("projected", "multiclass", "table")
"""Sources of tasks that draw from data; the others are teachers."""


@dataclass(frozen=True)
class TaskSettings:
    """Where tasks come from and how they are executed.

    Attributes:
        source: "linear", "affine", "two-layer", "two-layer-live" (synthetic teachers; two-layer has two units
            zeroed, as the original), "projected" (class pairs of a data set), "multiclass" (all its classes
            at once) or "table" (the user's own).
        data: data set name or file, for "projected", "multiclass" and "table".
        metric: what fitness is: "rmse" or "r2"; "accuracy", "balanced-accuracy" or "log-loss"; or one of
            ops_file. Empty: rmse for regression, accuracy for classes.
        target: the table's column to predict.
        kind: "auto" (a table's target column tells; a teacher gives regression), "regression",
            "classification" (of a teacher: the sign of its output) or "multiclass" (of a table: one-hot
            labels also for two classes).
        positive: the class of a table to tell from all others; empty: none.
        n_features: F of synthetic and projected tasks; 0: images as they are, without a projection.
        n_search, n_select, n_test: number of tasks of each set; for tables n_search and n_select are splits.
        n_train, n_valid: examples per task of each set; 0: as many as there are, as always with tables.
        epochs: passes over the training examples.
        tune_epochs: the start "auto" also finds out how many passes are best; that number replaces epochs.
        impute: "", "mean" or "median": what replaces missing cells of a table ("": they are refused).
        categorical: columns of categories in a table, or "auto" alone: all columns of text.
        drop: columns of a table to leave out.
        drop_constant: leave constant columns of a table out instead of refusing them.
        groups: a table's column; rows of one group are never on both sides of a split.
        time: a table's column; everything is scored on rows later than those trained on.
        folds: so many folds of a table's rows are the search tasks; 0: n_search random splits.
        test_fraction: share of a table's rows that is set aside for the test, before anything else.
        select_fraction: share of the others that is set aside for selection.
        valid_fraction: share of what is left that a search task is scored on (random splits).
        noise: standard deviation of noise on labels of synthetic tasks.
        data_seeds, param_seeds: seeds of the examples and of the teachers of synthetic search tasks; a list
            that is too short goes on with its last number + 1, + 2 and so on. Empty: drawn by the seed.
        redraw: new search tasks at every restart.
        max_abs_error: a task fails, with fitness 0, at a prediction error above this or NaN.
    """

    source: Literal["linear", "affine", "two-layer", "two-layer-live", "projected", "multiclass", "table"] = (
        "linear"
    )
    data: str = ""
    metric: str = ""
    target: str = ""
    kind: Literal["auto", "regression", "classification", "multiclass"] = "auto"
    positive: str = ""
    n_features: int = 4
    n_search: int = 10
    n_select: int = 100
    n_test: int = 100
    n_train: Sizes = (0, 0, 0)
    n_valid: Sizes = (0, 0, 0)
    epochs: int = 1
    tune_epochs: bool = False
    impute: Literal["", "mean", "median"] = ""
    categorical: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    drop_constant: bool = False
    groups: str = ""
    time: str = ""
    folds: int = 0
    test_fraction: float = 0.2
    select_fraction: float = 0.2
    valid_fraction: float = 0.25
    noise: float = 0.0
    data_seeds: tuple[int, ...] = ()
    param_seeds: tuple[int, ...] = ()
    redraw: bool = False
    max_abs_error: float = 100.0

    @property
    def origin(self) -> Source:
        """The source with what is set for it."""
        if self.source == "table":
            return TableTasks(**self._given(TableTasks))
        if self.source == "projected" or self.source == "multiclass":
            classes: Literal["pairs", "all"] = "pairs" if self.source == "projected" else "all"
            return ImageTasks(**self._given(ImageTasks), classes=classes)
        return TeacherTasks(**self._given(TeacherTasks), teacher=self.source)

    def split(self, seed: int, redraw: int = 0, user: UserFile = NOTHING) -> TaskSplit:
        """Search, selection and test tasks; see `TaskSource.split`."""
        return self.origin.split(seed, redraw, user)

    def search(self, seed: int, redraw: int = 0, user: UserFile = NOTHING) -> tuple[Task, ...]:
        """The search tasks of `split` alone; see `TaskSource.search`."""
        return self.origin.search(seed, redraw, user)

    def search_beside(
        self, run: TaskSettings, seed: int, redraw: int = 0, user: UserFile = NOTHING
    ) -> tuple[Task, ...]:
        """Search tasks of these settings that share none with selection and test tasks of a run with others.

        Args:
            run: settings of the run's tasks.
            seed, redraw, user: see `TaskSource.split`; redraw is 0 for an island's first population.
        """
        if self != run:
            redraw = self.origin.redraw_beside(run.origin, redraw)
        return self.search(seed, redraw, user)

    def _given(self, source: type[Source]) -> dict[str, Any]:
        mine = {field.name for field in dataclasses.fields(self)}
        names = [field.name for field in dataclasses.fields(source) if field.name in mine]
        return {name: getattr(self, name) for name in names}
