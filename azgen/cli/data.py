"""`azgen data`: what data there is, what a data set or table holds, what a task drawn from it looks like."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from azgen.cli.app import app
from azgen.cli.options import ClassesOption, JsonOption, table_options
from azgen.cli.values import gathered
from azgen.errors import AzgenError

if TYPE_CHECKING:
    from rich.console import Console

    from azgen.tasks.advice import Advice
    from azgen.tasks.readers import Table
    from azgen.tasks.sources import Source, TableTasks
    from azgen.tasks.task import Task, TaskSplit

_SHOWN_FEATURES = 8
_SHOWN_COLUMNS = 60

_DRAWN: dict[str, Any] = {
    "classes": ClassesOption,
    "seed": Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="With --draw: decides split and projection (default 0)."),
    ],
    "set": Annotated[
        str | None,
        typer.Option("--set", metavar="SET", help="With --draw: search (default), select or test."),
    ],
    "task": Annotated[
        int | None,
        typer.Option("--task", min=0, metavar="N", help="With --draw: which task of the set (default 0)."),
    ],
    "rows": Annotated[
        int | None, typer.Option(min=0, metavar="N", help="With --draw: examples to show (default 5).")
    ],
    "features": Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="F",
            help="With --draw, for images and teachers: number of features; 0: images without projection.",
        ),
    ],
}


@app.command(rich_help_panel="Reference")
@table_options
@gathered("drawn", _DRAWN)
def data(
    name: str | None = typer.Argument(
        None,
        metavar="[NAME | FILE]",
        help="A data set, a table, or with --draw a teacher: linear, affine, two-layer, two-layer-live.",
    ),
    target: str | None = typer.Option(None, metavar="COLUMN", help="The table's column to predict."),
    draw: bool = typer.Option(False, "--draw", help="Draw tasks as a run does, and show one of them."),
    kind: str = typer.Option(
        "auto",
        metavar="KIND",
        help="Of a table: auto, regression, classification or multiclass; of a teacher all but the last.",
    ),
    json: JsonOption = False,
    *,
    drawn: dict[str, Any],
    table: dict[str, Any],
) -> None:
    """List the data sets on this machine, describe one or a table of yours, or draw a task and show it.

    Nothing is ever downloaded: of a missing set it says where it can be had and where to put it.
    """
    from azgen.cli.output import console
    from azgen.tasks.synthetic import TEACHERS

    to = console()
    if name is None:
        if draw:
            raise AzgenError(
                "draw tasks of what? Give a data set, a table or a teacher: azgen data digits --draw"
            )
        _list(to, json)
        return
    tasks = _tasks(name, target, kind, drawn if draw else {}, table)
    if draw:
        split = tasks.split(drawn.get("seed", 0))
        shown = _chosen(split, drawn.get("set", "search"), drawn.get("task", 0))
        _show_task(to, split, shown, drawn.get("rows", 5), json)
    elif name in TEACHERS:
        raise AzgenError(f"{name} is a teacher; it has nothing to describe, but: azgen data {name} --draw")
    else:
        _describe(to, name, target, tasks, json)


def _tasks(name: str, target: str | None, kind: str, drawn: dict[str, Any], table: dict[str, Any]) -> Source:
    """Search, selection and test tasks of whatever a name says, ten of each (of whole images one)."""
    from azgen.settings.reading import settings_from
    from azgen.settings.resolve import source_of
    from azgen.tasks.synthetic import TEACHERS

    tasks: dict[str, Any] = {"kind": kind, **table}
    features = drawn.get("features")
    if "classes" in drawn:
        tasks["classes"] = drawn["classes"]
    source, count = "teacher" if name in TEACHERS else source_of(name), 10
    tasks |= {"source": source, **({"teacher": name} if source == "teacher" else {"data": name})}
    if source == "table":
        if features is not None:
            raise AzgenError(
                "--features is for images and teachers; a table's features are its columns (--drop)"
            )
        tasks["target"] = target or ""
    elif source == "images":
        tasks["n_features"] = 16 if features is None else features
        count = 1 if features == 0 else 10  # a task of whole images takes a lot of memory
    else:
        if features == 0:
            raise AzgenError("a teacher needs features: give --features 1 or more")
        tasks |= {"n_features": features or 4, "n_train": [100] * 3, "n_valid": [100] * 3}
    tasks |= {"n_search": count, "n_select": count, "n_test": count}
    return settings_from({"tasks": tasks}, "azgen data").tasks


def _list(to: Console, json: bool) -> None:
    from azgen.cli.output import grid
    from azgen.plain import to_json
    from azgen.tasks.datasets import list_data_sets
    from azgen.tasks.image_sets import DATA_VARIABLE, data_folders

    entries = list_data_sets()
    if json:
        print(
            to_json(
                {
                    "data_sets": [dataclasses.asdict(e) for e in entries],
                    "folders": [str(folder) for folder in data_folders()],
                }
            )
        )
        return
    to.print(
        grid([(e.name, e.place or "not here", e.description) for e in entries], "name", "where", "what it is")
    )
    if any(entry.place is None for entry in entries):
        to.print(
            "\nNothing is downloaded: azgen data NAME says where a missing set can be had and where to put it"
        )
    folders = ", ".join(str(folder) for folder in data_folders())
    to.print(f"Image sets are looked for in {folders} (and in what {DATA_VARIABLE} names).")
    to.print("azgen data NAME describes a set, azgen data FILE a table of yours; --draw shows a task.")


def _describe(to: Console, name: str, target: str | None, tasks: Source, json: bool) -> None:
    from azgen.cli.output import grid
    from azgen.plain import to_json
    from azgen.tasks.datasets import is_data_set, load_data_set
    from azgen.tasks.describe import describe_columns
    from azgen.tasks.readers import read_table
    from azgen.tasks.sources import TableTasks

    heading = ""
    if is_data_set(name):
        found = load_data_set(name)
        heading = found.describe()
        if found.is_images:
            print(to_json({"name": found.name, "description": heading})) if json else to.print(heading)
            return
        table = found.table()
    else:
        table = read_table(name)
    columns = describe_columns(table)
    target = target if target is not None else table.default_target
    checked = None
    if target is not None:
        assert isinstance(tasks, TableTasks)
        table.require(target, "target")
        checked = _check(table, name, target, tasks)
    if json:
        print(
            to_json(
                {
                    "name": table.source,
                    "description": heading,
                    "rows": len(table),
                    "sha256": table.sha256,
                    "target": target,
                    "labels": checked.labels if checked else None,
                    "remarks": list(table.remarks),
                    "needs": [dataclasses.asdict(advice) for advice in checked.needs] if checked else [],
                    "problem": checked.problem if checked else None,
                    "command": checked.command if checked else None,
                    "columns": [dataclasses.asdict(c) for c in columns],
                }
            )
        )
        return
    to.print(heading or f"{table.source}: {len(table)} rows, {len(columns)} columns")
    to.print()
    to.print(
        grid(
            [
                (c.name, c.kind, str(c.n_empty or ""), str(c.n_distinct), c.values)
                for c in columns[:_SHOWN_COLUMNS]
            ],
            "column", "holds", "empty", "distinct", "values",
            right=(2, 3),
        )
    )  # fmt: skip
    if len(columns) > _SHOWN_COLUMNS:
        to.print(f"… and {len(columns) - _SHOWN_COLUMNS} columns more")
    to.print()
    for remark in table.remarks:
        to.print(f"Read with: {remark}", highlight=False)
    if checked is not None:
        _print_check(to, checked)
    else:
        to.print("Name a column with --target to see what azgen makes of it.")


@dataclasses.dataclass(frozen=True)
class _Checked:
    """What a run would say of a table.

    Attributes:
        labels: what they are, with all that is needed said.
        needs: what has to be said about the table.
        problem: what remains; "" if nothing does.
        command: that searches.
    """

    labels: str
    needs: list[Advice]
    problem: str
    command: str


def _check(table: Table, name: str, target: str, tasks: TableTasks) -> _Checked:
    """The checks that a run makes, all of them, with settings that do what is needed."""
    from azgen.tasks.advice import advise, command

    full, needs = advise(table, target, tasks)
    labels = problem = ""
    try:
        labels = full.split_of(table, 0).description.removeprefix(f"{table.source}: ").partition(";")[0]
    except AzgenError as error:
        problem = str(error)
    return _Checked(labels, needs, problem, command(name, target, full))


def _print_check(to: Console, checked: _Checked) -> None:
    from azgen.cli.output import grid
    from azgen.tasks.readers.base import few

    if checked.needs:
        to.print("Before it can be learned from:")
        rows = [(few(list(a.columns), 5), a.why, _said(a)) for a in checked.needs]
        to.print(grid(rows, "column", "holds", "say"))
        to.print()
    if checked.problem:
        to.print(f"What remains: {checked.problem}", highlight=False)
        return
    to.print(f"As a learning problem: {checked.labels}", highlight=False)
    to.out(f"{checked.command.replace('azgen evolve --data', 'azgen data', 1)} --draw   # shows a task")
    to.out(f"{checked.command}   # searches")


def _said(advice: Advice) -> str:
    from azgen.caller import option

    return " ".join(option(advice.setting, advice.value)) if advice.setting else ""


@dataclasses.dataclass(frozen=True)
class _Shown:
    """A task that was drawn, and which of which set it is."""

    task: Task
    number: int
    set_name: str
    count: int


def _chosen(split: TaskSplit, set_name: str, number: int) -> _Shown:
    from azgen.tasks.task import SetName

    if set_name not in get_args(SetName):
        raise AzgenError(f"there is no task set {set_name!r}; there are search, select and test")
    tasks = getattr(split, set_name)
    if number >= len(tasks):
        raise AzgenError(
            f"the {set_name} set has {len(tasks)} tasks, counted from 0; there is no task {number}"
        )
    return _Shown(tasks[number], number, set_name, len(tasks))


def _show_task(to: Console, split: TaskSplit, shown: _Shown, rows: int, json: bool) -> None:
    from azgen.cli.output import grid
    from azgen.plain import to_json
    from azgen.tasks.describe import describe_labels, feature_names, largest_feature

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
    from azgen.cli.output import grid

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
