"""A table's feature columns as numbers: cells checked, categories encoded, empty cells imputed by option."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from azgen.caller import setting
from azgen.errors import AzgenError
from azgen.tasks.cells import check_range, numbers_of, text_error
from azgen.tasks.readers.base import Table, few, value_name
from azgen.tasks.table_options import Impute, TableOptions
from azgen.tasks.task import FloatArray

Rows = NDArray[np.intp]
Numbers: TypeAlias = NDArray[np.floating[Any]]

MOST_CATEGORIES = 50


@dataclass(frozen=True)
class FeatureColumn:
    """A column that features are made of.

    Attributes:
        name: of the column.
        categories: each is a feature (of two the second alone); none: the column is of numbers.
    """

    name: str
    categories: tuple[str, ...] = ()


@dataclass
class Features:
    """Feature columns as numbers.

    Attributes:
        x: N x F; NaN in cells that are yet to be imputed. Of float32 if all columns of the table are of that
            or less, which takes half of the memory.
        names: of the features; those of categories are called "column=category".
        columns: that they are made of.
        remarks: what was left out, encoded or will be imputed, for people.
    """

    x: Numbers
    names: tuple[str, ...]
    columns: tuple[FeatureColumn, ...]
    remarks: list[str]


@dataclass
class _Collected:
    """Columns on their way to being features, and what there is to say about them."""

    columns: dict[str, Numbers] = field(default_factory=dict)
    made_of: list[FeatureColumn] = field(default_factory=list)
    constant: list[str] = field(default_factory=list)
    empty: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    encoded: list[str] = field(default_factory=list)

    def empty_cells(self) -> int:
        return sum(int(mask.sum()) for mask in self.empty.values())


def read_features(table: Table, names: list[str], rest_rows: Rows, options: TableOptions) -> Features:
    """The named columns as features.

    Args:
        table: where to find them.
        names: of the columns, in order.
        rest_rows: all rows that are not set aside for the test; the categories of a column are those found in
            these rows, so that nothing is learned from the test rows. An unknown category is 0 in all of the
            column's features.
        options: what is said about the table.

    Raises:
        AzgenError: text, a value beyond float32, a constant column, empty cells without `impute`, too many
            categories.
    """
    auto = "auto" in options.categorical
    # "auto" beside names adds to them; where a column is called so, it is meant as well.
    named = () if options.categorical == ("auto",) else options.categorical
    named = tuple(name for name in named if name != "auto" or name in names)
    for name in named:
        table.require(name, "categorical")
        if name not in names:
            raise AzgenError(f"{table.source}: column {name!r} is categorical, but it is no feature column")
    found = _Collected()
    for name in names:
        numbers, text = numbers_of(table.columns[name])
        if text.any() and name not in named and table.columns[name].nunique() < 2:
            found.constant.append(f"{name} (always {table.columns[name][text].iloc[0]})")
            continue
        some = table.columns[name].notna().to_numpy(dtype=bool)
        if name in named or (auto and text.any() and np.array_equal(text, some)):
            _encode(table, name, rest_rows, found)
            continue
        if text.any():
            advice = f"correct it, leave the column out ({setting('drop', [name])})"
            advice += f", or, if it is a category, give {setting('categorical', [name])}"
            others = [n for n in names[names.index(name) + 1 :] if n not in named and _holds_text(table, n)]
            if others:
                advice += f"; text is also in {few(others)}: azgen data tells what each column needs"
            raise text_error(table, name, text, advice)
        check_range(table, name, numbers)
        _collect(name, _as_small(numbers, table.columns[name].dtype), found)
    _refuse(table, found, options)
    features = tuple(found.columns)
    return Features(
        _stacked(found.columns),
        features,
        tuple(found.made_of),
        _remarks(found, options),
    )


def _stacked(columns: dict[str, Numbers]) -> Numbers:
    """The columns side by side; each is forgotten as it is taken, so that nothing lies in memory twice."""
    kinds = {column.dtype for column in columns.values()}
    rows = len(next(iter(columns.values())))
    x: Numbers = np.empty((rows, len(columns)), max(kinds, key=lambda kind: kind.itemsize))
    for place, name in enumerate(list(columns)):
        x[:, place] = columns.pop(name)
    return x


def _as_small(numbers: FloatArray, kind: Any) -> Numbers:
    """Numbers of a column as float32 if the column's own type has no more digits."""
    small = kind in (np.float16, np.float32, np.int8, np.uint8, np.int16, np.uint16, np.bool_)
    return numbers.astype(np.float32) if small else numbers


