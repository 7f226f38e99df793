"""Candidates: programs compiled to native code of their own, several to a module."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.codegen import cache
from azgen.codegen.candidate import render_candidates
from azgen.codegen.compiler import candidate_flags
from azgen.codegen.lanes import LaneType
from azgen.execution.kernel import math_libraries, per_task, room_for_predictions
from azgen.execution.layout import TASKS, LaneTasks, aligned
from azgen.language.meaning import element_index
from azgen.language.metrics import Metric
from azgen.language.program import Program

BATCH = 32
"""Most candidates compiled into one module."""


class Call(ctypes.Structure):
    """One evaluation as generated code reads it (templates/candidate/evaluate.h.j2): addresses of arrays."""

    _fields_ = (
        ("tasks", ctypes.c_void_p),
        ("constants", ctypes.c_void_p),
        ("stride", ctypes.c_int64),
        ("element", ctypes.c_void_p),
        ("fitness", ctypes.c_void_p),
        ("predictions", ctypes.c_void_p),
    )


@dataclass(frozen=True)
class Compiled:
    """A structure's native code.

    Attributes:
        directory: holds the generated source and the compiled module.
        evaluate: the module's C function that runs a candidate on all lane groups; called without the GIL.
        run: address of the candidate's own function.
    """

    directory: Path
    evaluate: Any
    run: int


class NativeCode:
    """Compiled structures of programs, for one number of features, lane type and metric; grows as programs
    come.

    Args:
        classes: entries of one-hot labels, for programs of the vector form; 0: the scalar form.
    """

    def __init__(self, n_features: int, lane: LaneType, metric: Metric, classes: int = 0):
        self.n_features, self.lane, self.metric, self.classes = n_features, lane, metric, classes
        self._compiled: dict[str, Compiled] = {}

    def __len__(self) -> int:
        """Structures compiled so far."""
        return len(self._compiled)

    def compile(self, programs: Sequence[Program]) -> None:
        """Compiles those programs whose structure has not been compiled yet, 32 to a module."""
        new = {p.structure_hash: p for p in programs if p.structure_hash not in self._compiled}
        structures = sorted(new)
        for start in range(0, len(structures), BATCH):
            batch = structures[start : start + BATCH]
            files = render_candidates(
                [new[h] for h in batch], self.n_features, self.lane, self.metric, self.classes
            )
            libraries = math_libraries(self.lane)
            built = cache.build("candidate", files, flags=candidate_flags(), libraries=libraries)
            self._compiled.update(_functions(built, batch))

    def source_directory(self, program: Program) -> str:
        """Folder of the generated source and compiled module of a program's structure."""
        self.compile([program])
        return str(self._compiled[program.structure_hash].directory)

    def prepare(self, program: Program) -> PreparedCandidate:
        """The program with its constants laid out, compiled if need be."""
        self.compile([program])
        return PreparedCandidate(self, self._compiled[program.structure_hash], program.normalized())


def _functions(built: cache.Built, structures: Sequence[str]) -> dict[str, Compiled]:
    """The native code of each structure in a module: C functions, called through ctypes."""
    library = ctypes.CDLL(str(built.module.__file__))
    if ctypes.c_int64.in_dll(library, "tasks_bytes").value != TASKS.itemsize:
        raise AssertionError("candidates lay out their tasks otherwise than Python")
    evaluate = library.evaluate
    evaluate.argtypes, evaluate.restype = (ctypes.c_void_p, ctypes.POINTER(Call)), None
    addresses = {h: ctypes.cast(library[f"run_{h}"], ctypes.c_void_p).value or 0 for h in structures}
    return {h: Compiled(built.directory, evaluate, run) for h, run in addresses.items()}


class PreparedCandidate:
    """A compiled program with its constants, ready to be evaluated any number of times."""

    def __init__(self, code: NativeCode, compiled: Compiled, normal_form: Program):
        self._compiled, self._lane, self._classes = compiled, code.lane, code.classes
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
        self._addresses = int(self._constants.ctypes.data), int(self._elements.ctypes.data)

    def evaluate(
        self, tasks: LaneTasks, *, with_predictions: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[Any] | None]:
        """Fitness per task, NaN where the program failed; and predictions, tasks x validation examples (x
        classes), or None."""
        lanes = self._lane.lanes
        fitness = np.empty(tasks.n_groups * lanes)
        predictions = room_for_predictions(1, tasks, self._lane, self._classes) if with_predictions else None
        constants, elements = self._addresses
        out = predictions.ctypes.data if predictions is not None else None
        call = Call(tasks.address, constants, 0, elements, fitness.ctypes.data, out)
        self._compiled.evaluate(self._compiled.run, call)
        found = per_task(predictions, tasks.n_tasks)
        return fitness[: tasks.n_tasks], found[0] if found is not None else None
