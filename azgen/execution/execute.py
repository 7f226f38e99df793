"""Executing programs on tasks, by any of the three executors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from azgen.codegen.kernel_source import KernelSpec
from azgen.codegen.lanes import MANY, lane_type
from azgen.codegen.target import Target
from azgen.errors import AzgenError
from azgen.execution import oracle
from azgen.execution.kernel import build_kernel
from azgen.execution.layout import check_form, check_tasks, lay_out
from azgen.execution.native import NativeCode
from azgen.language.conditions import Conditions
from azgen.language.instruction import Memory
from azgen.language.metrics import Metric
from azgen.language.op import Op, OpTable
from azgen.language.ops import OPS
from azgen.language.program import Program
from azgen.language.userops import user_ops
from azgen.language.zoo import as_program
from azgen.tasks.task import Task

Backend = Literal["oracle", "kernel", "native"]


@dataclass(frozen=True)
class Result:
    """What executing a program gave.

    Attributes:
        fitness: one number in [0, 1] per task; 0 where the program failed.
        predictions: tasks x validation examples; of two classes the probability of class 1. For tasks with
            several classes tasks x validation examples x classes: their probabilities. NaN where the
            program failed.
        failed: per task, whether an error was NaN or above max_abs_error.
        dtype: number type of the arithmetic.
    """

    fitness: NDArray[np.float64]
    predictions: NDArray[Any]
    failed: NDArray[np.bool_]
    dtype: str


def execute(
    program: Program | str | Path,
    tasks: Sequence[Task] | Task,
    backend: Backend = "native",
    seed: int = 0,
    epochs: int = 1,
    dtype: str = "float32",
    max_abs_error: float = 100.0,
) -> Result:
    """Executes a program on tasks: Setup, training example by example, then validation.

    Args:
        program: its live code is executed; or the name of its file, or zoo:NAME, or what has a program: a
            champion.
        tasks: tasks of one metric and one shape.
        backend: "oracle" (NumPy, the definition), "kernel" (the search's interpreter) or "native" (compiled).
        seed: decides the draws of stochastic ops, together with each task's position.
        epochs: passes over the training examples; the first in the given order, later ones shuffled.
        dtype: "float32" or "float64".
        max_abs_error: a task fails, with fitness 0, at a prediction error above this or NaN.

    Raises:
        AzgenError: tasks that do not agree, a program of another form than theirs, or an unknown backend or
            number type.
    """
    return prepare(program, tasks, backend, seed, epochs, dtype, max_abs_error)()


def prepare(
    program: Program | str | Path,
    tasks: Sequence[Task] | Task,
    backend: Backend = "native",
    seed: int = 0,
    epochs: int = 1,
    dtype: str = "float32",
    max_abs_error: float = 100.0,
) -> Callable[[], Result]:
    """A function that executes a program on tasks again and again, with everything already built; see
    `execute`."""
    given = list_of_tasks(tasks)
    several = bool(given and given[0].vector_classes)
    found = as_program(program, several_classes=several)
    return prepare_under(Conditions(seed, epochs, dtype, max_abs_error), found, given, backend)


def list_of_tasks(tasks: Any) -> list[Task]:
    """One task, or several.

    Raises:
        AzgenError: it is something else.
    """
    if isinstance(tasks, Task):
        return [tasks]
    found = list(tasks) if isinstance(tasks, Iterable) else [tasks]
    for task in found:
        if not isinstance(task, Task):
            raise AzgenError(
                "a program is executed on azgen.Task(x_train, y_train, x_valid, y_valid), or several; "
                f"this is {type(task).__name__}"
            )
    return found


def execute_under(
    conditions: Conditions, program: Program, tasks: Sequence[Task] | Task, backend: Backend = "native"
) -> Result:
    """Executes a program on tasks; see `execute`."""
    return prepare_under(conditions, program, tasks, backend)()


def prepare_under(
    conditions: Conditions, program: Program, tasks: Sequence[Task] | Task, backend: Backend = "native"
) -> Callable[[], Result]:
    """A function that executes a program on tasks again and again; see `prepare`."""
    dtype = conditions.dtype
    tasks = [tasks] if isinstance(tasks, Task) else list(tasks)
    check_tasks(tasks)
    check_form(program, tasks)
    if backend not in get_args(Backend):
        raise AzgenError(f"backend {backend!r} is unknown; choose one of {', '.join(get_args(Backend))}")
    if backend == "oracle":
        return lambda: _result(*oracle.execute(program, tasks, conditions), dtype)
    # Registers are renamed by first appearance, so the normal form's memory is the smallest.
    normal_form = program.normalized()
    if backend == "native":
        target = target_for(program, tasks[0], dtype, len(tasks))
        data = lay_out(tasks, target.lane, conditions)
        candidate = native_code(target).prepare(program)
        return lambda: _result(*candidate.evaluate(data, with_predictions=True), dtype)
    kernel = build_kernel(general_spec(normal_form, tasks[0], dtype))
    data = lay_out(tasks, kernel.spec.lane, conditions)
    encoded = kernel.encode([normal_form])

    def run() -> Result:
        fitness, predictions = kernel.evaluate(encoded, data, with_predictions=True)
        assert predictions is not None
        return _result(fitness[0], predictions[0], dtype)

    return run


def target_for(program: Program, task: Task, dtype: str, n_tasks: int | None = MANY) -> Target:
    """What a program's native code is specialised to, for so many tasks of the shape of this one."""
    memory = program.normalized().memory
    return Target.of(memory, task.n_features, task.metric, dtype, task.vector_classes, n_tasks)


@lru_cache(maxsize=64)
def native_code(target: Target) -> NativeCode:
    """This process's compiled candidates for a target."""
    return NativeCode(target)


def compile_together(
    programs: Sequence[Program],
    n_features: int,
    metric: Metric,
    dtype: str,
    classes: int = 0,
    n_tasks: int | None = MANY,
) -> None:
    """Compiles programs that are to be executed natively on so many tasks, each for the target that suits it,
    in few modules, which costs less than one by one."""
    by_target: dict[Target, list[Program]] = {}
    for program in programs:
        memory = program.normalized().memory
        target = Target.of(memory, n_features, metric, dtype, classes, n_tasks)
        by_target.setdefault(target, []).append(program)
    for target, members in by_target.items():
        native_code(target).compile(members)


def general_spec(program: Program, task: Task, dtype: str) -> KernelSpec:
    """A kernel for any program of about this size: all ops, memory and capacity rounded up so that few are
    built."""
    memory, n_features = program.memory, task.n_features
    # Without matrices the lane type may be wider, for candidates and kernel alike; if it is not, there is
    # room for some.
    lanes = [lane_type(dtype, n_features, matrices=some) for some in (False, True)]
    matrices = _rounded_up(memory.matrices, 4) if memory.matrices or lanes[0] == lanes[1] else 0
    fitting = [op for op in OPS if matrices or "m" not in op.signature]
    own = user_ops({instruction.op for instruction in program.instructions()})
    return KernelSpec(
        n_features,
        Memory(_rounded_up(memory.scalars, 16), _rounded_up(memory.vectors, 16), matrices),
        task.metric,
        dtype,
        also=tuple(sorted({op.name for op in (*fitting, *own)})),
        capacity=_rounded_up(sum(1 for _ in program.instructions()), 64),
        table=_table_with(own),
        classes=task.vector_classes,
        evolves=False,
    )


@lru_cache(maxsize=64)
def _table_with(ops: tuple[Op, ...]) -> OpTable:
    """The op table with a user's own, the same object for the same ops, so that kernels are found again."""
    return OPS.extended(ops) if ops else OPS


def _rounded_up(count: int, start: int) -> int:
    while start < count:
        start *= 2
    return start


def _result(fitness: NDArray[np.float64], predictions: NDArray[Any] | None, dtype: str) -> Result:
    assert predictions is not None
    failed = np.isnan(fitness)
    predictions = predictions.copy()
    predictions[failed] = np.nan
    return Result(np.where(failed, 0.0, fitness), predictions, failed, dtype)
