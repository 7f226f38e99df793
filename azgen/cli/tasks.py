"""A task as `azgen data --draw` shows it."""

from __future__ import annotations

import dataclasses
from typing import get_args

from rich.console import Console

from azgen.cli.output import grid
from azgen.errors import AzgenError
from azgen.tasks.describe import describe_labels, feature_names, largest_feature
from azgen.tasks.task import SetName, Task, TaskSplit
from azgen.textual import to_json

_SHOWN_FEATURES = 8


@dataclasses.dataclass(frozen=True)
class Shown:
    """A task that was drawn, and which of which set it is."""

    task: Task
    number: int
    set_name: str
    count: int


def chosen(split: TaskSplit, set_name: str, number: int) -> Shown:
    """A task of a set, by its number.

    Raises:
        AzgenError: there is no such set or task.
    """
    if set_name not in get_args(SetName):
        raise AzgenError(f"there is no task set {set_name!r}; there are search, select and test")
    tasks = getattr(split, set_name)
    if number >= len(tasks):
        raise AzgenError(
            f"the {set_name} set has {len(tasks)} tasks, counted from 0; there is no task {number}"
        )
    return Shown(tasks[number], number, set_name, len(tasks))


def show_task(to: Console, split: TaskSplit, shown: Shown, rows: int, json: bool) -> None:
    """Prints a task and its first rows.

    Args:
        to: where it is printed.
        split: what it was drawn with.
        shown: the task.
        rows: training examples to show.
        json: whether to print one JSON object.
    """
    task, names = shown.task, feature_names(split)
    labels = split.label_names if task.is_classification else ()
    facts = {
        part: describe_labels(y, labels, task.n_classes is not None)
        for part, y in (("training", task.y_train), ("validation", task.y_valid))
    }
    if json:
        record = {
            "description": split.description,
            "set": shown.set_name,
            "task": task.name,
            "metric": task.metric,
            "features": list(names),
            "examples": {"training": task.n_train, "validation": task.n_valid},
            "labels": facts,
            "x": task.x_train[:rows].tolist(),
            "y": task.y_train[:rows].tolist(),
        }
        print(to_json(record))
        return
    heading = f"Task {shown.number} of {shown.count} {shown.set_name} tasks: {task.name or 'no name'}"
    largest = f"the largest is {largest_feature(task):.4g} in absolute value"
    lines = [
        ("metric", str(task.metric)),
        ("features", f"{task.n_features}, {largest}"),
        ("training", f"{task.n_train} examples; labels {facts['training']}"),
        ("validation", f"{task.n_valid} examples; labels {facts['validation']}"),
    ]
    to.print(split.description + "\n")
    to.print(heading, style="bold")
    to.print(grid(lines))
    if rows:
        _show_rows(to, task, names, rows)


def _show_rows(to: Console, task: Task, names: tuple[str, ...], rows: int) -> None:
    shown = names[:_SHOWN_FEATURES]
    more = len(names) - len(shown)
    cells = [
        (
            *(f"{value:.4g}" for value in x[: len(shown)]),
            *(["…"] if more else []),
            f"{y:.4g}" if task.y_train.ndim == 1 else f"class {int(y.argmax())}",
        )
        for x, y in zip(task.x_train[:rows], task.y_train[:rows], strict=True)
    ]
    headers = [*shown, *([f"({more} more)"] if more else []), "label"]
    to.print("\nFirst training examples")
    to.print(grid(cells, *headers, right=range(len(headers))))
