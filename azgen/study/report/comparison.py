"""Runs beside each other, and the table of baselines as CSV and LaTeX."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from azgen.errors import AzgenError
from azgen.runs.directory import RESULT, ROOT
from azgen.runs.saved import SavedRun, is_run, load_run
from azgen.study.scores import Interval
from azgen.study.verdict import standing

Record = Mapping[str, Any]


def runs_in(folder: Path = ROOT) -> list[tuple[Path, SavedRun | None, str]]:
    """The run directories in a folder, last changed first, each with what can be read of it, and why not."""
    found: list[tuple[Path, SavedRun | None, str]] = []
    paths = [path for path in folder.iterdir() if is_run(path)] if folder.is_dir() else []
    for path in sorted(paths, key=lambda p: -p.stat().st_mtime):
        try:
            found.append((path, load_run(path), ""))
        except AzgenError as error:
            found.append((path, None, str(error)))
    return found


def require_results(runs: Sequence[SavedRun]) -> None:
    """Checks that runs have ended.

    Raises:
        AzgenError: one has not; says which.
    """
    for run in runs:
        if run.result is None:
            raise AzgenError(f"{run.path} is not finished (there is no {RESULT}): azgen resume {run.path}")


def difference(one: Record, other: Record) -> Interval | None:
    """Fitness on the test tasks of a run minus that of another, paired by task.

    None where the tasks are not the same, or the runs do not say what they scored on each.

    Args:
        one, other: content of result.json.
    """
    mine, others = (record["test"].get("per_task") for record in (one, other))
    known = mine and others and "test_digest" in one
    if not known or any(one[key] != other.get(key) for key in ("metric", "test_digest")):
        return None
    return Interval.of([a - b for a, b in zip(mine, others, strict=True)])


def over_runs(runs: Sequence[SavedRun]) -> Interval:
    """Mean test fitness of several runs and its interval over runs."""
    return Interval.of([run.result["test"]["fitness"]["mean"] for run in runs if run.result])


_COLUMNS = ("name", "fitness", "half_width", "tasks", "champion_minus_this", "difference_half_width")


def beside_baselines(result: Record) -> list[dict[str, Any]]:
    """Champion and baselines on the test tasks, best first; what diverged comes last.

    Args:
        result: content of result.json.
    """
    place = standing(result)
    diverged = [record for record in result["baselines"] if record["name"] in place.diverged]
    rows = []
    for record in (*place.rows, *diverged):
        fitness, paired = record["fitness"], record.get("champion_minus_this") or {}
        row = {"name": record["name"], "fitness": fitness["mean"], "half_width": fitness["half_width"]}
        row |= {"tasks": fitness["n"], "champion_minus_this": paired.get("mean")}
        row |= {"difference_half_width": paired.get("half_width")}
        rows.append(row | {name: record.get(name) for name in ("r2", "rms_error")})
    return rows


def as_csv(result: Record) -> str:
    """The champion and the baselines on the test tasks as CSV: numbers in full, an empty cell for none.

    Args:
        result: content of result.json.
    """
    rows = beside_baselines(result)
    more = [name for name in ("r2", "rms_error") if any(row[name] is not None for row in rows)]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, (*_COLUMNS, *more), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def as_latex(result: Record) -> str:
    """The same as a LaTeX table (package booktabs)."""
    lines = [
        r"\begin{tabular}{lrr}",
        r"\toprule",
        r" & fitness & champion is better by \\",
        r"\midrule",
    ]
    for row in beside_baselines(result):
        cells = (
            _latex(row["fitness"], row["half_width"]),
            _latex(row["champion_minus_this"], row["difference_half_width"], "+"),
        )
        lines.append(" & ".join((_escaped(row["name"]), *cells)) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _latex(mean: float | None, half_width: float | None, sign: str = "") -> str:
    if mean is None:
        return ""
    if not half_width or half_width < 1e-12:
        return f"${mean:{sign}.4f}$"
    digits = min(max(1 - math.floor(math.log10(half_width)), 3), 9)
    return rf"${mean:{sign}.{digits}f} \pm {half_width:.{digits}f}$"


def _escaped(text: str) -> str:
    return "".join("\\" + c if c in "&%$#_{}" else c for c in text)
