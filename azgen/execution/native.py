"""Candidates: programs compiled to native code of their own, several to a module."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from azgen.codegen.build import Built, build
from azgen.codegen.candidate_source import render_candidates
from azgen.codegen.compiler import candidate_flags
from azgen.codegen.target import Target
from azgen.execution.kernel import per_task, room_for_predictions
from azgen.execution.layout import TASKS, LaneTasks, aligned
from azgen.language.meaning import element_index
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
    """Compiled structures of programs, for one target; grows as programs come."""

    def __init__(self, target: Target):
        self.target = target
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
            files = render_candidates([new[h] for h in batch], self.target)
            libraries = self.target.libraries
            flags = candidate_flags()
            built = build("candidate", files, flags=flags, libraries=libraries, functions_alone=True)
            self._compiled.update(functions_of(built, batch))

    def source_directory(self, program: Program) -> str:
        """Folder of the generated source and compiled module of a program's structure."""
        self.compile([program])
        return str(self._compiled[program.structure_hash].directory)

    def prepare(self, program: Program) -> PreparedCandidate:
        """The program with its constants laid out, compiled if need be."""
        self.compile([program])
        return PreparedCandidate.of(self._compiled[program.structure_hash], self.target, program.normalized())


def functions_of(built: Built, structures: Sequence[str]) -> dict[str, Compiled]:
    """The native code of each structure in a module: C functions, called through ctypes."""
    library = built.module
    if ctypes.c_int64.in_dll(library, "tasks_bytes").value != TASKS.itemsize:
        raise AssertionError("candidates lay out their tasks otherwise than Python")
    evaluate = library.evaluate
    evaluate.argtypes, evaluate.restype = (ctypes.c_void_p, ctypes.POINTER(Call)), None
    addresses = {h: ctypes.cast(library[f"run_{h}"], ctypes.c_void_p).value or 0 for h in structures}
    return {h: Compiled(built.directory, evaluate, run) for h, run in addresses.items()}


class PreparedCandidate:
    """A compiled program with its constants, ready to be evaluated any number of times.

    Args:
        compiled: native code of the program's structure.
        target: what that is specialised to.
        constants: [constant][lane], of the lane's number type, aligned to SIMD registers.
        elements: positions that element setters name, [constant].
    """

    def __init__(
        self, compiled: Compiled, target: Target, constants: NDArray[Any], elements: NDArray[np.int32]
    ):
        self.compiled, self.target = compiled, target
        self._constants, self._elements = constants, elements
        self._addresses = int(constants.ctypes.data), int(elements.ctypes.data)

    @classmethod
    def of(cls, compiled: Compiled, target: Target, normal_form: Program) -> PreparedCandidate:
        """A program in normal form, its constants the same in all lanes."""
        count = max(len(normal_form.constants), 1)
        constants = aligned((count, target.lane.lanes), target.lane.dtype)
        elements = np.zeros(count, np.int32)
        kinds = [kind for instruction in normal_form.instructions() for kind in instruction.op.constants]
        for k, (kind, value) in enumerate(zip(kinds, normal_form.constants, strict=True)):
            if kind == "index":
                elements[k] = element_index(value, target.n_features)
            else:
                with np.errstate(over="ignore"):
                    constants[k] = value
        return cls(compiled, target, constants, elements)

    def with_constants(self, values: ArrayLike) -> PreparedCandidate:
        """The same program with other constants; positions that element setters name stay.

        Args:
            values: constants in the order of the normal form, or constants x lanes for others in each lane.
        """
        constants, values = aligned(self._constants.shape, self._constants.dtype), np.asarray(values)
        with np.errstate(over="ignore"):
            constants[: len(values)] = values if values.ndim == 2 else values[:, None]
        return PreparedCandidate(self.compiled, self.target, constants, self._elements)

    def arguments(
        self, tasks: LaneTasks, fitness: NDArray[np.float64], predictions: NDArray[Any] | None = None
    ) -> tuple[int, Call]:
        """What `compiled.evaluate` is called with; the arrays must outlive the call.

        Args:
            tasks: in the target's lanes.
            fitness: room for [group][lane].
            predictions: see `room_for_predictions`; None: not wanted.
        """
        constants, elements = self._addresses
        out = predictions.ctypes.data if predictions is not None else None
        return self.compiled.run, Call(tasks.address, constants, 0, elements, fitness.ctypes.data, out)

    def evaluate(
        self, tasks: LaneTasks, *, with_predictions: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[Any] | None]:
        """Fitness per task, NaN where the program failed; and predictions, tasks x validation examples (x
        classes), or None."""
        lane, classes = self.target.lane, self.target.classes
        fitness = np.empty(tasks.n_groups * lane.lanes)
        predictions = room_for_predictions(1, tasks, lane, classes) if with_predictions else None
        self.compiled.evaluate(*self.arguments(tasks, fitness, predictions))
        found = per_task(predictions, tasks.n_tasks)
        return fitness[: tasks.n_tasks], found[0] if found is not None else None
