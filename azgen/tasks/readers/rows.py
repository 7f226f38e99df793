"""The rows of a text table, each checked for its number of cells.

This needs the standard library alone, because exported programs carry this source (all but its imports), and
so read a table as azgen does.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from azgen.errors import AzgenError
from azgen.tasks.readers.dialect import Dialect, opened, text_lines

NAMELESS = "\0"
"""Begins the name of a column that has none; no file can hold it."""


@dataclass
class Scanned:
    """The rows of a text table.

    Attributes:
        names: of the columns, one for every cell of a row; those without one begin with `NAMELESS`.
        lines: of the rows that hold anything.
        kept: whether each row does.
        rows: the cells of those that do, if they were asked for.
        left_out: nameless columns that are no part of the table.
        remarks: what was left out, for people.
    """

    names: list[str]
    lines: list[int] = field(default_factory=list)
    kept: list[bool] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    remarks: list[str] = field(default_factory=list)


def scan(path: Path, dialect: Dialect, keep_cells: bool = False) -> Scanned:
    """Column names and the line of each row of data; every row is checked for its number of cells."""
    rows = _Rows(path, dialect, keep_cells)
    last = 0
    try:
        with opened(path) as stream, io.TextIOWrapper(stream, dialect.encoding, newline="") as file:
            lines = text_lines(path, file, dialect)
            reader = csv.reader(lines, delimiter=dialect.delimiter, skipinitialspace=True, strict=True)
            for cells in reader:
                rows.take(cells, dialect.n_above + last + 1)
                last = reader.line_num
    except UnicodeError:
        raise AzgenError(
            f"{path} is not UTF-8 text; save it as UTF-8 (if it is a text file at all)"
        ) from None
    except csv.Error as problem:
        line = dialect.n_above + last + 1
        raise AzgenError(f"{path}, line {line}: {problem}; is a quotation mark left open?") from None
    return rows.checked()


class _Rows:
    """Rows on their way to being a table: the header first, then rows of as many cells."""

    def __init__(self, path: Path, dialect: Dialect, keep_cells: bool) -> None:
        self._path, self._dialect, self._keep_cells = path, dialect, keep_cells
        self._found: Scanned | None = None
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
            if self._dialect.has_header:
                self._found = Scanned(_unquoted([cell.strip() for cell in cells]))
                return
            found = self._found = Scanned([str(number) for number in range(1, len(cells) + 1)])
            found.remarks.append(
                f"there is no header line: columns are called by their numbers, 1 to {len(cells)}"
            )
        if not found.kept and len(cells) == len(found.names) + 1:
            self._surplus = []
        if len(cells) != len(found.names) + (self._surplus is not None):
            raise self._ragged(line, len(cells), found)
        used = {place for place, cell in enumerate(cells) if cell and not cell.isspace()}
        self._filled |= used
        found.kept.append(bool(used))
        if used:
            found.lines.append(line)
            if self._keep_cells:
                found.rows.append(cells)
            if self._surplus is not None:
                self._surplus.append((cells[0].strip(), not cells[-1].strip()))

    def checked(self) -> Scanned:
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
        if self._dialect.encoding == "cp1252":
            found.remarks.append("the text is not UTF-8, and was read as Latin-1 (Windows-1252)")
        return found

    def _ragged(self, line: int, n_cells: int, found: Scanned) -> AzgenError:
        first = "" if found.kept else ", or take the line above out if it is no header"
        return AzgenError(
            f"{self._path}, line {line}: {n_cells} cells, but the header has {len(found.names)}; give every "
            f"row the same number of cells{first}"
        )


def _unquoted(names: list[str]) -> list[str]:
    """Names without the single quotation marks that all of them stand in."""
    quoted = all(len(name) > 2 and name[0] == name[-1] == "'" for name in names)
    return [name[1:-1] for name in names] if quoted else names


def check_names(source: str, names: Sequence[str]) -> None:
    """Raise AzgenError if a column has no name or two columns share one."""
    seen: set[str] = set()
    for position, name in enumerate(names, start=1):
        if not name:
            raise AzgenError(f"{source}: column {position} has no name; give it one in the header")
        if name in seen:
            raise AzgenError(f"{source}: two columns are called {name!r}; give each a name of its own")
        seen.add(name)


def _name_surplus(found: Scanned, surplus: list[tuple[str, bool]]) -> bool:
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


def _name_nameless(found: Scanned, filled: set[int]) -> None:
    """Names for columns without one: the first holds row names, others must be empty."""
    for place, name in enumerate(found.names):
        if name or (place and place in filled):
            continue
        found.names[place] = f"{NAMELESS}{place}"
        found.left_out.add(found.names[place])
        if not place and 0 in filled:
            found.remarks.append("row names left out: the first column, which has no name")
