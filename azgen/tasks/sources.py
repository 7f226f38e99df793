"""Where a run's tasks come from: a teacher, images or a table, each one class that makes its own tasks.

    TeacherTasks("affine", n_features=8).split(seed=0)       # search, selection and test tasks
    ImageTasks("digits", classes="all").split(seed=0)
    TableTasks("wine.csv", "quality", folds=5).split(seed=0)

They are called ...Tasks, as `azgen.tasks.readers.Table` is a table itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from azgen.bounds import Count, ProperShare
from azgen.errors import AzgenError
from azgen.language.userfile import NOTHING, UserFile
from azgen.plain import tagged
from azgen.tasks.datasets import is_data_set, load_data_set
from azgen.tasks.features import FeatureOptions
from azgen.tasks.images import ImageTasks
from azgen.tasks.labels import Kind
from azgen.tasks.readers import Table
from azgen.tasks.source import TaskSource, need_data
from azgen.tasks.splits import SplitOptions
from azgen.tasks.table import TableOptions, table_tasks, tasks_of_table
from azgen.tasks.task import TaskSplit
from azgen.tasks.teachers import TeacherTasks

__all__ = ["SOURCES", "ImageTasks", "Source", "TableTasks", "TeacherTasks"]


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
        missing: words that mean an empty cell, beside NA, NaN and the like.
        drop_unlabelled: leave rows without a label out instead of refusing them.
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
    missing: tuple[str, ...] = ()
    drop_unlabelled: bool = False
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

    def split_of(self, table: Table, seed: int) -> TaskSplit:
        """The same of a table that has been read."""
        return tasks_of_table(table, self.target or None, self._options(seed, 0))

    def check(self, user: UserFile = NOTHING, at: str = "") -> None:
        """See `TaskSource.check`."""
        super().check(user, at)
        need_data(self.data, self.source, at)
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
            missing=self.missing,
            drop_unlabelled=self.drop_unlabelled,
        )


Source: TypeAlias = TeacherTasks | ImageTasks | TableTasks

SOURCES: dict[str, type[Source]] = tagged(Source)
"""The sources by name."""
