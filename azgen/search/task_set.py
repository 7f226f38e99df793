"""Tasks in the lanes of the search space's kernel, on which programs are rated."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.codegen.kernel_source import KernelSpec
from azgen.errors import AzgenError
from azgen.execution.execute import native_code
from azgen.execution.kernel import Kernel, build_kernel
from azgen.execution.layout import LaneTasks, check_tasks, lay_out, trained_twice
from azgen.execution.rating import Rating
from azgen.language.conditions import Conditions
from azgen.language.instruction import FUNCTIONS, VECTOR, Memory
from azgen.language.metrics import Metric
from azgen.language.program import Program
from azgen.settings.settings import Settings
from azgen.settings.tasks import island_tasks, number_searched_on, own_tasks
from azgen.tasks.task import Task, TaskSplit

_BEHAVIOUR = (8, 16)
"""Tasks and examples of each whose predictions tell programs apart."""


@dataclass(frozen=True, eq=False)
class TaskSet:
    """Tasks in a kernel's lanes."""

    kernel: Kernel
    lanes: LaneTasks

    def evaluate(self, program: Program) -> NDArray[np.float64]:
        """A program's fitness per task, by the kernel; NaN where it failed."""
        fitness, _ = self.kernel.evaluate(self.kernel.encode([program]), self.lanes)
        return np.asarray(fitness[0])

    @cached_property
    def longer(self) -> LaneTasks:
        """The tasks with twice as much training."""
        return trained_twice(self.lanes)

    def rate(self, program: Program) -> tuple[float, str, bool]:
        """A program's mean fitness, by the kernel, where a failure counts as 0; a digest of how it behaves;
        and whether it holds: fails on no task, not even when it is trained twice as long."""
        rating, predictions, failed = self.rating(program)
        return rating.mean, behaviour_of(predictions, failed), rating.holds

    def rating(self, program: Program) -> tuple[Rating, NDArray[Any], NDArray[np.bool_]]:
        """How a program does, by the kernel; its predictions, tasks x examples (x classes); and on which
        tasks it failed."""
        encoded = self.kernel.encode([program])
        fitness, predictions = self.kernel.evaluate(encoded, self.lanes, with_predictions=True)
        assert predictions is not None
        lasts = self.kernel.succeeds(encoded, self.longer)
        rating = Rating(np.nan_to_num(fitness[0], nan=0.0), lasts)
        return rating, predictions[0], np.isnan(fitness[0])

    def evaluate_natively(self, program: Program) -> NDArray[np.float64]:
        """A program's fitness per task, by native code of its own; 0 where it failed."""
        code = native_code(self.kernel.spec.target)
        fitness, _ = code.prepare(program).evaluate(self.lanes)
        return np.nan_to_num(fitness, nan=0.0)


def behaviour_of(predictions: NDArray[Any], failed: NDArray[np.bool_]) -> str:
    """A digest of predictions for the first few examples of the first few tasks, to a hundredth of how much
    they differ from each other: 16 hexadecimal digits.

    Args:
        predictions: tasks x examples (x classes).
        failed: whether the program failed, which is a way to behave, per task.
    """
    few = np.array(predictions[: _BEHAVIOUR[0], : _BEHAVIOUR[1]], np.float64)
    few[failed[: len(few)]] = np.nan
    with np.errstate(all="ignore"):
        spread = float(np.nanstd(few)) if not np.isnan(few).all() else 0.0
        unit = 10.0 ** (math.floor(math.log10(spread)) - 1) if 0 < spread < math.inf else 1.0
        steps = np.rint(few / unit) + 0.0  # no negative zeros
    return hashlib.sha256(steps.tobytes()).hexdigest()[:16]


def kernel_spec(
    settings: Settings,
    n_features: int,
    metric: Metric,
    programs: Sequence[Program] = (),
    classes: int = 0,
) -> KernelSpec:
    """The search space's kernel: ops, memory and sizes of the settings, and room for these programs.

    Raises:
        AzgenError: the memory has no room for label and prediction.
    """
    functions = [getattr(settings, name) for name in FUNCTIONS]
    if classes and settings.memory.vectors < VECTOR.memory.vectors:
        raise AzgenError(
            f"memory.vectors is {settings.memory.vectors}; for several classes at least "
            f"{VECTOR.memory.vectors} (features, {VECTOR})"
        )
    longest = [max((len(p.functions[n]) for p in programs), default=0) for n in range(len(functions))]
    capacity = sum(max(f.max_size, f.initial_size, n) for f, n in zip(functions, longest, strict=True))
    memory = settings.memory
    return KernelSpec(
        n_features,
        Memory(memory.scalars, memory.vectors, memory.matrices),
        metric,
        settings.dtype,
        allowed=(functions[0].ops, functions[1].ops, functions[2].ops),
        also=tuple(sorted({i.op.name for program in programs for i in program.instructions()})),
        capacity=capacity + 1,  # trading an instruction inserts before it removes
        table=settings.user.table,
        classes=classes,
        archive=settings.evolution.strategy == "archive",
        # All kernels of the run have its lane type: sets of another number of tasks need none of their own.
        n_tasks=number_searched_on(settings.tasks),
        fused=settings.execution.fused,
    )


def task_set(
    settings: Settings, programs: Sequence[Program], tasks: tuple[Task, ...], epochs: int
) -> TaskSet:
    """Tasks in the lanes of their kernel."""
    task = tasks[0]
    check_tasks(tasks)
    kernel = build_kernel(kernel_spec(settings, task.n_features, task.metric, programs, task.vector_classes))
    return TaskSet(kernel, lay_out(tasks, kernel.spec.lane, replace(settings.conditions, epochs=epochs)))


def population_tasks(settings: Settings, split: TaskSplit, population: int) -> tuple[Task, ...]:
    """Search tasks of a population of the run, from 0; it lives on the island of that number modulo their
    count.

    Args:
        split: the run's tasks.
    """
    if settings.tasks.redraw and population:
        return redrawn_tasks(settings, population)
    island = population % settings.islands.count
    own, tasks = own_tasks(settings), island_tasks(settings, island)
    return split.search if tasks == own else tasks.beside(own, settings.seed, user=settings.user)


def population_conditions(settings: Settings, population: int) -> Conditions:
    """How a population's programs are executed on its search tasks."""
    tasks = island_tasks(settings, population % settings.islands.count)
    return replace(settings.conditions, epochs=tasks.epochs)


def redrawn_tasks(settings: Settings, population: int) -> tuple[Task, ...]:
    """Search tasks drawn for one population alone."""
    tasks = island_tasks(settings, population % settings.islands.count)
    return tasks.beside(own_tasks(settings), settings.seed, population, settings.user)
