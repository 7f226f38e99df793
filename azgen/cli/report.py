"""What a run found, printed from the values of result.json, so that `evolve` and `show` say the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azgen.cli.output import duration, grid, interval, ladder, print_code, thousands

if TYPE_CHECKING:
    from rich.console import Console

_SETS = (("search", "search"), ("select", "selection"), ("test", "test"))


def print_champion(to: Console, result: Mapping[str, Any]) -> None:
    """The champion's text, and where it came from."""
    from azgen.study.verdict import loses_to_a_constant

    champion, counts = result["champion"], result["counts"]
    if warning := loses_to_a_constant(result):
        to.print(warning, style="bold yellow", highlight=False)
    which = champion.get("origin") or (
        f"program {thousands(champion['number'])} of {thousands(counts['programs'])}"
    )
    to.print(
        f"Champion: {which} ({result['name']}, seed {result['seed']}, {result['dtype']})",
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
    for warning in choice.get("warnings", ()):  # runs of before do not say
        to.print(f"Beware: {warning}", highlight=False)


def print_fitness(to: Console, result: Mapping[str, Any]) -> None:
    """The verdict; fitness on the three task sets; and the champion among the baselines on the test tasks."""
    from azgen.study.verdict import standing, verdict

    meaning = result.get("fitness_is", result["metric"])
    place = standing(result)
    to.print(f"\n{verdict(result)}", style="bold", highlight=False)
    to.print(f"\nFitness: {meaning}, mean ± 95 % confidence interval over tasks; 1 is perfect", style="bold")
    rows = [
        (f"champion on {result[key]['fitness']['n']} {name} tasks", interval(result[key]["fitness"]))
        for key, name in _SETS
    ]
    to.print(grid(rows, "", "fitness"))
    target = result.get("target") or {}
    units = [name for name in ("r2", "rms_error") if result["test"].get(name) is not None]
    unit = f" ({target['name']})" if target else ""
    titles = {"r2": "R2", "rms_error": f"RMS error{unit}"}
    table = [(*_row(record), *_errors(record, units, target.get("scale", 1.0))) for record in place.rows]
    to.print("\nOn the same test tasks", style="bold")
    headers = ["", "fitness", "champion is better by", *(titles[name] for name in units)]
    to.print(grid(table, *headers, right=tuple(range(3, 3 + len(units)))))
    if place.diverged:
        to.print(f"Diverged: {', '.join(place.diverged)}.", highlight=False)
    if any(", tuned (" in record["name"] for record in result["baselines"]):
        to.print("(Tuned: its constants are the best of random settings on the search and selection tasks.)")
    if result.get("source") == "table":
        to.print(
            "(A table's test tasks share their test rows: intervals of fitness show what the order of "
            "training does, those of differences what the rows do.)"
        )


def _row(record: Mapping[str, Any]) -> tuple[str, str, str]:
    """A line of the table: name, fitness, and by how much the champion is better."""
    if "champion_minus_this" not in record:
        return "> the champion", interval(record["fitness"]), ""
    difference = interval(record["champion_minus_this"])
    sign = "+" if difference and not difference.startswith("-") else ""
    return f"  {record['name']}", interval(record["fitness"]), sign + difference


def _errors(record: Mapping[str, Any], units: Sequence[str], scale: float) -> tuple[str, ...]:
    """R2 and RMS error, the latter in the target's unit."""
    shown = []
    for name in units:
        value = record.get(name)
        if value is None or math.isinf(value):
            shown.append("-")
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
        f"the search ended because of: {result['reason']}"
    )


def print_files(to: Console, result: Mapping[str, Any]) -> None:
    """Where the champion is, and how to read and run it."""
    directory, export = Path(result["directory"]), result["export"]
    kind = "classifier" if result["classification"] else "regressor"
    to.print("\nFiles", style="bold")
    to.print(
        grid(
            [
                (export, f"the champion as a scikit-learn style {kind} that needs NumPy alone"),
                ("", "read the class Learner at its top: that is the discovered algorithm"),
                ("", f"run it on a table: python {export} data.csv --target COLUMN"),
                (f"{directory}/", f"all of the run; see it again with: azgen show {directory}"),
            ]
        )
    )
