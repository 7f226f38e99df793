"""`azgen lineage`: what a run's champion descends from."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import typer
from rich.console import Console

from azgen.cli.output import console, thousands
from azgen.cli.references import find_run
from azgen.runs.events import Champion
from azgen.runs.members import member as of_rank
from azgen.runs.saved import SavedRun
from azgen.study.lineage import Step, conclusion, lineage
from azgen.textual import to_json

_STEPS = 12
"""Steps of a lineage that are shown unless all are asked for."""


def show_lineage(reference: str, member: int | None, full: bool, json: bool) -> None:
    """Prints the stepping stones to a run's champion."""
    run = find_run(reference)
    champion = of_rank(run, member)
    steps = lineage(champion, run.events(), 0 if full else _STEPS)
    if json:
        typer.echo(to_json([dataclasses.asdict(step) for step in steps], indent=2))
        return
    _print_lineage(console(), run, champion, steps, full)


def _print_lineage(to: Console, run: SavedRun, champion: Champion, steps: Sequence[Step], full: bool) -> None:
    if not steps:
        from_start = f"the run started from it: {champion.origin}" if champion.origin else "none are known"
        to.print(f"{run.name}: the champion has no ancestors ({from_start}).", highlight=False)
        return
    n = len(champion.ancestors)
    shown = f"; the {len(steps)} that brought the most (--full: all)" if len(steps) < n else ""
    to.print(f"{run.name}: {n} programs that the champion descends from{shown}", style="bold")
    to.print("Fitness is that on search tasks; times are those of whole rounds.", style="dim")
    if any(step.gain < 0 for step in steps):
        to.print(
            "Where it falls, the step is the best of another cell of the archive, or was rated on other "
            "tasks: a later stage's, another island's.",
            style="dim",
        )
    several = run.settings.islands.count > 1 or any(step.population for step in steps)
    for number, step in enumerate(steps, 1):
        parts = [f"\n{number}. program {thousands(step.number)}"]
        parts += [f" of population {step.population + 1}"] * several
        parts += [] if step.seconds is None else [f", {step.seconds:.1f} s"]
        parts += [f": fitness {step.fitness:.4f}", f" ({step.gain:+.4f})" if number > 1 else ""]
        parts += [f"; by {', '.join(step.mutations)}"] * bool(step.mutations)
        to.print("".join(parts), highlight=False, markup=False)
        _print_lines(to, step.lines if full or number == 1 else step.changes)
    after = conclusion(champion, run.settings.user.table)
    if after:
        to.print("\nAfterwards: constants tuned, needless lines out, addresses renamed", highlight=False)
        _print_lines(to, after)


def _print_lines(to: Console, lines: Sequence[str]) -> None:
    for line in lines:
        style = {"+": "green", "-": "red"}.get(line[0], "")
        to.print(f"   {line}", style=style, highlight=False, markup=False)
