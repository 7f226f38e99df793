"""Candidates: programs compiled to native code of their own, several to a module."""

from __future__ import annotations

import ctypes
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from azgen.codegen.build import Built, build
from azgen.codegen.candidate_source import render_candidates, render_runner
from azgen.codegen.compiler import candidate_flags
from azgen.codegen.cutting import Library
from azgen.codegen.target import Target
from azgen.execution.kernel import per_task, room_for_predictions
from azgen.execution.layout import TASKS, LaneTasks, aligned
from azgen.language.meaning import element_index
from azgen.language.program import Program

BATCH = 32
"""Most candidates compiled into one module."""

MOST_KEPT = 4096
"""Structures of a target that stay in a process; a library takes some 40 KB, and five of 65 530 mappings."""


class Call(ctypes.Structure):
    """One evaluation as generated code reads it (templates/candidate/evaluate.h.j2): addresses of arrays."""

    _fields_ = (
        ("tasks", ctypes.c_void_p),
        ("constants", ctypes.c_void_p),
        ("stride", ctypes.c_int64),
        ("element", ctypes.c_void_p),
        ("fitness", ctypes.c_void_p),
        ("predictions", ctypes.c_void_p),
        ("memory", ctypes.c_void_p),
        ("numbers", ctypes.c_int64),
        ("random", ctypes.c_void_p),
        ("resumes", ctypes.c_int),
    )


@dataclass(frozen=True)
class Compiled:
    """A structure's native code.

    Attributes:
        directory: holds the generated source and the compiled module.
        evaluate: the C function that runs a candidate on all lane groups; called without the GIL.
        run: address of the candidate's own function.
        library: where that is, which leaves the process with the last of its candidates.
    """

    directory: Path
    evaluate: Any
    run: int
    library: Library


class NativeCode:
    """Compiled structures of programs, for one target.

    Those used last stay in this process, at most `most` of them; older ones leave it when nobody holds them,
    and come again when they are asked for.
    """

    def __init__(self, target: Target, most: int = MOST_KEPT):
        self.target, self._most = target, most
        self._kept: OrderedDict[str, Compiled] = OrderedDict()
        self._lock = Lock()
        self._count = 0

    def __len__(self) -> int:
        """Structures compiled so far."""
        return self._count

    def compile(self, programs: Sequence[Program]) -> None:
        """Compiles those programs whose structure has not been compiled yet, 32 to a module."""
        self._compiled(programs)

    def source_directory(self, program: Program) -> str:
        """Folder of the generated source and compiled module of a program's structure."""
        return str(self._compiled([program])[program.structure_hash].directory)

    def prepare(self, program: Program) -> PreparedCandidate:
        """The program with its constants laid out, compiled if need be."""
        compiled = self._compiled([program])[program.structure_hash]
        return PreparedCandidate.of(compiled, self.target, program.normalized())

    def _compiled(self, programs: Sequence[Program]) -> dict[str, Compiled]:
        """Native code by structure, of these programs."""
        wanted = {program.structure_hash: program for program in programs}
        with self._lock:
            found = {h: self._kept[h] for h in wanted if h in self._kept}
        structures = sorted(wanted.keys() - found.keys())
        for start in range(0, len(structures), BATCH):
            batch = structures[start : start + BATCH]
            files = render_candidates([wanted[h] for h in batch], self.target)
            found |= compile_candidates("candidate", files, batch, self.target)
        with self._lock:
            self._count += len(structures)
            self._kept.update(found)
            for structure in wanted:
                self._kept.move_to_end(structure)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return found


def compile_candidates(
    kind: str, files: Mapping[str, str], structures: Sequence[str], target: Target
) -> dict[str, Compiled]:
    """The native code of each structure in a module of candidates: C functions, called through ctypes.

    Raises:
        CompilerError: as `azgen.codegen.build.build`.
    """
    built = _build(kind, files, target)
    library, evaluate = built.module, _evaluate(target)
    return {h: Compiled(built.directory, evaluate, library.address(f"run_{h}"), library) for h in structures}


@lru_cache(maxsize=64)
def _evaluate(target: Target) -> Any:
    """The function that runs a target's candidates; it keeps its library."""
    library = _build("runner", render_runner(target), target).module
    if ctypes.c_int64.in_dll(library, "tasks_bytes").value != TASKS.itemsize:
        raise AssertionError("candidates lay out their tasks otherwise than Python")
    evaluate = library["evaluate"]
    evaluate.argtypes, evaluate.restype = (ctypes.c_void_p, ctypes.POINTER(Call)), None
    return evaluate


def _build(kind: str, files: Mapping[str, str], target: Target) -> Built:
    return build(kind, files, flags=candidate_flags(), libraries=target.libraries, functions_alone=True)


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
