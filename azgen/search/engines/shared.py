"""Memory that all processes of a machine map: task data, states of islands, and what is about to run.

It is a file without a name (Linux: in memory only), which the system frees when the last process that has it
open ends, however that ends; so nothing is ever left behind.
"""

from __future__ import annotations

import math
import mmap
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.execution.layout import ALIGNMENT
from azgen.search.engines.base import LOOKAHEAD
from azgen.search.state import State, StateBlock, copy_state

KEPT_ROUNDS = LOOKAHEAD + 2
"""States of an island that are kept: of the last round that all have done, and of those that it is ahead."""

_TRACE_BYTES = 16
"""Whether a program is about to run, and how many have been, before the program itself."""


class SharedMemory:
    """A mapped nameless file.

    Args:
        descriptor: of the file; owned by this object from now on.
        size: in bytes.
    """

    def __init__(self, descriptor: int, size: int):
        self.descriptor, self.size = descriptor, size
        self._map = mmap.mmap(descriptor, size)

    @staticmethod
    def create(size: int) -> SharedMemory:
        """New memory, all zero, reserved at once.

        Raises:
            AzgenError: there is not so much.
        """
        size = max(size, 1)
        descriptor = -1
        try:
            if hasattr(os, "memfd_create"):
                descriptor = os.memfd_create("azgen")
            else:
                with tempfile.TemporaryFile() as file:
                    descriptor = os.dup(file.fileno())
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(descriptor, 0, size)
            else:
                os.ftruncate(descriptor, size)
            return SharedMemory(descriptor, size)
        except OSError as error:
            if descriptor >= 0:
                os.close(descriptor)
            raise AzgenError(
                f"cannot reserve {size / 1e6:.0f} MB that workers share ({error.strerror or error}); take "
                "fewer islands, a smaller evolution.cache_size or fewer tasks"
            ) from None

    def array(self, dtype: Any, shape: tuple[int, ...], offset: int) -> NDArray[Any]:
        """An array that lies here."""
        count = math.prod(shape)
        return (
            np.frombuffer(self._map, dtype, count, offset).reshape(shape) if count else np.empty(shape, dtype)
        )

    @property
    def view(self) -> memoryview:
        """All of it as bytes."""
        return memoryview(self._map)

    def close(self) -> None:
        """Gives the memory back, as far as no array lies in it any more."""
        os.close(self.descriptor)
        with suppress(BufferError):  # it goes with the last array
            self._map.close()


class Packing:
    """Finds places for arrays, one after the other, aligned to SIMD registers."""

    def __init__(self) -> None:
        self.size = 0

    def reserve(self, n_bytes: int) -> int:
        """Offset of a new place."""
        offset = self.size
        self.size += -(-n_bytes // ALIGNMENT) * ALIGNMENT
        return offset

    def add(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, tuple[str, tuple[int, ...], int]]:
        """Places for arrays."""
        return {name: (a.dtype.str, a.shape, self.reserve(a.nbytes)) for name, a in arrays.items()}


class SharedStates:
    """States of all islands in shared memory, the last few rounds of each.

    Args:
        memory: where they lie.
        block: the arrays of a state.
        offset: of the first state, in bytes.
        n_islands: islands that there is room for at a time; island i lies at i modulo this number.
    """

    def __init__(self, memory: SharedMemory, block: StateBlock, offset: int, n_islands: int):
        self._memory, self._block, self._offset, self._n_islands = memory, block, offset, n_islands

    @staticmethod
    def n_bytes(block: StateBlock, n_islands: int) -> int:
        """Size of all states."""
        return n_islands * KEPT_ROUNDS * block.n_bytes

    def read(self, island: int, round_number: int) -> State:
        """An island's state after a round, where it lies."""
        return self._block.at(self._memory.array, self._place(island, round_number))

    def raw(self, island: int, round_number: int) -> memoryview:
        """The same as bytes, where they lie."""
        place = self._place(island, round_number)
        return self._memory.view[place : place + self._block.n_bytes]

    def _place(self, island: int, round_number: int) -> int:
        place = island % self._n_islands * KEPT_ROUNDS + round_number % KEPT_ROUNDS
        return self._offset + place * self._block.n_bytes

    def write(self, island: int, round_number: int, state: State) -> None:
        """Keeps an island's state after a round."""
        copy_state(state, self.read(island, round_number))


@dataclass(frozen=True)
class Trace:
    """Where a worker names the program that it is about to run.

    Attributes:
        memory: that it shares with the coordinator.
        offset: of the trace, in bytes.
        record: the kernel's record of a program.
    """

    memory: SharedMemory
    offset: int
    record: np.dtype[Any]

    @staticmethod
    def n_bytes(record: np.dtype[Any]) -> int:
        """Size of a trace."""
        return _TRACE_BYTES + record.itemsize

    @property
    def count(self) -> int:
        """How many programs have been named so far."""
        return int(self._numbers[1])

    @property
    def running(self) -> Any:
        """The record of the program that is about to run; None if there is none."""
        if not self._numbers[0]:
            return None
        return self.memory.array(self.record, (1,), self.offset + _TRACE_BYTES)[0]

    def name(self, program: Any) -> None:
        """Names a program that is about to run, by the kernel's record of it, or None after that."""
        if program is not None:
            named = self.memory.array(np.dtype(np.uint8), (self.record.itemsize,), self.offset + _TRACE_BYTES)
            named[...] = np.frombuffer(program.tobytes(), np.uint8)
        numbers = self._numbers
        numbers[0] = program is not None
        numbers[1] += 1

    def clear(self) -> None:
        """Forgets what the worker before has named."""
        self._numbers[...] = 0

    @property
    def _numbers(self) -> Any:
        return self.memory.array(np.dtype(np.int64), (2,), self.offset)
