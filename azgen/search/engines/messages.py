"""What travels between processes: a JSON header and raw arrays of numbers; nothing is pickled.

4 bytes   length of the header
header    {"kind": ..., ..., "arrays": {name: [type, shape]}}
arrays    one after the other, C order
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.execution.kernel import INSTRUCTION
from azgen.plain import as_plain, read
from azgen.runs.events import Ancestor

_LENGTH = struct.Struct("<I")
_TYPES = {name: np.dtype(name) for name in ("<f8", "<f4", "<i8", "<i4", "<u8", "|u1")} | {
    "instruction": INSTRUCTION
}


def encode(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]] | None = None) -> bytes:
    """A message as bytes."""
    described, parts = {}, []
    for name, array in (arrays or {}).items():
        kind = "instruction" if array.dtype == INSTRUCTION else array.dtype.str
        if kind not in _TYPES:
            raise TypeError(f"{name}: arrays of {array.dtype} do not travel")
        described[name] = [kind, list(array.shape)]
        parts.append(np.ascontiguousarray(array).tobytes())
    text = json.dumps({**header, "arrays": described}).encode()
    return b"".join([_LENGTH.pack(len(text)), text, *parts])


def decode(message: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Header and arrays of a message.

    Raises:
        ValueError: it is none.
    """
    (length,) = _LENGTH.unpack_from(message)
    header = json.loads(message[4 : 4 + length])
    arrays, at = {}, 4 + length
    for name, (kind, shape) in header.pop("arrays").items():
        dtype, count = _TYPES[kind], int(np.prod(shape))
        arrays[name] = np.frombuffer(message, dtype, count, at).reshape(shape)
        at += count * dtype.itemsize
    return header, arrays


@dataclass(frozen=True)
class Order:
    """One round of one island.

    Attributes:
        island: number of the island.
        round: number of the round; the state that it starts from is that after round - 1.
        population: number of the population among those of the run.
        birth: a new population is made and rated; there is no state to start from.
        n_programs: children to make.
        best_number: number of the population's best program that is known already.
        n_emigrants: programs to send.
        quarantined: texts of programs that score 0 unseen.
        immigrants: programs that arrive first, or None.
        careful: tell which program is about to run, so that one that kills the process can be named.
    """

    island: int
    round: int
    population: int
    birth: bool = False
    n_programs: int = 0
    best_number: int = 0
    n_emigrants: int = 0
    quarantined: tuple[str, ...] = ()
    immigrants: Migrants | None = None
    careful: bool = False

    def encode(self) -> bytes:
        """As a message."""
        return encode(
            {"kind": "order", **as_plain(self, leave_out=("immigrants",))}, _migrants(self.immigrants)
        )

    @staticmethod
    def decode(header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Order:
        """From a message."""
        return read(Order, header, "an order", given={"immigrants": _from_arrays(arrays)}, extra=True)


@dataclass(frozen=True)
class Report:
    """What became of an order.

    Attributes:
        island, round, population: as ordered.
        counts: programs of the population so far, by rung of the ladder (`azgen.search.state.COUNTS`).
        best_fitness: best on the search tasks in the population so far.
        best_number: which program of the population that was, from 1.
        program: its normal form's text if it is new, else "".
        select_fitness: mean over the selection tasks, if it is new.
        cost: static cost of one training example, in multiplications, if it is new.
        emigrants: programs that leave, or None.
        seconds: processor time that the round took.
        loads: compiled modules that the process has loaded so far.
        native: programs of this round that native code has rated.
        compiled: programs that were compiled for that.
        spent: why the island is to begin anew, in words; "" if it goes on.
        behaviour: digest of how the best behaves on the selection tasks, if it is new.
        holds: whether it fails on none of them, not even when it is trained twice as long.
        ancestors: what the best descends from, if it is new.
    """

    island: int
    round: int
    population: int
    counts: tuple[int, ...]
    best_fitness: float
    best_number: int
    program: str = ""
    select_fitness: float = 0.0
    cost: float = 0.0
    emigrants: Migrants | None = None
    seconds: float = 0.0
    loads: int = 0
    native: int = 0
    compiled: int = 0
    spent: str = ""
    behaviour: str = ""
    holds: bool = True
    ancestors: tuple[Ancestor, ...] = ()

    def encode(self) -> bytes:
        """As a message."""
        return encode(
            {"kind": "report", **as_plain(self, leave_out=("emigrants",))}, _migrants(self.emigrants)
        )

    @staticmethod
    def decode(header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Report:
        """From a message."""
        return read(Report, header, "a report", given={"emigrants": _from_arrays(arrays)}, extra=True)


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


def _migrants(migrants: Migrants | None) -> dict[str, NDArray[Any]]:
    return {} if migrants is None else {"sizes": migrants.sizes, "code": migrants.code}


def _from_arrays(arrays: dict[str, NDArray[Any]]) -> Migrants | None:
    return Migrants(arrays["sizes"], arrays["code"]) if "sizes" in arrays else None
