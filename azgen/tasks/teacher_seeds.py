"""Seeds of synthetic teachers: one for the examples and one for the teacher's parameters of each task."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from azgen.errors import AzgenError

# The original's default seeds; task i takes seed i, and beyond the list the last seed + 1, + 2, ...
ORIGINAL_PARAM_SEEDS = (1001, 1012, 1010, 1000, 1006, 1008, 1007, 1003)
ORIGINAL_DATA_SEEDS = (11001, 11012, 11010, 11000, 11006, 11008, 11007, 11003)

# Streams of one seed, so that equal data and parameter seeds do not give equal numbers.
DATA, PARAM, NOISE = 1, 2, 3


def draw_seeds(n_tasks: int, seed: int, *more: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """n_tasks distinct data seeds and as many parameter seeds, uniform in [2, 2**32 - 2], from one seed.

    Args:
        more: numbers that make it another seed.
    """
    if seed < 0:
        raise AzgenError(f"the seed is {seed}; it must be 0 or more")
    both: list[tuple[int, ...]] = []
    for stream in (DATA, PARAM):
        random = np.random.default_rng([seed, stream, *more])
        drawn: dict[int, None] = {}  # keeps the order, so that asking for more tasks keeps the first ones
        while len(drawn) < n_tasks:
            drawn[int(random.integers(2, 2**32 - 1))] = None
        both.append(tuple(drawn))
    return both[0], both[1]


def extend_seeds(seeds: Sequence[int], n_tasks: int) -> tuple[int, ...]:
    """The first n_tasks seeds; a shorter list goes on with its last seed + 1, + 2, ... (as the original)."""
    if not seeds:
        raise AzgenError("the list of seeds is empty; give at least one, or none at all")
    if min(seeds) < 0:
        raise AzgenError(f"a seed is {min(seeds)}; seeds must be 0 or more")
    missing = n_tasks - len(seeds)
    return (*map(int, seeds[:n_tasks]), *(int(seeds[-1]) + i for i in range(1, missing + 1)))
