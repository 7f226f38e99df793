"""Programs on their way between islands, as the kernel numbers them, and what they descend from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]

CHAIN_NUMBERS = {
    "n": np.dtype(np.int64),
    "since": np.dtype(np.uint64),
    "number": np.dtype(np.int64),
    "population": np.dtype(np.int64),
    "fitness": np.dtype(np.float64),
    "actions": np.dtype(np.uint64),
}
"""Arrays of `Chains` but for its programs, and their types."""


@dataclass(frozen=True)
class Migrants:
    """Programs on their way between islands, in the kernel's numbers.

    Attributes:
        sizes: programs x 3, the lengths of Setup, Predict and Learn.
        code: the instructions of all of them, one after the other.
        chains: what they descend from; None: that is not told.
    """

    sizes: NDArray[np.int32]
    code: NDArray[Any]
    chains: Chains | None = None

    def __len__(self) -> int:
        return len(self.sizes)

    @staticmethod
    def of(records: NDArray[Any], chains: Chains | None = None) -> Migrants:
        """Programs from the kernel's records."""
        lengths = records["size"].sum(axis=1)
        used = np.arange(records["code"].shape[1]) < lengths[:, None]
        return Migrants(records["size"].astype(np.int32), records["code"][used], chains)

    def records(self, program: np.dtype[Any]) -> NDArray[Any]:
        """The kernel's records of a program type."""
        result = np.zeros(len(self.sizes), program)
        result["size"] = self.sizes
        used = np.arange(result["code"].shape[1]) < self.sizes.sum(axis=1)[:, None]
        result["code"][used] = self.code
        return result

    @staticmethod
    def joined(parts: Sequence[Migrants]) -> Migrants:
        """All programs of several."""
        chains = [part.chains for part in parts if part.chains is not None]
        return Migrants(
            np.concatenate([p.sizes for p in parts]),
            np.concatenate([p.code for p in parts]),
            Chains.joined(chains) if len(chains) == len(parts) else None,
        )

    def taken(self, places: Places) -> Migrants:
        """The programs at these places, which may repeat."""
        return Migrants(
            self.sizes[places],
            self.code[_spread(self.sizes.sum(axis=1, dtype=np.int64), places)],
            self.chains and self.chains.taken(places),
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it as arrays by name, for messages and checkpoints."""
        given = {"sizes": self.sizes, "code": self.code}
        if self.chains is None:
            return given
        stones = {f"chains.{name}": array for name, array in self.chains.stones.arrays().items()}
        return given | stones | {f"chains.{name}": getattr(self.chains, name) for name in CHAIN_NUMBERS}

    @staticmethod
    def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> Migrants:
        """From what `arrays` gives; programs are checked by `azgen.search.checked`, all else here.

        Raises:
            ValueError, KeyError: an array is missing, or of another shape or type.
        """
        sizes, code = arrays["sizes"], arrays["code"]
        if sizes.ndim != 2 or code.ndim != 1:
            raise ValueError("programs have another shape")
        return Migrants(sizes, code, Chains.from_arrays(arrays, len(sizes)) if "chains.n" in arrays else None)


@dataclass(frozen=True)
class Chains:
    """What each of some programs descends from: stepping stones (`azgen.search.trail`), the first one first.

    Attributes:
        stones: their programs, those of the first program, then of the second and so on.
        n: of each program, how many.
        since: of each program, the kinds of mutations since its last stepping stone, a bit each.
        number, population, fitness, actions: numbers of each stepping stone (`island_state.STEP`).
    """

    stones: Migrants
    n: Places
    since: NDArray[np.uint64]
    number: Places
    population: Places
    fitness: NDArray[np.float64]
    actions: NDArray[np.uint64]

    @cached_property
    def ends(self) -> Places:
        """Of each program, the place after its last stepping stone."""
        return np.cumsum(self.n)

    @staticmethod
    def joined(parts: Sequence[Chains]) -> Chains:
        """Those of several lots of programs."""
        arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in CHAIN_NUMBERS}
        return Chains(Migrants.joined([part.stones for part in parts]), **arrays)

    def taken(self, places: Places) -> Chains:
        """Those of the programs at these places, which may repeat."""
        spread = _spread(self.n, places)
        arrays = {
            name: getattr(self, name)[places if name in ("n", "since") else spread] for name in CHAIN_NUMBERS
        }
        return Chains(self.stones.taken(spread), **arrays)

    @staticmethod
    def from_arrays(arrays: Mapping[str, NDArray[Any]], count: int) -> Chains:
        """From `Migrants.arrays`, for so many programs; see there."""
        given = {name: arrays[f"chains.{name}"] for name in CHAIN_NUMBERS}
        stones = Migrants.from_arrays({name: arrays[f"chains.{name}"] for name in ("sizes", "code")})
        for name, array in given.items():
            shape = (count,) if name in ("n", "since") else (len(stones),)
            if array.dtype != CHAIN_NUMBERS[name] or array.shape != shape:
                raise ValueError(f"what migrants descend from: {name} has another shape or type")
        n = given["n"]
        if (n < 0).any() or (n > len(stones)).any() or n.sum() != len(stones):
            raise ValueError("what migrants descend from is of another number")
        if not np.isfinite(given["fitness"]).all() or (given["population"] < 0).any():
            raise ValueError("what migrants descend from has numbers that none has")
        return Chains(stones, **given)


def _spread(lengths: Places, places: Places) -> Places:
    """Places in a row of parts of these lengths, one after the other, that the parts at `places` take."""
    starts, chosen = np.cumsum(lengths) - lengths, lengths[places]
    offsets = np.arange(chosen.sum()) - np.repeat(np.cumsum(chosen) - chosen, chosen)
    spread: Places = np.repeat(starts[places], chosen) + offsets
    return spread
