"""Cells of a table's column as numbers, and the messages about cells that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.tasks.readers.base import Table
from azgen.tasks.task import FloatArray

if TYPE_CHECKING:
    import pandas as pd

LARGEST = float(np.finfo(np.float32).max)


def numbers_of(column: pd.Series[Any]) -> tuple[FloatArray, NDArray[np.bool_]]:
    """The column as float64 (NaN where a cell is no number), and a mask of the cells that hold text."""
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return numbers, np.isnan(numbers) & column.notna().to_numpy(dtype=bool)


def holds_booleans(column: pd.Series[Any]) -> bool:
    """Whether all cells of a column are true or false (or empty)."""
    import pandas as pd

    return bool(pd.api.types.is_bool_dtype(column)) or pd.api.types.infer_dtype(column) == "boolean"


def check_range(table: Table, name: str, numbers: FloatArray) -> None:
    """Raise AzgenError for a value, infinity included, that float32 cannot hold."""
    huge = np.abs(numbers) > LARGEST
    if huge.any():
        value = numbers[int(np.argmax(huge))]
        raise AzgenError(
            f"{table.source}, {table.where(huge)}, column {name!r}: {value:g} is beyond the range of float32 "
            f"({LARGEST:.3g}); correct it, or use another unit"
        )


def text_error(table: Table, name: str, text: NDArray[np.bool_], advice: str) -> AzgenError:
    """What to raise for a column whose cells under the mask should be numbers."""
    cell = str(table.columns[name].iloc[int(np.argmax(text))])
    shown = cell if len(cell) <= 40 else cell[:39] + "…"
    return AzgenError(
        f"{table.source}, {table.where(text)}, column {name!r}: {shown!r} is not a number; {advice}"
    )
