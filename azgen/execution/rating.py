"""How a program does on tasks, and whether that will hold on more of their kind."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Rating:
    """A program's fitness on tasks.

    Attributes:
        fitness: per task; 0 where it failed.
        lasts: whether it fails on no task when it learns from each of its examples twice as often: the test
            tasks, and what people have, are larger than the search tasks.
    """

    fitness: NDArray[np.float64] = field(repr=False)
    lasts: bool

    @property
    def mean(self) -> float:
        """Mean fitness."""
        return float(self.fitness.mean())

    @property
    def holds(self) -> bool:
        """Whether it fails on no task, nor when it is trained twice as long there."""
        return self.lasts and bool((self.fitness > 0).all())
