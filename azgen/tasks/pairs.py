"""Binary classification of images: pairs of classes of a labelled data set, seen through random projections.

The task family of AutoML-Zero's main experiments (Real et al. 2020, section 4.2; the released generator): two
classes of a labelled image set, every image multiplied by a Gaussian matrix of the task's own, every
projected feature standardised by its mean and standard deviation on the task's training examples. Label 1 is
the smaller class.

Here the images are first dealt out to search, selection and test, class by class, and then whole pairs of
classes are: no two of the three sets share a pair of classes or an image. (In the paper pairs are apart, but
pairs such as 3 against 8 and 3 against 5 share the images of class 3.) Within a set, every task draws its own
training and validation images from the set's share, so tasks of one set may share images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np

from azgen.errors import AzgenError
from azgen.tasks.projection import PAIRS, Dealt, Drawn, Rows
from azgen.tasks.task import SET_NAMES, SetName

Pair: TypeAlias = tuple[int, int]

Pairs: TypeAlias = Mapping[SetName, Sequence[Pair]]
"""Pairs of classes that sets use."""

# Pairs that the original's schema recommends to hold out for a ten-class data set.
ORIGINAL_SELECT_PAIRS: tuple[Pair, ...] = ((4, 6), (3, 5), (8, 9), (3, 8))
ORIGINAL_TEST_PAIRS: tuple[Pair, ...] = ((0, 9), (2, 9), (1, 8), (3, 6), (0, 5))


class PairsOfClasses:
    """How tasks of two classes are drawn.

    Args:
        dealt: the examples of each set.
        given: which pairs of classes each set uses; a set that is not named gets the pairs that are left over
            (60 / 20 / 20 % of them, if none is named). Pairs are used in turn; a pair used again gets a new
            projection and new examples.
        seed: deals the others.

    Raises:
        AzgenError: pairs that are none, or too few of them.
    """

    kind = "projected classification"
    label_names = ("larger class of the pair", "smaller class of the pair")

    def __init__(self, dealt: Dealt, given: Pairs | None, seed: int):
        self._dealt = dealt
        self._pairs = _deal_pairs(list(dealt.names), given, seed)
        self._rows = {
            name: {c: rows[dealt.y[rows] == c] for c in dealt.names} for name, rows in dealt.shares.items()
        }

    @property
    def description(self) -> str:
        """What tasks are, for people."""
        return f"pairs of {len(self._dealt.names)} classes"

    @property
    def provenance(self) -> dict[str, Any]:
        """The pairs of each set."""
        return {"pairs": {s: [list(pair) for pair in self._pairs[s]] for s in SET_NAMES}}

    def of(self, name: SetName) -> str:
        """What a set's tasks are of, for people."""
        return f" of {len(self._pairs[name])} pairs"

    def sizes(self, name: SetName, n_train: int | None, n_valid: int | None) -> tuple[int, int]:
        """Training and validation examples of each task of a set; None: as many as the pair of classes with
        the fewest examples has, 70 % of them for training."""
        used = {c for pair in self._pairs[name] for c in pair}
        scarcest = min(used, key=lambda c: len(self._rows[name][c]))
        available, class_name = len(self._rows[name][scarcest]), self._dealt.names[scarcest]
        return _sizes(n_train, n_valid, available, class_name, name)

    def draw(self, name: SetName, number: int, sizes: tuple[int, int], random: np.random.Generator) -> Drawn:
        """A task's rows and labels, half of them of each class."""
        smaller, larger = self._pairs[name][number % len(self._pairs[name])]
        train, valid = _draw(self._rows[name][smaller], self._rows[name][larger], *sizes, random)
        y, names = self._dealt.y == smaller, self._dealt.names
        what = f"{names[smaller]} against {names[larger]}"
        return Drawn(train, valid, y[train].astype(np.float64), y[valid].astype(np.float64), what)


def _deal_pairs(
    classes: list[int], given: Mapping[SetName, Sequence[Pair]] | None, seed: int
) -> dict[SetName, list[Pair]]:
    """Pairs (smaller class first) of each set; no pair is in two sets."""
    every = list(combinations(classes, 2))
    dealt: dict[SetName, list[Pair]] = {}
    for name, asked in (given or {}).items():
        if name not in SET_NAMES:
            raise AzgenError(f"pairs names a set {name!r}; the sets are {', '.join(SET_NAMES)}")
        dealt[name] = [(min(pair), max(pair)) for pair in asked]
        for pair in dealt[name]:
            if pair not in every:
                raise AzgenError(f"pairs: {pair} is no pair of two classes of {classes}")
    taken = [pair for chosen in dealt.values() for pair in chosen]
    if len(set(taken)) < len(taken):
        raise AzgenError(
            "pairs: a pair of classes is named twice; search, select and test must not share one"
        )
    left = [pair for pair in every if pair not in taken]
    random = np.random.default_rng([seed, PAIRS])
    left = [left[i] for i in random.permutation(len(left))]
    open_sets = [name for name in SET_NAMES if name not in dealt]
    if len(left) < len(open_sets) or any(not chosen for chosen in dealt.values()):
        raise AzgenError(
            f"{len(classes)} classes make {len(every)} pairs, too few for search, select and test to share "
            "none; at least three classes are needed (for two, treat the data as a table)"
        )
    weights = {"search": 0.6, "select": 0.2, "test": 0.2}
    total = sum(weights[name] for name in open_sets)
    n_left = len(left)
    for position, name in enumerate(open_sets):
        later = len(open_sets) - position - 1
        share = max(1, round(n_left * weights[name] / total)) if later else len(left)
        share = min(share, len(left) - later)  # every later set needs a pair too
        dealt[name], left = left[:share], left[share:]
    return dealt


def _sizes(
    n_train: int | None, n_valid: int | None, available: int, class_name: str, set_name: SetName
) -> tuple[int, int]:
    """Training and validation examples of each task; the set's scarcest class has `available` of them."""
    if n_valid is None:
        third = max(1, round(0.3 * available))
        n_valid = 2 * (third if n_train is None else max(1, min(third, available - n_train // 2)))
    if n_train is None:
        n_train = 2 * max(1, available - n_valid // 2)
    for name, value in (("n_train", n_train), ("n_valid", n_valid)):
        if value < 2 or value % 2:
            raise AzgenError(
                f"{name} is {value}; it must be an even number of at least 2 (half of each class)"
            )
    if (n_train + n_valid) // 2 > available:
        raise AzgenError(
            f"{n_train} + {n_valid} examples per {set_name} task need {(n_train + n_valid) // 2} of each "
            f"class, but class {class_name} has {available} for the {set_name} set; ask for fewer, or change "
            "the fractions"
        )
    return n_train, n_valid


def _draw(
    rows_1: Rows, rows_0: Rows, n_train: int, n_valid: int, random: np.random.Generator
) -> tuple[Rows, Rows]:
    """Rows of a task's training and validation examples, half of each class, in random order."""
    train, valid = [], []
    for rows in (rows_1, rows_0):
        drawn = random.permutation(rows)
        train.append(drawn[: n_train // 2])
        valid.append(drawn[n_train // 2 : (n_train + n_valid) // 2])
    return random.permutation(np.concatenate(train)), random.permutation(np.concatenate(valid))
