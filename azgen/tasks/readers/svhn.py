"""SVHN, the street view house numbers, in the MATLAB files of its cropped form (train_32x32.mat)."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.extras import need
from azgen.tasks.readers.base import check_file, first_line
from azgen.tasks.readers.isolated import read_apart
from azgen.tasks.readers.memory import refuse_if_too_large


def read_svhn(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images, flattened (N x 3072, 0 to 255), and digits (N, 0 to 9) of one file.

    The file holds X, 32 x 32 x 3 x N bytes, and y, N numbers from 1 to 10, in which 10 stands for the digit
    0.

    Raises:
        AzgenError: no MATLAB file (version 4 to 7.2), damaged, other contents, or larger than the memory
            available. MissingExtraError: SciPy is not installed.
    """
    check_file(path)
    need("scipy.io", f"reading {path} needs")
    refuse_if_too_large(str(path), path.stat().st_size)
    images, digits = read_apart(read_here, path, "scipy.io")
    return images, digits


def read_here(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The same in this process, which a damaged file can end: SciPy's reader crashes on some."""
    from scipy.io import loadmat, whosmat

    try:
        shapes = {name: shape for name, shape, _ in whosmat(str(path))}
        if "X" in shapes:
            refuse_if_too_large(str(path), math.prod(int(n) for n in shapes["X"]), factor=3)
        content = loadmat(str(path), variable_names=["X", "y"])
    except AzgenError:
        raise
    except Exception as problem:  # scipy lets a damaged file raise nearly anything
        raise AzgenError(f"{path} is no readable MATLAB file ({first_line(problem)}); get it again") from None
    x, y = content.get("X"), content.get("y")
    if not isinstance(x, np.ndarray) or not isinstance(y, np.ndarray):
        raise AzgenError(
            f"{path} holds {', '.join(shapes) or 'nothing'}; X (images) and y (digits) are needed"
        )
    if x.ndim != 4 or x.shape[:3] != (32, 32, 3) or x.dtype != np.uint8 or not x.size:
        raise AzgenError(
            f"{path}: X has shape {x.shape}, type {x.dtype}; bytes of shape 32 x 32 x 3 x images are needed"
        )
    y = y.ravel()
    if len(y) != x.shape[3] or y.dtype.kind not in "iuf":
        raise AzgenError(
            f"{path} holds {x.shape[3]} images, but {len(y)} labels of type {y.dtype}; get it again"
        )
    if not np.isin(y, np.arange(1, 11)).all():
        raise AzgenError(f"{path}: y holds a number other than 1 to 10; it is damaged")
    images = np.ascontiguousarray(x.transpose(3, 0, 1, 2)).reshape(x.shape[3], -1)
    return images, y.astype(np.int64) % 10
