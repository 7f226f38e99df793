"""Programs on their way between islands, as the kernel numbers them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Migrants:
    """Programs on their way between islands, in the kernel's numbers.

    Attributes:
        sizes: programs x 3, the lengths of Setup, Predict and Learn.
        code: the instructions of all of them, one after the other.
    """

    sizes: NDArray[np.int32]
    code: NDArray[Any]

    def __len__(self) -> int:
        return len(self.sizes)

    @staticmethod
    def of(records: NDArray[Any]) -> Migrants:
        """Programs from the kernel's records."""
        lengths = records["size"].sum(axis=1)
        used = np.arange(records["code"].shape[1]) < lengths[:, None]
        return Migrants(records["size"].astype(np.int32), records["code"][used])

    def records(self, program: np.dtype[Any]) -> NDArray[Any]:
        """The kernel's records of a program type."""
        result = np.zeros(len(self.sizes), program)
        result["size"] = self.sizes
        used = np.arange(result["code"].shape[1]) < self.sizes.sum(axis=1)[:, None]
        result["code"][used] = self.code
        return result

    @staticmethod
    def joined(parts: list[Migrants]) -> Migrants:
        """All programs of several."""
        return Migrants(np.concatenate([p.sizes for p in parts]), np.concatenate([p.code for p in parts]))

    @cached_property
    def _extent(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Length of each program's code, and where it begins."""
        lengths = self.sizes.sum(axis=1, dtype=np.int64)
        return lengths, np.cumsum(lengths) - lengths

    def taken(self, places: NDArray[np.int64]) -> Migrants:
        """The programs at these places, which may repeat."""
        lengths, starts = self._extent
        chosen = lengths[places]
        offsets = np.arange(chosen.sum()) - np.repeat(np.cumsum(chosen) - chosen, chosen)
        return Migrants(self.sizes[places], self.code[np.repeat(starts[places], chosen) + offsets])
