"""Which programs `--backend auto` compiles: those that will be evaluated often enough to pay for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.execution.kernel import Kernel
from azgen.execution.layout import LaneTasks
from azgen.search.rating.cost_model import CostModel, work_of


class Chooser:
    """Decides which programs to rate natively, as they come.

    A structure that comes for the nth time lately is expected n times from now on, this one included: its
    constants change. Those that would save more than their part of compiling wait, until together they save
    more than a module costs besides.

    Args:
        model: see `CostModel`.
        kernel, tasks: what the programs are rated with and on.
        memory: evaluations after which what was counted counts half.
    """

    def __init__(self, model: CostModel, kernel: Kernel, tasks: LaneTasks, memory: int):
        self._model, self._kernel, self._tasks, self._memory = model, kernel, tasks, memory
        self._compiled: set[bytes] = set()
        self._seen: dict[bytes, int] = {}
        self._waiting: dict[bytes, _Waiting] = {}
        self._evaluations = 0

    def choose(self, records: NDArray[Any]) -> tuple[NDArray[np.bool_], list[Any]]:
        """Which of some normal forms are to be rated natively, and which others to compile with them."""
        self._forget(len(records))
        keys = [_structure(record) for record in records]
        saving = self._model.saving(work_of(self._kernel, records, self._tasks)).tolist()
        for key, record, seconds in zip(keys, records, saving, strict=True):
            self._seen[key] = self._seen.get(key, 0) + 1
            if key not in self._compiled:
                cost = self._model.instruction * int(record["size"].sum())
                self._waiting[key] = _Waiting(record, seconds, cost)
        now, value = set(keys), dict[bytes, float]()
        for key, waiting in self._waiting.items():
            expected = self._seen[key] - (key not in now)
            value[key] = waiting.saving * expected - waiting.cost
        worth = [key for key in value if value[key] > 0]
        others = []
        if sum(value[key] for key in worth) > self._model.module:
            self._compiled.update(worth)
            others = [self._waiting[key].record for key in worth if key not in now]
        self._waiting = {key: self._waiting[key] for key in worth if key not in self._compiled}
        natively = [key in self._compiled and seconds > 0 for key, seconds in zip(keys, saving, strict=True)]
        return np.array(natively), others

    def _forget(self, evaluations: int) -> None:
        self._evaluations += evaluations
        if self._evaluations >= self._memory:
            self._evaluations = 0
            self._seen = {key: n // 2 for key, n in self._seen.items() if n > 1}
            self._waiting = {key: w for key, w in self._waiting.items() if key in self._seen}


@dataclass(frozen=True)
class _Waiting:
    """A normal form that may be worth compiling: what an evaluation saves, and what its instructions cost."""

    record: Any
    saving: float
    cost: float


def _structure(record: Any) -> bytes:
    """A normal form without its constants, and without what lies behind its last instruction."""
    code = record["code"][: record["size"].sum()].copy()
    code["constant"] = 0
    return bytes(record["size"].tobytes() + code.tobytes())
