"""CSV and TSV files as tables.

pandas parses; the checks come first, because pandas is forgiving: it fills up short rows, renames columns of
equal names and turns a row that is too long into an index. They also find the line of every row, for
messages.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from azgen.errors import AzgenError
from azgen.tasks.readers.base import Table, check_names, file_sha256, first_line
from azgen.tasks.readers.memory import refuse_if_too_large

_MEMORY_FACTOR = 5  # bytes of memory for a byte of file while it is parsed; text cells are the worst


def read_delimited(path: Path) -> Table:
    """A CSV or TSV file: UTF-8, a header line, and as many cells in every row.

    Files that end in .tsv or .tab are separated by tabs; others by the most frequent of comma, semicolon and
    tab in the header line. Numbers have a decimal point; empty cells, NA, NaN and the like are missing.
    """
    import pandas as pd

    refuse_if_too_large(str(path), path.stat().st_size, _MEMORY_FACTOR)
    delimiter = "\t" if path.suffix.lower() in (".tsv", ".tab") else _guess_delimiter(path)
    names, lines = _scan(path, delimiter)
    try:
        columns = pd.read_csv(
            path,
            sep=delimiter,
            encoding="utf-8-sig",
            header=0,
            names=names,
            index_col=False,
            low_memory=False,
            skipinitialspace=True,
            **_exact_numbers(pd.__version__),
        )
    except (
        ValueError,
        OverflowError,
        MemoryError,
        OSError,
    ) as problem:  # pandas' parser errors are ValueErrors
        raise AzgenError(f"{path} cannot be parsed: {first_line(problem)}") from None
    if len(columns) != len(lines):
        raise AzgenError(
            f"{path}: {len(lines)} rows were counted, but {len(columns)} were parsed; look for stray "
            "quotation marks"
        )
    return Table(columns, np.array(lines, dtype=np.int64), str(path), sha256=file_sha256(path))


def _exact_numbers(pandas_version: str) -> dict[str, Any]:
    """The option by which numbers are read to the last digit; from pandas 3.1 on they are so without it."""
    major, minor = (int(part) for part in pandas_version.split(".")[:2])
    return {"float_precision": "round_trip"} if (major, minor) < (3, 1) else {}


def _guess_delimiter(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(65536).decode("utf-8-sig", errors="replace").lstrip("\r\n")
    header = head.splitlines()[0] if head else ""
    return max(",;\t", key=header.count)  # a comma if there is none of them


def _scan(path: Path, delimiter: str) -> tuple[list[str], list[int]]:
    """Column names and the line of each row of data; every row is checked for its number of cells."""
    names: list[str] | None = None
    lines: list[int] = []
    last = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(
                _text_lines(path, file), delimiter=delimiter, skipinitialspace=True, strict=True
            )
            for cells in reader:
                line, last = last + 1, reader.line_num
                if not cells or (len(cells) == 1 and not cells[0].strip()):
                    # pandas skips blank lines too, but takes a lone "" or blank for a cell of a one-column
                    # table.
                    if cells and names is not None and len(names) == 1:
                        raise AzgenError(f"{path}, line {line}: the only cell is empty; remove the line")
                    continue
                if names is None:
                    names = [cell.strip() for cell in cells]
                    check_names(str(path), names)
                elif len(cells) != len(names):
                    raise AzgenError(
                        f"{path}, line {line}: {len(cells)} cells, but the header has {len(names)}; give "
                        "every row the same number of cells"
                    )
                else:
                    lines.append(line)
    except UnicodeDecodeError:
        raise AzgenError(
            f"{path} is not UTF-8 text; save it as UTF-8 (if it is a text file at all)"
        ) from None
    except csv.Error as problem:
        raise AzgenError(f"{path}, line {last + 1}: {problem}; is a quotation mark left open?") from None
    if names is None:
        raise AzgenError(f"{path} holds nothing but blank lines; a header line and rows of data are needed")
    if not lines:
        raise AzgenError(f"{path} holds a header line but no rows of data")
    return names, lines


def _text_lines(path: Path, file: IO[str]) -> Iterator[str]:
    for number, line in enumerate(file, start=1):
        if "\0" in line:
            raise AzgenError(f"{path}, line {number}: a zero byte; this is not a text file, or it is damaged")
        yield line
