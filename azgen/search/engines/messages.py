"""What travels between processes: a JSON header and raw arrays of numbers; nothing is pickled.

4 bytes   length of the header
header    {"kind": ..., ..., "arrays": {name: [type, shape]}}
arrays    one after the other, C order
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from azgen.bounds import Bounded, Bounds, Count, NotNegative, Share
from azgen.errors import AzgenError
from azgen.execution.kernel import INSTRUCTION
from azgen.plain import PlainError, as_plain, read
from azgen.runs.events import Ancestor
from azgen.search.island_state import COUNTS

T = TypeVar("T")

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


class MessageError(AzgenError):
    """What came is no message, or says what none can say."""


@dataclass(frozen=True)
class _Header:
    """What every header has.

    Attributes:
        kind: what the message is.
        arrays: by name the type and the shape of each.
    """

    kind: str
    arrays: dict[str, tuple[str, tuple[int, ...]]]


def decode(message: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Header and arrays of a message.

    Raises:
        MessageError: it is none.
    """
    try:
        (length,) = _LENGTH.unpack_from(message)
        values = json.loads(message[4 : 4 + length])
        header = read(_Header, values, "a message", extra=True)
        arrays, at = {}, 4 + length
        for name, (kind, shape) in header.arrays.items():
            dtype = _TYPES[kind]
            if any(not 0 <= n <= len(message) for n in shape):
                raise ValueError(f"{name} has the shape {shape}")
            count = math.prod(shape)
            arrays[name] = np.frombuffer(message, dtype, count, at).reshape(shape)
            at += count * dtype.itemsize
        if at != len(message):
            raise ValueError(f"{len(message)} bytes in place of {at}")
    except (struct.error, ValueError, KeyError, RecursionError, PlainError) as error:
        raise MessageError(f"a message between processes is malformed: {error}") from None
    return {name: value for name, value in values.items() if name != "arrays"}, arrays


def read_message(cls: type[T], header: Mapping[str, Any], given: Mapping[str, Any] | None = None) -> T:
    """A header's values as a dataclass.

    Raises:
        MessageError: one is missing, of another type, or out of bounds.
    """
    try:
        return read(cls, header, f"a message of the kind {cls.__name__}", given=given, extra=True)
    except PlainError as error:
        raise MessageError(str(error)) from None


def checked_fitness(arrays: Mapping[str, NDArray[Any]], n_tasks: int) -> NDArray[np.float64]:
    """The fitness on each of so many tasks that a message brings.

    Raises:
        MessageError: it brings something else.
    """
    fitness = arrays.get("fitness")
    if fitness is None or fitness.shape != (n_tasks,) or fitness.dtype != np.float64:
        raise MessageError("a message between processes brings no fitness")
    if not ((fitness >= 0) & (fitness <= 1)).all():
        raise MessageError("a message between processes brings a fitness that is none")
    return fitness


@dataclass(frozen=True)
class Failure:
    """What a worker says that cannot carry out what it was given.

    Attributes:
        message: why.
        mistake: whether it is one of the user's.
    """

    message: str
    mistake: bool = True


@dataclass(frozen=True)
class Loss:
    """What a cluster's worker says whose process ended over what it was given.

    Attributes:
        cause: of what it died.
        program: that it was about to run; "" if it had named none.
        blamed: whether the program is the cause.
    """

    cause: str
    program: str = ""
    blamed: bool = False


@dataclass(frozen=True)
class Order(Bounded):
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

    island: Count
    round: Count
    population: Count
    birth: bool = False
    n_programs: Count = 0
    best_number: Count = 0
    n_emigrants: Count = 0
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
        """From a message.

        Raises:
            MessageError: it says what none can say.
        """
        return read_message(Order, header, {"immigrants": _from_arrays(arrays)})


@dataclass(frozen=True)
class Report(Bounded):
    """What became of an order.

    Attributes:
        island, round, population: as ordered.
        counts: programs of the population so far, by rung of the ladder (`COUNTS`).
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

    island: Count
    round: Count
    population: Count
    counts: Annotated[tuple[int, ...], Bounds(0)]
    best_fitness: Annotated[float, Bounds(-1, 1)]
    best_number: Count
    program: str = ""
    select_fitness: Share = 0.0
    cost: NotNegative = 0.0
    emigrants: Migrants | None = None
    seconds: NotNegative = 0.0
    loads: Count = 0
    native: Count = 0
    compiled: Count = 0
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
        """From a message.

        Raises:
            MessageError: it says what none can say.
        """
        report = read_message(Report, header, {"emigrants": _from_arrays(arrays)})
        if len(report.counts) != len(COUNTS):
            raise MessageError(f"a report counts {len(report.counts)} rungs of the ladder, not {len(COUNTS)}")
        return report


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
    if not arrays:
        return None
    sizes, code = arrays.get("sizes"), arrays.get("code")
    if (
        sizes is None
        or code is None
        or sizes.dtype != np.int32
        or code.dtype != INSTRUCTION
        or (sizes.shape[1:], code.ndim) != ((3,), 1)
        or (sizes.size and sizes.min() < 0)
        or sizes.sum(dtype=np.int64) != len(code)
    ):
        raise MessageError("a message between processes holds programs of another shape or type")
    return Migrants(sizes, code)
