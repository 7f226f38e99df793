"""Where a run's tasks come from: a teacher, images or a table, each one class that makes its own tasks.

    TeacherTasks("affine", n_features=8).split(seed=0)       # search, selection and test tasks
    ImageTasks("digits", classes="all").split(seed=0)
    TableTasks("wine.csv", "quality", folds=5).split(seed=0)

They are called ...Tasks, as `azgen.tasks.readers.Table` is a table itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, TypeAlias

from azgen.bounds import Bounds, Count, NotNegative, Positive, ProperShare, check_bounds
from azgen.errors import AzgenError
from azgen.language.metrics import Metric, is_classification
from azgen.language.userfile import NOTHING, UserFile
from azgen.plain import tagged
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
        source: "teacher" (synthetic tasks), "images" (of a data set) or "table" (the user's own).
        n_search, n_select, n_test: number of tasks of each set; of a table n_search and n_select are splits.
        n_train, n_valid: examples per task of each set; 0: as many as there are, as always with tables.
        metric: what fitness is: "rmse" or "r2"; "accuracy", "balanced-accuracy" or "log-loss"; or one of the
            user's own file. Empty: rmse for regression, accuracy for classes.
        redraw: new search tasks at every restart.
    """

    source: str
    n_search: Positive = 10
    n_select: Positive = 100
    n_test: Positive = 100
    n_train: Annotated[Sizes, Bounds(0)] = (0, 0, 0)
    n_valid: Annotated[Sizes, Bounds(0)] = (0, 0, 0)
    metric: str = ""
    redraw: bool = False

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

    def check(self, user: UserFile = NOTHING, at: str = "") -> None:
        """Checks that what is set is in bounds and agrees with itself.

        Args:
            user: where a metric of the user's own is defined.
            at: what comes before names in messages, such as "tasks.".

        Raises:
            AzgenError: it does not; says which setting, and what to do.
        """
        check_bounds(self, at)
        if not self.metric:
            return
        try:
            classes = is_classification(user.metric(self.metric))
        except AzgenError as error:
            raise AzgenError(f"{at}metric: {error}") from None
        known, why = self._labels(at)
        if known is not None and known != classes:
            rates = "classes" if classes else "numbers"
            raise AzgenError(f"{at}metric {self.metric} rates {rates}, but {why}")

    @abstractmethod
    def _labels(self, at: str) -> tuple[bool | None, str]:
        """Whether labels are known to be classes (True) or numbers (False), and what says so."""

    def _rated(self, split: TaskSplit, user: UserFile) -> TaskSplit:
        return split.with_metric(user.metric(self.metric)) if self.metric else split


@dataclass(frozen=True)
class TeacherTasks(TaskSource):
    """Synthetic tasks, whose labels a teacher gives.

    Attributes:
        teacher: "linear", "affine", "two-layer" (two units zeroed, as the original) or "two-layer-live".
        n_features: F; at least 3 for "two-layer".
        kind: "classification": labels are the signs of the teacher's outputs; else they are the outputs, or
            what the metric asks for.
        noise: standard deviation of noise on labels.
        data_seeds, param_seeds: seeds of the examples and of the teachers of search tasks; a list that is too
            short goes on with its last number + 1, + 2 and so on. Empty: drawn by the seed.
    """

    source: Literal["teacher"] = field(default="teacher", kw_only=True)
    teacher: Teacher = "linear"
    n_features: Positive = 4
    kind: Literal["auto", "regression", "classification"] = "auto"
    noise: NotNegative = 0.0
    data_seeds: Annotated[tuple[int, ...], Bounds(0)] = ()
    param_seeds: Annotated[tuple[int, ...], Bounds(0)] = ()

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

    def check(self, user: UserFile = NOTHING, at: str = "") -> None:
        """See `TaskSource.check`."""
        super().check(user, at)
        if self.teacher == "two-layer" and self.n_features < 3:
            raise AzgenError(f"{at}n_features is {self.n_features}; at least 3 for two-layer")
        if self.redraw and (self.data_seeds or self.param_seeds):
            raise AzgenError(
                f"{at}redraw draws new seeds, and {at}data_seeds or param_seeds give them; leave one of them "
                "out"
            )

    def _labels(self, at: str) -> tuple[bool | None, str]:
        return None if self.kind == "auto" else self.kind == "classification", f'{at}kind is "{self.kind}"'

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
        classes: "pairs": a task is two of the classes; "all": all of them at once, with one-hot labels.
        n_features: F, to which images are projected; 0: as they are, without a projection.
    """

    source: Literal["images"] = field(default="images", kw_only=True)
    data: str = ""
    classes: Literal["pairs", "all"] = "pairs"
    n_features: Count = 4

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

    def check(self, user: UserFile = NOTHING, at: str = "") -> None:
        """See `TaskSource.check`."""
        super().check(user, at)
        _need_data(self, at)

    def _labels(self, at: str) -> tuple[bool | None, str]:
        return True, "images are told apart by their classes"


@dataclass(frozen=True)
class TableTasks(TaskSource):
    """Splits of the rows of one table.

    Attributes:
        data: file or name of a data set.
        target: the column to predict; empty: the table's own (an NPZ file's y, a data set's target).
        kind: "auto" (the column tells), "regression", "classification" or "multiclass" (one-hot labels also
            for two classes); see `read_labels`.
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

    source: Literal["table"] = field(default="table", kw_only=True)
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
    folds: Count = 0
    test_fraction: ProperShare = 0.2
    select_fraction: ProperShare = 0.2
    valid_fraction: ProperShare = 0.25

    def split(self, seed: int, redraw: int = 0, user: UserFile = NOTHING) -> TaskSplit:
        """See `TaskSource.split`."""
        options, target = self._options(seed, redraw), self.target or None
        if is_data_set(self.data):
            split = tasks_of_table(load_data_set(self.data).table(), target, options)
        else:
            split = table_tasks(self.data, target, options)
        return self._rated(split, user)

    def check(self, user: UserFile = NOTHING, at: str = "") -> None:
        """See `TaskSource.check`."""
        super().check(user, at)
        _need_data(self, at)
        if self.groups and self.time:
            raise AzgenError(f"{at}groups and {at}time exclude each other; give one of them")
        if self.folds and self.time:
            raise AzgenError(f"{at}folds and {at}time exclude each other: a fold would train on later rows")
        if self.folds == 1:
            raise AzgenError(f"{at}folds is 1; at least 2, or 0 for none")
        if self.positive and self.kind == "regression":
            raise AzgenError(
                f'{at}positive picks a class, but {at}kind is "regression"; leave one of them out'
            )

    def _labels(self, at: str) -> tuple[bool | None, str]:
        return None if self.kind == "auto" else self.kind != "regression", f'{at}kind is "{self.kind}"'

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


def _need_data(tasks: ImageTasks | TableTasks, at: str) -> None:
    if not tasks.data:
        raise AzgenError(f'{at}data is needed for {at}source "{tasks.source}"')


Source: TypeAlias = TeacherTasks | ImageTasks | TableTasks

SOURCES: dict[str, type[Source]] = tagged(Source)
"""The sources by name."""
