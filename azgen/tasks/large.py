"""Fewer and shorter tasks for large tables: every task is a copy of its rows, and another in its lanes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from azgen.tasks.cuts import Rows
from azgen.tasks.splits import Split, SplitPlan

MOST_NUMBERS = 6_000_000
"""Features of all examples of a task set together: 48 MB, and 24 MB more in lanes of float32."""

LEAST_TASKS = 4

_STREAM = 5  # of the seed: which of the rows that are set aside a large table is scored on


def shortened(plan: SplitPlan, n_features: int, *, seed: int, ordered: bool) -> SplitPlan:
    """The same plan with fewer tasks, and then fewer rows in each, for each set beyond `MOST_NUMBERS`.

    Cross-validation beyond it is left out: there are rows enough to select on.

    Args:
        n_features: F.
        seed: decides which rows stay that selection and test tasks are scored on.
        ordered: rows are ordered in time; training rows nearest to those that are scored stay.
    """
    return replace(
        plan,
        search=_shortened(plan.search, n_features, seed, ordered),
        select=_shortened(plan.select, n_features, seed, ordered),
        test=_shortened(plan.test, n_features, seed, ordered),
        cross=plan.cross if _numbers(plan.cross, n_features) <= MOST_NUMBERS else (),
    )


def _numbers(splits: Sequence[Split], n_features: int) -> int:
    """Features of all examples of a task set together."""
    return sum(len(split.train) + len(split.valid) for split in splits) * n_features


def _shortened(splits: Sequence[Split], n_features: int, seed: int, ordered: bool) -> tuple[Split, ...]:
    n_train, n_valid = len(splits[0].train), len(splits[0].valid)
    n_tasks, numbers = len(splits), (n_train + n_valid) * n_features
    while n_tasks > LEAST_TASKS and n_tasks * numbers > MOST_NUMBERS:
        n_tasks = max(LEAST_TASKS, n_tasks // 2)
    if n_tasks * numbers > MOST_NUMBERS:
        n_rows = max(20, MOST_NUMBERS // (n_tasks * n_features))
        share = max(1 / 3, n_valid / (n_train + n_valid))  # a few rows more make a score more certain
        n_valid = min(n_valid, int(share * n_rows))
        n_train = min(n_train, n_rows - n_valid)
    return tuple(
        Split(
            split.train[len(split.train) - n_train :] if ordered else split.train[:n_train],
            _some(split.valid, n_valid, seed),
        )
        for split in splits[:n_tasks]
    )


def _some(rows: Rows, count: int, seed: int) -> Rows:
    """Some of the rows in their order, the same ones for the same rows."""
    if len(rows) <= count:
        return rows
    places = np.random.default_rng([seed, _STREAM]).permutation(len(rows))[:count]
    return rows[np.sort(places)]
