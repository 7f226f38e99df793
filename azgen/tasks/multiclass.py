"""Projected classification of all classes at once: one-hot vector labels, as the paper's ten-class tasks.

Real et al. 2020, section 4.3: the images of all ten classes, projected to 16 features and standardised,
labels and predictions being vectors. Examples are dealt to search, selection and test as in `projected`;
tasks of one set differ in their projection and in which of the set's examples they draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.tasks.projection import (
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


def multiclass_tasks(
    x: NDArray[Any],
    y: NDArray[Any],
    *,
    n_features: int | None = 16,
    n_search: int = 10,
    n_select: int = 10,
    n_test: int = 10,
    n_train: int | tuple[int, int, int] | None = None,
    n_valid: int | tuple[int, int, int] | None = None,
    fractions: tuple[float, float, float] = (0.5, 0.2, 0.3),
    own_test: Sequence[int] | NDArray[np.intp] | None = None,
    class_names: Sequence[str] | None = None,
    seed: int = 0,
    redraw: int = 0,
    source: str = "multi-class",
) -> TaskSplit:
    """Tasks that tell all classes of a labelled data set apart.

    Args:
        n_train, n_valid: examples of each task, for all sets or as (search, select, test), drawn at random
            from the set's share. Default: all of the share, 70 % for training.
        x, y, n_features, n_search, n_select, n_test, fractions, own_test, class_names, seed, redraw, source:
            as in `projected_tasks`.

    Returns:
        Tasks with metric "accuracy" and one-hot labels, examples x classes, columns in the order of the class
        numbers.

    Raises:
        AzgenError: an argument out of range, or more examples asked for than a set has.
    """
    x, y = check_labelled(x, y, source)
    classes = np.unique(y)
    if len(classes) < 2:
        raise AzgenError(f"{source}: there is one class only; at least two are needed")
    names = tuple(names_of(classes, class_names).values())
    one_hot = np.eye(len(classes))[np.searchsorted(classes, y)]
    shares = deal_examples(y, fractions, own_test, seed)
    counts = dict(zip(SET_NAMES, (n_search, n_select, n_test), strict=True))
    sizes: dict[SetName, tuple[int, int]] = {}
    for index, name in enumerate(SET_NAMES):
        if len(np.unique(y[shares[name]])) < len(classes):
            raise AzgenError(
                f"{source}: the {name} set's share of the examples lacks a class; change the fractions"
            )
        sizes[name] = _sizes(per_set(n_train, index), per_set(n_valid, index), len(shares[name]), name)
    check_dimension(x, n_features, [(counts[name], sum(sizes[name])) for name in SET_NAMES])

    sets: dict[SetName, tuple[Task, ...]] = {}
    for name in SET_NAMES:
        tasks = []
        train, valid = sizes[name]
        for number in range(counts[name]):
            random = task_random(seed, name, number, redraw)
            rows = random.permutation(shares[name])
            train_rows, valid_rows = rows[:train], rows[train : train + valid]
            x_train, x_valid = project(x, train_rows, valid_rows, n_features, random)
            y_train, y_valid = frozen(one_hot[train_rows]), frozen(one_hot[valid_rows])
            label = f"{len(classes)} classes, projection {number}"
            tasks.append(Task(x_train, y_train, x_valid, y_valid, metric="accuracy", name=label))
        sets[name] = tuple(tasks)

    dimension = f"projected to {n_features} features" if n_features else f"all {x.shape[1]} features"
    return TaskSplit(
        search=sets["search"],
        select=sets["select"],
        test=sets["test"],
        description=f"{source}: {len(classes)} classes at once, {dimension}; "
        + ", ".join(f"{counts[s]} {s} tasks ({sizes[s][0]} + {sizes[s][1]} examples)" for s in SET_NAMES),
        label_names=names,
        provenance={
            "source": source,
            "kind": "multi-class classification",
            "n_features": n_features or x.shape[1],
            "projected": n_features is not None,
            "seed": seed,
            "redraw": redraw,
            "sizes": {s: {"tasks": counts[s], "train": sizes[s][0], "valid": sizes[s][1]} for s in SET_NAMES},
            "own_test": own_test is not None,
        },
    )


def _sizes(n_train: int | None, n_valid: int | None, available: int, set_name: SetName) -> tuple[int, int]:
    if n_valid is None:
        third = max(1, round(0.3 * available))
        n_valid = third if n_train is None else max(1, min(third, available - n_train))
    if n_train is None:
        n_train = max(1, available - n_valid)
    if min(n_train, n_valid) < 1:
        raise AzgenError(f"n_train and n_valid are {n_train} and {n_valid}; both must be at least 1")
    if n_train + n_valid > available:
        raise AzgenError(
            f"{n_train} + {n_valid} examples per {set_name} task are more than the {available} of the "
            f"{set_name} set; ask for fewer, or change the fractions"
        )
    return n_train, n_valid
