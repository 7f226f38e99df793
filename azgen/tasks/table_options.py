"""What is said about a table: one declaration, for configurations, the command line and all that reads it.

`azgen.tasks.sources.TableTasks` is this with a way to make tasks; `labels`, `features` and `splits` look at
their parts of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from azgen.bounds import Count, ProperShare
from azgen.errors import FieldError
from azgen.language.userfile import NOTHING, UserFile
from azgen.tasks.labels import Kind
from azgen.tasks.source import TaskSource, need_data

Impute: TypeAlias = Literal["", "mean", "median"]


@dataclass(frozen=True)
class TableOptions(TaskSource):
    """What is said about a table.

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
    impute: Impute = ""
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

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.groups and self.time:
            raise FieldError("{at}groups and {at}time exclude each other; give one of them")
        if self.folds and self.time:
            raise FieldError("{at}folds and {at}time exclude each other: a fold would train on later rows")
        if self.folds == 1:
            raise FieldError("{at}folds is 1; at least 2, or 0 for none")
        if self.positive and self.kind in ("regression", "multiclass"):
            raise FieldError(
                f'{{at}}positive picks a class, but {{at}}kind is "{self.kind}"; leave one of the two out'
            )

    def check(self, user: UserFile = NOTHING, at: str = "") -> None:
        """See `TaskSource.check`."""
        super().check(user, at)
        need_data(self.data, self.source, at)

    def _labels(self, at: str) -> tuple[bool | None, str]:
        return None if self.kind == "auto" else self.kind != "regression", f'{at}kind is "{self.kind}"'
