"""Comparing executors on random programs: what must agree to the last bit, and what within a tolerance."""

from __future__ import annotations

import types
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from azgen.codegen.lanes import MANY
from azgen.execution.bound import Result
from azgen.execution.execute import compile_together, execute
from azgen.exports.module import render_module
from azgen.language import OPS, Program
from azgen.language.conditions import Conditions
from azgen.language.metrics import Metric
from azgen.tasks.task import Task
from tests.reference import NUMPY_SUMS, predictions

TRANSCENDENTAL = {
    f"scalar_{name}" for name in ("sin", "cos", "tan", "arcsin", "arccos", "arctan", "exp", "log")
}
TOLERANCE = {"float32": 2e-4, "float64": 1e-9}
"""Relative difference of predictions allowed where a transcendental function is involved."""


def random_tasks(
    rng: np.random.Generator,
    n_features: int,
    n_tasks: int = 3,
    metric: str = "rmse",
    n_train: int = 8,
    n_valid: int = 4,
    classes: int = 0,
) -> list[Task]:
    """Small tasks with normal features; labels are linear, or their sign, or which of several is largest."""
    tasks = []
    for _ in range(n_tasks):
        x = rng.normal(size=(n_train + n_valid, n_features))
        y = x @ rng.normal(size=n_features)
        if classes:
            winner = np.argmax(x @ rng.normal(size=(n_features, classes)), axis=1)
            winner[:classes] = np.arange(classes)[: len(winner)]
            y = np.eye(classes)[winner]
        elif metric == "accuracy":
            y = (y > 0).astype(float)
        tasks.append(Task(x[:n_train], y[:n_train], x[n_train:], y[n_train:], metric=metric))
    return tasks


def compile_all(
    programs: Sequence[Program],
    n_features: int,
    metric: Metric,
    dtype: str,
    classes: int = 0,
    n_tasks: int | None = MANY,
) -> None:
    """Compiles programs for so many tasks of a shape, of which there are none yet."""
    x, y = np.zeros((1, n_features)), np.eye(1, classes) if classes else np.zeros(1)
    task = Task(x, y, x, y, metric=metric)
    compile_together(programs, task, Conditions(dtype=dtype), n_tasks)


def exact(program: Program, metric: str) -> bool:
    """Whether oracle and generated code must agree to the last bit: no transcendental function, the sigmoid
    included."""
    names = {i.op.name for i in program.live().instructions()}
    return metric == "rmse" and not names & TRANSCENDENTAL


def same_bits(a: Result, b: Result) -> bool:
    """Whether two results are the same, NaN equal to NaN."""
    return np.array_equal(a.fitness, b.fitness) and np.array_equal(
        a.predictions, b.predictions, equal_nan=True
    )


def close(a: Result, b: Result, tolerance: float) -> bool:
    """Whether predictions agree within a relative tolerance, and the same tasks failed."""
    with np.errstate(all="ignore"):
        return np.array_equal(a.failed, b.failed) and np.allclose(
            a.predictions, b.predictions, rtol=tolerance, atol=tolerance, equal_nan=True
        )


def sensitive(program: Program, tasks: list[Task], dtype: str) -> bool:
    """Whether rounding errors grow beyond the tolerance in this program: inputs changed in the last digits
    tell."""
    base = execute(program, tasks, "oracle", dtype=dtype)
    epsilon = 8 * float(np.finfo(dtype).eps)
    for trial in range(4):
        rng = np.random.default_rng(trial)

        def nudge(x: np.ndarray, rng: np.random.Generator = rng) -> np.ndarray:
            return x * (1 + epsilon * rng.choice([-1.0, 1.0], size=x.shape))

        nudged = [
            Task(nudge(t.x_train), t.y_train, nudge(t.x_valid), t.y_valid, metric=t.metric) for t in tasks
        ]
        if not close(base, execute(program, nudged, "oracle", dtype=dtype), TOLERANCE[dtype] / 20):
            return True
    return any(_sensitive_functions(program, task, dtype, epsilon) for task in tasks)


def _sensitive_functions(program: Program, task: Task, dtype: str, epsilon: float) -> bool:
    arguments = (program.live(), task.x_train, task.y_train, task.x_valid, task.metric)
    base = predictions(*arguments, dtype=dtype)
    for sign in (-1.0, 1.0):
        nudged = {
            name: lambda a, f=OPS[name].numpy, sign=sign: f(a) * a.dtype.type(1 + sign * epsilon)
            for name in TRANSCENDENTAL
        }
        other = predictions(*arguments, dtype=dtype, meanings=nudged)
        tolerance = TOLERANCE[dtype] / 20
        if not np.allclose(base, other, rtol=tolerance, atol=tolerance, equal_nan=True):
            return True
    return False


