"""What sums of products mean by fused multiply-add: a * b + c rounded once, as processors have it.

`fused_multiply_add` is exact on any machine, whatever its processor has; `fused_sum` says which product goes
into which sum, and the other functions are those of `meaning` whose sums are of products.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from azgen.language.later import numpy as np
from azgen.language.meaning import PARTIAL_SUMS, mean, ordered_sum, row_means

_SPLITTER = 2.0**27 + 1
_LEAST, _MOST = 2.0**-400, 2.0**400
"""Between these (and with zeros) products of float64 and their errors neither overflow nor underflow."""


def fused_multiply_add(a: Any, b: Any, c: Any) -> Any:
    """a * b + c rounded once, entry by entry, of numbers or arrays of one number type; no operand is changed.

    Between float32 it is computed in float64, where products are exact and only the sum is rounded: to odd,
    so that rounding it again gives what rounding once would (Boldo and Melquiond, IEEE Trans. Computers 57,
    2008). float64 has its error-free product and sums (Dekker 1971) and the same rounding to odd, and
    fractions where one of these might overflow or underflow.
    """
    result = _in_double(a, b, c) if np.result_type(a, b, c) == np.float32 else _of_double(a, b, c)
    return result[()]


def _in_double(a: Any, b: Any, c: Any) -> Any:
    high, low = _two_sum(np.multiply(a, b, dtype=np.float64), np.asarray(c, np.float64))
    return _to_odd(high, low).astype(np.float32)


def _of_double(a: Any, b: Any, c: Any) -> Any:
    a, b, c = np.broadcast_arrays(a, b, c)
    product, error = _two_product(a, b)
    low, lowest = _two_sum(c, error)
    high, middle = _two_sum(product, low)
    result = np.asarray(high + _to_odd(*_two_sum(lowest, middle)))
    finite = np.isfinite(a) & np.isfinite(b)
    plain = (a == 0) | (b == 0) | ~finite | ~np.isfinite(c)
    # Of finite factors the product is finite, also where it overflows when rounded.
    result = np.where(plain, np.where(finite & ~np.isfinite(product), 0, product) + c, result)
    within = _of_usual_size(a) & _of_usual_size(b) & _of_usual_size(product) & (_of_usual_size(c) | (c == 0))
    for place in map(tuple, np.argwhere(~within & ~plain)):
        result[place] = _exactly(float(a[place]), float(b[place]), float(c[place]))
    return result


def _of_usual_size(a: Any) -> Any:
    return (np.abs(a) > _LEAST) & (np.abs(a) < _MOST)


def _exactly(a: float, b: float, c: float) -> float:
    """a * b + c of finite numbers, neither factor of which is 0, by fractions."""
    total = Fraction(a) * Fraction(b) + Fraction(c)
    try:
        return float(total)  # rounds to nearest, ties to even, whatever the size
    except OverflowError:
        return math.inf if total > 0 else -math.inf


def _two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    """Rounded sum and its error (Knuth)."""
    total = a + b
    of_b = total - a
    return total, (a - (total - of_b)) + (b - of_b)


def _two_product(a: Any, b: Any) -> tuple[Any, Any]:
    """Rounded product and its error (Dekker, Veltkamp)."""
    product = a * b
    (a1, a2), (b1, b2) = _halves(a), _halves(b)
    return product, a2 * b2 - (((product - a1 * b1) - a2 * b1) - a1 * b2)


def _halves(a: Any) -> tuple[Any, Any]:
    scaled = a * _SPLITTER
    upper = scaled - (scaled - a)
    return upper, a - upper


def _to_odd(rounded: Any, error: Any) -> Any:
    """The sum of a rounded number and its error rounded to odd: itself where it is a number, else that of
    its two neighbours whose last bit is 1."""
    rounded = np.asarray(rounded)
    even = rounded.view(np.int64) & 1 == 0
    inexact = np.isfinite(rounded) & np.isfinite(error) & (error != 0)
    return np.where(even & inexact, np.nextafter(rounded, np.copysign(np.inf, error)), rounded)


def fused_sums(n: int) -> int:
    """Number of partial sums that a sum of n products has by fused multiply-add: 16, or half of n if that is
    at most 16, so that each has one product or two."""
    return PARTIAL_SUMS if n > PARTIAL_SUMS else (n + 1) // 2


def fused_sum(a: Any, b: Any) -> Any:
    """Sum of a[i] * b[i] along the last axis: product i is added to partial sum i mod `fused_sums` in order
    of i, in one rounding with the multiplication; then the ordered sum of the partial sums."""
    n = a.shape[-1]
    sums = fused_sums(n)
    partial = a[..., :sums] * b[..., :sums]
    for start in range(sums, n, sums):
        some = a[..., start : start + sums], b[..., start : start + sums]
        those = np.s_[..., : some[0].shape[-1]]
        partial[those] = fused_multiply_add(*some, partial[those])
    return ordered_sum(partial)


def norm(a: Any) -> Any:
    """Euclidean norm of a vector, Frobenius norm of a matrix."""
    return np.sqrt(fused_sum(np.ravel(a), np.ravel(a)))


def st_dev(a: Any) -> Any:
    """Population standard deviation of all entries, in two passes."""
    difference = np.ravel(a - mean(a))
    return np.sqrt(fused_sum(difference, difference) / a.dtype.type(a.size))


def matrix_vector_product(a: Any, b: Any) -> Any:
    """Matrix times vector."""
    return fused_sum(a, b)


def matrix_matrix_product(a: Any, b: Any) -> Any:
    """Matrix product; entry (i, j) adds a_ik * b_kj in increasing k."""
    result = np.multiply.outer(a[:, 0], b[0])
    for k in range(1, len(b)):
        result = fused_multiply_add(a[:, k, None], b[None, k], result)
    return result


def row_norms(a: Any) -> Any:
    """Euclidean norm of every row."""
    return np.sqrt(fused_sum(a, a))


def column_norms(a: Any) -> Any:
    """Euclidean norm of every column, squares added in increasing row."""
    total = a[0] * a[0]
    for row in a[1:]:
        total = fused_multiply_add(row, row, total)
    return np.sqrt(total)


def row_st_devs(a: Any) -> Any:
    """Population standard deviation of every row."""
    difference = a - row_means(a)[:, None]
    return np.sqrt(fused_sum(difference, difference) / a.dtype.type(len(a)))
