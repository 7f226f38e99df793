"""How examples lie in memory: [group][example][feature][lane], one task a lane, aligned to SIMD registers,
features filled up with zeros to whole packs.

Labels lie as [group][example][lane], one-hot ones as [group][example][class][lane].

The structures here mirror those of templates/lane/tasks.j2 and templates/kernel/; the kernel reports its
own sizes, and `check_sizes` compares.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.codegen.lanes import LaneType
from azgen.errors import AzgenError
from azgen.language.conditions import USUAL, Conditions
from azgen.language.instruction import SCALAR, VECTOR
from azgen.language.program import Program
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
    size = math.prod(shape) * np.dtype(dtype).itemsize
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
        f"are single numbers; take a program with {SCALAR}, such as zoo:linear, or for a table's classes "
        "give --kind multiclass"
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


def lay_out(tasks: Sequence[Task], lane: LaneType, conditions: Conditions = USUAL) -> LaneTasks:
    """Lays tasks out for a lane type.

    Args:
        tasks: tasks that agree in features, examples and metric.
        lane: lane type of the code that will run on them; it decides the number type.
        conditions: how programs will be executed.
    """
    x, y, weight = _arrays(tasks, lane, -(-len(tasks) // lane.lanes))
    random, active = aligned((len(x), lane.lanes), np.uint64), _inactive(len(x), lane)
    n_train, F = tasks[0].n_train, tasks[0].n_features
    for number, task in enumerate(tasks):
        group, place = divmod(number, lane.lanes)
        with np.errstate(over="ignore"):
            x[group, :n_train, :F, place], x[group, n_train:, :F, place] = task.x_train, task.x_valid
            y[group, :n_train, ..., place], y[group, n_train:, ..., place] = task.y_train, task.y_valid
        random[group, place] = task_state(conditions.seed, number)
        active[group, place] = -1
        weight[group, :, place] = task.loss_weights
    arrays = {"x": x, "y": y, "random": random, "active": active, "weight": weight}
    return _laid_out(tasks, arrays, lane.lanes, len(tasks), conditions)


def lay_out_copies(tasks: Sequence[Task], lane: LaneType, conditions: Conditions = USUAL) -> LaneTasks:
    """Lays tasks out so that each fills all lanes of a group of its own; see `lay_out`.

    Draws depend on the task's number, not on the lane, as if every lane were executed by itself.
    """
    x, y, weight = _arrays(tasks, lane, len(tasks))
    random, active = aligned((len(x), lane.lanes), np.uint64), _inactive(len(x), lane)
    n_train, F = tasks[0].n_train, tasks[0].n_features
    active[...] = -1
    for number, task in enumerate(tasks):
        with np.errstate(over="ignore"):
            x[number, :n_train, :F] = task.x_train[..., None]
            x[number, n_train:, :F] = task.x_valid[..., None]
            y[number, :n_train], y[number, n_train:] = task.y_train[..., None], task.y_valid[..., None]
        random[number] = task_state(conditions.seed, number)
        weight[number] = np.array(task.loss_weights)[:, None]
    arrays = {"x": x, "y": y, "random": random, "active": active, "weight": weight}
    return _laid_out(tasks, arrays, lane.lanes, len(tasks) * lane.lanes, conditions)


def with_epochs(tasks: LaneTasks, n_train: int, epochs: int) -> LaneTasks:
    """The same data with another number of passes over the training examples.

    Args:
        n_train: training examples of one pass.
    """
    n_rows = int(tasks.record["n_rows"][0])
    arrays = {**tasks.arrays, "order": _order(n_train, n_rows, epochs)}
    record = tasks.record.copy()
    record["n_training"], record["n_steps"] = n_train * epochs, len(arrays["order"])
    _point(record, arrays)
    return LaneTasks(record, arrays, tasks.n_tasks, tasks.lanes)


def trained_twice(tasks: LaneTasks) -> LaneTasks:
    """The same data with twice as many passes over the training examples."""
    n_train = int(tasks.record["n_rows"][0]) - tasks.n_valid
    return with_epochs(tasks, n_train, 2 * (int(tasks.record["n_training"][0]) // n_train))


def _arrays(
    tasks: Sequence[Task], lane: LaneType, n_groups: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Room for features, labels and the weights of losses."""
    check_tasks(tasks)
    n_rows, F = tasks[0].n_train + tasks[0].n_valid, tasks[0].n_features
    entries = (tasks[0].vector_classes,) if tasks[0].vector_classes else ()
    return (
        aligned((n_groups, n_rows, lane.stride(F), lane.lanes), lane.dtype),
        aligned((n_groups, n_rows, *entries, lane.lanes), lane.dtype),
        aligned((n_groups, len(tasks[0].loss_weights), lane.lanes), lane.dtype),
    )


def _inactive(n_groups: int, lane: LaneType) -> NDArray[Any]:
    return aligned((n_groups, lane.lanes), np.int32 if lane.dtype == "float32" else np.int64)


def _order(n_train: int, n_rows: int, epochs: int) -> NDArray[np.int32]:
    """Order in which rows are executed: training rows, epoch by epoch, then validation rows."""
    orders = (epoch_order(n_train, epoch) for epoch in range(epochs))
    return np.concatenate([*orders, np.arange(n_train, n_rows, dtype=np.int32)])


def _laid_out(
    tasks: Sequence[Task],
    arrays: dict[str, NDArray[Any]],
    lanes: int,
    n_tasks: int,
    conditions: Conditions,
) -> LaneTasks:
    n_train, n_rows = tasks[0].n_train, tasks[0].n_train + tasks[0].n_valid
    arrays = {"order": _order(n_train, n_rows, conditions.epochs), **arrays}
    record = np.zeros(1, TASKS)
    record["n_groups"], record["n_rows"] = len(arrays["x"]), n_rows
    record["n_training"], record["n_steps"] = n_train * conditions.epochs, len(arrays["order"])
    record["max_abs_error"] = conditions.max_abs_error
    _point(record, arrays)
    return LaneTasks(record, arrays, n_tasks, lanes)


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
