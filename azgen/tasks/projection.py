"""What tasks of images share: dealing examples to the three sets, Gaussian projection, standardisation.

Real et al. 2020, section 4.2, and the released generator of its data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.tasks.standardize import Standardizer
from azgen.tasks.task import SET_NAMES, FloatArray, SetName

Rows: TypeAlias = NDArray[np.intp]

DEAL, PAIRS, _TASK = 1, 2, 3  # streams of one seed

# Projection matrices are rounded to multiples of 2**-20. With whole-number pixels every product and sum is
# then exact in float64, in whatever order a BLAS adds, so that a seed gives the same tasks on every machine.
_MATRIX_STEP = 2.0**-20
_CHUNK = 2048


@dataclass(frozen=True, eq=False)
class Dealt:
    """The examples of a data set, dealt to the three sets.

    Attributes:
        source: where they come from, for messages.
        x: examples x values.
        y: class number of each.
        names: of the classes, by number, rising.
        shares: rows of each set; no two share one.
    """

    source: str
    x: NDArray[Any]
    y: NDArray[np.int64]
    names: dict[int, str]
    shares: dict[SetName, Rows]


@dataclass(frozen=True, eq=False)
class Drawn:
    """What a task is made from: rows of its training and validation examples, their labels, its name."""

    train: Rows
    valid: Rows
    y_train: FloatArray
    y_valid: FloatArray
    what: str


def check_labelled(x: NDArray[Any], y: NDArray[Any], source: str) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """x as examples x values and y as int64, or AzgenError."""
    x = np.asarray(x)
    y = np.asarray(y)
    x = x.reshape(len(x), -1) if x.ndim > 2 else x
    if x.ndim != 2 or x.size == 0 or x.dtype.kind not in "biuf":
        raise AzgenError(
            f"{source}: the examples have shape {x.shape}, type {x.dtype}; rows of numbers are needed"
        )
    if y.shape != (len(x),) or y.dtype.kind not in "biu":
        raise AzgenError(
            f"{source}: the labels have shape {y.shape}, type {y.dtype}; one whole number per example is "
            "needed"
        )
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        raise AzgenError(f"{source}: the examples hold NaN or infinity")
    return x, y.astype(np.int64)


def deal_examples(
    y: NDArray[np.int64],
    fractions: tuple[float, float, float],
    own_test: Sequence[int] | NDArray[np.intp] | None,
    seed: int,
) -> dict[SetName, Rows]:
    """Rows of each set, disjoint, every class in the same proportions (rounded to whole examples)."""
    if seed < 0:
        raise AzgenError(f"the seed is {seed}; it must be 0 or more")
    if len(fractions) != 3 or min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-9:
        raise AzgenError(f"fractions are {fractions}; they must be three positive shares that sum to 1")
    test_mask = np.zeros(len(y), dtype=bool)
    if own_test is not None:
        own_rows = np.asarray(own_test, dtype=np.intp)
        if not own_rows.size or own_rows.min() < 0 or own_rows.max() >= len(y):
            raise AzgenError(f"own_test must name rows from 0 to {len(y) - 1}, at least one")
        test_mask[own_rows] = True
    dealt: dict[SetName, list[Rows]] = {name: [] for name in SET_NAMES}
    random = np.random.default_rng([seed, DEAL])
    for c in np.unique(y):
        rows = random.permutation(np.flatnonzero((y == c) & ~test_mask))
        if own_test is None:
            cuts = np.rint(np.cumsum(fractions)[:2] * len(rows)).astype(int)
            parts = np.split(rows, cuts)
        else:
            cut = round(fractions[0] / (fractions[0] + fractions[1]) * len(rows))
            parts = [rows[:cut], rows[cut:], random.permutation(np.flatnonzero((y == c) & test_mask))]
        for name, part in zip(SET_NAMES, parts, strict=True):
            dealt[name].append(part)
    return {name: np.concatenate(dealt[name]) for name in SET_NAMES}


def project(
    x: NDArray[Any], train_rows: Rows, valid_rows: Rows, n_features: int | None, random: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Training and validation rows of x, times an N(0, 1) matrix (x's columns x n_features), standardised.

    n_features None leaves the matrix out. Projected columns that are constant in training become 0.
    """
    matrix = None
    if n_features is not None:
        matrix = random.standard_normal((x.shape[1], n_features))
        matrix = np.rint(matrix / _MATRIX_STEP) * _MATRIX_STEP
    train, valid = _multiply(x, train_rows, matrix), _multiply(x, valid_rows, matrix)
    standardizer = Standardizer.fit(train)
    return frozen(standardizer.apply(train)), frozen(standardizer.apply(valid))


def task_random(seed: int, set_name: SetName, number: int, redraw: int) -> np.random.Generator:
    """The stream of a task; `redraw` counts for search tasks alone."""
    if redraw < 0:
        raise AzgenError(f"redraw is {redraw}; it must be 0 or more")
    return np.random.default_rng(
        [seed, _TASK, SET_NAMES.index(set_name), number, redraw if set_name == "search" else 0]
    )


def names_of(classes: NDArray[np.int64], class_names: Sequence[str] | None) -> dict[int, str]:
    """A name for each class number, by default the number itself."""
    if class_names is not None and not 0 <= classes.min() <= classes.max() < len(class_names):
        raise AzgenError(
            f"{len(class_names)} class names do not cover the classes {classes.min()} to {classes.max()}"
        )
    return {int(c): class_names[c] if class_names is not None else str(c) for c in classes}


def _multiply(x: NDArray[Any], rows: Rows, matrix: FloatArray | None) -> FloatArray:
    if matrix is None:
        return x[rows].astype(np.float64)
    result = np.empty((len(rows), matrix.shape[1]))
    # In chunks, so that no float64 copy of all images is ever made.
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        result[start : start + _CHUNK] = x[chunk].astype(np.float64) @ matrix
    return result


def frozen(array: FloatArray) -> FloatArray:
    """The array itself, from now on read-only."""
    array.flags.writeable = False  # a Task then keeps it without a copy
    return array
