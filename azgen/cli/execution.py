"""`azgen run`: executing a program on tasks, as it is or by generated source that a person has edited."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from azgen.cli.naming import Named
from azgen.cli.output import console, grid, interval
from azgen.cli.subject import Subject
from azgen.errors import AzgenError
from azgen.execution.bound import Result
from azgen.execution.edited import execute_edited, find_source
from azgen.execution.execute import execute_under
from azgen.files import read_text
from azgen.runs.edited import keep_edited
from azgen.study.scores import Interval, Score
from azgen.study.wording import SET_NAMES, signed
from azgen.tasks.task import Task
from azgen.textual import to_json


def run(
    named: Named,
    backend: str,
    sets: list[str],
    override: Path | None,
    json: bool,
    build_dir: Path | None,
    table: dict[str, Any],
) -> None:
    """Executes a program on tasks."""
    subject = Subject.of(named, table, build_dir)
    program, conditions = subject.found.program, subject.conditions
    unknown = [name for name in sets if name not in SET_NAMES]
    if unknown:
        raise AzgenError(f"there is no task set {unknown[0]!r}; there are search, select and test")
    split, rows, records = subject.split, [], {}
    chosen = [(name, members) for name, members in split.sets() if name in sets]
    if override is not None:
        if backend != "native":
            raise AzgenError("--override is for native code; leave --backend out")
        _run_edited(subject, override, chosen, json)
        return
    for name, members in chosen:
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
        heading: dict[str, Any] = {"program": str(program), "hash": program.hash, "backend": backend}
        heading |= conditions.arithmetic_record | {"metric": str(split.metric), "data": split.description}
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


def _run_edited(
    subject: Subject, folder: Path, sets: Sequence[tuple[str, Sequence[Task]]], json: bool
) -> None:
    """Runs an edited source beside the generated one, and keeps it with the run, if there is one."""
    program, conditions, run = subject.found.program, subject.conditions, subject.found.run
    source = find_source(folder, program)
    records, rows = {}, []
    for name, tasks in sets:
        generated = execute_under(conditions, program, tasks)
        edited = execute_edited(program, source, tasks, conditions)
        record = _difference(generated, edited)
        records[name] = record
        numbers = (interval(record["generated"]), interval(record["edited"]), signed(record["difference"]))
        rows.append((name, str(len(tasks)), *numbers, _of_predictions(record)))
    heading = {"program": str(program), "override": str(source), "data": subject.split.description}
    kept = keep_edited(run.path, read_text(source), heading | {"sets": records}) if run else None
    if json:
        print(to_json(heading | {"kept": kept and str(kept), "sets": records}))
        return
    to = console()
    to.print(f"{subject.found.name} by an edited source, {source}, on {subject.split.description}\n")
    headers = ("set", "tasks", "fitness, generated", "fitness, edited", "edited is better by", "predictions")
    to.print(grid(rows, *headers, right=(1, 2, 3, 4)))
    if kept:
        to.print(f"\nKept with the run, and marked there: {kept}")


def _difference(generated: Result, edited: Result) -> dict[str, Any]:
    """By how much an edited source does better, paired by task, and how far its predictions are off."""
    both = ~(generated.failed | edited.failed)
    off = np.abs(generated.predictions[both] - edited.predictions[both])
    return {
        "generated": Interval.of(generated.fitness).as_record(),
        "edited": Interval.of(edited.fitness).as_record(),
        "difference": Interval.of(edited.fitness - generated.fitness).as_record(),
        "per_task": edited.fitness.tolist(),
        "failed": int(edited.failed.sum()),
        "predictions_off_by": float(off.max(initial=0.0)),
        "same_predictions": bool(np.array_equal(generated.predictions, edited.predictions, equal_nan=True)),
    }


def _of_predictions(record: dict[str, Any]) -> str:
    """How far predictions are off, in words."""
    if record["same_predictions"]:
        return "the same to the last bit"
    n = record["failed"]
    if n == len(record["per_task"]):
        return "all tasks fail"
    fail = f", {n} task{' fails' if n == 1 else 's fail'}" if n else ""
    return f"off by {record['predictions_off_by']:.3g} at most{fail}"


def _error(record: dict[str, Any]) -> str:
    """The RMS error of a score's record as a cell; nothing for metrics that have none."""
    if "rms_error" not in record:
        return ""
    return "infinite" if record["rms_error"] is None else f"{record['rms_error']:.4g}"
