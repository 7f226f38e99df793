"""Comparing executors on random programs: what must agree to the last bit, and what within a tolerance."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from azgen.execution.execute import Result, execute
from azgen.language import Program
from azgen.tasks.task import Task

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
) -> list[Task]:
    """Small tasks with normal features; labels are linear, or their sign."""
    tasks = []
    for _ in range(n_tasks):
        x = rng.normal(size=(n_train + n_valid, n_features))
        y = x @ rng.normal(size=n_features)
        if metric == "accuracy":
            y = (y > 0).astype(float)
        tasks.append(Task(x[:n_train], y[:n_train], x[n_train:], y[n_train:], metric=metric))
    return tasks


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
    return False


@dataclass
class Tally:
    """How a sweep went."""

    programs: int = 0
    exact: int = 0
    within_tolerance: int = 0
    sensitive: int = 0
    wrong: list[str] = field(default_factory=list)

    def compare(self, program: Program, tasks: list[Task], dtype: str) -> None:
        """Runs a program on all three executors and notes how they agree."""
        metric = tasks[0].metric
        oracle = execute(program, tasks, "oracle", dtype=dtype)
        kernel = execute(program, tasks, "kernel", dtype=dtype)
        native = execute(program, tasks, "native", dtype=dtype)
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
