"""Projected binary classification: pairs of classes of a labelled data set, seen through random projections.

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
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.tasks.projection import (
    PAIRS,
    Rows,
    check_dimension,
    check_labelled,
    deal_examples,
    frozen,
    names_of,
    per_set,
    project,
    task_random,
)
from azgen.tasks.task import SET_NAMES, SetName, Task, TaskSplit

Pair: TypeAlias = tuple[int, int]

# Pairs that the original's schema recommends to hold out for a ten-class data set.
ORIGINAL_SELECT_PAIRS: tuple[Pair, ...] = ((4, 6), (3, 5), (8, 9), (3, 8))
ORIGINAL_TEST_PAIRS: tuple[Pair, ...] = ((0, 9), (2, 9), (1, 8), (3, 6), (0, 5))


def projected_tasks(
    x: NDArray[Any],
    y: NDArray[Any],
    *,
    n_features: int | None = 16,
    n_search: int = 27,
    n_select: int = 9,
    n_test: int = 9,
    n_train: int | tuple[int, int, int] | None = None,
    n_valid: int | tuple[int, int, int] | None = None,
    fractions: tuple[float, float, float] = (0.5, 0.2, 0.3),
    own_test: Sequence[int] | NDArray[np.intp] | None = None,
    pairs: Mapping[SetName, Sequence[Pair]] | None = None,
    class_names: Sequence[str] | None = None,
    seed: int = 0,
    redraw: int = 0,
    source: str = "projected",
) -> TaskSplit:
    """Binary tasks from the class pairs of a labelled data set.

    Args:
        x: examples x values (images flattened), any number type.
        y: class of each example, whole numbers.
        n_features: F, the dimension to project to; None: no projection, F is x's own number of columns.
        n_search, n_select, n_test: tasks of each set. Pairs are used in turn; a pair used again gets a new
            projection and new examples.
        n_train, n_valid: examples of each task, half of them of each class, for all sets or as (search,
            select, test). Default: as many as the pair of classes with the fewest examples has, 70 % of them
            for training.
        fractions: shares of each class's examples that search, select and test tasks draw from; they must sum
            to 1.
        own_test: rows of the data set's own test part. Test tasks then draw from these alone, and search and
            select tasks from the others, in the proportion of the first two fractions.
        pairs: which pairs of classes each set uses, such as ``{"select": ORIGINAL_SELECT_PAIRS, "test":
            ORIGINAL_TEST_PAIRS}``; a set that is not named gets the pairs that are left over (60 / 20 / 20 %
            of them, if none is named).
        class_names: a name for each class number, for task names.
        seed: fixes everything; another seed deals examples and pairs anew, so tasks of different seeds share
            them.
        redraw: another number gives other search tasks of the same seed: other projections of other examples,
            from the search set's own pairs and share. Selection and test tasks stay as they are.
        source: where the examples come from, for the description.

    Returns:
        Tasks with metric "accuracy". Task names say which pair; ``provenance["pairs"]`` lists them.

    Raises:
        AzgenError: an argument out of range, or more examples asked for than the scarcest class of a set has.
    """
    x, y = check_labelled(x, y, source)
    classes = [int(c) for c in np.unique(y)]
    shares = deal_examples(y, fractions, own_test, seed)
    pair_sets = _deal_pairs(classes, pairs, seed)
    names = names_of(np.array(classes), class_names)

    counts = dict(zip(SET_NAMES, (n_search, n_select, n_test), strict=True))
    sizes: dict[SetName, tuple[int, int]] = {}
    for index, name in enumerate(SET_NAMES):
        used = {c for pair in pair_sets[name] for c in pair}
        available = {c: int((y[shares[name]] == c).sum()) for c in used}
        scarcest = min(used, key=lambda c: available[c])
        sizes[name] = _sizes(
            per_set(n_train, index), per_set(n_valid, index), available[scarcest], names[scarcest], name
        )
    check_dimension(x, n_features, [(counts[name], sum(sizes[name])) for name in SET_NAMES])

    sets: dict[SetName, tuple[Task, ...]] = {}
    for set_name in SET_NAMES:
        rows_of = {c: shares[set_name][y[shares[set_name]] == c] for c in classes}
        train, valid = sizes[set_name]
        tasks = []
        for number in range(counts[set_name]):
            pair = pair_sets[set_name][number % len(pair_sets[set_name])]
            random = task_random(seed, set_name, number, redraw)
            train_rows, valid_rows = _draw(rows_of[pair[0]], rows_of[pair[1]], train, valid, random)
            x_train, x_valid = project(x, train_rows, valid_rows, n_features, random)
            tasks.append(
                Task(
                    x_train,
                    frozen((y[train_rows] == pair[0]).astype(np.float64)),
                    x_valid,
                    frozen((y[valid_rows] == pair[0]).astype(np.float64)),
                    metric="accuracy",
                    name=f"{names[pair[0]]} against {names[pair[1]]}, projection {number}",
                )
            )
        sets[set_name] = tuple(tasks)

    dimension = f"projected to {n_features} features" if n_features else f"all {x.shape[1]} features"
    return TaskSplit(
        search=sets["search"],
        select=sets["select"],
        test=sets["test"],
        description=f"{source}: pairs of {len(classes)} classes, {dimension}; "
        + ", ".join(
            f"{counts[s]} {s} tasks of {len(pair_sets[s])} pairs ({sizes[s][0]} + {sizes[s][1]} examples)"
            for s in SET_NAMES
        ),
        label_names=("larger class of the pair", "smaller class of the pair"),
        provenance={
            "source": source,
            "kind": "projected classification",
            "n_features": n_features or x.shape[1],
            "projected": n_features is not None,
            "seed": seed,
            "redraw": redraw,
            "sizes": {s: {"tasks": counts[s], "train": sizes[s][0], "valid": sizes[s][1]} for s in SET_NAMES},
            "pairs": {s: [list(pair) for pair in pair_sets[s]] for s in SET_NAMES},
            "own_test": own_test is not None,
        },
    )


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
