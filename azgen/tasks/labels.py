"""A table's target column as labels: regression, two classes or more, told from the column or by the user."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from azgen.caller import setting
from azgen.errors import AzgenError
from azgen.tasks.cells import check_range, holds_booleans, numbers_of, text_error
from azgen.tasks.readers.base import Table, few, value_name
from azgen.tasks.task import FloatArray

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["auto", "regression", "classification", "multiclass"]
LabelKind = Literal["regression", "classification", "multiclass"]

# A whole-number target with no more distinct values than this, each met several times, may be meant as
# classes.
_MOST_CLASSES = 10
_ROWS_PER_CLASS = 3


@dataclass(frozen=True, eq=False)
class Labels:
    """A target column as labels.

    Attributes:
        values: N; regression: in the target's unit; otherwise class numbers.
        kind: "regression", "classification" (two classes) or "multiclass".
        names: regression: the target's name; otherwise the classes' names in the order of their numbers.
        why: what the kind is and what the labels mean, for people.
        of_numbers: whether numbers were taken for classes, which the user did not say.
    """

    values: FloatArray
    kind: LabelKind
    names: tuple[str, ...]
    why: str
    of_numbers: bool = False

    @property
    def classes(self) -> NDArray[np.int64] | None:
        """Class number of each row, or None for regression."""
        return None if self.kind == "regression" else self.values.astype(np.int64)


def read_labels(table: Table, target: str, kind: Kind = "auto", positive: str | None = None) -> Labels:
    """The target column as labels.

    Args:
        table, target: where to find them.
        kind: "auto": text and two distinct values are classes, and so are a few whole numbers that each occur
            several times; other numbers are regression. "classification": two classes are labels 0 and 1,
            more are one-hot rows; "multiclass": one-hot rows for two as well.
        positive: the class whose label is 1; all others become 0.

    Classes are numbered in the order of their values, numbers by size and text by the alphabet.

    Raises:
        AzgenError: empty cells, one value only, or text where numbers are needed.
    """
    column = _target_column(table, target, kind)
    numbers, text = numbers_of(column)
    if text.any():
        distinct, codes = np.unique(column.astype("str").to_numpy(dtype=object), return_inverse=True)
    else:
        check_range(table, target, numbers)
        distinct, codes = np.unique(numbers, return_inverse=True)
    names = tuple(value_name(value) for value in distinct.tolist())
    if len(names) == 1:
        raise AzgenError(
            f"{table.source}: the target column {target!r} is {names[0]} in every row (one class only, or a "
            "constant); there is nothing to learn"
        )
    if positive is not None:
        return _one_against_rest(table, target, positive, names, codes)
    guessed = kind == "auto" and not text.any()
    if kind == "regression" or (guessed and len(names) > 2 and not _like_classes(distinct, codes)):
        return Labels(numbers, "regression", (target,), f"regression: {target} is a number")
    if kind == "multiclass" or len(names) > 2:
        hint = f" ({setting('kind', 'regression')} takes them as numbers)" if guessed else ""
        why = f"{len(names)} classes of {target}: {few(list(names))}{hint}"
        return Labels(codes.astype(float), "multiclass", names, why, guessed)
    why = f"classification: {target} is {names[0]} (label 0) or {names[1]} (label 1)"
    return Labels(codes.astype(float), "classification", names, why)


def _target_column(table: Table, target: str, kind: Kind) -> pd.Series[Any]:
    """The target's cells: numbers, or text where labels are classes."""
    column = table.columns[target]
    if kind != "regression" and (numbers_of(column)[1].any() or holds_booleans(column)):
        column = table.text(target)  # classes keep their text: "None" is one of them, and so is "True"
    missing = column.isna().to_numpy(dtype=bool)
    if missing.any():
        raise AzgenError(
            f"{table.source}: the target column {target!r} is empty in {missing.sum()} rows, first in "
            f"{table.where(missing)}; remove those rows, or leave them out: {setting('drop_unlabelled')}"
        )
    text = numbers_of(column)[1]
    if text.any() and kind == "regression":
        raise text_error(table, target, text, "regression needs numbers in the target column")
    if text.any() and kind == "auto" and text.mean() < 0.5:
        advice = f"correct it (or give {setting('kind', 'classification')} if it is a class)"
        raise text_error(table, target, text, advice)
    return column


def _one_against_rest(
    table: Table, target: str, positive: str, names: tuple[str, ...], codes: NDArray[np.intp]
) -> Labels:
    wanted = positive
    if wanted not in names:
        with suppress(ValueError):
            wanted = value_name(float(positive))  # "1.0" for 1
    if wanted not in names:
        raise AzgenError(
            f"{table.source}: no row has the class {positive!r} in the target column {target!r}; the classes "
            f"are {few(list(names))}"
        )
    rest = next(name for name in names if name != wanted) if len(names) == 2 else f"not {wanted}"
    return Labels(
        (codes == names.index(wanted)).astype(float),
        "classification",
        (rest, wanted),
        f"classification: {target} is {wanted} (label 1) or {rest} (label 0)",
    )


def _like_classes(distinct: NDArray[np.float64], codes: NDArray[np.intp]) -> bool:
    return (
        len(distinct) <= _MOST_CLASSES
        and len(codes) >= _ROWS_PER_CLASS * len(distinct)
        and bool((distinct == np.rint(distinct)).all())
    )
