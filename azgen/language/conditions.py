"""What decides an execution, beside the program and the tasks: one value that travels with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from azgen.bounds import AboveZero, Bounded, Count, Positive
from azgen.errors import AzgenError

DTYPES = {"float32": 4, "float64": 8}
"""Number types of memory, with their bytes."""


def check_dtype(dtype: str) -> None:
    """Checks the name of a number type.

    Raises:
        AzgenError: there is no such number type.
    """
    if dtype not in DTYPES:
        raise AzgenError(f"dtype is {dtype!r}; it must be one of {', '.join(DTYPES)}")


@dataclass(frozen=True)
class Conditions(Bounded):
    """How programs are executed.

    Attributes:
        seed: decides the draws of stochastic ops, together with each task's position.
        epochs: passes over the training examples; the first in the given order, later ones shuffled.
        dtype: number type of the arithmetic, "float32" or "float64".
        max_abs_error: a task fails, with fitness 0, at a prediction error above this or NaN.
        fused: whether sums of products are by fused multiply-add (docs/semantics.md).

    Raises:
        AzgenError: a value out of its range.
    """

    seed: Count = 0
    epochs: Positive = 1
    dtype: str = "float32"
    max_abs_error: AboveZero = 100.0
    fused: bool = False

    def __post_init__(self) -> None:
        check_dtype(self.dtype)
        super().__post_init__()

    @property
    def arithmetic(self) -> str:
        """Number type, and how sums of products are computed, in words."""
        return self.dtype + (", fused multiply-add" if self.fused else "")

    @property
    def arithmetic_record(self) -> dict[str, Any]:
        """The same as plain values, as results have it."""
        return {"dtype": self.dtype, **({"fused": True} if self.fused else {})}


USUAL = Conditions()
"""One pass in float32 with seed 0."""
