"""CSV, TSV and other text files as tables.

pandas parses; the checks come first (`rows`), because pandas is forgiving: it fills up short rows, renames
columns of equal names and turns a row that is too long into an index. They also find the line of every row,
for messages.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from azgen.errors import AzgenError
from azgen.tasks.readers.base import Table, few, file_sha256, first_line
from azgen.tasks.readers.dialect import (
    BLANKS,
    COMPRESSED,
    READING_ERRORS,
    Dialect,
    find_dialect,
    inner_ending,
    opened,
)
from azgen.tasks.readers.memory import refuse_if_too_large
from azgen.tasks.readers.numerals import MISSING_IN_TEXT, numbers_in
from azgen.tasks.readers.rows import Scanned, scan

if TYPE_CHECKING:
    import pandas as pd

_MEMORY_FACTOR = 5  # bytes of memory for a byte of file while it is parsed; text cells are the worst

_NAMES_OF_ROWS = ("rownames", "row.names", "row_names", "Unnamed: 0")


def read_delimited(path: Path) -> Table:
    """A CSV or TSV file: text with a header line, and as many cells in every row.

    Files that end in .tsv or .tab are separated by tabs; others by what a first line sep=; says, else by the
    most frequent of comma, semicolon, tab and bar in the header line, else by blanks. Lines above the header
    that begin with # are left out, and so are rows and nameless columns of nothing, and row names: the first
    column, if it has no name or is called `rownames`. Empty cells, NA, NaN and the like are missing. Numbers
    may have decimal commas, thousands commas, gaps, currency and percent signs; `remarks` says which columns
    do. Without a header line columns are called by their numbers. Text that is not UTF-8 is taken for UTF-16
    or Windows-1252.
    """
    try:
        _check_size(path)
        dialect = find_dialect(path, inner_ending(path))
        found = scan(path, dialect)
        columns = _parsed(path, dialect, found)
    except READING_ERRORS as problem:
        raise AzgenError(f"{path} cannot be read: {first_line(problem)}; is it damaged?") from None

    def text_of(name: str) -> pd.Series[Any]:
        import pandas as pd

        cells = _parsed(path, dialect, found, name)[name].str.strip()
        return pd.Series(cells.where(~cells.isin(MISSING_IN_TEXT)), index=columns.index)

    remarks = [*found.remarks, *_localised(columns, dialect.delimiter)]
    row_names = _row_names(columns)
    remarks += [f"row names left out: {name}" for name in row_names]
    return Table(
        columns,
        np.array(found.lines, dtype=np.int64),
        str(path),
        sha256=file_sha256(path),
        remarks=tuple(remarks),
        row_names=row_names,
        text_of=text_of,
        delimiter=dialect.delimiter,
    )


def _row_names(columns: pd.DataFrame) -> tuple[str, ...]:
    """The first column if it is called as R and pandas call row names, and names each row otherwise."""
    first = str(columns.columns[0]) if len(columns.columns) > 1 else ""
    return (first,) if first in _NAMES_OF_ROWS and columns[first].is_unique else ()


def _check_size(path: Path) -> None:
    """Refuse what does not fit in memory; of a compressed file that is what comes out of it."""
    size = path.stat().st_size
    refuse_if_too_large(str(path), size, _MEMORY_FACTOR)
    if path.suffix.lower() in COMPRESSED:
        size = 0
        with opened(path) as file:
            while part := file.read(1 << 24):
                size += len(part)
                refuse_if_too_large(str(path), size, _MEMORY_FACTOR)


def _parsed(path: Path, dialect: Dialect, found: Scanned, as_text: str | None = None) -> pd.DataFrame:
    """All columns, or one of them with every cell as it is written."""
    import pandas as pd

    how: dict[str, Any] = _exact_numbers(pd.__version__)
    if as_text is not None:
        how = {"usecols": [as_text], "dtype": "str", "keep_default_na": False}
    try:
        with opened(path) as stream, io.TextIOWrapper(stream, dialect.encoding, newline="") as file:
            for _ in range(dialect.n_above):
                file.readline()
            columns: pd.DataFrame = pd.read_csv(
                file,
                sep=r"\s+" if dialect.delimiter == BLANKS else dialect.delimiter,
                header=0 if dialect.has_header else None,
                names=found.names,
                index_col=False,
                low_memory=False,
                skipinitialspace=True,
                **how,
            )
    except (ValueError, OverflowError, MemoryError) as problem:  # pandas' parser errors are ValueErrors
        raise AzgenError(f"{path} cannot be parsed: {first_line(problem)}") from None
    if len(columns) != len(found.kept):
        raise AzgenError(
            f"{path}: {len(found.kept)} rows were counted, but {len(columns)} were parsed; look for stray "
            "quotation marks"
        )
    if not all(found.kept):
        columns = columns[found.kept].reset_index(drop=True)
    return columns.drop(columns=[name for name in columns.columns if name in found.left_out])


def _exact_numbers(pandas_version: str) -> dict[str, Any]:
    """The option by which numbers are read to the last digit; from pandas 3.1 on they are so without it."""
    major, minor = (int(part) for part in pandas_version.split(".")[:2])
    return {"float_precision": "round_trip"} if (major, minor) < (3, 1) else {}


def _localised(columns: pd.DataFrame, delimiter: str) -> list[str]:
    """Strips cells of text and reads numbers of the locale, in place; what was read so, for people."""
    import pandas as pd

    ways: dict[str, list[str]] = {}
    for name in columns.columns:
        if pd.api.types.is_numeric_dtype(columns[name]) or pd.api.types.is_bool_dtype(columns[name]):
            continue
        if not columns[name].map(lambda cell: isinstance(cell, str), na_action="ignore").dropna().all():
            continue  # TRUE and FALSE with gaps
        cells = columns[name].str.strip()
        cells = cells.where(~cells.isin(MISSING_IN_TEXT))
        filled = cells.dropna()
        found = numbers_in(filled.tolist(), delimiter) if len(filled) else None
        columns[name] = cells if found is None else pd.Series(found[0], filled.index).reindex(cells.index)
        if found and found[1]:
            ways.setdefault(found[1], []).append(str(name))
    return [f"numbers with {way}: {few(names)}" for way, names in ways.items()]
