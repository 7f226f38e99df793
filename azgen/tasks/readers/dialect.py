"""How a text table is written: its separator, lines above its header, numbers of the locale."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from azgen.errors import AzgenError

if TYPE_CHECKING:
    import pandas as pd

BLANKS = " "
"""The delimiter of columns that stand between blanks, any number of them."""

COMPRESSED: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}

_DELIMITERS = ",;\t|"
_EXCEL_HINT = re.compile(r"sep=(.)$", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
_HEAD_LINES = 200

# Numbers as people write them: 1,5 and 1.234,5; then 1,234 and 1,234.5. Narrow blanks group digits, too.
_DECIMAL_COMMA = r"[-+]?(?:\d+|[1-9]\d{0,2}(?:\.\d{3})+)(?:,\d*)?(?:[eE][-+]?\d+)?"
_GROUPED = r"[-+]?(?:\d+|[1-9]\d{0,2}(?:,\d{3})+)(?:\.\d*)?"
_GAPS = re.compile("(?<=[0-9])[\u00a0\u202f\u2009](?=[0-9]{3})")


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    Attributes:
        delimiter: between cells; `BLANKS` stands for any number of blanks.
        n_above: lines above the header that are no part of the table.
    """

    delimiter: str
    n_above: int = 0

    def cells_in(self, line: str) -> int:
        """Number of cells in a line of text, quoted ones counted as one."""
        bare = _QUOTED.sub("q", line.rstrip("\r\n"))
        return len(bare.split()) if self.delimiter == BLANKS else bare.count(self.delimiter) + 1


def opened(path: Path) -> IO[bytes]:
    """The file's bytes, decompressed if its name says that it is compressed."""
    stream: IO[bytes] = (
        COMPRESSED[path.suffix.lower()](path) if path.suffix.lower() in COMPRESSED else path.open("rb")
    )
    return stream


def find_dialect(path: Path, ending: str) -> Dialect:
    """How the table in a file is written, told from its first lines.

    Args:
        path: the file.
        ending: its ending without that of a compression.
    """
    with opened(path) as file:
        head = file.read(65536).decode("utf-8-sig", errors="replace")
    lines = head.splitlines()[:_HEAD_LINES]
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    hint = _EXCEL_HINT.match(lines[first].strip()) if lines else None
    if hint:
        return Dialect(hint[1], first + 1)
    header = next(
        (n for n in range(first, len(lines)) if not lines[n].startswith("#") and lines[n].strip()), first
    )
    delimiter = "\t" if ending in (".tsv", ".tab") else _delimiter(lines[header:])
    dialect = Dialect(delimiter, header)
    # A line that begins with # may be the header itself: then it has as many cells as the row below it.
    if header > first and dialect.cells_in(lines[header - 1]) == dialect.cells_in(lines[header]):
        return Dialect(delimiter, header - 1)
    return dialect if header > first else Dialect(delimiter)


def _delimiter(lines: list[str]) -> str:
    bare = [_QUOTED.sub("q", line) for line in lines if line.strip()]
    if not bare:
        return ","
    found = max(_DELIMITERS, key=bare[0].count)  # a comma if there is none of them
    if found in bare[0]:
        return found
    n_names = len(bare[0].split())
    if n_names > 1 and len(bare) > 1 and len(bare[1].split()) in (n_names, n_names + 1):
        return BLANKS
    return found


def local_numbers(column: pd.Series[Any], delimiter: str) -> tuple[pd.Series[Any], str]:
    """A column of text as numbers if all its cells are numbers that are written in another way.

    Args:
        column: cells of text, NaN where they are empty.
        delimiter: of the file; a comma in a number is a decimal comma unless it separates cells as well.

    Returns:
        The column, and what its numbers have: "decimal commas", "thousands commas" or gaps; the column
        as it is, and "", if some cell is no such number.
    """
    import pandas as pd

    cells = column.dropna().astype("str")
    if cells.empty:
        return column, ""
    plain = cells.str.replace("\u2212", "-").str.replace(_GAPS, "", regex=True)
    ways = [("decimal commas", _DECIMAL_COMMA), ("thousands commas", _GROUPED)]
    for name, pattern in ways if delimiter != "," else reversed(ways):
        if plain.str.fullmatch(pattern).all():
            commas = plain.str.contains(",").any()
            if name == "decimal commas":
                plain = (
                    plain.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
                    if commas
                    else plain
                )
            else:
                plain = plain.str.replace(",", "", regex=False)
            numbers = pd.to_numeric(plain).astype("float64")
            return numbers.reindex(column.index), name if commas else "gaps or typographic minus signs"
    return column, ""


def text_lines(path: Path, file: IO[str], dialect: Dialect) -> Iterator[str]:
    """The table's lines, without those above it; blanks that separate are one blank each."""
    for number, line in enumerate(file, start=1):
        if "\0" in line:
            raise AzgenError(f"{path}, line {number}: a zero byte; this is not a text file, or it is damaged")
        if number > dialect.n_above:
            yield line.strip().replace("\t", " ") + "\n" if dialect.delimiter == BLANKS else line
