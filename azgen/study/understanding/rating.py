"""Many versions of one program, rated on the same tasks with the same draws."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.execution.execute import compile_together, general_spec, native_code, target_for
from azgen.execution.kernel import Kernel, build_kernel
from azgen.execution.layout import check_form, check_tasks, lay_out
from azgen.language import OPS, Instruction, Program
from azgen.language.conditions import DTYPES, USUAL, Conditions
from azgen.tasks.task import Task

Floats = NDArray[np.float64]

_COMPILING_PAYS = 2e9
"""Multiplications of one version from which on native code, compiled for it, beats the kernel."""

_BATCH_BYTES = 200_000_000
"""Predictions are kept for as many versions at once as fit into this."""


@dataclass(frozen=True)
class Rated:
    """One version on all tasks.

    Attributes:
        fitness: per task; 0 where it failed.
        failed: per task, whether it did.
        predictions: a digest of all predictions; equal digests are equal predictions, bit for bit.
    """

    fitness: Floats
    failed: NDArray[np.bool_]
    predictions: bytes


class Rater:
    """Rates versions of a program: each behaviour once, in batches, on the kernel or natively.

    Both give the same bits as `azgen.execute`, so it is only a matter of time which is taken.

    Args:
        program: the program whose versions are rated (see `edits`).
        tasks: tasks of one metric and shape.
        conditions: how programs are executed.
        kernel: rates all of them, if it has room for them; None: as is faster.

    Raises:
        AzgenError: tasks that do not agree, or a program of another form.
    """

    def __init__(
        self,
        program: Program,
        tasks: Sequence[Task],
        conditions: Conditions = USUAL,
        kernel: Kernel | None = None,
    ):
        check_tasks(tasks)
        check_form(program, tasks)
        self._tasks, self._conditions = list(tasks), conditions
        self._known: dict[str, Rated] = {}
        self._laid_out: dict[Any, Any] = {}
        first = tasks[0]
        live = program.live()
        _, predict, learn = live.cost(first.n_features)
        rows = first.n_train * conditions.epochs, first.n_valid
        cost = len(tasks) * (rows[0] * (predict + learn) + rows[1] * predict)
        self.native, self._kernel = kernel is None and cost > _COMPILING_PAYS, kernel
        self._room = _with_zeros(live.normalized())

    @property
    def rated(self) -> int:
        """Versions of different normal form that were executed."""
        return len(self._known)

    def __call__(self, programs: Sequence[Program]) -> list[Rated]:
        """How these versions do."""
        new = {p.hash: p for p in programs if p.hash not in self._known}
        if new and self.native:
            self._natively(new)
        elif new:
            self._on_kernel(new)
        return [self._known[p.hash] for p in programs]

    def _natively(self, new: dict[str, Program]) -> None:
        first, how, n_tasks = self._tasks[0], self._conditions, len(self._tasks)
        compile_together(list(new.values()), first, how, n_tasks)
        for key, program in new.items():
            target = target_for(program, first, how, n_tasks)
            candidate = native_code(target).prepare(program)
            self._keep(key, *candidate.evaluate(self._lanes(target.lane), with_predictions=True))

    def _on_kernel(self, new: dict[str, Program]) -> None:
        first = self._tasks[0]
        kernel = self._kernel or build_kernel(general_spec(self._room, first, self._conditions))
        data = self._lanes(kernel.spec.lane)
        keys = list(new)
        numbers = len(self._tasks) * first.n_valid * (first.vector_classes or 1)
        one = numbers * DTYPES[self._conditions.dtype]
        batch = max(1, _BATCH_BYTES // one)
        for start in range(0, len(keys), batch):
            some = keys[start : start + batch]
            encoded = kernel.encode([new[key].normalized() for key in some])
            fitness, predictions = kernel.evaluate(encoded, data, with_predictions=True)
            assert predictions is not None
            for key, f, p in zip(some, fitness, predictions, strict=True):
                self._keep(key, f, p)

    def _lanes(self, lane: Any) -> Any:
        if lane not in self._laid_out:
            self._laid_out[lane] = lay_out(self._tasks, lane, self._conditions)
        return self._laid_out[lane]

    def _keep(self, key: str, fitness: Floats, predictions: NDArray[Any] | None) -> None:
        assert predictions is not None
        failed = np.isnan(fitness)
        predictions = predictions.copy()
        predictions[failed] = 0
        digest = hashlib.sha256(failed.tobytes() + predictions.tobytes()).digest()
        self._known[key] = Rated(np.where(failed, 0.0, fitness), failed, digest)


def _with_zeros(program: Program) -> Program:
    """A program with room for everything that a version with one line set to zero needs (`edits.zeroed`)."""
    memory = program.memory
    zeros = [Instruction(OPS["vector_sum"], *(memory.vectors,) * 3)]
    if memory.matrices:
        zeros.append(Instruction(OPS["matrix_sum"], *(memory.matrices,) * 3))
    return Program(program.setup, program.predict, (*program.learn, *zeros), form=program.form)
