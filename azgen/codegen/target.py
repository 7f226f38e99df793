"""What generated source is specialised to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from azgen.codegen.lanes import MANY, LaneType, lane_type
from azgen.language.instruction import SCALAR, VECTOR, Form, Memory
from azgen.language.metrics import Metric, UserMetric, is_classification


@dataclass(frozen=True)
class Target:
    """What kernels and candidates are specialised to, besides their programs.

    Attributes:
        n_features: F, entries of a vector.
        lane: the SIMD lane type; its number type is that of the arithmetic.
        metric: what fitness means; it decides the loss in the generated code.
        classes: entries of one-hot labels, for programs of the vector form; 0: the scalar form.
        fused: whether sums of products are by fused multiply-add.
        interleaved: lane groups that one call of a candidate's function runs, line by line.
    """

    n_features: int
    lane: LaneType
    metric: Metric
    classes: int = 0
    fused: bool = False
    interleaved: int = 1

    @classmethod
    def of(
        cls,
        memory: Memory,
        n_features: int,
        metric: Metric,
        dtype: str,
        classes: int = 0,
        n_tasks: int | None = MANY,
        natively: bool = False,
        fused: bool = False,
    ) -> Target:
        """The target for programs of this memory, with the lane type that suits it and so many tasks on this
        machine; `natively` as for `lane_type`.

        Raises:
            AzgenError: unknown number type.
        """
        some = memory.matrices > 0
        lane = lane_type(dtype, n_features, matrices=some, n_tasks=n_tasks, natively=natively)
        return cls(n_features, lane, metric, classes, fused)

    @property
    def stride(self) -> int:
        """Entries that a vector, or a matrix's row, takes up in memory."""
        return self.lane.stride(self.n_features)

    @property
    def form(self) -> Form:
        """Form of the programs."""
        return VECTOR if self.classes else SCALAR

    @property
    def libraries(self) -> tuple[str, ...]:
        """Libraries that the code links, as names for the linker."""
        return ("mvec", "m") if self.lane.vector_function("exp") else ("m",)

    @property
    def suffixes(self) -> tuple[str, ...]:
        """What names of locals end in, one a lane group of a call; one group's need none."""
        return ("_a", "_b", "_c")[: self.interleaved] if self.interleaved > 1 else ("",)

    @property
    def names(self) -> dict[str, Any]:
        """What all templates may say of it."""
        return {
            "F": self.n_features,
            "S": self.stride,
            "U": self.lane.units(self.n_features),
            "lane": self.lane,
            "metric": self.metric,
            "own": self.metric if isinstance(self.metric, UserMetric) else None,
            "classification": is_classification(self.metric),
            "form": self.form,
            "classes": self.classes,
            "fused": self.fused,
            "interleaved": self.interleaved,
            "suffixes": self.suffixes,
        }

    def numbers(self, memory: Memory) -> int:
        """Numbers in a program's memory, on one task."""
        return memory.scalars + self.stride * (memory.vectors + memory.matrices * self.n_features)
