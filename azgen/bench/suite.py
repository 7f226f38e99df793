"""All benchmarks by name, and measuring some of them into a report."""

from __future__ import annotations

import datetime
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from azgen.bench.compiling import measure_compile
from azgen.bench.crossover import measure_crossover
from azgen.bench.effort import FULL, QUICK, Effort
from azgen.bench.evaluation import measure_evaluation
from azgen.bench.figures import Figure, Report
from azgen.bench.memory import measure_memory
from azgen.bench.random_programs import measure_random
from azgen.bench.searching import measure_ladder, measure_search, measure_solve
from azgen.bench.startup import measure_startup
from azgen.bench.workers import measure_workers
from azgen.codegen.compiler import DEFAULT_FLAGS, find_toolchain
from azgen.codegen.lanes import lane_type
from azgen.errors import AzgenError
from azgen.study.environment import _processor
from azgen.version import azgen_version

__all__ = ["BENCHMARKS", "FULL", "QUICK", "QUICK_SET", "Effort", "measure", "measuring_environment"]

BENCHMARKS: dict[str, Callable[[Effort], list[Figure]]] = {
    "evaluation": measure_evaluation,
    "random": measure_random,
    "search": measure_search,
    "ladder": measure_ladder,
    "solve": measure_solve,
    "compile": measure_compile,
    "crossover": measure_crossover,
    "startup": measure_startup,
    "workers": measure_workers,
    "memory": measure_memory,
}
"""What measures a benchmark, in the order of measuring; its docstring says what."""

QUICK_SET = ("evaluation", "random", "search", "ladder", "compile", "startup", "memory")
"""Benchmarks that run when none is named, with little effort."""


def measure(
    names: Sequence[str],
    effort: Effort = FULL,
    observe: Callable[[str, list[Figure]], None] = lambda name, figures: None,
) -> Report:
    """Runs benchmarks.

    Args:
        names: of `BENCHMARKS`, or "all".
        effort: how much is measured.
        observe: called with each benchmark's name and an empty list before it, and with its figures after it.

    Raises:
        AzgenError: no such benchmark.
    """
    chosen = tuple(BENCHMARKS) if "all" in names else tuple(dict.fromkeys(names))
    for name in chosen:
        if name not in BENCHMARKS:
            raise AzgenError(f"there is no benchmark {name!r}; there are {', '.join(BENCHMARKS)} and all")
    environment = measuring_environment()
    figures: list[Figure] = []
    seconds = {}
    for name in chosen:
        observe(name, [])
        began = time.perf_counter()
        found = BENCHMARKS[name](effort)
        seconds[name] = time.perf_counter() - began
        figures += found
        observe(name, found)
    environment["load_after"] = _load()
    options = {"benchmarks": list(chosen), "effort": asdict(effort), "seconds": seconds}
    return Report(environment, options, tuple(figures))


def measuring_environment() -> dict[str, Any]:
    """The machine, the versions, and how busy it is with other work."""
    toolchain = find_toolchain()
    return {
        "azgen": azgen_version(),
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        **{name: version(name) for name in ("numpy", "cython")},
        "compiler": toolchain.version,
        "compiler_flags": list(DEFAULT_FLAGS),
        "processor": _processor(),
        "processors": os.cpu_count(),
        "vector_bits": toolchain.vector_bits(),
        "lanes": lane_type("float32", 1).lanes,
        "dtype": "float32",
        "load_before": _load(),
    }


def _load() -> float | None:
    """Processes that wanted to run, on average of the last minute; None where the system does not tell."""
    try:
        return round(os.getloadavg()[0], 2)
    except OSError:
        return None
