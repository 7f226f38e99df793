"""NPZ files (numpy.savez) as tables."""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.tasks.readers.base import Table, file_sha256, first_line
from azgen.tasks.readers.memory import refuse_if_too_large
from azgen.tasks.readers.rows import check_names

TARGET = "y"  # the target column's name


def read_npz(path: Path) -> Table:
    """An NPZ file with arrays x (or X; examples x features) and y (or Y; one label per example).

    Columns are called x0, x1, ..., or as an array feature_names says, and y. Text labels are classes.
    """
    arrays = load_arrays(path)
    x_name = next((name for name in ("x", "X") if name in arrays), None)
    y_name = next((name for name in ("y", "Y") if name in arrays), None)
    if x_name is None or y_name is None:
        raise AzgenError(
            f"{path} holds {', '.join(arrays) or 'no arrays'}; it needs x (examples x features) and y (one "
            "label per example)"
        )
    x, y = arrays[x_name], arrays[y_name]
    if x.ndim < 2 or x.dtype.kind not in "biuf" or not x.size:
        raise AzgenError(f"{path}: {x_name} is {_kind(x)}; numbers, examples x features, are needed")
    if y.shape != (len(x),) or y.dtype.kind not in "biufU":
        raise AzgenError(
            f"{path}: {y_name} is {_kind(y)}; one label for each of the {len(x)} examples is needed"
        )
    x = x.reshape(len(x), -1)
    names = [f"x{i}" for i in range(x.shape[1])]
    if "feature_names" in arrays:
        names = [str(name) for name in arrays["feature_names"].ravel()]
        if len(names) != x.shape[1]:
            raise AzgenError(f"{path}: feature_names has {len(names)} names for {x.shape[1]} features")
    check_names(str(path), [*names, TARGET])
    import pandas as pd  # slow to import

    columns = pd.DataFrame(np.asarray(x, dtype=x.dtype.newbyteorder("=")), columns=names)
    columns[TARGET] = np.asarray(y, dtype=y.dtype.newbyteorder("="))
    lines = np.arange(1, len(x) + 1)
    return Table(columns, lines, str(path), default_target=TARGET, row_word="row", sha256=file_sha256(path))


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of an NPZ file but object arrays, which are refused: loading them runs code (pickle)."""
    arrays: dict[str, NDArray[Any]] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
            refuse_if_too_large(str(path), sum(member.file_size for member in members), factor=3)
            for member in members:
                name = member.filename.removesuffix(".npy")
                with archive.open(member) as file:
                    _check_header(path, name, file, member.file_size)
                with archive.open(member) as file:
                    arrays[name] = np.lib.format.read_array(file, allow_pickle=False)
    # Damage shows in many ways: a bad archive, checksum, compressed stream or header, encryption.
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        ValueError,
        OSError,
        RuntimeError,
        MemoryError,
    ) as problem:
        raise AzgenError(
            f"{path} is no readable NPZ file ({first_line(problem)}); write it with numpy.savez(path, x=…, "
            "y=…)"
        ) from None
    return arrays


def _check_header(path: Path, name: str, file: IO[bytes], size: int) -> None:
    """Refuse objects, and a header that promises more than there is, before memory is taken for it."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    if dtype.hasobject:
        raise AzgenError(f"{path}: the array {name} holds Python objects, which are not loaded; save numbers")
    needed = dtype.itemsize * math.prod(shape)
    if needed > size:
        raise AzgenError(
            f"{path}: the array {name} should take {needed} bytes, but has {size}; it is damaged"
        )


def _kind(array: NDArray[Any]) -> str:
    return f"of shape {array.shape} and type {array.dtype}"
