"""Who receives which programs at an exchange between islands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from azgen.language.random import mix
from azgen.search.engines.migrants import Migrants
from azgen.settings.settings import Settings

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def exchange_rounds(settings: Settings) -> int:
    """Rounds from one exchange to the next; 0: there are none."""
    islands = settings.islands
    if islands.count == 1 or islands.topology == "none":
        return 0
    return -(-islands.interval // round_programs(settings))


def round_programs(settings: Settings) -> int:
    """Programs that an island makes in a round."""
    islands = settings.islands
    if islands.count == 1 or islands.topology == "none":
        return settings.stop.round_programs
    return min(settings.stop.round_programs, islands.interval)


def n_migrants(settings: Settings) -> int:
    """Programs that an island sends at an exchange, and takes in."""
    return settings.islands.migrants or settings.evolution.population // 2


def sources(settings: Settings, island: int) -> Sequence[int]:
    """Islands whose emigrants decide who arrives at this one."""
    count = settings.islands.count
    return range(count) if settings.islands.topology == "pool" else ((island - 1) % count,)


def immigrants(settings: Settings, island: int, round_number: int, pool: Migrants) -> Migrants:
    """Programs that arrive at an island: all from its neighbour, or some drawn from the common pool.

    Args:
        pool: emigrants of `sources`, joined in their order.
    """
    if settings.islands.topology != "pool":
        return pool
    seed = mix(mix(mix(settings.seed) + island) + round_number)
    return pool.taken((draws(seed, n_migrants(settings)) % np.uint64(len(pool))).astype(np.int64))


def draws(seed: int, count: int) -> NDArray[np.uint64]:
    """SplitMix64's numbers from a seed."""
    z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def leaving(settings: Settings, fitness: NDArray[np.float64], seed: int, count: int) -> NDArray[np.int64]:
    """Which members an island sends: the best (of equals the one that lies first), or random ones."""
    if settings.islands.emigrants == "best":
        order = np.argsort(-fitness, kind="stable")
    else:
        order = np.argsort(draws(seed, len(fitness)), kind="stable")
    return order[:count]
