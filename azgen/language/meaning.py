"""What the ops mean, on NumPy values of one task; the op table names these functions.

Every sum runs in one fixed order (`ordered_sum`), which generated code follows, so that results agree to the
last bit wherever no transcendental function is involved.
"""

from __future__ import annotations

from typing import Any

from azgen.language.later import numpy as np
from azgen.language.random import Generator

PARTIAL_SUMS = 16
"""Number of interleaved partial sums of `ordered_sum`; a power of two that fills a vector register at large
F."""


def ordered_sum(x: Any) -> Any:
    """Sum along the last axis: 16 interleaved partial sums, then the upper half folded onto the lower.

    Entry i goes to partial sum i mod 16, in order of i. The order is part of azgen's language, like the
    order of instructions, because floating-point addition is not associative.
    """
    partial = x[..., :PARTIAL_SUMS].copy()
    for start in range(PARTIAL_SUMS, x.shape[-1], PARTIAL_SUMS):
        block = x[..., start : start + PARTIAL_SUMS]
        partial[..., : block.shape[-1]] += block
    while (size := partial.shape[-1]) > 1:
        half = (size + 1) // 2
        partial[..., : size - half] += partial[..., half:]
        partial = partial[..., :half]
    return partial[..., 0][()]


def softmax(a: Any, n_classes: int) -> Any:
    """Probabilities of the classes from a vector's first entries; entries beyond them become 0.

    The largest entry is taken off first, so that nothing overflows. A NaN, or +inf, makes every probability
    NaN.
    """
    scores = a[:n_classes]
    exponentials = np.exp(scores - np.max(scores))
    result = np.zeros_like(a)
    result[:n_classes] = exponentials / ordered_sum(exponentials)
    return result


def inner_product(a: Any, b: Any) -> Any:
    """Inner product of two vectors."""
    return ordered_sum(a * b)


def norm(a: Any) -> Any:
    """Euclidean norm of a vector, Frobenius norm of a matrix."""
    return np.sqrt(ordered_sum(np.ravel(a * a)))


def mean(a: Any) -> Any:
    """Arithmetic mean of all entries."""
    return ordered_sum(np.ravel(a)) / a.dtype.type(a.size)


def st_dev(a: Any) -> Any:
    """Population standard deviation of all entries, in two passes."""
    difference = a - mean(a)
    return np.sqrt(mean(difference * difference))


def matrix_vector_product(a: Any, b: Any) -> Any:
    """Matrix times vector."""
    return ordered_sum(a * b)


def matrix_matrix_product(a: Any, b: Any) -> Any:
    """Matrix product; entry (i, j) adds a_ik * b_kj in increasing k."""
    result = np.multiply.outer(a[:, 0], b[0])
    for k in range(1, len(b)):
        result = result + np.multiply.outer(a[:, k], b[k])
    return result


def row_norms(a: Any) -> Any:
    """Euclidean norm of every row."""
    return np.sqrt(ordered_sum(a * a))


def column_norms(a: Any) -> Any:
    """Euclidean norm of every column, squares added in increasing row."""
    squares = a * a
    total = squares[0]
    for row in squares[1:]:
        total = total + row
    return np.sqrt(total)


def row_means(a: Any) -> Any:
    """Arithmetic mean of every row."""
    return ordered_sum(a) / a.dtype.type(len(a))


def row_st_devs(a: Any) -> Any:
    """Population standard deviation of every row."""
    difference = a - row_means(a)[:, None]
    return np.sqrt(row_means(difference * difference))


def step_from_zero(a: Any) -> Any:
    """1 where a >= 0, else 0; NaN gives 0."""
    return np.asarray(a >= 0).astype(a.dtype)[()]


def step_above_zero(a: Any) -> Any:
    """1 where a > 0, else 0; NaN gives 0."""
    return np.asarray(a > 0).astype(a.dtype)[()]


def smaller(a: Any, b: Any) -> Any:
    """Entrywise minimum; the first operand when either is NaN or both are equal."""
    return np.where(b < a, b, a)[()]


def larger(a: Any, b: Any) -> Any:
    """Entrywise maximum; the first operand when either is NaN or both are equal."""
    return np.where(b > a, b, a)[()]


def broadcast(a: Any, n_features: int) -> Any:
    """Vector with every entry equal to the scalar."""
    return np.full(n_features, a, dtype=a.dtype)


def columns(a: Any) -> Any:
    """Matrix with every column equal to the vector."""
    return np.repeat(a[:, None], len(a), axis=1)


def rows(a: Any) -> Any:
    """Matrix with every row equal to the vector."""
    return np.repeat(a[None, :], len(a), axis=0)


def element_index(fraction: float, n_features: int) -> int:
    """Position that a fraction in [0, 1) of F entries names (the original, instruction.h)."""
    return min(int(fraction * n_features), n_features - 1)


def with_element(old: Any, *position_and_value: Any) -> Any:
    """A copy of an array with one element replaced; positions are fractions of its axes."""
    *fractions, value = position_and_value
    new = old.copy()
    new[tuple(element_index(float(fraction), len(old)) for fraction in fractions)] = value
    return new


def uniform(generator: Generator, low: Any, high: Any, shape: tuple[int, ...]) -> Any:
    """Independent uniform draws between the two ends, in whichever order they are given."""
    return generator.uniform(low, high, shape)


def gaussian(generator: Generator, mean: Any, stdev: Any, shape: tuple[int, ...]) -> Any:
    """Independent normal draws."""
    return generator.normal(mean, stdev, shape)
