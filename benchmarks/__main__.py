"""Everything that is measured, beside the figures of the original AutoML-Zero, as tables in Markdown.

    python -m benchmarks [--quick] [--json FILE] [--compare FILE] [--plot FILE.png] WHAT...

To be run in the checkout. `azgen bench` has compile, startup and most of evaluation,
search and crossover of it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from azgen.bench.figures import Figure, Report
from azgen.bench.suite import BENCHMARKS, measure
from azgen.errors import AzgenError
from azgen.study.report.plots import require_matplotlib
from benchmarks.backends import measure_backends
from benchmarks.crossover import measure_crossover_and_model
from benchmarks.definition import measure_evaluation_and_oracle
from benchmarks.effort import QUICK, FullEffort
from benchmarks.first import measure_first
from benchmarks.ladder import measure_ladder
from benchmarks.memory import measure_memory
from benchmarks.performance_tables import row, table
from benchmarks.plot import draw
from benchmarks.populations import measure_populations
from benchmarks.random_programs import measure_random
from benchmarks.solve import measure_solve
from benchmarks.workers import measure_workers

ALL: Mapping[str, Callable[[Any], list[Figure]]] = {
    **BENCHMARKS,
    "evaluation": measure_evaluation_and_oracle,
    "search": measure_populations,
    "crossover": measure_crossover_and_model,
    "random": measure_random,
    "ladder": measure_ladder,
    "solve": measure_solve,
    "first": measure_first,
    "backends": measure_backends,
    "workers": measure_workers,
    "memory": measure_memory,
}


def observe(name: str, figures: list[Figure]) -> None:
    """Prints a benchmark's table when it has been measured."""
    if figures:
        print("\n".join(table(name, tuple(figures))), flush=True)
    else:
        print(f"\n{name}: {(ALL[name].__doc__ or '').splitlines()[0]}\n", flush=True)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser("python -m benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", nargs="+", metavar="WHAT", help=f"{', '.join(ALL)} or all")
    parser.add_argument("--quick", action="store_true", help="fewer runs, seeds and programs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="ratios to a result that --json wrote")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the figures (needs matplotlib)")
    options = parser.parse_args(arguments)
    # What would fail at the end fails now.
    earlier = Report.read(options.compare) if options.compare else None
    if options.plot:
        require_matplotlib("--plot needs")
    report = measure(options.what, QUICK if options.quick else FullEffort(), observe, ALL)
    if earlier is not None:
        print("\nCompared with the earlier result (above 1: slower, or larger)\n")
        for c in report.compared_with(earlier):
            print(row(*c.now.key, f"{c.factor:.2f}", "SLOWER" if c.slower else ""))
    if options.json:
        report.write(options.json)
    if options.plot:
        draw(report, options.plot)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except AzgenError as error:
        sys.exit(f"error: {error}")
