"""Evolving a learner for small tables, beside the baselines, on test rows that nothing before has seen.

    python benchmarks/tables.py [--seeds 5] [--max-programs 30000] [--folder FOLDER] [--json FILE]

Scikit-learn's bundled sets are written out as CSV files and given to `azgen evolve --data FILE --target
COLUMN`. Every seed sets other test rows aside, so that the intervals over seeds say what to expect on rows
of the same kind. (The interval that a single run prints is over orders of training with the same test rows,
and narrower.)
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import azgen
from azgen.study.scores import Interval
from azgen.tasks.datasets import load_data_set


def write_tables(folder: Path) -> dict[str, tuple[Path, str]]:
    """CSV files by name, each with its target column. "wine" and "digits" ask for the first cultivar and odd
    digits, "wine-3" and "digits-10" for all classes."""
    tables: dict[str, tuple[Path, str]] = {}
    for name in ("wine", "breast-cancer", "diabetes", "digits", "wine-3", "digits-10"):
        data = load_data_set(name.partition("-")[0] if name[-1].isdigit() else name)
        columns, target = data.table().columns, "target"
        if name == "wine":
            columns["target"] = np.where(columns.target == "class_0", "first", "other")
        if name == "digits":
            columns["target"] = np.where(data.y % 2 == 1, "odd", "even")
        # Pixels that are always 0 tell nothing, and azgen asks for their removal.
        varying = [c for c in columns if columns[c].nunique() > 1]
        path = folder / f"{name}.csv"
        pd.DataFrame(columns[varying]).to_csv(path, index=False)
        tables[name] = path, target
    return tables


def run_once(path: Path, target: str, seed: int, max_programs: int, out: Path) -> dict[str, Any]:
    began = time.perf_counter()
    run = azgen.evolve(data=path, target=target, seed=seed, max_programs=max_programs, out=out)
    return {
        "seconds": time.perf_counter() - began,
        "search_seconds": run.outcome.seconds,
        "metric": str(run.tasks.metric),
        "program": str(run.champion.program),
        "search": run.search.interval.mean,
        "select": run.select.interval.mean,
        "test": {"azgen's champion": run.test_fitness} | {s.name: s.interval.mean for s in run.baselines},
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--max-programs", type=int, default=30_000, help="of each run")
    parser.add_argument("--sets", default="wine,breast-cancer,diabetes,digits,wine-3,digits-10")
    parser.add_argument("--folder", type=Path, help="keep the CSV files and the runs here")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    arguments = parser.parse_args()
    record = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        tables = write_tables(folder)
        for name in arguments.sets.split(","):
            path, target = tables[name]
            runs = [
                run_once(path, target, seed, arguments.max_programs, folder / f"{name}-{seed}")
                for seed in range(arguments.seeds)
            ]
            record[name] = runs
            report(name, runs)
    if arguments.json:
        arguments.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


def report(name: str, runs: list[dict[str, Any]]) -> None:
    champion = np.array([run["test"]["azgen's champion"] for run in runs])
    seconds, search = (np.mean([run[key] for run in runs]) for key in ("seconds", "search_seconds"))
    on_search, on_select = (np.mean([run[key] for run in runs]) for key in ("search", "select"))
    print(
        f"\n{name}: {runs[0]['metric']} on the test rows, mean ± 95 % interval over {len(runs)} seeds; "
        f"{seconds:.0f} s a run, {search:.0f} s of it search;\nchampion on search tasks {on_search:.4f}, on "
        f"selection tasks {on_select:.4f}"
    )
    for model in runs[0]["test"]:
        values = np.array([run["test"][model] for run in runs])
        better = Interval.of(champion - values)
        difference = "" if (values == champion).all() else f"{better.mean:+.4f} ± {better.half_width:.4f}"
        print(f"  {model:<62} {Interval.of(values)!s:<18} {difference}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
