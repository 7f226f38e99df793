"""The cross-entropy method (Rubinstein 1999): settings are drawn from a normal distribution, which then
moves to the best of them.

What is returned at the end is the distribution's middle, unless some drawn setting is clearly better: the
best of hundreds of settings is so by luck in part, the middle of the best few of them much less.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ELITE = 8
"""Settings of each generation that the distribution moves to."""

_SMOOTHING = 0.5
"""How much of the deviation of before stays."""

_LEAST_DEVIATION = 0.05
"""Deviation below which nothing is learned any more from settings' differences."""

_CLEARLY = 5e-4
"""Fitness by which a single setting must be better than the middle to be preferred."""


def cross_entropy(
    rate: Callable[[Floats], Floats],
    middle: Floats,
    deviation: float,
    sizes: tuple[int, ...],
    random: np.random.Generator,
) -> Floats:
    """The best setting that is found.

    Args:
        rate: fitness (n) of settings (n x length); 0: it fails.
        middle: of the first generation's settings, which is one of them.
        deviation: of the first generation, in every direction.
        sizes: settings of each generation.
        random: draws them.

    Returns:
        `middle` itself if all settings of the first generation fail.
    """
    deviations = np.full(len(middle), deviation)
    best, best_fitness = middle, 0.0
    for size in sizes:
        settings = middle + deviations * random.standard_normal((size, len(middle)))
        settings[0] = middle
        fitness = rate(settings)
        elite = np.argsort(-fitness, kind="stable")[:_ELITE]
        elite = elite[fitness[elite] > 0]
        if not len(elite):  # failing with all of them is not a matter of constants
            break
        if fitness[elite[0]] > best_fitness:
            best, best_fitness = settings[elite[0]], float(fitness[elite[0]])
        middle = settings[elite].mean(axis=0)
        spread = settings[elite].std(axis=0)
        deviations = np.maximum(_SMOOTHING * deviations + (1 - _SMOOTHING) * spread, _LEAST_DEVIATION)
    if best_fitness and rate(middle[None, :])[0] < best_fitness - _CLEARLY:
        return best
    return middle
