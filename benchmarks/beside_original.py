"""azgen beside the original AutoML-Zero, in turns on one machine (docs/performance.md).

    python -m benchmarks.beside_original BINARY [--rounds 5]

BINARY is what benchmarks/original_evaluation.cc becomes, compiled with the original's sources. µs of user CPU
of one evaluation: in each round the original and each of azgen's executors run several times; the medians of
all are compared. What is printed is a table in Markdown.
"""

from __future__ import annotations

import argparse
import subprocess
from statistics import median

from azgen.bench.evaluation import (
    INTERLEAVED,
    NATIVE,
    YARDSTICK,
    evaluation_works,
    native_work,
    work_name,
    yardstick_work,
)
from azgen.bench.timing import in_turns
from azgen.bench.workloads import N_VALID, regression_tasks
from azgen.language.zoo import zoo
from benchmarks.performance_tables import number

WORKS = [
    *(("linear", F, 10) for F in (4, 8, 16, 32)),
    *(("neural-net", F, 10) for F in (4, 8, 16, 32)),
    *(("neural-net", F, 1) for F in (8, 16)),
]
"""Program, F and tasks."""

PREPARED = "native, prepared"
N_TRAIN, RUNS, SECONDS = 1000, 5, 0.02


def original(binary: str, name: str, n_features: int, n_tasks: int) -> list[float]:
    """µs of some evaluations by the original."""
    numbers = map(str, (n_features, n_tasks, N_TRAIN, N_VALID, RUNS))
    finished = subprocess.run([binary, name, *numbers], check=True, capture_output=True, text=True)
    return [float(line) for line in finished.stderr.split()]


def row(binary: str, name: str, n_features: int, n_tasks: int, rounds: int) -> str:
    """One evaluation by all, and how many times as fast as the original they are."""
    tasks = regression_tasks(n_features, N_TRAIN)[:n_tasks]
    works = evaluation_works(name, n_features, N_TRAIN, n_tasks)
    works[PREPARED] = native_work(zoo(name), tasks, often=True)
    works[YARDSTICK] = yardstick_work(zoo(name), tasks)
    theirs: list[float] = []
    ours: dict[str, list[float]] = {by: [] for by in works}
    for _ in range(rounds):
        theirs += original(binary, name, n_features, n_tasks)
        for by, values in in_turns(works, RUNS, SECONDS).items():
            ours[by] += [value / len(works[by].fitness) for value in values]
    cells = [work_name(name, n_features, N_TRAIN, n_tasks), number(median(theirs))]
    for by in (YARDSTICK, INTERLEAVED, NATIVE, PREPARED):
        cells += [number(median(ours[by])), f"{median(theirs) / median(ours[by]):.1f}x"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"| work | original | {YARDSTICK} | | {INTERLEAVED} | | {NATIVE} | | {PREPARED} | |")
    print("|---|" + "--:|" * 9)
    for name, n_features, n_tasks in WORKS:
        print(row(options.binary, name, n_features, n_tasks, options.rounds), flush=True)


if __name__ == "__main__":
    main()
