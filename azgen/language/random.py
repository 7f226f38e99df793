"""The random numbers of stochastic ops: one small generator per task, the same in every executor.

SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) counts in steps of a constant and mixes the count, so a whole
array of draws needs no loop. Normal draws invert the normal distribution with the polynomials of Giles
("Approximating the erfinv function", GPU Computing Gems, 2011), which are good to about 1e-7. Only IEEE
basic operations occur, so generated code, which spells the same steps (templates/lane/random.h.j2), draws
bit for bit the same numbers.
"""

from __future__ import annotations

from typing import Any

from azgen.language.later import numpy as np

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1

# Giles' single-precision coefficients, highest power first: central region, then tails.
CENTRAL = (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
    -0.00125372503, -0.00417768164, 0.246640727, 1.50140941,
)  # fmt: skip
TAIL = (
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
    -0.0076224613, 0.00943887047, 1.00167406, 2.83297682,
)  # fmt: skip
# log(m) = 2 s (1 + z/3 + z^2/5 + ...) with s = (m-1)/(m+1), z = s*s; these, highest power first.
LOG_SERIES = (1 / 11, 1 / 9, 1 / 7, 1 / 5, 1 / 3, 1.0)
LN_2 = 0.6931471805599453
SQRT_2 = 1.4142135623730951
# Bits of sqrt(1/2), where the mantissa is split so that m stays near 1.
_SPLIT = {"float32": 0x3F3504F3, "float64": 0x3FE6A09E667F3BCD}


def mix(x: int) -> int:
    """SplitMix64's output function of a 64-bit number."""
    x &= _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def task_state(seed: int, task: int) -> int:
    """Initial state of the generator of the task with this number, in an evaluation with this seed."""
    return mix(mix(seed + _GOLDEN) + (task + 1) * _GOLDEN)


def _polynomial(coefficients: tuple[float, ...], x: Any) -> Any:
    result = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        result = result * x + x.dtype.type(coefficient)
    return result


def _log(x: Any) -> Any:
    integer = np.int32 if x.dtype == np.float32 else np.int64
    mantissa_bits = 23 if x.dtype == np.float32 else 52
    bits = x.view(integer)
    exponent = (bits - integer(_SPLIT[x.dtype.name])) >> integer(mantissa_bits)
    m = (bits - (exponent << integer(mantissa_bits))).view(x.dtype)
    s = (m - x.dtype.type(1)) / (m + x.dtype.type(1))
    series = _polynomial(LOG_SERIES, s * s)
    return exponent.astype(x.dtype) * x.dtype.type(LN_2) + (s + s) * series


def normal_quantile(u: Any) -> Any:
    """Inverse of the standard normal distribution function at u in (0, 1), elementwise, in u's own number
    type."""
    one = u.dtype.type(1)
    w = -_log(u.dtype.type(4) * u * (one - u))
    central = _polynomial(CENTRAL, w - u.dtype.type(2.5))
    tail = _polynomial(TAIL, np.sqrt(w) - u.dtype.type(3))
    return np.where(w < u.dtype.type(5), central, tail) * (u + u - one) * u.dtype.type(SQRT_2)


class Generator:
    """Random draws of one task.

    Args:
        state: 64-bit initial state, for example from `task_state`.
        dtype: number type of the draws, float32 or float64.
    """

    def __init__(self, state: int, dtype: Any = "float32"):
        self._state = state & _MASK
        self._dtype = np.dtype(dtype)

    def unit(self, shape: tuple[int, ...] = ()) -> Any:
        """Draws from the open interval (0, 1), on a grid of 2^23 (float32) or 2^52 (float64) midpoints."""
        count = int(np.prod(shape))
        z = np.uint64(self._state) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
        self._state = (self._state + count * _GOLDEN) & _MASK
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
        bits = 23 if self._dtype == np.float32 else 52
        grid = (z >> np.uint64(64 - bits)).astype(self._dtype)
        return (grid + self._dtype.type(0.5)) * self._dtype.type(2.0**-bits)

    def uniform(self, low: Any, high: Any, shape: tuple[int, ...] = ()) -> Any:
        """Draws between low and high, in whichever order the two are given."""
        low, high = self._dtype.type(low), self._dtype.type(high)
        if high < low:
            low, high = high, low
        return (low + (high - low) * self.unit(shape)).reshape(shape)[()]

    def normal(self, mean: Any, stdev: Any, shape: tuple[int, ...] = ()) -> Any:
        """Normal draws with the given mean and standard deviation."""
        z = normal_quantile(self.unit(shape))
        return (self._dtype.type(mean) + self._dtype.type(stdev) * z).reshape(shape)[()]
