"""Tasks of AutoML-Zero's final protocol: two classes of an image set at full dimension, no projection.

Real et al. 2020, section 4.2: constants are tuned on 8000 training and 2000 validation examples, both from
the data set's own training part; the program then learns from the same 8000 and is scored, once, on
examples of the data set's own test part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.tasks.datasets import DataSet
from azgen.tasks.projection import frozen
from azgen.tasks.standardize import Standardizer
from azgen.tasks.task import Task

_STREAM = 4  # of the seed


@dataclass(frozen=True, eq=False)
class FinalTasks:
    """A pair of classes: the task to tune on, and the one to be scored on once.

    Attributes:
        tuning: scored on examples of the data set's training part.
        test: learns from the same examples in the same order, and is scored on the data set's test part.
    """

    tuning: Task
    test: Task


def final_tasks(
    data: DataSet, pair: tuple[int, int], seed: int = 0, n_train: int = 8000, n_valid: int = 2000
) -> FinalTasks:
    """The tasks of one pair of classes; label 1 is the first class of the pair.

    Args:
        data: images with a test part of their own.
        pair: two class numbers.
        seed: decides which examples of the training part are drawn, and their order.
        n_train, n_valid: examples drawn from the training part, half of them of each class. Every example
            of the test part's two classes is in the test task.

    Raises:
        AzgenError: no test part, no such classes, or fewer examples than asked for.
    """
    _check(data, pair, seed, n_train, n_valid)
    random = np.random.default_rng([seed, _STREAM, *pair])
    is_test = np.zeros(len(data.y), dtype=bool)
    is_test[data.own_test] = True
    train, valid = [], []
    for c in pair:
        rows = np.flatnonzero((data.y == c) & ~is_test)
        if len(rows) < (n_train + n_valid) // 2:
            raise AzgenError(
                f"{n_train} + {n_valid} examples need {(n_train + n_valid) // 2} of each class, but class "
                f"{data.class_names[c]} has {len(rows)} in the training part of {data.name}"
            )
        drawn = random.permutation(rows)
        train.append(drawn[: n_train // 2])
        valid.append(drawn[n_train // 2 : (n_train + n_valid) // 2])
    train_rows, valid_rows = (random.permutation(np.concatenate(rows)) for rows in (train, valid))
    test_rows = np.flatnonzero(is_test & np.isin(data.y, pair))
    scaler = Standardizer.fit(data.x[train_rows].astype(np.float64))
    name = f"{data.class_names[pair[0]]} against {data.class_names[pair[1]]}, all {data.x.shape[1]} features"

    def part(rows: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        x = scaler.apply(data.x[rows].astype(np.float64))
        return frozen(x), frozen((data.y[rows] == pair[0]).astype(np.float64))

    learned = part(train_rows)
    return FinalTasks(
        *(Task(*learned, *part(rows), metric="accuracy", name=name) for rows in (valid_rows, test_rows))
    )


def _check(data: DataSet, pair: tuple[int, int], seed: int, n_train: int, n_valid: int) -> None:
    if data.own_test is None:
        raise AzgenError(f"{data.name} has no test part of its own; the final protocol needs one")
    n_classes = len(data.class_names)
    if pair[0] == pair[1] or not all(0 <= c < n_classes for c in pair):
        raise AzgenError(f"{pair} is no pair of two classes of {data.name}, 0 to {n_classes - 1}")
    if seed < 0 or min(n_train, n_valid) < 2 or n_train % 2 or n_valid % 2:
        raise AzgenError(
            f"seed {seed}, n_train {n_train}, n_valid {n_valid}: seeds from 0 and even sizes from 2"
        )
