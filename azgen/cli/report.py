"""What a run found, printed from the values of result.json, so that `evolve` and `show` say the same."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from azgen.cli.listing import print_code
from azgen.cli.output import duration, grid, interval, ladder, spaced, thousands
from azgen.extras import installed, missing
from azgen.language.conditions import Conditions
from azgen.runs.members import ranked
from azgen.runs.saved import SavedRun
from azgen.study.verdict import loses_to_a_constant, standing, verdict
from azgen.study.wording import SET_NAMES, signed

_MOST_ROWS, _MOST_LINES = 7, 30
"""Of the summary's table, and of the champion's source."""

_LEAST_LINES, _OTHER_LINES = 12, 24
"""Of the champion's source on a small screen; and of the summary besides."""

_REGISTER = re.compile(r"  # [svm]\d+$")
_ASIDE = re.compile(r" \([^()]*\)$")
"""What a baseline is, or how it was tuned, behind its name."""

_SOME_TABLE = "data.csv --target COLUMN"


def print_champion(to: Console, result: Mapping[str, Any]) -> None:
    """The champion's text, and where it came from."""
    champion, counts = result["champion"], result["counts"]
    if warning := loses_to_a_constant(result):
        to.print(warning, style="bold yellow", highlight=False)
    which = champion.get("origin") or (
        f"program {thousands(champion['number'])} of {thousands(counts['programs'])}"
    )
    arithmetic = Conditions(dtype=result["dtype"], fused=result.get("fused", False)).arithmetic
    to.print(
        f"Champion: {which} ({result['name']}, seed {result['seed']}, {arithmetic})",
        style="bold",
        highlight=False,
    )
    print_code(to, champion["program"])
    print_choice(to, result)


def print_choice(to: Console, result: Mapping[str, Any]) -> None:
    """What the champion is, if it is known, and why it was chosen."""
    choice, epochs = result.get("choice"), result.get("epochs", 1)
    if not choice:  # runs of before do not say
        return
    passes = f"; it learns in {epochs} passes over the training examples" if epochs > 1 else ""
    if choice["known"]:
        to.print(f"This is {choice['known']}{passes}.", highlight=False)
    elif passes:
        to.print(f"I{passes[3:]}.", highlight=False)
    why = f"Chosen among {choice['considered']} programs"
    if choice["failing"]:
        why += f" ({choice['failing']} of which fail on some selection task)"
    if choice["level"] > 1:
        why += f": the cheapest of {choice['level']} within one standard error of the best"
        why += f" ({choice['best_select_fitness']:.4f} on selection tasks)"
    to.print(f"{why}.", highlight=False)
    if choice["pruned"]:
        n = len(choice["pruned"])
        to.print(f"{n} line{'s' if n > 1 else ''} taken out that it does as well without.", highlight=False)
    if choice.get("tuned"):
        to.print("Its constants were tuned when the search had ended.", highlight=False)
    for warning in choice.get("warnings", ()):  # runs of before do not say
        to.print(f"Beware: {warning}", highlight=False)


def print_hall(to: Console, run: SavedRun) -> None:
    """The hall of fame by rank: what `azgen export RUN --member N` can write."""
    result = run.result or {}
    members = {m["hash"]: m for m in (result.get("choice") or {}).get("members", ())}
    rows = []
    for rank, champion in enumerate(ranked(run.hall_of_fame), 1):
        measured = members.get(champion.program.hash, {})
        mine = champion is run.champion
        fitness = interval(result["select"]["fitness"] if mine and result else measured.get("select"))
        notes = ["the champion"] if mine and result else []
        notes += [f"picked by {rule}" for rule in champion.picked_by]
        notes += [f"start: {champion.origin}"] if champion.origin else []
        notes += [] if measured.get("holds", True) else ["fails when trained longer, or on some task"]
        rows.append(
            (
                str(rank),
                fitness or f"{champion.select_fitness:.4f}",
                f"{champion.search_fitness:.4f}",
                f"{champion.cost:.0f}",
                champion.program.size,
                "*" if champion.on_front else "",
                "; ".join(notes),
            )
        )
    to.print(
        "\nHall of fame (cost: multiplications of one training example; *: none is both fitter and cheaper)",
        style="bold",
    )
    headers = ("rank", "selection fitness", "search", "cost", "instructions", "front", "")
    to.print(grid(rows, *headers, right=(0, 2, 3)))
    to.print(f"Write one as a Python module: azgen export {run.path} --member N")


