"""CSV and TSV files as tables.

pandas parses; the checks come first, because pandas is forgiving: it fills up short rows, renames columns of
equal names and turns a row that is too long into an index. They also find the line of every row, for
messages.
"""

from __future__ import annotations

import csv
import io
import lzma
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from azgen.errors import AzgenError
from azgen.tasks.readers.base import Table, check_names, few, file_sha256, first_line
from azgen.tasks.readers.dialect import (
    BLANKS,
    COMPRESSED,
    Dialect,
    find_dialect,
    local_numbers,
    opened,
    text_lines,
)
from azgen.tasks.readers.memory import refuse_if_too_large

if TYPE_CHECKING:
    import pandas as pd

_MEMORY_FACTOR = 5  # bytes of memory for a byte of file while it is parsed; text cells are the worst
_NAMELESS = "\0"  # begins the name of a column that has none; no file can hold it

MISSING_IN_TEXT = ("", "#N/A", "#N/A N/A", "#NA", "<NA>", "N/A", "NA", "NULL", "NaN", "n/a", "nan", "null")
"""What an empty cell of categories or classes looks like. "None" is a word like any other there."""


@dataclass
class _Scanned:
    """What the checks found.

    Attributes:
        names: of the columns, one for every cell of a row; those without one begin with `_NAMELESS`.
        lines: of the rows that hold anything.
        kept: whether each row does.
        left_out: nameless columns that are no part of the table.
        remarks: what was left out, for people.
    """

    names: list[str]
    lines: list[int] = field(default_factory=list)
    kept: list[bool] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    remarks: list[str] = field(default_factory=list)


def read_delimited(path: Path) -> Table:
    """A CSV or TSV file: UTF-8, a header line, and as many cells in every row.

    Files that end in .tsv or .tab are separated by tabs; others by what a first line sep=; says, else by the
    most frequent of comma, semicolon, tab and bar in the header line, else by blanks. Lines above the header
    that begin with # are left out, and so are rows and nameless columns of nothing, and row names: the first
    column, if it has no name. Empty cells, NA, NaN and the like are missing. Numbers may have decimal commas,
    thousands commas and gaps; `remarks` says which columns do.
    """
    inner = Path(path.stem) if path.suffix.lower() in COMPRESSED else path
    try:
        _check_size(path)
        dialect = find_dialect(path, inner.suffix.lower())
        found = _scan(path, dialect)
        columns = _parsed(path, dialect, found)
    except (EOFError, zlib.error, lzma.LZMAError, OSError) as problem:
        raise AzgenError(f"{path} cannot be read: {first_line(problem)}; is it damaged?") from None

    def text_of(name: str) -> pd.Series[Any]:
        import pandas as pd

        cells = _parsed(path, dialect, found, name)[name].str.strip()
        return pd.Series(cells.where(~cells.isin(MISSING_IN_TEXT)), index=columns.index)

    remarks = [*found.remarks, *_localised(columns, dialect.delimiter)]
    return Table(
        columns,
        np.array(found.lines, dtype=np.int64),
        str(path),
        sha256=file_sha256(path),
        remarks=tuple(remarks),
        text_of=text_of,
    )


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


