"""Discovery by seed: processor seconds that a preset takes to a champion of some fitness on its test tasks.

    python benchmarks/discovery.py two-layer --seeds 0-9 --goal 0.87 --max-programs 40000000

    python benchmarks/discovery.py two-layer --seeds 0-9 --against zoo:neural-net

One line a seed, as soon as it is known, then success, median and mean. A seed fails when its champion is
below the goal on the test tasks, which no part of the search has seen; or below a program that is tuned (by
the cross-entropy method, on the run's search and selection tasks; its time does not count) on the same tasks.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import azgen
from azgen.language.zoo import find_program
from azgen.study.finished import Run
from azgen.study.racer import TuningTasks
from azgen.study.scores import Interval
from azgen.study.starts import tune_starts


def seeds_of(text: str) -> range:
    """Seeds from "first-last", or a single one."""
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def run_of(config: Any, **overrides: Any) -> Run:
    """A run with few baselines, whose folder is gone when it has ended."""
    folder = Path(tempfile.mkdtemp())
    try:
        return azgen.evolve(config, out=folder / "run", baselines="few", **overrides)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def difference(run: Run, name: str) -> tuple[float, Interval]:
    """A tuned program's fitness on the test tasks, and by how much the champion is better."""
    tasks = run.tasks
    known = (*tasks.search, *tasks.select)
    tuned = tune_starts({name: find_program(name)}, TuningTasks(known, tasks.select), epochs=(1,)).members[0]
    fitness = azgen.execute(tuned.program, tasks.test, dtype=run.settings.dtype).fitness
    return float(fitness.mean()), Interval.of(run.outcome.test_fitness - fitness)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("preset")
    parser.add_argument("--seeds", default="0-9", help="first-last")
    parser.add_argument("--goal", type=float, default=0.0, help="fitness on the test tasks")
    parser.add_argument("--against", help="a program to be tuned and beaten, such as zoo:neural-net")
    parser.add_argument("--max-programs", type=int, default=40_000_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--islands", type=int, default=1)
    given = parser.parse_args()
    seconds, found = [], 0
    for seed in seeds_of(given.seeds):
        run = run_of(
            given.preset,
            seed=seed,
            max_programs=given.max_programs,
            islands=given.islands,
            workers=given.workers,
        )
        used, programs = run.outcome.cpu_seconds, run.counts["programs"]
        seconds.append(used)
        ahead, other = True, ""
        if given.against:
            fitness, more = difference(run, given.against)
            ahead, other = more.mean > 0, f"{given.against} tuned {fitness:.3f} (difference {more}), "
        found += run.test_fitness >= given.goal and ahead
        print(
            f"seed {seed}: test {run.test_fitness:.3f}, selection {run.champion.select_fitness:.3f}, "
            f"{other}{used:.1f} processor seconds, {programs:,} programs, {run.reason}",
            flush=True,
        )
    print(
        f"{found} of {len(seconds)} seeds succeed; processor seconds: median "
        f"{statistics.median(seconds):.1f}, mean {statistics.fmean(seconds):.1f}, most {max(seconds):.1f}"
    )


if __name__ == "__main__":
    main()
