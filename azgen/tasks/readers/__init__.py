"""Readers of tables and image sets. Each checks a file before trusting it, and says what is wrong where."""

from collections.abc import Callable
from pathlib import Path

from azgen.errors import AzgenError
from azgen.extras import need
from azgen.tasks.readers.base import Table, check_file, first_line
from azgen.tasks.readers.columnar import read_arff, read_excel, read_parquet
from azgen.tasks.readers.delimited import read_delimited
from azgen.tasks.readers.dialect import COMPRESSED, READING_ERRORS, inner_ending
from azgen.tasks.readers.npz import read_npz

__all__ = ["TABLE_FORMATS", "Table", "read_table"]

TABLE_FORMATS: dict[str, Callable[[Path], Table]] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".tab": read_delimited,
    ".txt": read_delimited,
    ".data": read_delimited,
    ".npz": read_npz,
    ".parquet": read_parquet,
    ".arff": read_arff,
    ".xlsx": read_excel,
}


def read_table(path: str | Path) -> Table:
    """Read a table; the format is told by the file's ending (`TABLE_FORMATS`); text may be compressed
    (.csv.gz, .bz2, .xz, .zip).

    Raises:
        AzgenError: no such file, a folder, empty, larger than the memory that is available, or malformed; the
            message names the place and what to do. MissingExtraError: pandas is not installed, or what reads
            the format.
    """
    path = Path(path)
    check_file(path)
    need("pandas", f"reading {path} needs")
    ending = path.suffix.lower()
    if ending in COMPRESSED and TABLE_FORMATS.get(_inner_ending(path)) is read_delimited:
        return read_delimited(path)
    reader = TABLE_FORMATS.get(ending)
    if reader is None:
        raise AzgenError(
            f"{path}: a file that ends in {path.suffix!r} cannot be read as a table; the endings of the "
            f"formats that can are {', '.join(TABLE_FORMATS)}"
        )
    return reader(path)


def _inner_ending(path: Path) -> str:
    try:
        return inner_ending(path)
    except READING_ERRORS as problem:
        raise AzgenError(f"{path} cannot be read: {first_line(problem)}; is it damaged?") from None
