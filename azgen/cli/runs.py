"""`azgen runs` and `compare`: what runs have come to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from azgen.cli.output import console, duration, grid, interval, thousands
from azgen.cli.references import find_run
from azgen.errors import AzgenError
from azgen.runs.directory import ROOT
from azgen.runs.saved import SavedRun
from azgen.study.report.comparison import difference, over_runs, require_results, runs_in
from azgen.study.verdict import standing


def runs(folder: Path | None) -> None:
    """Lists the runs, last changed first."""
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


def compare(references: list[str]) -> None:
    """Prints runs beside each other."""
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
