"""Stepping stones as the arrays of a checkpoint, and back, every one checked; see `azgen.search.snapshot`.

trail.n                        stepping stones of each island
trail.sizes, trail.code        their programs, of all islands one after the other
trail.parent, number, population, fitness, actions      their numbers
trail.member_step, member_actions   islands x members; without members in an archive
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.search.checked import fill, whole
from azgen.search.engines.migrants import Migrants
from azgen.search.island_state import STEP
from azgen.search.state import State

Arrays = Mapping[str, NDArray[Any]]

TRAIL_NUMBERS = ("n", "best", "population")
"""Numbers of the kernel's structure that evolution changes."""

_MEMBERS = {"member_step": np.dtype(np.int64), "member_actions": np.dtype(np.uint64)}


def take_trails(states: Sequence[State]) -> dict[str, NDArray[Any]]:
    """Arrays of the stepping stones of all islands."""
    counts = [int(state["state"]["trail"]["n"][0]) for state in states]
    steps = np.concatenate([state["steps"][:n] for state, n in zip(states, counts, strict=True)])
    programs = Migrants.of(steps["program"])
    return {
        "trail.n": np.array(counts, np.int64),
        "trail.sizes": programs.sizes,
        "trail.code": programs.code,
        **{f"trail.{name}": np.ascontiguousarray(steps[name]) for name in STEP},
        **{f"trail.{name}": np.stack([state[name] for state in states]) for name in _MEMBERS},
    }


class TrailReader:
    """Stepping stones from a checkpoint's arrays; there are none in checkpoints of before.

    Args:
        arrays: all of the checkpoint's.
        count: of islands.
        check_programs: raises ValueError for programs that the kernel cannot run, or another number of them.

    Raises:
        ValueError, KeyError, TypeError: something is missing or out of bounds.
    """

    def __init__(self, arrays: Arrays, count: int, check_programs: Callable[[Migrants, int], None]):
        self._arrays, self._there = arrays, "trail.n" in arrays
        if not self._there:
            return
        self._n = whole(arrays["trail.n"].tolist(), count)
        self._programs = Migrants(arrays["trail.sizes"], arrays["trail.code"])
        check_programs(self._programs, sum(self._n))
        for name in STEP:
            kind = {"fitness": np.float64, "actions": np.uint64}.get(name, np.int64)
            array = arrays[f"trail.{name}"]
            if array.shape != (sum(self._n),) or array.dtype != kind:
                raise ValueError(f"the stepping stones' {name} has another shape or type")
        if not np.isfinite(arrays["trail.fitness"]).all():
            raise ValueError("a stepping stone's fitness is not finite")

    def fill(self, number: int, values: Any, into: State) -> None:
        """Fills the arrays of an island's state.

        Args:
            values: of the checkpoint, `TRAIL_NUMBERS`.
        """
        if not self._there:
            return
        n, record = self._n[number], into["state"][0]["trail"]
        if n > len(into["steps"]):
            raise ValueError("there are too many stepping stones")
        fill(record, values, TRAIL_NUMBERS, least=-1)
        mine = slice(sum(self._n[:number]), sum(self._n[: number + 1]))
        steps = into["steps"][:n]
        for name in STEP:
            steps[name] = self._arrays[f"trail.{name}"][mine]
        records = self._programs.taken(np.arange(mine.start, mine.stop)).records(steps.dtype["program"])
        steps["program"] = records
        for name, kind in _MEMBERS.items():
            array = self._arrays[f"trail.{name}"]
            if array.shape[1:] != into[name].shape or array.dtype != kind:
                raise ValueError(f"{name} has another shape or type")
            into[name][...] = array[number]
        parents = steps["parent"]
        named = [into["member_step"], into["entries"]["step"], into["course"]["step"], record["best"]]
        out = [bool(((places < -1) | (places >= n)).any()) for places in map(np.asarray, named)]
        if record["n"] != n or (parents < -1).any() or (parents >= np.arange(n)).any() or any(out):
            raise ValueError("a stepping stone is named that is not there")
