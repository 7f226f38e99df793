"""What every reader yields, a table of named columns, and the checks that every file passes first."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError, suggest

if TYPE_CHECKING:
    import pandas as pd  # slow to import, so it is loaded where a table is read


@dataclass(frozen=True, eq=False)
class Table:
    """Named columns of equal length, with where each row came from.

    Attributes:
        columns: numeric, boolean or text columns with unique names; NaN marks an empty cell.
        lines: line (or row) of each row in the source, counted from 1.
        source: the file's path or the data set's name, for messages.
        default_target: the column to predict when the user names none, or None.
        row_word: what `lines` counts: "line" or "row".
        sha256: of the file, hexadecimal; empty if there is no file.
        remarks: what the reader left out or read in an unusual way, for people.
        row_names: columns that name rows, such as the index that pandas stores; no features.
        text_of: the cells of a column as they are written, stripped, NaN for empty ones: categories keep
            their text, such as 01234 and None. None: the source has no other text than that of the values.
        delimiter: of the file; it decides what a comma in a number is.
    """

    columns: pd.DataFrame
    lines: NDArray[np.int64]
    source: str
    default_target: str | None = None
    row_word: str = "line"
    sha256: str = ""
    remarks: tuple[str, ...] = ()
    row_names: tuple[str, ...] = ()
    text_of: Callable[[str], pd.Series[Any]] | None = None
    delimiter: str = ","

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def names(self) -> list[str]:
        """The columns' names."""
        return [str(name) for name in self.columns.columns]

    def without_cells(self) -> Table:
        """The same table without its columns, for what is to be said of it later."""
        return replace(self, columns=self.columns[[]], text_of=None)

    def text(self, name: str) -> pd.Series[Any]:
        """A column as text, for categories and classes; NaN where a cell is empty."""
        if self.text_of is not None:
            return self.text_of(name)
        column = self.columns[name]
        return column.astype("object").where(column.isna(), column.map(value_name)).astype("str")

    def where(self, mask: NDArray[np.bool_]) -> str:
        """The place of the first row of the mask, such as "line 17"."""
        return f"{self.row_word} {self.lines[int(np.argmax(mask))]}"

    def require(self, column: str, role: str) -> None:
        """Raise AzgenError, listing the columns and naming the closest, if there is no such column."""
        names = self.names
        if column in names:
            return
        close = suggest(column, names, repr)
        hint = (f" {close}" if close else "") + _header_hint(names)
        raise AzgenError(
            f"{self.source}: there is no {role} column {column!r}.{hint} The columns are: {few(names, 30)}"
        )


def check_file(path: Path) -> None:
    """Raise AzgenError unless `path` is an ordinary, readable file with something in it."""
    if "\0" in str(path):
        raise AzgenError(f"{str(path)!r} is no file name: it holds a zero byte")
    try:
        if path.is_dir():
            raise AzgenError(f"{path} is a folder; a file is needed")
        if not path.exists():
            names = [p.name for p in path.parent.iterdir() if p.is_file()] if path.parent.is_dir() else []
            hint = suggest(path.name, names, lambda name: str(path.parent / name))
            where = "" if path.is_absolute() else f" in {Path.cwd()}"
            raise AzgenError(f"{path}: there is no such file{where}{f'. {hint}' if hint else ''}")
        if not path.is_file():  # reading a pipe or a device could wait for ever
            raise AzgenError(f"{path} is not an ordinary file")
        with path.open("rb") as file:
            if not file.read(1):
                raise AzgenError(f"{path} is empty; a file with data is needed")
    except OSError as problem:
        raise AzgenError(f"{path} cannot be read: {os.strerror(problem.errno or 0)}") from None


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def few(names: list[str], most: int = 8) -> str:
    """The names in a list for people, shortened."""
    return ", ".join(names[:most]) + (f", … ({len(names)} in all)" if len(names) > most else "")


def first_line(problem: BaseException) -> str:
    """What another library said, in one line."""
    return next(iter(str(problem).splitlines()), type(problem).__name__).rstrip(" :.")


def value_name(value: object) -> str:
    """A cell's value as the name of a class: 3.0 -> "3"."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _header_hint(names: list[str]) -> str:
    return " All names are numbers: is the header line missing?" if all(map(_is_number, names)) else ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
