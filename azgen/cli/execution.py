"""`azgen run`: executing a program on tasks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import typer

from azgen.cli.options import BuildDirOption, JsonOption
from azgen.cli.output import console, grid, interval
from azgen.cli.subject import Subject, subject_options
from azgen.errors import AzgenError
from azgen.execution.execute import execute_under
from azgen.study.scores import Score
from azgen.study.wording import SET_NAMES
from azgen.textual import to_json


@subject_options
def run(
    backend: str = typer.Option(
        "native", metavar="NAME", help="oracle (NumPy), kernel or native (compiled)."
    ),
    sets: list[str] = typer.Option(
        ["search", "select", "test"], "--set", metavar="SET", help="search, select or test; may be repeated."
    ),
    json: JsonOption = False,
    build_dir: BuildDirOption = None,
    *,
    subject: Subject,
) -> None:
    """Execute a program on tasks and print its fitness; a run's champion on the run's own tasks."""
    program, conditions = subject.found.program, subject.conditions
    unknown = [name for name in sets if name not in SET_NAMES]
    if unknown:
        raise AzgenError(f"there is no task set {unknown[0]!r}; there are search, select and test")
    split, rows, records = subject.split, [], {}
    for name, members in split.sets():
        if name not in sets:
            continue
        result = execute_under(conditions, program, members, backend)  # type: ignore[arg-type]  # it is checked
        record = Score.of(name, result.fitness, split.metric).as_record()
        failed = int(result.failed.sum())
        shape = f"{members[0].n_train} + {members[0].n_valid}"
        rows.append((name, len(members), shape, record, failed))
        records[name] = record["fitness"] | {
            "per_task": result.fitness.tolist(),
            "failed": failed,
            "rms_error": record.get("rms_error"),
        }
    if json:
        heading = {"program": str(program), "hash": program.hash, "backend": backend}
        heading |= {"dtype": conditions.dtype, "metric": str(split.metric), "data": split.description}
        print(to_json(heading | {"sets": records}))
    else:
        _print(subject, rows)


def _print(subject: Subject, rows: Iterable[tuple[str, int, str, dict[str, Any], int]]) -> None:
    """The sets as a table: name, number of tasks, examples of each, the score's record, tasks that failed."""
    to, split = console(), subject.split
    to.print(f"{subject.found.name} on {split.description}\n")
    cells = [
        (name, str(count), shape, interval(record["fitness"]), _error(record), str(failed))
        for name, count, shape, record, failed in rows
    ]
    headers = ("set", "tasks", "examples", f"fitness ({split.metric})", "RMS error", "failed")
    to.print(grid(cells, *headers, right=(1, 2, 4, 5)))


def _error(record: dict[str, Any]) -> str:
    """The RMS error of a score's record as a cell; nothing for metrics that have none."""
    if "rms_error" not in record:
        return ""
    return "infinite" if record["rms_error"] is None else f"{record['rms_error']:.4g}"
