"""What a run found, printed from the values of result.json, so that `evolve` and `show` say the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azgen.cli.output import duration, grid, interval, ladder, print_code, thousands

if TYPE_CHECKING:
    from rich.console import Console

_SETS = (("search", "search"), ("select", "selection"), ("test", "test"))


def print_champion(to: Console, result: Mapping[str, Any]) -> None:
    """The champion's text, and where it came from."""
    champion, counts = result["champion"], result["counts"]
    to.print(
        f"Champion: program {thousands(champion['number'])} of {thousands(counts['programs'])} "
        f"({result['name']}, seed {result['seed']}, {result['dtype']})",
        style="bold",
    )
    print_code(to, champion["program"])


def print_fitness(to: Console, result: Mapping[str, Any]) -> None:
    """Fitness on the three task sets, and the baselines on the test tasks."""
    regression, meaning = result["metric"] == "rmse", result.get("fitness_is", result["metric"])
    to.print(f"\nFitness: {meaning}, mean ± 95 % confidence interval over tasks; 1 is perfect", style="bold")
    rows = []
    for key, name in _SETS:
        record = result[key]
        rows.append(
            (
                f"champion on {record['fitness']['n']} {name} tasks",
                interval(record["fitness"]),
                "",
                *_error(record),
            )
        )
    for record in result["baselines"]:
        difference = interval(record.get("champion_minus_this"))
        sign = "+" if difference and not difference.startswith("-") else ""
        rows.append((f"  {record['name']}", interval(record["fitness"]), sign + difference, *_error(record)))
    headers = ["", "fitness", "champion is better by", *(["RMS error"] if regression else [])]
    place = len(_SETS)
    rows.insert(place, ("on the same test tasks:", "", "", *([""] if regression else [])))
    to.print(grid(rows, *headers, right=(3,)))
    if any(", tuned (" in record["name"] for record in result["baselines"]):
        to.print("(Tuned: its constants are the best of random settings on the search and selection tasks.)")
    if result.get("source") == "table":
        to.print(
            "(A table's test tasks share their test rows: intervals show what the order of training does.)"
        )


def _error(record: Mapping[str, Any]) -> tuple[str, ...]:
    if "rms_error" not in record:
        return ()
    error = record["rms_error"]
    return ("infinite" if error is None else f"{error:.4g}",)


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
