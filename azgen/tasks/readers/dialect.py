"""How a text table is written: its encoding, its separator, lines above its header, whether it has one.

This needs the standard library alone, because exported programs carry this source (all but its imports), and
so read a table as azgen does.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from azgen.errors import AzgenError
from azgen.tasks.readers.numerals import MISSING_IN_NUMBERS, numbers_in

BLANKS = " "
"""The delimiter of columns that stand between blanks, any number of them."""

_DELIMITERS = ";\t|,"  # of equals the first: commas are decimal commas then
_EXCEL_HINT = re.compile(r"sep=(.)$", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
_HEAD_BYTES, _HEAD_LINES, _HEAD_ROWS = 65536, 200, 20

_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f]")

COMPRESSED = (".gz", ".bz2", ".xz", ".zip")
"""Endings of compressed files."""

READING_ERRORS = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, OSError, RuntimeError)
"""What reading a damaged file raises."""


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    Attributes:
        delimiter: between cells; `BLANKS` stands for any number of blanks.
        n_above: lines above the header that are no part of the table.
        encoding: of the text.
        has_header: whether the first line names the columns.
    """

    delimiter: str
    n_above: int = 0
    encoding: str = "utf-8-sig"
    has_header: bool = True

    def cells_in(self, line: str) -> int:
        """Number of cells in a line of text, quoted ones counted as one."""
        bare = _QUOTED.sub("q", line.rstrip("\r\n"))
        return len(bare.split()) if self.delimiter == BLANKS else bare.count(self.delimiter) + 1


def opened(path: Path) -> IO[bytes]:
    """The file's bytes, decompressed if its name says that it is compressed."""
    ending = path.suffix.lower()
    if ending == ".zip":
        return zipfile.ZipFile(path).open(_only_member(path))
    openers: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    stream: IO[bytes] = openers.get(ending, open)(path, "rb")
    return stream


def inner_ending(path: Path) -> str:
    """The ending of a file's name, of a compressed one that of what is in it."""
    if path.suffix.lower() not in COMPRESSED:
        return path.suffix.lower()
    inside = Path(path.stem).suffix.lower()
    return inside or (Path(_only_member(path)).suffix.lower() if path.suffix.lower() == ".zip" else "")


def _only_member(path: Path) -> str:
    """Name of the one file in a ZIP archive."""
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist() if not n.endswith("/") and not n.startswith("__MACOSX")]
    if len(names) != 1:
        raise AzgenError(f"{path} holds {len(names)} files; an archive of one table is needed")
    return names[0]


def find_dialect(path: Path, ending: str) -> Dialect:
    """How the table in a file is written, told from its first lines.

    Args:
        path: the file.
        ending: its ending without that of a compression.
    """
    with opened(path) as file:
        start = file.read(_HEAD_BYTES)
    encoding = _encoding(path, start)
    head = start.decode(encoding, errors="replace")
    lines = head.splitlines()[:_HEAD_LINES]
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    hint = _EXCEL_HINT.match(lines[first].strip()) if lines else None
    if hint:
        return _with_header(Dialect(hint[1], first + 1, encoding), lines)
    header = next(
        (n for n in range(first, len(lines)) if not lines[n].startswith("#") and lines[n].strip()), first
    )
    delimiter = "\t" if ending in (".tsv", ".tab") else _delimiter(lines[header:])
    dialect = Dialect(delimiter, header, encoding)
    # A line that begins with # may be the header itself: then it has as many cells as the row below it.
    if header > first and dialect.cells_in(lines[header - 1]) == dialect.cells_in(lines[header]):
        return Dialect(delimiter, header - 1, encoding)
    return _with_header(dialect if header > first else Dialect(delimiter, 0, encoding), lines)


def _encoding(path: Path, start: bytes) -> str:
    """UTF-16 says so by its first bytes; what is no UTF-8, but text, is what Windows calls ANSI."""
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if b"\0" in start:
        return "utf-8-sig"  # a message says where
    with opened(path) as file:
        try:
            while part := file.readline(1 << 24):
                part.decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            broken = problem.object
        else:
            return "utf-8-sig"
    if _CONTROL.search(start) or _CONTROL.search(broken):
        return "utf-8-sig"
    try:
        broken.decode("cp1252")
    except UnicodeDecodeError:
        return "utf-8-sig"
    return "cp1252"


def _delimiter(lines: list[str]) -> str:
    bare = [_QUOTED.sub("q", line) for line in lines if line.strip()]
    if not bare:
        return ","
    found = max(_DELIMITERS, key=lambda delimiter: _agreement(bare[: _HEAD_ROWS + 1], delimiter))
    if found in bare[0]:
        return found
    n_names = len(bare[0].split())
    if n_names > 1 and len(bare) > 1 and len(bare[1].split()) in (n_names, n_names + 1):
        return BLANKS
    return ","


def _agreement(lines: list[str], delimiter: str) -> tuple[bool, int, int]:
    """How well a delimiter fits: the header has it, rows have it as often (or once more), it is frequent."""
    count = lines[0].count(delimiter)
    rows = [line.count(delimiter) for line in lines[1:]]
    return count > 0, 2 * rows.count(count) + rows.count(count + 1), count


def _with_header(dialect: Dialect, lines: list[str]) -> Dialect:
    """The dialect, told whether its first line is a row of data: wherever the rows below have numbers, one
    stands there, too, and they are not 0, 1, 2, ... or years one after the other, as columns are called.
    """
    rows = []
    text = [_as_read(line, dialect) for line in lines[dialect.n_above :]]
    with_cells = csv.reader(text, delimiter=dialect.delimiter, skipinitialspace=True)
    try:
        for cells in with_cells:
            if any(cell.strip() for cell in cells):
                rows.append([cell.strip() for cell in cells])
            if len(rows) > _HEAD_ROWS:
                break
    except csv.Error:
        return dialect
    below = [row for row in rows[1:] if len(row) == len(rows[0])]
    if len(below) < 2:
        return dialect
    filled = [
        [row[place] for row in below if row[place] not in MISSING_IN_NUMBERS] for place in range(len(rows[0]))
    ]
    of_numbers = [p for p, cells in enumerate(filled) if cells and numbers_in(cells, dialect.delimiter)]
    here = [numbers_in([rows[0][place]], dialect.delimiter) for place in of_numbers]
    if not here or None in here:
        return dialect
    values = [found[0][0] for found in here if found]
    if len(values) > 1 and values == [float(round(values[0]) + step) for step in range(len(values))]:
        return dialect
    if len(values) == 1 and not _among(values[0], numbers_in(filled[of_numbers[0]], dialect.delimiter)):
        return dialect  # one year, say
    return Dialect(dialect.delimiter, dialect.n_above, dialect.encoding, has_header=False)


def _among(value: float, found: tuple[list[float], str] | None) -> bool:
    return found is not None and min(found[0]) <= value <= max(found[0])


def text_lines(path: Path, file: IO[str], dialect: Dialect) -> Iterator[str]:
    """The table's lines, without those above it; blanks that separate are one blank each."""
    for number, line in enumerate(file, start=1):
        if "\0" in line:
            raise AzgenError(f"{path}, line {number}: a zero byte; this is not a text file, or it is damaged")
        if number > dialect.n_above:
            yield _as_read(line, dialect)


def _as_read(line: str, dialect: Dialect) -> str:
    return line.strip().replace("\t", " ") + "\n" if dialect.delimiter == BLANKS else line
