"""Where a run's tasks come from: a teacher, images or a table, each one class that makes its own tasks.

    TeacherTasks("affine", n_features=8).split(seed=0)       # search, selection and test tasks
    ImageTasks("digits", classes="all").split(seed=0)
    TableTasks("wine.csv", "quality", folds=5).split(seed=0)

They are called ...Tasks, as `azgen.tasks.readers.Table` is a table itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from azgen.language.metrics import Metric
from azgen.language.userfile import NOTHING, UserFile
from azgen.tasks.datasets import is_data_set, load_data_set
from azgen.tasks.features import FeatureOptions
from azgen.tasks.labels import Kind
from azgen.tasks.multiclass import multiclass_tasks
from azgen.tasks.projected import projected_tasks
from azgen.tasks.splits import SplitOptions
from azgen.tasks.synthetic import Teacher, teacher_split, teacher_tasks
from azgen.tasks.table import TableOptions, table_tasks, tasks_of_table
from azgen.tasks.task import Task, TaskSplit
from azgen.tasks.teacher_seeds import draw_seeds

Sizes: TypeAlias = tuple[int, int, int]
"""One number each for search, selection and test tasks."""

_TEACHER_TRAIN: Sizes = (100, 1000, 1000)
_TEACHER_VALID: Sizes = (100, 100, 100)


@dataclass(frozen=True, kw_only=True)
class TaskSource(ABC):
    """What all sources have in common.

    Attributes:
        n_search, n_select, n_test: number of tasks of each set; of a table n_search and n_select are splits.
        n_train, n_valid: examples per task of each set; 0: as many as there are, as always with tables.
        metric: what fitness is, a metric of azgen's or of the user's own file. Empty: rmse for regression,
            accuracy for classes.
    """

    n_search: int = 10
    n_select: int = 100
    n_test: int = 100
    n_train: Sizes = (0, 0, 0)
    n_valid: Sizes = (0, 0, 0)
    metric: str = ""

    @abstractmethod
    def split(self, seed: int, redraw: int = 0, user: UserFile = NOTHING) -> TaskSplit:
        """Search, selection and test tasks.

        Args:
            seed: fixes everything; selection and test tasks depend on it alone.
            redraw: other search tasks for each number, which share no scored example with selection and test
                tasks.
            user: where a metric of the user's own is defined.

        Raises:
            AzgenError: the data cannot be used; says where and why.
        """

    def search(self, seed: int, redraw: int = 0, user: UserFile = NOTHING) -> tuple[Task, ...]:
        """The search tasks of `split` alone; cheaper where it can be, as restarts redraw them often."""
        return self.split(seed, redraw, user).search

    def redraw_beside(self, run: TaskSource, redraw: int) -> int:
        """Number of a redraw of other search tasks than the run's own that shares no task with the run's
        selection and test tasks.

        Data sets and tables keep the examples of the three sets apart by the seed alone.

        Args:
            run: where the run's own tasks come from.
            redraw: number of the redraw by itself; 0 for an island's first population.
        """
        return redraw

    def _rated(self, split: TaskSplit, user: UserFile) -> TaskSplit:
        return split.with_metric(user.metric(self.metric)) if self.metric else split


@dataclass(frozen=True)
class TeacherTasks(TaskSource):
    """Synthetic tasks, whose labels a teacher gives.

    Attributes:
        teacher: see `teacher_tasks`.
        n_features: F.
        kind: "classification": labels are the signs of the teacher's outputs; else they are the outputs, or
            what the metric asks for.
        noise: standard deviation of noise on labels.
        data_seeds, param_seeds: seeds of the examples and of the teachers of search tasks; a list that is too
            short goes on with its last number + 1, + 2 and so on. Empty: drawn by the seed.
    """

    teacher: Teacher = "linear"
    n_features: int = 4
    kind: str = "auto"
    noise: float = 0.0
    data_seeds: tuple[int, ...] = ()
    param_seeds: tuple[int, ...] = ()

    def split(self, seed: int, redraw: int = 0, user: UserFile = NOTHING) -> TaskSplit:
        """See `TaskSource.split`."""
        train, valid = self._examples()
        return teacher_split(
            self.teacher,
            self.n_features,
            n_search=self.n_search,
            n_select=self.n_select,
            n_test=self.n_test,
            n_train=train,
            n_valid=valid,
            seed=seed,
            redraw=redraw,
            noise=self.noise,
            metric=self._metric(user),
            data_seeds=self.data_seeds or None,
            param_seeds=self.param_seeds or None,
        )

    def search(self, seed: int, redraw: int = 0, user: UserFile = NOTHING) -> tuple[Task, ...]:
        """The search tasks of `split`; no other is made, only its seeds are drawn."""
        train, valid = self._examples()
        data, param = draw_seeds(self.n_search * (1 + redraw) + self.n_select + self.n_test, seed)
        own = slice(-self.n_search, None) if redraw else slice(self.n_search)
        return teacher_tasks(
            self.teacher,
            self.n_search,
            self.n_features,
            train[0],
            valid[0],
            data_seeds=self.data_seeds or data[own],
            param_seeds=self.param_seeds or param[own],
            noise=self.noise,
            metric=self._metric(user),
        )

    def redraw_beside(self, run: TaskSource, redraw: int) -> int:
        """See `TaskSource.redraw_beside`. Synthetic tasks are numbered one after the other, so that another
        number of search tasks needs numbers beyond those of the run.
        """
        used = run.n_search + run.n_select + run.n_test
        own = self.n_search + self.n_select + self.n_test
        return redraw + 1 + -(-max(0, used - own) // self.n_search)

    def _examples(self) -> tuple[Sizes, Sizes]:
        return (
            self.n_train if any(self.n_train) else _TEACHER_TRAIN,
            self.n_valid if any(self.n_valid) else _TEACHER_VALID,
        )

    def _metric(self, user: UserFile) -> Metric:
        if self.metric:
            return user.metric(self.metric)
        return "accuracy" if self.kind == "classification" else "rmse"


@dataclass(frozen=True)
class ImageTasks(TaskSource):
    """Images of a data set, told apart by their classes.

    Attributes:
        data: name of the data set.
        classes: "pairs": a task is two of the classes (`projected_tasks`); "all": all of them at once, with
            one-hot labels (`multiclass_tasks`).
        n_features: F, to which images are projected; 0: as they are, without a projection.
    """

    data: str = ""
    classes: Literal["pairs", "all"] = "pairs"
    n_features: int = 4

    def split(self, seed: int, redraw: int = 0, user: UserFile = NOTHING) -> TaskSplit:
        """See `TaskSource.split`."""
        data = load_data_set(self.data)
        make = projected_tasks if self.classes == "pairs" else multiclass_tasks
        split = make(
            data.x,
            data.y,
            n_features=self.n_features or None,
            n_search=self.n_search,
            n_select=self.n_select,
            n_test=self.n_test,
            n_train=self.n_train if any(self.n_train) else None,
            n_valid=self.n_valid if any(self.n_valid) else None,
            own_test=data.own_test,
            class_names=data.class_names,
            seed=seed,
            redraw=redraw,
            source=data.name,
        )
        return self._rated(split, user)

    def search(self, seed: int, redraw: int = 0, user: UserFile = NOTHING) -> tuple[Task, ...]:
        """The search tasks of `split`, with only one other task of each set."""
        return replace(self, n_select=1, n_test=1).split(seed, redraw, user).search


@dataclass(frozen=True)
class TableTasks(TaskSource):
    """Splits of the rows of one table.

    Attributes:
        data: file or name of a data set.
        target: the column to predict; empty: the table's own (an NPZ file's y, a data set's target).
        kind: see `read_labels`.
        positive: the class to tell from all others; empty: none.
        impute: "mean" or "median": what replaces missing cells; empty: they are refused.
        categorical: columns of categories, or "auto" alone: all columns of text.
        drop: columns to leave out.
        drop_constant: leave constant columns out instead of refusing them.
        groups: a column; rows of one group are never on both sides of a split. Empty: none.
        time: a column; everything is scored on rows later than those trained on. Empty: none.
        folds: so many folds of the rows are the search tasks; 0: n_search random splits.
        test_fraction: share of the rows that is set aside for the test, before anything else.
        select_fraction: share of the others that is set aside for selection.
        valid_fraction: share of what is left that a search task is scored on (random splits).
    """

    data: str = ""
    target: str = ""
    kind: Kind = "auto"
    positive: str = ""
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

    def split(self, seed: int, redraw: int = 0, user: UserFile = NOTHING) -> TaskSplit:
        """See `TaskSource.split`."""
        options, target = self._options(seed, redraw), self.target or None
        if is_data_set(self.data):
            split = tasks_of_table(load_data_set(self.data).table(), target, options)
        else:
            split = table_tasks(self.data, target, options)
        return self._rated(split, user)

    def _options(self, seed: int, redraw: int) -> TableOptions:
        splits = SplitOptions(
            n_search=self.folds or self.n_search,
            n_select=self.n_select,
            n_test=self.n_test,
            test_fraction=self.test_fraction,
            select_fraction=self.select_fraction,
            valid_fraction=self.valid_fraction,
            method="folds" if self.folds else "random",
            seed=seed,
            redraw=redraw,
        )
        features = FeatureOptions(
            impute=self.impute or None,
            drop_constant=self.drop_constant,
            drop=self.drop,
            categorical="auto" if self.categorical == ("auto",) else self.categorical,
        )
        return TableOptions(
            kind=self.kind,
            positive=self.positive or None,
            features=features,
            splits=splits,
            groups=self.groups or None,
            time=self.time or None,
        )


Source: TypeAlias = TeacherTasks | ImageTasks | TableTasks
