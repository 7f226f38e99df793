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
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.execution.kernel import INSTRUCTION
from azgen.plain import PlainError, read

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
