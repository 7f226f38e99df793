"""Ends of 95 % confidence intervals: what SciPy gives too, which a search on synthetic tasks does without.

SciPy is as large as all that such a search needs (143 MB), and takes longer to import than a short search.
"""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist

import numpy as np

CONFIDENCE = 0.95
_UPPER = (1 + CONFIDENCE) / 2
_MANY = 200
"""Degrees of freedom from which on Student's t is expanded about the normal distribution, to 12 digits."""

_STEPS = 60
"""Halvings of an interval that leave a double's precision."""


@cache
def student_t(freedom: int) -> float:
    """The quantile 0.975 of Student's t distribution, for one or more degrees of freedom."""
    if freedom >= _MANY:
        return _expanded(freedom)
    low, high = 0.0, math.pi / 2
    for _ in range(_STEPS):
        angle = (low + high) / 2
        low, high = (angle, high) if _within(angle, freedom) < CONFIDENCE else (low, angle)
    return math.sqrt(freedom) * math.tan(low)


def _within(angle: float, freedom: int) -> float:
    """P(|t| < sqrt(freedom) tan(angle)): Abramowitz and Stegun 26.7.3 and 26.7.4."""
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    total, term = 0.0, cosine if odd else 1.0
    for k in range(2 + odd, freedom + 1, 2):
        total += term
        term *= cosine * cosine * (k - 1) / k
    return 2 / math.pi * (angle + sine * total) if odd else sine * total


def _expanded(freedom: int) -> float:
    """Abramowitz and Stegun 26.7.5."""
    x, v = NormalDist().inv_cdf(_UPPER), float(freedom)
    return (
        x
        + (x**3 + x) / (4 * v)
        + (5 * x**5 + 16 * x**3 + 3 * x) / (96 * v**2)
        + (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / (384 * v**3)
        + (79 * x**9 + 776 * x**7 + 1482 * x**5 - 1920 * x**3 - 945 * x) / (92160 * v**4)
    )


def poisson(count: int) -> tuple[float, float]:
    """The exact 95 % interval of a Poisson mean of which `count` was seen (Garwood 1936)."""
    low = _mean(count - 1, _UPPER) if count else 0.0
    return low, _mean(count, 1 - _UPPER)


def _mean(most: int, share: float) -> float:
    """The mean with which at most `most` are seen with probability `share`."""
    numbers = np.arange(most + 1)
    logarithms = np.concatenate([[0.0], np.cumsum(np.log(numbers[1:]))])  # of factorials
    low, high = 0.0, most + 10 * math.sqrt(most + 1) + 10
    for _ in range(_STEPS):
        mean = (low + high) / 2
        seen = float(np.exp(numbers * math.log(mean) - mean - logarithms).sum())
        low, high = (mean, high) if seen > share else (low, mean)
    return (low + high) / 2
