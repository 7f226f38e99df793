"""What one evaluation costs on each executor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.bench.effort import Effort
from azgen.bench.figures import Figure, figure_of
from azgen.bench.timing import in_turns
from azgen.bench.workloads import N_TASKS, N_VALID, PROGRAMS, regression_tasks, search_kernel, variants
from azgen.bench.yardstick import Yardstick
from azgen.codegen.kernel_source import STRANDS
from azgen.codegen.lanes import LaneType
from azgen.execution.execute import native_code, target_for
from azgen.execution.kernel import Kernel
from azgen.execution.layout import LaneTasks, lay_out
from azgen.language.conditions import USUAL
from azgen.language.program import Program
from azgen.language.zoo import zoo
from azgen.tasks.task import Task

ALONE, INTERLEAVED = "kernel, one program", f"kernel, {STRANDS} programs"
NATIVE = "native"
YARDSTICK = "scalar C interpreter"


@dataclass
class Work:
    """Evaluations by generated code, called without any wrapping.

    Attributes:
        function, arguments: the generated function and addresses of arrays.
        fitness: where it leaves the fitness, programs x tasks.
        arrays: what the addresses point to.
    """

    function: Callable[..., object]
    arguments: tuple[Any, ...]
    fitness: NDArray[np.float64]
    arrays: tuple[object, ...] = field(repr=False)

    def __call__(self) -> None:
        """Evaluates all programs on all tasks."""
        self.function(*self.arguments)

    def total(self) -> float:
        """Sum of all fitness. Reading it proves that the work was done, and that no program failed."""
        total = float(self.fitness.sum())
        if not np.isfinite(total):
            raise AssertionError("a program failed, so that not all examples were executed")
        return total


def kernel_work(
    kernel: Kernel, programs: NDArray[Any], data: LaneTasks, keep_dead_code: bool = False
) -> Work:
    """Evaluation of encoded programs on the kernel, normal form and decoding included."""
    fitness = np.empty((len(programs), data.n_groups * data.lanes))
    arguments = (programs.ctypes.data, len(programs), data.address, fitness.ctypes.data, 0, keep_dead_code)
    return Work(kernel.calls.evaluate, arguments, fitness[:, : data.n_tasks], (programs, data))


def native_work(
    program: Program, tasks: Sequence[Task], lane: LaneType | None = None, often: bool = False
) -> Work:
    """Evaluation of a program's native code.

    Args:
        program, tasks: what is evaluated on what.
        lane: lane type; None: the one that suits them.
        often: see `target_for`.
    """
    target = target_for(program, tasks[0], USUAL, len(tasks), often)
    target = target if lane is None else replace(target, lane=lane)
    data = lay_out(tasks, target.lane)
    # Its own evaluate() also makes arrays for the results, some microseconds that would count here.
    code = native_code(target).prepare(program)
    fitness = np.empty(data.n_groups * data.lanes)
    arguments = code.arguments(data, fitness)
    return Work(code.compiled.evaluate, arguments, fitness[None, : data.n_tasks], (code, data))


def yardstick_work(program: Program, tasks: Sequence[Task]) -> Work:
    """Evaluation of a program by the scalar interpreter that others are compared with."""
    yardstick = Yardstick(program, tasks)
    return Work(yardstick, (), yardstick.fitness[None], ())


def measure_evaluation(effort: Effort) -> list[Figure]:
    """µs of one evaluation of the linear program and the neural net, per executor."""
    figures = []
    for name in PROGRAMS:
        for n_features in effort.features:
            for n_train in (effort.n_train, 100) if n_features == 4 else (effort.n_train,):
                figures += _evaluation(name, n_features, n_train, N_TASKS, effort)
    for n_features in sorted({8, 16} & set(effort.features)):
        figures += _evaluation(PROGRAMS[-1], n_features, effort.n_train, 1, effort)
    return figures


def work_name(name: str, n_features: int, n_train: int, n_tasks: int = N_TASKS) -> str:
    """How a figure calls an evaluation."""
    return f"{name}, F = {n_features}, {n_tasks} x ({n_train} + {N_VALID})"


def evaluation_works(name: str, n_features: int, n_train: int, n_tasks: int = N_TASKS) -> dict[str, Work]:
    """The same evaluation on kernel and native code; checked to give the same fitness."""
    kernel = search_kernel(name, n_features, n_tasks)
    tasks = regression_tasks(n_features, n_train)[:n_tasks]
    data = lay_out(tasks, kernel.spec.lane)
    works = {
        ALONE: kernel_work(kernel, kernel.encode(variants(name, 1)), data),
        INTERLEAVED: kernel_work(kernel, kernel.encode(variants(name, STRANDS)), data),
        NATIVE: native_work(zoo(name), tasks),
    }
    for work in works.values():
        work()
        work.total()
    for by in (INTERLEAVED, NATIVE):
        if not np.array_equal(works[by].fitness[0], works[ALONE].fitness[0]):
            raise AssertionError(f"{name}, F = {n_features}: {by} and {ALONE} give different fitness")
    return works


def _evaluation(name: str, n_features: int, n_train: int, n_tasks: int, effort: Effort) -> list[Figure]:
    works = evaluation_works(name, n_features, n_train, n_tasks)
    works[YARDSTICK] = yardstick_work(zoo(name), regression_tasks(n_features, n_train)[:n_tasks])
    works[YARDSTICK]()
    measured = in_turns(works, effort.runs, effort.seconds)
    figures, what = [], work_name(name, n_features, n_train, n_tasks)
    lanes = search_kernel(name, n_features, n_tasks).spec.lane.lanes
    for by, work in works.items():
        values = [value / len(work.fitness) for value in measured[by]]
        details = {"F": n_features, "program": name, "n_train": n_train, "lanes": lanes}
        details |= {"fitness_sum": work.total() / len(work.fitness)}
        details |= {"times_yardstick": min(measured[YARDSTICK]) / min(values)}
        figures.append(figure_of("evaluation", what, by, "µs", values, details=details))
    return figures
