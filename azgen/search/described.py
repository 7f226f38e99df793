"""Task sets as plain values and arrays, for a process that did not make them; and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.execution.kernel import build_kernel
from azgen.execution.layout import TASKS, LaneTasks, aligned
from azgen.language.program import Program
from azgen.search.task_set import TaskSet, kernel_spec
from azgen.settings.settings import Settings

_NUMBERS = ("n_groups", "n_rows", "n_training", "n_steps", "max_abs_error")


def describe_tasks(tasks: TaskSet) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Plain values and arrays from which `described_tasks` makes the same."""
    spec, lanes = tasks.kernel.spec, tasks.lanes
    record = {name: lanes.record[name][0].item() for name in _NUMBERS}
    values = {
        "n_features": spec.n_features,
        "metric": str(spec.metric),
        "classes": spec.classes,
        "n_tasks": lanes.n_tasks,
        "lanes": lanes.lanes,
        "stride": spec.target.stride,
        **record,
    }
    return values, lanes.arrays


def described_tasks(
    settings: Settings, programs: Sequence[Program], values: dict[str, Any], arrays: dict[str, NDArray[Any]]
) -> TaskSet:
    """The tasks that `describe_tasks` described; uses the arrays where they lie, if the lanes are this
    machine's.

    Args:
        programs: that their kernel must have room for.
    """
    metric = settings.user.metric(values["metric"])
    kernel = build_kernel(kernel_spec(settings, values["n_features"], metric, programs, values["classes"]))
    lanes = _from_arrays(values, arrays, values["lanes"])
    there, here = (values["lanes"], values["stride"]), (kernel.spec.lane.lanes, kernel.spec.target.stride)
    if there != here:
        lanes = _in_lanes(values, lanes, *here)
    return TaskSet(kernel, lanes)


def _from_arrays(values: dict[str, Any], arrays: dict[str, NDArray[Any]], lanes: int) -> LaneTasks:
    record = np.zeros(1, TASKS)
    for name in _NUMBERS:
        record[name] = values[name]
    for name, array in arrays.items():
        record[name] = array.ctypes.data
    return LaneTasks(record, arrays, values["n_tasks"], lanes)


def by_task(tasks: LaneTasks, name: str, n_features: int) -> NDArray[Any]:
    """An array with its tasks in the first axis, in order, without idle lanes and what fills features up."""
    array = tasks.arrays[name]
    if name == "order":
        return array
    moved = np.moveaxis(array[:, :, :n_features] if name == "x" else array, -1, 1)  # [group][lane]...
    return np.ascontiguousarray(moved.reshape(-1, *moved.shape[2:])[: tasks.n_tasks])


def _in_lanes(values: dict[str, Any], tasks: LaneTasks, lanes: int, stride: int) -> LaneTasks:
    """The same tasks in another number of lanes, features filled up to another number."""
    n_groups = -(-tasks.n_tasks // lanes)
    arrays = {"order": tasks.arrays["order"]}
    for name in tasks.arrays.keys() - arrays.keys():
        rows = by_task(tasks, name, values["n_features"])
        if name == "x":
            rows = np.pad(rows, [(0, 0), (0, 0), (0, stride - values["n_features"])])
        padded = np.zeros((n_groups * lanes, *rows.shape[1:]), rows.dtype)
        padded[: len(rows)] = rows
        moved = np.moveaxis(padded.reshape(n_groups, lanes, *rows.shape[1:]), 1, -1)
        arrays[name] = aligned(moved.shape, rows.dtype)
        arrays[name][...] = moved
    return _from_arrays({**values, "n_groups": n_groups}, arrays, lanes)
