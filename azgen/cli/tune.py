"""`azgen tune`: the best constants for a program, by random search."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from azgen.cli.commands.tune import Tuning
from azgen.cli.listing import print_code
from azgen.cli.naming import Named
from azgen.cli.output import console, duration, grid, interval
from azgen.cli.progress import progress_bar
from azgen.cli.subject import Subject
from azgen.errors import AzgenError
from azgen.execution.execute import execute_under
from azgen.exports.module import export as write_module
from azgen.exports.place import check_place
from azgen.exports.provenance import Provenance
from azgen.files import check_file_place, write_file
from azgen.language.metrics import Metric
from azgen.language.program import Program
from azgen.study.scores import Score
from azgen.study.tune import Tuned
from azgen.study.tune import tune as tune_program
from azgen.textual import to_json
from azgen.version import azgen_version

_RUNGS = (1 / 27, 1 / 9, 1 / 3, 1.0)


def tune(named: Named, wanted: Tuning, json: bool, build_dir: Path | None, table: dict[str, Any]) -> None:
    """Tunes a program's constants; the result is then run once on the test tasks, and so is the program."""
    subject = Subject.of(named, table, build_dir)
    conditions, found = subject.conditions, subject.found
    written = _free(wanted.output, found.name)
    if wanted.export is not None:
        check_place(wanted.export)
    split, rungs = subject.split, _RUNGS if wanted.halving else (1.0,)
    with progress_bar("{task.completed}/{task.total}", quiet=json) as show:

        def observe(done: int, total: int, best: float) -> None:
            show(f"settings, best {best:.5f}", done, total)

        tuned = tune_program(
            found.program,
            split.search,
            wanted.trials,
            conditions,
            select=split.select,
            rungs=rungs,
            observe=observe,
        )
    record = _record(subject, tuned) | {"file": str(written)}
    write_file(written, _heading(found.given, record, tuned) + str(tuned.program))
    if wanted.export is not None:
        record["export"] = str(_export(wanted.export, tuned, found.given, split.metric, record))
    if json:
        print(to_json(record))
    else:
        _report(found.name, found.program, tuned, record)


def _record(subject: Subject, tuned: Tuned) -> dict[str, Any]:
    """What was found as plain values, the test tasks now among them."""
    split, conditions = subject.split, subject.conditions
    before, after = (
        execute_under(conditions, program, split.test).fitness
        for program in (subject.found.program, tuned.program)
    )
    scores = {
        "search": (tuned.fitness_before, tuned.fitness),
        "select": (tuned.select_before, tuned.select_fitness),
        "test": (before, after),
    }
    return {
        "program": str(tuned.program),
        "trials": tuned.trials,
        "full_trials": tuned.full_trials,
        "seconds": tuned.seconds,
        "seed": conditions.seed,
        **conditions.arithmetic_record,
        "metric": str(split.metric),
        "data": split.description,
        "factors": list(tuned.factors),
        "sets": {
            name: {
                "before": Score.of("as it was", old, split.metric, new).as_record(),
                "tuned": Score.of("tuned", new, split.metric).as_record(),
            }
            for name, (old, new) in scores.items()
            if old is not None and new is not None
        },
    }


def _free(output: Path | None, name: str) -> Path:
    """Where the tuned program goes."""
    if output is None:
        output = Path(f"{name}-tuned.az")
        if output.exists():
            raise AzgenError(f"{output} exists; name a file with -o (an existing one is replaced)")
    check_file_place(output)
    return output


def _heading(reference: str, record: dict[str, Any], tuned: Tuned) -> str:
    test = record["sets"]["test"]
    before, after = (test[name]["fitness"]["mean"] for name in ("before", "tuned"))
    count = test["tuned"]["fitness"]["n"]
    return (
        f"# {reference}, its constants tuned: the best of {tuned.trials} settings (seed "
        f"{tuned.conditions.seed}, {tuned.conditions.arithmetic}, epochs {tuned.conditions.epochs}).\n"
        f"# {record['data']}\n"
        f"# Mean fitness on {count} test tasks: {before:.6g} before, {after:.6g} now.\n"
    )


def _export(path: Path, tuned: Tuned, reference: str, metric: Metric, record: dict[str, Any]) -> Path:
    sets = record["sets"]
    provenance = Provenance(
        data=record["data"],
        search_fitness=sets["search"]["tuned"]["fitness"]["mean"],
        selection_fitness=sets["select"]["tuned"]["fitness"]["mean"],
        test_fitness=sets["test"]["tuned"]["fitness"]["mean"],
        search_tasks=sets["search"]["tuned"]["fitness"]["n"],
        selection_tasks=sets["select"]["tuned"]["fitness"]["n"],
        test_tasks=sets["test"]["tuned"]["fitness"]["n"],
        version=azgen_version(),
        date=datetime.date.today().isoformat(),
        note=f"The program is {reference}, its constants the best of {tuned.trials} settings.",
    )
    dtype = tuned.conditions.dtype
    return write_module(tuned.program, path, metric=metric, dtype=dtype, provenance=provenance)


def _report(name: str, program: Program, tuned: Tuned, record: dict[str, Any]) -> None:
    to = console()
    to.print(f"{name} on {record['data']}\n")
    print_code(to, str(tuned.program))
    old = program.live().constants
    rows = [
        (f"{value:.6g}", f"{value * factor:.6g}", f"{factor:.4g}")
        for value, factor in zip(old, tuned.factors, strict=True)
        if factor != 1
    ]
    to.print()
    to.print(grid(rows, "constant", "tuned", "factor", right=(0, 1, 2)) if rows else "The constants stay.")
    to.print("\nMean fitness ± 95 % confidence interval over tasks", style="bold")
    names = {"search": "search", "select": "selection", "test": "test"}
    to.print(
        grid(
            [
                (
                    f"{pair['tuned']['fitness']['n']} {names[key]} tasks",
                    interval(pair["before"]["fitness"]),
                    interval(pair["tuned"]["fitness"]),
                    interval(pair["before"].get("champion_minus_this")),
                )
                for key, pair in record["sets"].items()
            ],
            "",
            "as it was",
            "tuned",
            "tuned is better by",
        )
    )
    shown = f", {tuned.full_trials} of them on all examples" if tuned.full_trials < tuned.trials else ""
    to.print(f"\n{tuned.trials} settings{shown}, {duration(tuned.seconds)}")
    files = [record["file"], *([record["export"]] if "export" in record else [])]
    to.print(f"Written: {', '.join(files)}")
