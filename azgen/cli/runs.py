"""`azgen runs`, `compare`, `lineage`, `report` and `plot`: what runs have come to."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console

from azgen.cli.options import BuildDirOption, use_build_directory
from azgen.cli.output import console, duration, grid, interval, size, thousands
from azgen.cli.programs import find
from azgen.errors import AzgenError
from azgen.files import check_file_place, trouble, write_file
from azgen.runs.directory import ROOT
from azgen.runs.events import Champion
from azgen.runs.members import member as of_rank
from azgen.runs.saved import SavedRun
from azgen.study.lineage import Step, conclusion, lineage
from azgen.study.report.comparison import difference, over_runs, require_results, runs_in
from azgen.study.report.page import render_report
from azgen.study.report.plots import chosen, require_matplotlib, save
from azgen.study.verdict import standing
from azgen.textual import to_json

_RUN = typer.Argument(..., metavar="RUN", help="A run directory, or its name in runs/.")


def find_run(reference: str) -> SavedRun:
    """The run of this name or folder.

    Raises:
        AzgenError: there is none.
    """
    run = find(reference).run
    if run is None:
        raise AzgenError(f"{reference} is no run")
    return run


def runs(
    folder: Path | None = typer.Argument(None, metavar="[DIR]", help="Where they are (default runs/)."),
) -> None:
    """List the runs, last changed first."""
    folder, to, rows = folder or ROOT, console(), []
    for path, run, problem in runs_in(folder):
        if run is None:
            rows.append((path.name, "", "", "", problem.splitlines()[0]))
            continue
        result, settings = run.result, run.settings
        about = f"{settings.name}, seed {settings.seed}"
        if result is None:
            rows.append((path.name, about, "", "", "not finished"))
        else:
            done = f"{thousands(result['counts']['programs'])} in {duration(result['search_seconds'])}"
            known = (result.get("choice") or {}).get("known", "")
            rows.append((path.name, about, interval(result["test"]["fitness"]), done, known))
    if not rows:
        to.print(f"There are no runs in {folder}; `azgen evolve` makes them.")
        return
    to.print(grid(rows, "run", "settings", "test fitness", "programs", "champion"))


def compare(
    references: list[str] = typer.Argument(..., metavar="RUN RUN...", help="Run directories, two or more."),
) -> None:
    """Compare runs: their champions on the test tasks, paired where the tasks are the same."""
    if len(references) < 2:
        raise AzgenError("compare needs two runs or more")
    print_comparison([find_run(reference) for reference in references])


def print_comparison(found: Sequence[SavedRun]) -> None:
    """Runs beside each other; differences are to the first."""
    require_results(found)
    results = [run.result for run in found if run.result is not None]
    rows = []
    for number, (run, result) in enumerate(zip(found, results, strict=True)):
        paired = difference(result, results[0]) if number else None
        others = [row for row in standing(result).rows if "champion_minus_this" in row]
        rows.append(
            (
                run.name,
                interval(result["test"]["fitness"]),
                interval(result["select"]["fitness"]),
                interval(paired.as_record()) if paired else "",
                run.program.size,
                thousands(result["counts"]["programs"]),
                duration(result["cpu_seconds"]),
                f"{others[0]['name']} {interval(others[0]['fitness'])}" if others else "",
            )
        )
    to = console()
    to.print("\nRuns beside each other: mean fitness ± 95 % confidence interval over tasks", style="bold")
    headers = ("", "test", "selection", "minus the first", "instructions", "programs", "cpu", "best baseline")
    to.print(grid(rows, *headers, right=(5, 6)))
    if len({str(result["fitness_is"]) for result in results}) > 1:
        to.print("The runs do not mean the same by fitness: " + "; ".join(r["fitness_is"] for r in results))
    if len(found) > 2:
        to.print(f"over the {len(found)} runs: {over_runs(found)} on test tasks", highlight=False)
    if all(not row[3] for row in rows[1:]):
        to.print("Their test tasks are others, so no differences are paired.")


_STEPS = 12
"""Steps of a lineage that are shown unless all are asked for."""


def show_lineage(
    reference: str = _RUN,
    member: int | None = typer.Option(
        None, "--member", min=1, metavar="N", help="The N-th of the hall of fame in place of the champion."
    ),
    full: bool = typer.Option(False, "--full", help="All steps, and whole listings."),
    json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Print the stepping stones to a run's champion: what it descends from, each compared with the one
    before."""
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


def report(
    reference: str = _RUN,
    output: Path | None = typer.Option(
        None, "-o", "--out", "--output", metavar="FILE.html", help="File to write (default RUN/report.html)."
    ),
    worth: bool = typer.Option(
        True, "--worth/--no-worth", help="Say what each line of the champion is worth, which executes it."
    ),
    build_dir: BuildDirOption = None,
) -> None:
    """Write a run as one HTML page: figures, sources side by side, explanation, tables. Needs matplotlib."""
    use_build_directory(build_dir)
    run = find_run(reference)
    output = output or run.path / "report.html"
    check_file_place(output)
    text = render_report(run, worth=worth)
    write_file(output, text)
    typer.echo(f"{output}: {size(output.stat().st_size)}, everything inside; open it in a browser")


def plot(
    reference: str = _RUN,
    names: list[str] = typer.Argument(None, metavar="[PLOT]...", help="Which plots; without any, all."),
    output: Path | None = typer.Option(
        None, "-o", "--out", "--output", metavar="DIR", help="Folder to write into (default RUN/plots)."
    ),
    png: bool = typer.Option(False, "--png", help="PNG in place of SVG."),
) -> None:
    """Write a run's figures, each as a file of its own. Needs matplotlib."""
    require_matplotlib()
    run = find_run(reference)
    found = chosen(run, names or ())
    output = output or run.path / "plots"
    try:
        output.mkdir(exist_ok=True)
    except OSError as error:
        raise AzgenError(f"cannot write into {output}: {trouble(error)}") from None
    for each in found:
        path = output / f"{each.name}.{'png' if png else 'svg'}"
        save(each, path)
        typer.echo(f"{path}: {each.title.lower()}")
