"""What `azgen data` says of a data set or table: what it holds, and needs before it can be learned from."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from azgen.caller import option
from azgen.cli.output import grid
from azgen.errors import AzgenError
from azgen.tasks.advice import Advice, advise, command
from azgen.tasks.datasets import is_data_set, load_data_set
from azgen.tasks.describe import Column, describe_columns
from azgen.tasks.readers import Table, read_table
from azgen.tasks.readers.base import few
from azgen.tasks.sources import Source, TableTasks
from azgen.textual import to_json

_SHOWN_COLUMNS = 60


def describe(to: Console, name: str, target: str | None, tasks: Source, json: bool) -> None:
    """Prints what a data set or a file holds.

    Args:
        to: where it is printed.
        name: of the data set, or the file.
        target: the column to predict; None: as the data set has it, if it does.
        tasks: how a run would read it.
        json: whether to print one JSON object.

    Raises:
        AzgenError: it cannot be read, or there is no such column.
    """
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
        about = {"name": table.source, "description": heading, "rows": len(table), "sha256": table.sha256}
        print(to_json(about | {"target": target} | _record(table, columns, checked)))
    else:
        to.print(heading or f"{table.source}: {len(table)} rows, {len(columns)} columns")
        _print(to, table, columns, checked)


def _record(table: Table, columns: Sequence[Column], checked: _Checked | None) -> dict[str, Any]:
    """What was found as plain values."""
    return {
        "labels": checked.labels if checked else None,
        "remarks": list(table.remarks),
        "needs": [dataclasses.asdict(advice) for advice in checked.needs] if checked else [],
        "problem": checked.problem if checked else None,
        "command": checked.command if checked else None,
        "columns": [dataclasses.asdict(column) for column in columns],
    }


def _print(to: Console, table: Table, columns: Sequence[Column], checked: _Checked | None) -> None:
    to.print()
    rows = [
        (c.name, c.kind, str(c.n_empty or ""), str(c.n_distinct), c.values) for c in columns[:_SHOWN_COLUMNS]
    ]
    to.print(grid(rows, "column", "holds", "empty", "distinct", "values", right=(2, 3)))
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
    full, needs = advise(table, target, tasks)
    labels = problem = ""
    try:
        labels = full.split_of(table, 0).description.removeprefix(f"{table.source}: ").partition(";")[0]
    except AzgenError as error:
        problem = str(error)
    return _Checked(labels, needs, problem, command(name, target, full))


def _print_check(to: Console, checked: _Checked) -> None:
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
    return " ".join(option(advice.setting, advice.value)) if advice.setting else ""