def exported_predictions(program: Program, task: Task, dtype: str) -> np.ndarray:
    """Predictions of the program's exported module, trained and validated on a task."""
    module = types.ModuleType("winner")
    exec(
        compile(
            render_module(program, metric=task.metric, dtype=dtype), "winner.py", "exec", dont_inherit=True
        ),
        module.__dict__,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if task.metric == "rmse":
            model = module.EvolvedRegressor(standardize=False).fit(task.x_train, task.y_train)
            return model.predict(task.x_valid)
        labels = task.y_train.argmax(axis=1) if task.vector_classes else task.y_train
        model = module.EvolvedClassifier(standardize=False).fit(task.x_train, labels)
        probabilities = model.predict_proba(task.x_valid)
        return probabilities if task.vector_classes else probabilities[:, 1]


def order_matters(program: Program, task: Task, dtype: str) -> bool:
    """Whether sums in NumPy's own order, which exported modules use, change the predictions visibly."""
    arguments = (program.live(), task.x_train, task.y_train, task.x_valid, task.metric)
    ours, numpys = (predictions(*arguments, dtype=dtype, meanings=sums) for sums in (None, NUMPY_SUMS))
    with np.errstate(all="ignore"):
        tolerance = TOLERANCE[dtype] / 20
        return not np.allclose(ours, numpys, rtol=tolerance, atol=tolerance, equal_nan=True)


@dataclass
class Tally:
    """How a sweep went."""

    programs: int = 0
    exact: int = 0
    within_tolerance: int = 0
    sensitive: int = 0
    exported: int = 0
    wrong: list[str] = field(default_factory=list)

    def compare(self, program: Program, tasks: list[Task], dtype: str, fused: bool = False) -> None:
        """Runs a program on all three executors and notes how they agree."""
        metric = tasks[0].metric
        oracle = execute(program, tasks, "oracle", dtype=dtype, fused=fused)
        kernel = execute(program, tasks, "kernel", dtype=dtype, fused=fused)
        native = execute(program, tasks, "native", dtype=dtype, fused=fused)
        self.programs += 1
        if not same_bits(kernel, native):
            self.wrong.append(f"kernel and native differ, {dtype}, F = {tasks[0].n_features}:\n{program}")
        elif same_bits(oracle, native):
            self.exact += 1
        elif exact(program, metric):
            self.wrong.append(f"oracle and native differ, {dtype}, F = {tasks[0].n_features}:\n{program}")
        elif close(oracle, native, TOLERANCE[dtype]):
            self.within_tolerance += 1
        elif sensitive(program, tasks, dtype):
            self.sensitive += 1
        else:
            self.wrong.append(
                f"oracle and native are not close, {dtype}, F = {tasks[0].n_features}:\n{program}"
            )

    def compare_kernel(self, program: Program, tasks: list[Task], dtype: str) -> None:
        """Runs a program on the oracle and the kernel alone: nothing needs compiling."""
        oracle, kernel = (execute(program, tasks, backend, dtype=dtype) for backend in ("oracle", "kernel"))
        if not close(oracle, kernel, TOLERANCE[dtype]) and not sensitive(program, tasks, dtype):
            self.wrong.append(f"oracle and kernel are not close, {dtype}:\n{program}")

    def compare_export(self, program: Program, tasks: list[Task], dtype: str) -> None:
        """Compares a program's exported module with the oracle, on the first task."""
        task = tasks[0]
        oracle = execute(program, task, "oracle", dtype=dtype)
        if oracle.failed[0] or (
            task.metric == "accuracy" and len(np.unique(task.y_train, axis=0)) < task.n_classes
        ):
            return
        tolerance = TOLERANCE[dtype]
        with np.errstate(all="ignore"):
            exported = exported_predictions(program, task, dtype)
            same = np.allclose(
                exported, oracle.predictions[0], rtol=tolerance, atol=tolerance, equal_nan=True
            )
        if same:
            self.exported += 1
        elif not order_matters(program, task, dtype) and not sensitive(program, [task], dtype):
            self.wrong.append(f"the exported module differs, {dtype}, F = {task.n_features}:\n{program}")
