"""Classification of images, all classes at once: one-hot vector labels, as the paper's ten-class tasks.

Real et al. 2020, section 4.3: the images of all ten classes, projected to 16 features and standardised,
labels and predictions being vectors. Tasks of one set differ in their projection and in which of the set's
examples they draw.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from azgen.errors import AzgenError
from azgen.tasks.projection import Dealt, Drawn
from azgen.tasks.task import SetName


class AllClasses:
    """How tasks of all classes are drawn; columns of labels are in the order of the class numbers.

    Args:
        dealt: the examples of each set.

    Raises:
        AzgenError: there is one class only.
    """

    kind = "multi-class classification"
    provenance: dict[str, Any] = {}  # noqa: RUF012  # nothing of its own

    def __init__(self, dealt: Dealt):
        if len(dealt.names) < 2:
            raise AzgenError(f"{dealt.source}: there is one class only; at least two are needed")
        self._dealt = dealt
        self._one_hot = np.eye(len(dealt.names))[np.searchsorted(list(dealt.names), dealt.y)]

    @property
    def label_names(self) -> tuple[str, ...]:
        """The classes."""
        return tuple(self._dealt.names.values())

    @property
    def description(self) -> str:
        """What tasks are, for people."""
        return f"{len(self._dealt.names)} classes at once"

    def of(self, name: SetName) -> str:
        """What a set's tasks are of, for people; it is the same for all."""
        return ""

    def sizes(self, name: SetName, n_train: int | None, n_valid: int | None) -> tuple[int, int]:
        """Training and validation examples of each task of a set; None: all of its share, 70 % for
        training."""
        rows = self._dealt.shares[name]
        if len(np.unique(self._dealt.y[rows])) < len(self._dealt.names):
            raise AzgenError(
                f"{self._dealt.source}: the {name} set's share of the examples lacks a class; change the "
                "fractions"
            )
        return _sizes(n_train, n_valid, len(rows), name)

    def draw(self, name: SetName, number: int, sizes: tuple[int, int], random: np.random.Generator) -> Drawn:
        """A task's rows and labels."""
        n_train, n_valid = sizes
        rows = random.permutation(self._dealt.shares[name])
        train, valid = rows[:n_train], rows[n_train : n_train + n_valid]
        what = f"{len(self._dealt.names)} classes"
        return Drawn(train, valid, self._one_hot[train], self._one_hot[valid], what)


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
