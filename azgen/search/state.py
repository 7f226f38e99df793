"""The arrays of an island's state, described once: for memory, processes, clusters and checkpoints."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from azgen.execution.layout import ALIGNMENT

State = Mapping[str, NDArray[Any]]
"""An island's arrays by name, as its `StateBlock` describes them."""

Kept = Literal["numbers", "programs", "whole", "entries", "trail", "archive"]


@dataclass(frozen=True)
class Part:
    """One array.

    Attributes:
        dtype, shape: of its elements, and how many in each dimension.
        kept: what of it a checkpoint keeps: some numbers, as the rest follows from the settings; programs, as
            lengths and instructions; the whole; the entries in use of a table; stepping stones; or what an
            archive has.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    kept: Kept

    @property
    def n_bytes(self) -> int:
        """Size in bytes."""
        return self.dtype.itemsize * math.prod(self.shape)


class StateBlock:
    """Arrays that lie one after the other, each aligned to SIMD registers.

    Args:
        parts: by name, in order.

    Attributes:
        n_bytes: size of all of them.
    """

    def __init__(self, parts: Mapping[str, Part]):
        self.parts = dict(parts)
        self._offsets: dict[str, int] = {}
        self.n_bytes = 0
        for name, part in self.parts.items():
            self._offsets[name] = self.n_bytes
            self.n_bytes += -(-part.n_bytes // ALIGNMENT) * ALIGNMENT

    def kept(self, how: Kept) -> list[str]:
        """Names of the arrays of which a checkpoint keeps this."""
        return [name for name, part in self.parts.items() if part.kept == how]

    def zeros(self) -> dict[str, NDArray[Any]]:
        """New arrays."""
        return {name: np.zeros(part.shape, part.dtype) for name, part in self.parts.items()}

    def at(self, array: Callable[[Any, tuple[int, ...], int], NDArray[Any]], offset: int = 0) -> State:
        """The arrays where they lie.

        Args:
            array: gives the array of a number type and shape that lies so many bytes from the beginning.
            offset: of the first of them, in bytes.
        """
        return {
            name: array(part.dtype, part.shape, offset + self._offsets[name])
            for name, part in self.parts.items()
        }

    def to_bytes(self, state: State) -> bytes:
        """A state as `n_bytes` bytes."""
        data = bytearray(self.n_bytes)
        copy_state(state, self._in(data))
        return bytes(data)

    def from_bytes(self, data: bytes) -> State:
        """The state that `to_bytes` wrote, where it lies; it cannot be written to."""
        return self._in(data)

    def _in(self, data: bytes | bytearray) -> State:
        def array(dtype: Any, shape: tuple[int, ...], offset: int) -> NDArray[Any]:
            count = math.prod(shape)
            found = np.frombuffer(data, dtype, count, offset) if count else np.empty(0, dtype)
            return found.reshape(shape)

        return self.at(array)


def copy_state(source: State, to: State) -> None:
    """Copies a state into the arrays of another of the same kind."""
    for name, array in to.items():
        array[...] = source[name]