def imputer(x: Numbers, impute: Impute) -> Callable[[Numbers], Numbers]:
    """A function that fills NaN by the mean or median of x's columns, by 0 where a column of x is all NaN."""
    if not impute:
        return lambda rows: rows
    x = np.asarray(x, dtype=np.float64)
    middle = np.zeros(x.shape[1])
    some = ~np.isnan(x).all(axis=0)
    middle[some] = (np.nanmean if impute == "mean" else np.nanmedian)(x[:, some], axis=0)
    return lambda rows: np.where(np.isnan(rows), middle, rows)


def _holds_text(table: Table, name: str) -> bool:
    return bool(numbers_of(table.columns[name])[1].any())


def _collect(name: str, numbers: Numbers, found: _Collected) -> None:
    empty = np.isnan(numbers)
    distinct = np.unique(numbers[~empty])
    if len(distinct) == 0:
        found.constant.append(f"{name} (always empty)")
    elif len(distinct) == 1:
        found.constant.append(
            f"{name} (always {value_name(float(distinct[0]))}{' or empty' * bool(empty.any())})"
        )
    else:
        found.columns[name] = numbers
        found.made_of.append(FeatureColumn(name))
        if empty.any():
            found.empty[name] = empty


def _encode(table: Table, name: str, rest_rows: Rows, found: _Collected) -> None:
    column = table.text(name)
    empty = column.isna().to_numpy(dtype=bool)
    cells = column.to_numpy(dtype=object)
    known = rest_rows[~empty[rest_rows]]
    categories = sorted(set(cells[known].tolist()))
    if len(categories) > MOST_CATEGORIES:
        raise AzgenError(
            f"{table.source}: column {name!r} has {len(categories)} categories, more than "
            f"{MOST_CATEGORIES}; if it names rows, leave it out ({setting('drop', [name])}); otherwise "
            "merge some"
        )
    if len(categories) < 2:
        found.constant.append(f"{name} (always {categories[0] if categories else 'empty'})")
        return
    # Of two categories one feature says it all.
    for category in categories[1:] if len(categories) == 2 else categories:
        found.columns[f"{name}={category}"] = ((cells == category) & ~empty).astype(np.float32)
    found.made_of.append(FeatureColumn(name, tuple(categories)))
    found.encoded.append(f"{name} ({len(categories)} categories)")
    if empty.any():
        found.empty[name] = empty


def _refuse(table: Table, found: _Collected, options: TableOptions) -> None:
    if found.constant and not options.drop_constant:
        raise AzgenError(
            f"{table.source}: a constant column tells nothing: {few(found.constant)}; remove it from the "
            f"table, or give {setting('drop_constant')}"
        )
    if found.empty and not options.impute:
        name, mask = min(found.empty.items(), key=lambda item: int(np.argmax(item[1])))
        raise AzgenError(
            f"{table.source}: {found.empty_cells()} feature cells are empty or NaN, in "
            f"{few(list(found.empty))}; the first is in {table.where(mask)}, column {name!r}; fill them in, "
            f"or give {setting('impute', 'mean')} or {setting('impute', 'median')}"
        )
    if not found.columns:
        raise AzgenError(f"{table.source}: there is no feature column to learn from")


def _remarks(found: _Collected, options: TableOptions) -> list[str]:
    remarks = []
    if found.encoded:
        remarks.append(f"categories as one feature each (one for two): {few(found.encoded)}")
    if found.constant:
        remarks.append(f"left out as constant: {few(found.constant)}")
    if found.empty:
        remarks.append(
            f"{found.empty_cells()} empty cells take the {options.impute} of the training rows (a category: "
            f"none), in {few(list(found.empty))}"
        )
    return remarks