def _parsed(path: Path, dialect: Dialect, found: _Scanned, as_text: str | None = None) -> pd.DataFrame:
    """All columns, or one of them with every cell as it is written."""
    import pandas as pd

    how: dict[str, Any] = _exact_numbers(pd.__version__)
    if as_text is not None:
        how = {"usecols": [as_text], "dtype": "str", "keep_default_na": False}
    try:
        with opened(path) as file:
            for _ in range(dialect.n_above):
                file.readline()
            columns: pd.DataFrame = pd.read_csv(
                file,
                sep=r"\s+" if dialect.delimiter == BLANKS else dialect.delimiter,
                encoding="utf-8-sig",
                header=0,
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
        columns[name], way = local_numbers(cells, delimiter)
        if way:
            ways.setdefault(way, []).append(str(name))
    return [f"numbers with {way}: {few(names)}" for way, names in ways.items()]


def _scan(path: Path, dialect: Dialect) -> _Scanned:
    """Column names and the line of each row of data; every row is checked for its number of cells."""
    rows = _Rows(path)
    last = 0
    try:
        with opened(path) as stream, io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as file:
            lines = text_lines(path, file, dialect)
            reader = csv.reader(lines, delimiter=dialect.delimiter, skipinitialspace=True, strict=True)
            for cells in reader:
                rows.take(cells, dialect.n_above + last + 1)
                last = reader.line_num
    except UnicodeDecodeError:
        raise AzgenError(
            f"{path} is not UTF-8 text; save it as UTF-8 (if it is a text file at all)"
        ) from None
    except csv.Error as problem:
        line = dialect.n_above + last + 1
        raise AzgenError(f"{path}, line {line}: {problem}; is a quotation mark left open?") from None
    return rows.checked()


class _Rows:
    """Rows on their way to being a table: the header first, then rows of as many cells."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: _Scanned | None = None
        self._surplus: list[tuple[str, bool]] | None = (
            None  # first cell of a row, and whether the last is blank
        )
        self._filled: set[int] = set()  # columns that hold anything

    def take(self, cells: list[str], line: int) -> None:
        """The next row, which begins in this line."""
        found = self._found
        if not cells or (len(cells) == 1 and not cells[0].strip()):
            # pandas skips blank lines too, but takes a lone "" or blank for a cell of a one-column table.
            if cells and found is not None and len(found.names) == 1:
                raise AzgenError(f"{self._path}, line {line}: the only cell is empty; remove the line")
            return
        if found is None:
            self._found = _Scanned([cell.strip() for cell in cells])
            return
        if not found.kept and len(cells) == len(found.names) + 1:
            self._surplus = []
        if len(cells) != len(found.names) + (self._surplus is not None):
            raise self._ragged(line, len(cells), found)
        used = {place for place, cell in enumerate(cells) if cell.strip()}
        self._filled |= used
        found.kept.append(bool(used))
        if used:
            found.lines.append(line)
            if self._surplus is not None:
                self._surplus.append((cells[0].strip(), not cells[-1].strip()))

    def checked(self) -> _Scanned:
        """What was found, with a name for every column."""
        found, path = self._found, self._path
        if found is None:
            raise AzgenError(
                f"{path} holds nothing but blank lines; a header line and rows of data are needed"
            )
        if not found.lines:
            check_names(str(path), found.names)
            raise AzgenError(f"{path} holds a header line but no rows of data")
        if self._surplus is not None and not _name_surplus(found, self._surplus):
            raise self._ragged(found.lines[0], len(found.names) + 1, found)
        _name_nameless(found, self._filled)
        check_names(str(path), [name for name in found.names if name not in found.left_out])
        if not all(found.kept):
            found.remarks.append(f"{len(found.kept) - len(found.lines)} rows of nothing left out")
        return found

    def _ragged(self, line: int, n_cells: int, found: _Scanned) -> AzgenError:
        return AzgenError(
            f"{self._path}, line {line}: {n_cells} cells, but the header has {len(found.names)}; give every "
            "row the same number of cells"
        )


def _name_surplus(found: _Scanned, surplus: list[tuple[str, bool]]) -> bool:
    """Whether the cell that all rows have beyond the header is nothing, or the first one and a row's name."""
    if all(blank for _, blank in surplus):
        found.names.append("")
        return True
    first = [cell for cell, _ in surplus]
    counted = first == [str(number) for number in range(1, len(first) + 1)]
    words = not any(cell.replace(".", "").lstrip("+-").isdigit() for cell in first)
    if len(first) < 2 or len(set(first)) < len(first) or not (counted or words):
        return False
    found.names.insert(0, "")
    return True


def _name_nameless(found: _Scanned, filled: set[int]) -> None:
    """Names for pandas where there are none; the first column holds row names, others must be empty."""
    for place, name in enumerate(found.names):
        if name or (place and place in filled):
            continue
        found.names[place] = f"{_NAMELESS}{place}"
        found.left_out.add(found.names[place])
        if not place and 0 in filled:
            found.remarks.append("row names left out: the first column, which has no name")
