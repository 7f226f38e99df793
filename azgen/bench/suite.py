"""All benchmarks by name, and measuring some of them into a report."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TypeVar

from azgen.bench.compiling import measure_compile, measure_crossover
from azgen.bench.effort import Effort
from azgen.bench.evaluation import measure_evaluation
from azgen.bench.figures import Figure, Report
from azgen.bench.searching import measure_search
from azgen.bench.startup import measure_startup
from azgen.codegen.lanes import lane_type
from azgen.errors import AzgenError
from azgen.study.environment import machine

E = TypeVar("E", bound=Effort)

BENCHMARKS: dict[str, Callable[[Effort], list[Figure]]] = {
    "evaluation": measure_evaluation,
    "search": measure_search,
    "compile": measure_compile,
    "crossover": measure_crossover,
    "startup": measure_startup,
}
"""What measures a benchmark, in the order of measuring; its docstring says what."""

QUICK_SET = ("evaluation", "search", "compile", "startup")
"""Benchmarks that run when none is named, with little effort."""


def measure(
    names: Sequence[str],
    effort: E,
    observe: Callable[[str, list[Figure]], None] = lambda name, figures: None,
    benchmarks: Mapping[str, Callable[[E], list[Figure]]] = BENCHMARKS,
) -> Report:
    """Runs benchmarks.

    Args:
        names: of `benchmarks`, or "all".
        effort: how much is measured.
        observe: called with each benchmark's name and an empty list before it, and with its figures after it.
        benchmarks: what there is to run.

    Raises:
        AzgenError: no such benchmark.
    """
    chosen = tuple(benchmarks) if "all" in names else tuple(dict.fromkeys(names))
    for name in chosen:
        if name not in benchmarks:
            raise AzgenError(f"there is no benchmark {name!r}; there are {', '.join(benchmarks)} and all")
    lanes = {"lanes": lane_type("float32", 1).lanes, "dtype": "float32"}
    environment = machine() | lanes | {"load_before": _load()}
    figures, seconds = list[Figure](), dict[str, float]()
    for name in chosen:
        observe(name, [])
        began = time.perf_counter()
        found = benchmarks[name](effort)
        seconds[name] = time.perf_counter() - began
        figures += found
        observe(name, found)
    environment["load_after"] = _load()
    options = {"benchmarks": list(chosen), "effort": asdict(effort), "seconds": seconds}
    return Report(environment, options, tuple(figures))


def _load() -> float | None:
    """Processes that wanted to run, on average of the last minute; None where the system does not tell."""
    try:
        return round(os.getloadavg()[0], 2)
    except OSError:
        return None