def print_fitness(to: Console, result: Mapping[str, Any]) -> None:
    """The verdict; fitness on the three task sets; and the champion among the baselines on the test tasks."""
    meaning = result.get("fitness_is", result["metric"])
    place = standing(result)
    to.print(f"\n{verdict(result)}", style="bold", highlight=False)
    to.print(f"\nFitness: {meaning}, mean ± 95 % confidence interval over tasks; 1 is perfect", style="bold")
    rows = [
        (f"champion on {result[key]['fitness']['n']} {name} tasks", interval(result[key]["fitness"]))
        for key, name in SET_NAMES.items()
    ]
    to.print(grid(rows, "", "fitness"))
    to.print("\nOn the same test tasks", style="bold")
    to.print(_beside(result, place.rows))
    if place.diverged:
        to.print(f"Diverged: {', '.join(place.diverged)}.", highlight=False)
    _print_without_sklearn(to, result)
    if any(", tuned (" in record["name"] for record in result["baselines"]):
        to.print("(Tuned: its constants are the best of random settings on the search and selection tasks.)")
    if result.get("source") == "table":
        to.print(
            "(A table's test tasks share their test rows: intervals of fitness show what the order of "
            "training does, those of differences what the rows do.)"
        )


def _print_without_sklearn(to: Console, result: Mapping[str, Any]) -> None:
    """Whose models are not among the baselines, where a package is not installed."""
    compared = any(record["name"].startswith("scikit-learn ") for record in result["baselines"])
    if not compared and not installed("sklearn"):
        what = "Baselines other than programs and a linear model need"
        to.print(f"({missing('sklearn', what)})", highlight=False)


def _beside(result: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], *, short: bool = False) -> Table:
    """Champion and baselines on the test tasks, the latter by their names alone if that is to be short."""
    if short:
        rows = [{**row, "name": _ASIDE.sub("", str(row.get("name", "")))} for row in rows]
    target = result.get("target") or {}
    units = [name for name in ("r2", "rms_error") if result["test"].get(name) is not None]
    unit = f" ({target['name']})" if target else ""
    titles = {"r2": "R2", "rms_error": f"RMS error{unit}"}
    count = result["test"]["fitness"]["n"]
    table = [(*_row(record, count), *_errors(record, units, target.get("scale", 1.0))) for record in rows]
    headers = ["", "fitness", "champion is better by", *(titles[name] for name in units)]
    return grid(table, *headers, right=tuple(range(3, 3 + len(units))))


def print_summary(
    to: Console, result: Mapping[str, Any], learner: Sequence[str], table: str = _SOME_TABLE
) -> None:
    """What fits a screen: the verdict, the best of the baselines, the champion as Python, where it is.

    Args:
        learner: lines of the champion's class Learner.
        table: of the run, as words for its champion.py.
    """
    to.print(verdict(result), style="bold", highlight=False)
    place = standing(result)
    champion = next(n for n, row in enumerate(place.rows) if "champion_minus_this" not in row)
    rows = list(place.rows[:_MOST_ROWS])
    if champion >= _MOST_ROWS:
        rows[-1] = place.rows[champion]
    to.print(_beside(result, rows, short=True))
    left = len(result["baselines"]) + 1 - len(rows)
    seconds = f"{duration(result['seconds'])}, {duration(result['cpu_seconds'])} of processor time"
    to.print(f"{f'and {left} more; ' if left else ''}{seconds}", highlight=False)
    _print_without_sklearn(to, result)
    choice = result.get("choice") or {}
    to.print(f"\nThe champion{_known(choice)}", style="bold", highlight=False)
    lines, most = _for_a_screen(learner), _MOST_LINES
    if to.is_terminal:  # a long line takes several of the screen
        room, taken = max(_LEAST_LINES, to.height - _OTHER_LINES), accumulate(_rows(to, lines))
        most = min(most, sum(rows <= room for rows in taken))
    print_code(to, "\n".join(lines[:most]))
    if len(lines) > most:
        to.print(f"... {len(lines) - most} lines more in {result['export']}", highlight=False)
    for warning in choice.get("warnings", ()):
        to.print(f"Beware: {warning}", highlight=False)
    where = result["directory"]
    to.print(f"\nIt runs on a table: python {result['export']} {table}", soft_wrap=True)
    to.print(f"More of it: azgen show {where}, or explain, lineage, report, export", soft_wrap=True)


