"""`azgen explain`, `ablate` and `prune`: what a program does, and what its lines are worth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from azgen.cli.listing import print_code
from azgen.cli.naming import Named
from azgen.cli.output import console, grid, interval
from azgen.cli.subject import Subject
from azgen.execution.execute import execute_under
from azgen.extras import installed, missing
from azgen.files import check_file_place, write_file
from azgen.language import FUNCTIONS
from azgen.language.metrics import is_classification
from azgen.study.scores import Interval, Score
from azgen.study.understanding.ablation import Ablation
from azgen.study.understanding.ablation import ablate as ablate_program
from azgen.study.understanding.edits import at, places
from azgen.study.understanding.explain import Explanation
from azgen.study.understanding.explain import explain as explain_program
from azgen.study.understanding.pruning import Pruned
from azgen.study.understanding.pruning import prune as prune_program
from azgen.study.wording import SET_NAMES
from azgen.textual import to_json


def explain(
    named: Named, on: str, worth: bool, json: bool, build_dir: Path | None, table: dict[str, Any]
) -> None:
    """Explains a program."""
    subject = Subject.of(named, table, build_dir)
    metric = subject.split.metric if subject.has_tasks else subject.given["metric"]
    known = subject.has_tasks or metric in ("accuracy", "balanced-accuracy", "log-loss")
    found = explain_program(subject.found.program, known and is_classification(metric))
    ablation = None
    if worth and subject.has_tasks:
        ablation = ablate_program(subject.found.program, subject.tasks(on), subject.conditions)
    if json:
        print(to_json({**found.as_record(), "worth": ablation and ablation.as_record()}))
        return
    print_explanation(subject.found.name, found)
    if ablation is not None:
        console().print(f"\nWhat each line is worth, on {subject.split.description}", style="bold")
        print_ablation(ablation, on)


def print_explanation(name: str, found: Explanation) -> None:
    """What `azgen explain` prints before what the lines are worth."""
    to, rows, last = console(), [], -1
    near = found.nearest
    to.print(f"{name}: {near}" if near else name, style="bold")
    if near is not None and near.kind != "structure":
        for where, lines in (("here alone", near.only_here), ("there alone", near.only_there)):
            for number, line in enumerate(lines):
                to.print(f"  {'' if number else where:<12} {line}")
    for place in places(found.program):
        if place.function != last:
            last = place.function
            rows.append((f"def {FUNCTIONS[last].capitalize()}():", ""))
        rows.append((f"  {at(found.program, place)}", ", ".join(found.notes(place))))
    to.print("\nLine by line (live code)", style="bold")
    to.print(grid(rows, "line", "part of"))
    to.print("\nIdeas", style="bold")
    for idea in found.ideas:
        to.print(f"{idea.name}: {idea.summary}")
        to.print(f"  checked {idea.proof}: {idea.checked}")
    if not found.ideas:
        to.print("No known idea was found that could be checked.")
    if found.warnings:
        to.print("\nTo beware of", style="bold")
        for warning in found.warnings:
            to.print(f"  {warning}")
    if not installed("sympy"):
        to.print(f"\n({missing('sympy', 'Proofs for all values need')})", highlight=False)


def ablate(named: Named, on: str, json: bool, build_dir: Path | None, table: dict[str, Any]) -> None:
    """Shows what each line of a program is worth."""
    subject = Subject.of(named, table, build_dir)
    tasks = subject.tasks(on)
    found = ablate_program(subject.found.program, tasks, subject.conditions)
    if json:
        about = {"data": subject.split.description, "metric": str(subject.split.metric), "set": on}
        print(to_json(about | found.as_record()))
        return

    console().print(f"{subject.found.name} on {subject.split.description}\n")
    print_ablation(found, on)


def print_ablation(found: Ablation, on: str) -> None:
    """The table of `azgen ablate`."""
    to, rows, last = console(), [], -1
    base = Interval.of(found.fitness)
    for line in found.lines:
        if line.place.function != last:
            last = line.place.function
            rows.append((f"def {FUNCTIONS[last].capitalize()}():", "", ""))
        rows.append((f"  {line.line}", line.removed.in_words, line.zeroed.in_words))
    to.print(
        f"Fitness on {base.n} {SET_NAMES[on]} tasks {interval(base.as_record())}; what it loses "
        "without a line (± 95 % confidence interval over tasks, paired):"
    )
    to.print(grid(rows, "line", "removed", "set to 0", right=(1, 2)))


def prune(
    named: Named,
    on: str,
    tolerance: float,
    output: Path | None,
    json: bool,
    build_dir: Path | None,
    table: dict[str, Any],
) -> None:
    """Takes out of a program every line that it does as well without."""
    subject = Subject.of(named, table, build_dir)
    if output is not None:
        check_file_place(output)
    conditions = subject.conditions
    pruned = prune_program(subject.found.program, subject.tasks(on), conditions, tolerance=tolerance)
    before, after = (
        execute_under(conditions, program, subject.split.test).fitness
        for program in (pruned.before, pruned.program)
    )
    metric = subject.split.metric
    test = {
        "before": Score.of("as it was", before, metric, after).as_record(),
        "pruned": Score.of("pruned", after, metric).as_record(),
    }
    about = {"data": subject.split.description, "metric": str(metric), "set": on}
    record = about | pruned.as_record() | {"test": test}
    if output is not None:
        why = f"without what it does as well without on {SET_NAMES[on]} tasks"
        heading = f"# {subject.found.name}, pruned: {why}.\n"
        write_file(output, heading + f"# {subject.split.description}\n" + str(pruned.program))
    if json:
        print(to_json(record))
    else:
        _report_pruned(subject.found.name, pruned, record, output)


def _report_pruned(name: str, pruned: Pruned, record: dict[str, Any], output: Path | None) -> None:
    to = console()
    to.print(f"{name} on {record['data']}\n")
    if not pruned.fitness_before.any():
        to.print(
            "It fails on all of these tasks, so that nothing is lost with any of its lines. Choose tasks "
            "that it was made for: --tasks, --data, --metric.\n",
            style="yellow",
        )
    if not pruned.cuts:
        to.print("Every line is needed; nothing goes.\n")
    for cut in pruned.cuts:
        way = "bypassed" if cut.bypassed else "removed"
        to.print(f"{way}, fitness {cut.difference.mean:+.2g} in all:")
        for line in cut.lines:
            to.print(f"  {line}")
    sizes = [" + ".join(str(len(f)) for f in p.functions) for p in (pruned.before, pruned.program)]
    to.print(f"\nWhat stays ({sizes[1]} of {sizes[0]} lines)", style="bold")
    print_code(to, str(pruned.program))
    test = record["test"]
    rows = [
        (
            f"{record['difference']['n']} {SET_NAMES[record['set']]} tasks",
            *(interval(record[key]) for key in ("fitness_before", "fitness", "difference")),
        ),
        (
            f"{test['pruned']['fitness']['n']} test tasks",
            *(interval(test[key]["fitness"]) for key in ("before", "pruned")),
            interval(test["before"]["champion_minus_this"]),
        ),
    ]
    to.print("\nMean fitness ± 95 % confidence interval over tasks", style="bold")
    to.print(grid(rows, "", "as it was", "pruned", "pruned is better by"))
    to.print(f"\nallowed: {pruned.tolerance[1]:.2g} less; {pruned.versions} versions executed")
    if output is not None:
        to.print(f"Written: {output}")
