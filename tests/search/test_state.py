"""The block of an island's arrays: places, copies, bytes."""

from __future__ import annotations

import numpy as np

from azgen.execution.layout import ALIGNMENT
from azgen.search.state import Part, StateBlock, copy_state

BLOCK = StateBlock(
    {
        "numbers": Part(np.dtype([("a", "u8"), ("b", "f8")]), (1,), "numbers"),
        "fitness": Part(np.dtype(np.float64), (5,), "whole"),
        "none": Part(np.dtype(np.float64), (0, 2, 5), "whole"),
        "table": Part(np.dtype(np.int32), (3, 4), "entries"),
    }
)


def test_a_state_goes_through_bytes_and_memory_unchanged() -> None:
    state = BLOCK.zeros()
    state["numbers"]["a"], state["fitness"][:], state["table"][1] = 7, np.arange(5) / 3, 9
    memory = np.zeros(BLOCK.n_bytes + ALIGNMENT, np.uint8)

    def array(dtype: np.dtype, shape: tuple[int, ...], offset: int) -> np.ndarray:
        assert offset % ALIGNMENT == 0
        size = dtype.itemsize * int(np.prod(shape))
        return memory[offset : offset + size].view(dtype).reshape(shape)

    there = BLOCK.at(array, ALIGNMENT)
    copy_state(state, there)
    data = BLOCK.to_bytes(there)
    assert len(data) == BLOCK.n_bytes and data == memory[ALIGNMENT:].tobytes()
    for name, found in BLOCK.from_bytes(data).items():
        np.testing.assert_array_equal(found, state[name])


def test_a_checkpoint_asks_what_it_keeps() -> None:
    assert BLOCK.kept("whole") == ["fitness", "none"] and BLOCK.kept("programs") == []