def _for_a_screen(learner: Sequence[str]) -> list[str]:
    """Lines of the class Learner without what the file says better: all parameters, and registers."""
    found, skipping = list[str](), False
    for line in learner:
        if line.strip() == "def __init__(":
            found.append("    def __init__(self, n_features, ...):")
            skipping = True
        elif not skipping:
            found.append(_REGISTER.sub("", line))
        skipping = skipping and line.strip() != "):"
    return found


def _rows(to: Console, lines: Sequence[str]) -> list[int]:
    """How many lines of the screen each line takes."""
    return [max(1, -(-len(line) // to.width)) for line in lines]


def _known(choice: Mapping[str, Any]) -> str:
    return f", {choice['known']}" if choice.get("known") else ""


def _row(record: Mapping[str, Any], count: int) -> tuple[str, str, str]:
    """A line of the table: name, fitness, and by how much the champion is better; fewer tasks than `count`
    are said."""
    if "champion_minus_this" not in record:
        return "> the champion", interval(record["fitness"]), ""
    n = record["fitness"]["n"]
    few = "" if n == count else f" ({n} task{'s' * (n != 1)})"
    return f"  {record['name']}{few}", interval(record["fitness"]), signed(record["champion_minus_this"])


def _errors(record: Mapping[str, Any], units: Sequence[str], scale: float) -> tuple[str, ...]:
    """R2 and RMS error, the latter in the target's unit."""
    shown = []
    for name in units:
        value = record.get(name)
        if value is None or math.isinf(value):
            shown.append("infinite" if name == "rms_error" else "-")
        else:
            shown.append(f"{value:.3f}" if name == "r2" else f"{value * scale:.4g}")
    return tuple(shown)


def print_ladder(to: Console, result: Mapping[str, Any]) -> None:
    """What became of the programs, and how long it took."""
    to.print("\nWhat became of the programs", style="bold")
    to.print(
        grid([("all", thousands(result["counts"]["programs"]), ""), *ladder(result["counts"])], right=(1, 2))
    )
    ratings = result.get("ratings")
    if ratings:  # runs by azgen 0.1 do not say
        to.print(
            f"Evaluated on the kernel: {thousands(ratings['kernel'])}; "
            f"natively: {thousands(ratings['native'])} ({thousands(ratings['compiled'])} programs compiled); "
            f"champions compiled: {thousands(ratings['champions'])}"
        )
    quarantined = {suspect["program"]: suspect["cause"] for suspect in result.get("quarantined", ())}
    if quarantined:
        to.print("\nIn quarantine, as they killed or hung what ran them", style="bold")
    for program, cause in quarantined.items():
        to.print(f"{cause}:")
        print_code(to, program)
    to.print(
        f"\n{duration(result['seconds'])} ({duration(result['cpu_seconds'])} of processor time); "
        f"the search ended because of: {spaced(result['reason'])}"
    )


def print_files(to: Console, result: Mapping[str, Any], table: str = _SOME_TABLE) -> None:
    """Where the champion is, and how to read and run it."""
    directory, export = Path(result["directory"]), result["export"]
    kind = "classifier" if result["classification"] else "regressor"
    to.print("\nFiles", style="bold")
    to.print(
        grid(
            [
                (export, f"the champion as a scikit-learn style {kind} that needs NumPy alone"),
                ("", "read the class Learner at its top: that is the algorithm"),
                ("", f"run it on a table: python {export} {table}"),
                (f"{directory}/", f"all of the run; see it again with: azgen show {directory}"),
            ]
        )
    )
