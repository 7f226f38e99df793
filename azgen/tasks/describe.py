"""What a table or a task holds, in numbers for people: columns, classes, labels, the first examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from azgen.tasks.cells import numbers_of
from azgen.tasks.readers.base import Table
from azgen.tasks.task import FloatArray, Task, TaskSplit

if TYPE_CHECKING:
    import pandas as pd

ColumnKind = Literal["numbers", "text", "mixed", "empty"]
_VALUES = 4


@dataclass(frozen=True)
class Column:
    """A table's column in numbers.

    Attributes:
        name: the column's.
        kind: "numbers", "text", "mixed" (some cells are numbers and some are text) or "empty".
        n_empty: cells without a value.
        n_distinct: different values.
        values: in words: the range and mean of numbers, the most frequent values of anything else.
    """

    name: str
    kind: ColumnKind
    n_empty: int
    n_distinct: int
    values: str


def describe_columns(table: Table) -> tuple[Column, ...]:
    """Every column of a table, in the table's order."""
    return tuple(_column(name, table.columns[name]) for name in table.names)


def _column(name: str, cells: pd.Series[Any]) -> Column:
    numbers, text = numbers_of(cells)
    filled = int(cells.notna().sum())
    counts = cells.dropna().astype("str").value_counts() if text.any() else None
    n_empty, n_text = len(cells) - filled, int(text.sum())
    if not filled:
        return Column(name, "empty", n_empty, 0, "")
    if counts is None:
        some = numbers[~np.isnan(numbers)]
        distinct = np.unique(some)
        return Column(name, "numbers", n_empty, len(distinct), _range(some, distinct))
    kind: ColumnKind = "text" if n_text == filled else "mixed"
    # Ties in the order of the alphabet, whatever order the rows are in.
    ordered = sorted(counts.items(), key=lambda item: (-int(item[1]), str(item[0])))
    shown = ", ".join(f"{_shortened(str(value))}: {count}" for value, count in ordered[:_VALUES])
    return Column(name, kind, n_empty, len(ordered), shown + ", …" * (len(ordered) > _VALUES))


def _range(numbers: FloatArray, distinct: FloatArray) -> str:
    if len(distinct) <= _VALUES:
        return ", ".join(f"{v:.6g}: {int((numbers == v).sum())}" for v in distinct)
    finite = numbers[np.isfinite(numbers)]
    mean = f", mean {finite.mean():.4g}" if len(finite) else ""
    return f"{distinct[0]:.6g} to {distinct[-1]:.6g}{mean}"


def _shortened(text: str) -> str:
    text = " ".join(text.split())  # a cell may have several lines
    return text if len(text) <= 20 else text[:19] + "…"


def describe_labels(labels: FloatArray, names: tuple[str, ...], classification: bool) -> str:
    """A task's labels in words: examples of each class, or range, mean and standard deviation.

    Args:
        labels: one per example, or one-hot rows.
        names: of the classes, in the order of their numbers; empty for none.
        classification: whether labels are classes.
    """
    if not classification:
        return (
            f"from {labels.min():.4g} to {labels.max():.4g}, mean {labels.mean():.4g}, "
            f"standard deviation {labels.std():.4g}"
        )
    n_classes = 2 if labels.ndim == 1 else labels.shape[1]
    numbers = labels.astype(int) if labels.ndim == 1 else labels.argmax(axis=1)
    counts = np.bincount(numbers, minlength=n_classes)
    shown = names if len(names) == n_classes else tuple(f"class {c}" for c in range(n_classes))
    return ", ".join(
        f"{name}: {count} ({count / len(labels):.1%})" for name, count in zip(shown, counts, strict=True)
    )


def feature_names(split: TaskSplit) -> tuple[str, ...]:
    """A name for every feature: the table's own, or x0, x1, ... for those without a meaning."""
    return split.feature_names or tuple(f"x{i}" for i in range(split.n_features))


def largest_feature(task: Task) -> float:
    """Largest absolute value of any feature: far from 1 tells of a column that should be transformed."""
    return float(max(np.abs(task.x_train).max(), np.abs(task.x_valid).max()))
