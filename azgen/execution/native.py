"""Candidates: programs compiled to native code of their own, several to a module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.codegen import cache
from azgen.codegen.lanes import LaneType
from azgen.codegen.render import render_candidates
from azgen.execution.kernel import math_libraries, per_task
from azgen.execution.layout import LaneTasks, aligned
from azgen.language.meaning import element_index
from azgen.language.program import Program

BATCH = 32
"""Most candidates compiled into one module."""


class NativeCode:
    """Compiled structures of programs, for one number of features, lane type and metric; grows as programs
    come."""

    def __init__(self, n_features: int, lane: LaneType, metric: str):
        self.n_features, self.lane, self.metric = n_features, lane, metric
        self._compiled: dict[str, tuple[Any, int]] = {}

    def compile(self, programs: Sequence[Program]) -> None:
        """Compiles those programs whose structure has not been compiled yet, 32 to a module."""
        new = {p.structure_hash: p for p in programs if p.structure_hash not in self._compiled}
        structures = sorted(new)
        for start in range(0, len(structures), BATCH):
            batch = structures[start : start + BATCH]
            files = render_candidates([new[h] for h in batch], self.n_features, self.lane, self.metric)
            built = cache.build("candidate", files, libraries=math_libraries(self.lane))
            for place, structure in enumerate(batch):
                self._compiled[structure] = (built.module, place)

    def source_directory(self, program: Program) -> str:
        """Folder of the generated source and compiled module of a program's structure."""
        self.compile([program])
        module, _ = self._compiled[program.structure_hash]
        return str(module.__file__).rpartition("/")[0]

    def prepare(self, program: Program) -> PreparedCandidate:
        """The program with its constants laid out, compiled if need be."""
        self.compile([program])
        return PreparedCandidate(self, *self._compiled[program.structure_hash], program.normalized())


class PreparedCandidate:
    """A compiled program with its constants, ready to be evaluated any number of times."""

    def __init__(self, code: NativeCode, module: Any, place: int, normal_form: Program):
        self._module, self._place, self._lane = module, place, code.lane
        count = len(normal_form.constants)
        self._constants = aligned((max(count, 1), code.lane.lanes), code.lane.dtype)
        self._elements = np.zeros(max(count, 1), np.int32)
        kinds = [kind for instruction in normal_form.instructions() for kind in instruction.op.constants]
        for k, (kind, value) in enumerate(zip(kinds, normal_form.constants, strict=True)):
            if kind == "index":
                self._elements[k] = element_index(value, code.n_features)
            else:
                with np.errstate(over="ignore"):
                    self._constants[k] = value

    def evaluate(
        self, tasks: LaneTasks, *, with_predictions: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[Any] | None]:
        """Fitness per task, NaN where the program failed; and predictions, tasks x validation examples, or
        None."""
        lanes = self._lane.lanes
        fitness = np.empty(tasks.n_groups * lanes)
        predictions = (
            aligned((1, tasks.n_groups, tasks.n_valid, lanes), self._lane.dtype) if with_predictions else None
        )
        self._module.evaluate(
            self._place,
            tasks.address,
            self._constants.ctypes.data,
            0,
            self._elements.ctypes.data,
            fitness.ctypes.data,
            predictions.ctypes.data if predictions is not None else 0,
        )
        found = per_task(predictions, tasks.n_tasks)
        return fitness[: tasks.n_tasks], found[0] if found is not None else None
