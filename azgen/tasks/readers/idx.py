"""IDX files, the format of MNIST and its relatives, gzipped or not."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.tasks.readers.base import check_file, first_line
from azgen.tasks.readers.memory import refuse_if_too_large

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: Path) -> NDArray[Any]:
    """The array in an IDX file, of the type and shape that its header says.

    Raises:
        AzgenError: no IDX file, truncated, too long, or larger than the memory that is available.
    """
    check_file(path)
    try:
        with path.open("rb") as plain:
            zipped = plain.read(2) == b"\x1f\x8b"
        with gzip.open(path) if zipped else path.open("rb") as file:
            return _read(path, file)
    except (OSError, EOFError, zlib.error) as problem:
        raise AzgenError(f"{path} is damaged or incomplete ({first_line(problem)}); get it again") from None


def read_idx_images(images: Path, labels: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images, flattened (N x pixels, 0 to 255), and their classes (N), of a pair of IDX files."""
    x = read_idx(images)
    y = read_idx(labels)
    if x.ndim < 2 or x.dtype != np.uint8:
        raise AzgenError(
            f"{images} holds an array of shape {x.shape}, type {x.dtype}; images of bytes are needed"
        )
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise AzgenError(
            f"{labels} holds an array of shape {y.shape}, type {y.dtype}; one class per image is needed"
        )
    if len(x) != len(y):
        raise AzgenError(
            f"{images} holds {len(x)} images, but {labels} holds {len(y)} classes; get both again"
        )
    if not x.size:
        raise AzgenError(f"{images} holds no images")
    return x.reshape(len(x), -1), y.astype(np.int64)


def _read(path: Path, file: IO[bytes] | gzip.GzipFile) -> NDArray[Any]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or not 1 <= magic[3] <= 4:
        raise AzgenError(
            f"{path} is no IDX file: it starts with {magic.hex(' ')}, not with 00 00, a type and a dimension"
        )
    header = file.read(4 * magic[3])
    if len(header) < 4 * magic[3]:
        raise AzgenError(f"{path} ends within its header; get it again")
    shape = struct.unpack(f">{magic[3]}I", header)
    dtype = np.dtype(_TYPES[magic[2]])
    size = math.prod(shape) * dtype.itemsize
    refuse_if_too_large(str(path), size, factor=2)
    data = file.read(size)
    if len(data) < size:
        raise AzgenError(
            f"{path} should hold {size} bytes of data (shape {shape}), but holds {len(data)}; get it again"
        )
    if file.read(1):
        raise AzgenError(f"{path} goes on after its {size} bytes of data; it is damaged")
    return np.frombuffer(data, dtype=dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)
