"""`azgen simulate`: searches on a simulated machine, where a seed decides what goes wrong."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn

from azgen.cli.options import use_build_directory
from azgen.cli.output import console, grid
from azgen.cli.progress import progress_bar
from azgen.plain import as_plain
from azgen.simulation.invariants import INVARIANTS
from azgen.simulation.sweep import Sweep, Swept
from azgen.study.wording import thousands
from azgen.textual import to_json

_SHOWN = 10
"""Failed schedules that are named."""


def simulate(schedules: int | None, seed: int | None, json: bool, build_dir: Path | None) -> None:
    """Simulates faults; ends with status 1 if a run did not find what it finds undisturbed."""
    use_build_directory(build_dir)
    alone = schedules is None and seed is not None
    count = 1 if alone else schedules or 1000
    swept, sweep = Swept(), Sweep()
    if alone and not json:
        scenario, outcome = sweep.schedule(seed or 0)
        to = console()
        to.print(f"{scenario.name}\n" + "\n".join(outcome.log))
        to.print(f"Violated: {outcome.violation}" if outcome.violation else "Every invariant holds.")
        raise typer.Exit(1 if outcome.violation else 0)
    with progress_bar(MofNCompleteColumn(), quiet=json) as show:
        for swept in sweep.sweep(seed or 0, count):
            show(f"{swept.faults.total()} faults, {len(swept.failed)} failed", swept.schedules, count)
    if json:
        print(to_json(as_plain(swept) | {"per_minute": swept.per_minute}))
    else:
        _report(console(), swept)
    if swept.failed:
        raise typer.Exit(1)


def _report(to: Console, swept: Swept) -> None:
    rows = [(kind, thousands(n)) for kind, n in swept.faults.most_common()]
    to.print(grid(rows, "fault", "times", right=(1,)))
    to.print(
        f"\n{thousands(swept.schedules)} schedules, {thousands(swept.faults.total())} faults, "
        f"{thousands(round(swept.per_minute))} schedules per minute of processor time"
    )
    to.print("In each: " + "; ".join(INVARIANTS) + ".")
    if not swept.failed:
        to.print("Every invariant holds in all of them.")
    for failed in swept.failed[:_SHOWN]:
        to.print(f"Seed {failed.seed} ({failed.scenario}): {failed.violation}")
        to.print(f"  azgen simulate --seed {failed.seed}", style="bold")
    if len(swept.failed) > _SHOWN:
        to.print(f"... and {len(swept.failed) - _SHOWN} more")
