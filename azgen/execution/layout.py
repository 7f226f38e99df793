"""How examples lie in memory: [group][example][feature][lane], one task a lane, aligned to SIMD registers.

Labels lie as [group][example][lane], one-hot ones as [group][example][class][lane].

The structures here mirror those of templates/lane/tasks.pyx.j2 and templates/kernel/; the kernel reports its
own sizes, and `check_sizes` compares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.codegen.lanes import LaneType
from azgen.errors import AzgenError
from azgen.language.program import SCALAR, VECTOR, Program
from azgen.language.random import task_state
from azgen.tasks.task import Task

ALIGNMENT = 64

TASKS = np.dtype(
    [
        *((name, "i8") for name in ("n_groups", "n_rows", "n_training", "n_steps")),
        *((name, "u8") for name in ("order", "x", "y", "random", "active", "weight")),
        ("max_abs_error", "f8"),
    ],
    align=True,
)
"""One evaluation's data: counts, addresses of arrays, and the error above which a program fails."""


def aligned(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """A zeroed array whose first element lies on a SIMD boundary."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.zeros(size + ALIGNMENT, dtype=np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    result: NDArray[Any] = raw[start : start + size].view(dtype).reshape(shape)
    return result


def epoch_order(n_train: int, epoch: int) -> NDArray[np.int32]:
    """Order of the training examples: as given in the first epoch, a fixed shuffle of its own in each later
    one."""
    if epoch == 0:
        return np.arange(n_train, dtype=np.int32)
    return np.random.default_rng((epoch, n_train)).permutation(n_train).astype(np.int32)


def check_tasks(tasks: Sequence[Task]) -> None:
    """Tasks that run in lockstep must agree in shape and metric.

    Raises:
        AzgenError: no tasks, they differ, or they have more classes than vectors have entries.
    """
    if not tasks:
        raise AzgenError("there are no tasks to execute on")
    for number, task in enumerate(tasks):
        if task.shape_key != tasks[0].shape_key:
            raise AzgenError(
                f"task {number} has other numbers of examples or features, or another metric, than task 0; "
                "tasks that are executed together must agree"
            )
    check_width(tasks[0].n_features, tasks[0].vector_classes)


def check_width(n_features: int, classes: int) -> None:
    """One-hot labels must fit into vectors.

    Raises:
        AzgenError: there are more classes than features.
    """
    if classes > n_features:
        raise AzgenError(
            f"{classes} classes do not fit into vectors of {n_features} entries; n_features must be at least "
            f"{classes}: project to more features, or append columns of zeros"
        )


def check_form(program: Program, tasks: Sequence[Task]) -> None:
    """A program must predict what the tasks' labels are.

    Raises:
        AzgenError: it has the other form.
    """
    if program.form == tasks[0].form:
        return
    if program.form == SCALAR:
        raise AzgenError(
            f"the program predicts one number, but the tasks have {tasks[0].vector_classes} classes with "
            f"one-hot labels; take a program for several classes ({VECTOR}), such as zoo:softmax-linear"
        )
    raise AzgenError(
        f"the program predicts a vector of several classes' probabilities ({VECTOR}), but the tasks' labels "
        f"are single numbers; take a program with {SCALAR}, such as zoo:linear"
    )


@dataclass
class LaneTasks:
    """Tasks laid out in lanes, and the record that generated code reads; keeps the arrays alive."""

    record: NDArray[Any]
    arrays: dict[str, NDArray[Any]]
    n_tasks: int
    lanes: int

    @property
    def address(self) -> int:
        """Address of the record."""
        return int(self.record.ctypes.data)

    @property
    def n_groups(self) -> int:
        """Number of lane groups."""
        return int(self.record["n_groups"][0])

    @property
    def n_valid(self) -> int:
        """Validation steps."""
        return int(self.record["n_steps"][0] - self.record["n_training"][0])


def lay_out(
    tasks: Sequence[Task], lane: LaneType, *, seed: int = 0, epochs: int = 1, max_abs_error: float = 100.0
) -> LaneTasks:
    """Lays tasks out for a lane type.

    Args:
        tasks: tasks that agree in features, examples and metric.
        lane: lane type of the code that will run on them.
        seed: decides the draws of stochastic ops, together with each task's number.
        epochs: passes over the training examples before validation.
        max_abs_error: error above which a program fails on a task.
    """
    check_tasks(tasks)
    if epochs < 1:
        raise AzgenError(f"epochs is {epochs}; it must be at least 1")
    n_train, n_valid, F = len(tasks[0].x_train), len(tasks[0].x_valid), tasks[0].n_features
    n_groups, n_rows = -(-len(tasks) // lane.lanes), n_train + n_valid
    x = aligned((n_groups, n_rows, F, lane.lanes), lane.dtype)
    entries = (tasks[0].vector_classes,) if tasks[0].vector_classes else ()
    y = aligned((n_groups, n_rows, *entries, lane.lanes), lane.dtype)
    random = aligned((n_groups, lane.lanes), np.uint64)
    active = aligned((n_groups, lane.lanes), np.int32 if lane.dtype == "float32" else np.int64)
    weight = aligned((n_groups, len(tasks[0].loss_weights), lane.lanes), lane.dtype)
    for number, task in enumerate(tasks):
        group, place = divmod(number, lane.lanes)
        with np.errstate(over="ignore"):
            x[group, :n_train, :, place], x[group, n_train:, :, place] = task.x_train, task.x_valid
            y[group, :n_train, ..., place], y[group, n_train:, ..., place] = task.y_train, task.y_valid
        random[group, place] = task_state(seed, number)
        active[group, place] = -1
        weight[group, :, place] = task.loss_weights
    order = np.concatenate(
        [
            *(epoch_order(n_train, epoch) for epoch in range(epochs)),
            np.arange(n_train, n_rows, dtype=np.int32),
        ]
    )
    arrays = {"order": order, "x": x, "y": y, "random": random, "active": active, "weight": weight}
    record = np.zeros(1, TASKS)
    record["n_groups"], record["n_rows"] = n_groups, n_rows
    record["n_training"], record["n_steps"] = n_train * epochs, len(order)
    record["max_abs_error"] = max_abs_error
    _point(record, arrays)
    return LaneTasks(record, arrays, len(tasks), lane.lanes)


def probe_of(tasks: LaneTasks, n_train: int, n_valid: int) -> LaneTasks:
    """The same data with only the first training and validation examples in the order of execution."""
    n_training, n_steps = int(tasks.record["n_training"][0]), int(tasks.record["n_steps"][0])
    n_train, n_valid = min(n_train, n_training), min(n_valid, n_steps - n_training)
    order = tasks.arrays["order"]
    arrays = {
        **tasks.arrays,
        "order": np.concatenate([order[:n_train], order[n_training : n_training + n_valid]]),
    }
    record = tasks.record.copy()
    record["n_training"], record["n_steps"] = n_train, n_train + n_valid
    _point(record, arrays)
    return LaneTasks(record, arrays, tasks.n_tasks, tasks.lanes)


def first_tasks(tasks: LaneTasks, n_tasks: int) -> LaneTasks:
    """The first tasks alone; they take less time if they fill fewer lane groups."""
    record = tasks.record.copy()
    record["n_groups"] = -(-n_tasks // tasks.lanes)
    return LaneTasks(record, tasks.arrays, n_tasks, tasks.lanes)


def _point(record: NDArray[Any], arrays: dict[str, NDArray[Any]]) -> None:
    for name, array in arrays.items():
        record[name] = array.ctypes.data
