"""Cells that mean nothing by the user's word, and rows without a label."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azgen.tasks.readers.base import Table
from azgen.tasks.readers.numerals import numbers_in

if TYPE_CHECKING:
    import pandas as pd


def with_missing(table: Table, words: Sequence[str]) -> Table:
    """The table, where cells that hold one of these words are empty; columns become numbers if all else in
    them is."""
    if not words:
        return table
    columns = table.columns.copy()
    for name in table.names:
        columns[name] = _emptied(columns[name], words, table.delimiter)
    original = table.text

    def text_of(name: str) -> pd.Series[Any]:
        cells = original(name)
        return cells.where(~cells.isin(words))

    return replace(table, columns=columns, text_of=text_of)


def _emptied(column: pd.Series[Any], words: Sequence[str], delimiter: str) -> pd.Series[Any]:
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column):
        numbers = [float("nan")]
        for word in words:
            with suppress(ValueError):
                numbers.append(float(word))
        return column.where(~column.isin(numbers))
    empty = column.astype("str").str.strip().isin(words)
    if not empty.any():
        return column
    filled = column[~empty].dropna()
    found = numbers_in(filled.astype("str").tolist(), delimiter) if len(filled) else None
    return column.where(~empty) if found is None else pd.Series(found[0], filled.index).reindex(column.index)


def labelled(table: Table, target: str) -> Table:
    """The rows that have a label."""
    kept = table.text(target).notna()
    if kept.all():
        return table
    original = table.text

    def text_of(name: str) -> pd.Series[Any]:
        return original(name)[kept].reset_index(drop=True)

    left_out = f"{int((~kept).sum())} rows without a label left out"
    return replace(
        table,
        columns=table.columns[kept].reset_index(drop=True),
        lines=table.lines[kept.to_numpy()],
        text_of=text_of,
        remarks=(*table.remarks, left_out),
    )
