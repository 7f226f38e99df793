"""What the arrays of a task's examples must be: numbers of agreeing shapes, finite, and read-only."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from azgen.errors import AzgenError

FloatArray = NDArray[np.float64]

MakeError: TypeAlias = Callable[[str], AzgenError]
"""Makes the error of a message, which it begins with whose arrays these are."""


def frozen_array(value: ArrayLike, error: MakeError, what: str) -> FloatArray:
    """`value` as a read-only C-contiguous float64 array, shared if it is one, otherwise copied."""
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as problem:
        raise error(f"{what} is not an array of numbers ({problem})") from None
    if array.dtype.kind == "O" and array.ndim:
        array = _numbers_of_objects(array)
    if array.dtype.kind not in "biuf":
        raise error(f"{what} has type {array.dtype}; numbers are needed")
    if array.ndim == 0:
        raise error(f"{what} is a single number; an array is needed")
    result = np.ascontiguousarray(array, dtype=np.float64)
    if result.flags.writeable:
        if np.shares_memory(result, array):
            result = result.copy()
        result.flags.writeable = False
    return result


def _numbers_of_objects(array: NDArray[Any]) -> NDArray[Any]:
    """Python's numbers, None and pandas' NA as floats, NaN for the latter two; as it is if there is anything
    else, such as text."""
    flat = [math.nan if v is None or str(v) in ("<NA>", "NaT") else v for v in array.ravel().tolist()]
    if any(isinstance(value, str | bytes) for value in flat):
        return array
    try:
        return np.array([float(value) for value in flat]).reshape(array.shape)
    except (TypeError, ValueError):
        return array


def check_examples(x: FloatArray, y: FloatArray, part: str, one_hot: bool, error: MakeError) -> None:
    """Checks features and labels of one part of a task.

    Args:
        x: features, N x F.
        y: labels, N or N x C.
        part: "train" or "valid".
        one_hot: whether labels may be one-hot rows.
        error: see `MakeError`.
    """
    if x.ndim != 2:
        raise error(f"x_{part} has shape {x.shape}; it must be examples x features")
    if x.shape[0] == 0 or x.shape[1] == 0:
        raise error(f"x_{part} is empty (shape {x.shape}); at least one example and one feature")
    if len(y) != len(x):
        raise error(f"x_{part} has {len(x)} examples, but y_{part} has {len(y)} labels")
    if y.ndim > 2 or (y.ndim == 2 and not one_hot):
        raise error(
            f"y_{part} has shape {y.shape}; one label per example is needed"
            + (" (or a one-hot row)" if one_hot else "")
        )
    for name, array in ((f"x_{part}", x), (f"y_{part}", y)):
        finite = np.isfinite(array)
        if not finite.all():
            row = int(np.argwhere(~finite)[0][0])
            raise error(f"{name} holds NaN or infinity, first in example {row} (counted from 0)")


def check_classes(labels: FloatArray, name: str, metric: str, error: MakeError) -> None:
    """Checks that labels are 0 or 1, or one-hot rows."""
    if not ((labels == 0.0) | (labels == 1.0)).all():
        raise error(f'{name} holds labels other than 0 and 1; metric "{metric}" needs 0 or 1')
    if labels.ndim == 2 and (labels.shape[1] < 2 or (labels.sum(axis=1) != 1.0).any()):
        raise error(f"{name} must have two or more columns and exactly one 1 in each row (one-hot)")
