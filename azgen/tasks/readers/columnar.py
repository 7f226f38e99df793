"""Parquet, ARFF and Excel files as tables."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.extras import need
from azgen.tasks.readers.base import Table, few, file_sha256, first_line
from azgen.tasks.readers.memory import refuse_if_too_large
from azgen.tasks.readers.rows import check_names

if TYPE_CHECKING:
    import pandas as pd

_NEEDS = "reading {} needs"

# A quoted value of an ARFF row, in which commas do not count.
_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")


def read_parquet(path: Path) -> Table:
    """A Parquet file of flat columns; needs pyarrow. Dates and times become text (ISO 8601)."""
    pa, pq = need("pyarrow", _NEEDS.format(path)), need("pyarrow.parquet", _NEEDS.format(path))
    try:
        with pq.ParquetFile(path) as file:
            groups = range(file.metadata.num_row_groups)
            size = sum(file.metadata.row_group(group).total_byte_size for group in groups)
            refuse_if_too_large(str(path), max(size, path.stat().st_size), factor=4)
            names = [str(name) for name in file.schema_arrow.names]
            check_names(str(path), names)
            for name, kind in zip(names, file.schema_arrow.types, strict=True):
                if pa.types.is_nested(kind) or pa.types.is_binary(kind):
                    raise AzgenError(f"{path}: column {name!r} is of type {kind}; numbers or text are needed")
            columns = file.read().to_pandas(ignore_metadata=True)
            row_names = _stored_index(file.schema_arrow.pandas_metadata, names)
    # pyarrow's own errors derive from these; a damaged footer may also promise impossible sizes.
    except (pa.ArrowException, ValueError, OSError, TypeError, MemoryError, OverflowError) as problem:
        raise AzgenError(f"{path} is no readable Parquet file ({first_line(problem)})") from None
    remarks = [f"row names left out: the stored index {few(row_names)}"] if row_names else []
    return replace(_table(path, columns), row_names=tuple(row_names), remarks=tuple(remarks))


def _stored_index(metadata: dict[str, Any] | None, names: list[str]) -> list[str]:
    """Columns that pandas wrote as the frame's index: they name rows, and tell nothing."""
    index = (metadata or {}).get("index_columns", [])
    return [name for name in index if isinstance(name, str) and name in names]


def read_arff(path: Path) -> Table:
    """An ARFF file (Weka, OpenML) of numeric and nominal attributes; a question mark is an empty cell."""
    import pandas as pd

    arff = need("scipy.io.arff", _NEEDS.format(path))
    refuse_if_too_large(str(path), path.stat().st_size, factor=8)
    try:
        with path.open(encoding="utf-8") as file:
            records, meta = arff.loadarff(file)
            file.seek(0)
            lines = _check_arff_rows(path, file, len(meta.names()))
    except AzgenError:
        raise
    except UnicodeDecodeError:
        raise AzgenError(
            f"{path} is not UTF-8 text; save it as UTF-8 (if it is a text file at all)"
        ) from None
    except StopIteration:  # scipy's parser at the end of a file without the sections
        raise AzgenError(f"{path} is no ARFF file: it needs @relation, @attribute and @data") from None
    except Exception as problem:  # the parser lets a row that does not fit the header raise nearly anything
        raise AzgenError(f"{path} is no readable ARFF file ({first_line(problem)})") from None
    names = [name.strip() for name in meta.names()]
    check_names(str(path), names)
    if records.ndim != 1 or not names:
        raise AzgenError(f"{path} is no readable ARFF file (no attributes)")
    columns: dict[str, Any] = {}
    for name, original, kind in zip(names, meta.names(), meta.types(), strict=True):
        values = records[original]
        if kind == "nominal":
            text = np.array([value.decode("utf-8") for value in values.tolist()], dtype=object)
            text[text == "?"] = None
            columns[name] = pd.Series(text, dtype="str")
        else:
            columns[name] = values
    table = pd.DataFrame(columns)
    return _table(path, table, np.array(lines, dtype=np.int64) if len(lines) == len(table) else None)


def read_excel(path: Path) -> Table:
    """The first sheet of an Excel workbook; needs openpyxl. Its first row names the columns."""
    import pandas as pd

    refuse_if_too_large(str(path), path.stat().st_size, factor=40)  # compressed, and objects at first
    need("openpyxl", _NEEDS.format(path))
    try:
        columns = pd.read_excel(path, engine="openpyxl")
    except Exception as problem:  # what a damaged archive or sheet raises is nearly anything
        raise AzgenError(f"{path} is no readable Excel workbook ({first_line(problem)})") from None
    columns.columns = [str(name).strip() for name in columns.columns]
    nothing = [n for n in columns.columns if n.startswith("Unnamed: ") and columns[n].isna().all()]
    columns = columns.drop(columns=nothing).dropna(how="all").reset_index(drop=True)
    check_names(str(path), list(columns.columns))
    names_rows = [name for name in columns.columns if name == "Unnamed: 0"]
    remarks = ("row names left out: the first column, which has no name",) if names_rows else ()
    return replace(_table(path, columns), row_names=tuple(names_rows), remarks=remarks)


def _check_arff_rows(path: Path, file: IO[str], n_attributes: int) -> list[int]:
    """The line of each row; scipy ignores surplus cells, so they are counted here."""
    lines: list[int] = []
    in_data = False
    for number, line in enumerate(file, start=1):
        text = line.strip()
        if not in_data:
            in_data = text.lower().startswith("@data")
        elif text and not text.startswith("%"):
            cells = _QUOTED.sub("", text).rstrip(",").count(",") + 1
            if cells > n_attributes:
                raise AzgenError(f"{path}, line {number}: {cells} cells for {n_attributes} attributes")
            lines.append(number)
    return lines


def _table(path: Path, columns: pd.DataFrame, lines: NDArray[np.int64] | None = None) -> Table:
    import pandas as pd

    if not len(columns):
        raise AzgenError(f"{path} holds no rows of data")
    for name in columns.columns:
        column = columns[name]
        if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
            columns[name] = column.where(column.isna(), column.astype("str")).astype("str")
    if lines is None:
        numbers = np.arange(1, len(columns) + 1)
        return Table(columns, numbers, str(path), row_word="row", sha256=file_sha256(path))
    return Table(columns, lines, str(path), sha256=file_sha256(path))
