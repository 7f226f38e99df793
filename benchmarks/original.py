"""Figures of the original C++ (google-research/automl_zero) for the same work, and what azgen aims at.

Measured with float64, g++ -O3 -march=native, on one core of a server with AVX-512, in CPU time; each is the
best of many runs, to be compared with azgen's best.
"""

from __future__ import annotations

from dataclasses import dataclass

from azgen.bench.evaluation import INTERLEAVED, NATIVE, work_name
from azgen.bench.figures import HIGHER_IS_BETTER, Figure
from benchmarks.random_programs import REMOVED

EVALUATION = {
    ("linear", 4, 1000): 205.0,
    ("linear", 8, 1000): 276.0,
    ("linear", 16, 1000): 295.0,
    ("linear", 32, 1000): 305.0,
    ("neural-net", 4, 1000): 721.0,
    ("neural-net", 8, 1000): 1029.0,
    ("neural-net", 16, 1000): 1753.0,
    ("neural-net", 32, 1000): 5213.0,
    ("linear", 4, 100): 28.0,
    ("neural-net", 4, 100): 94.0,
}
"""µs of an evaluation on 10 tasks, by program, F and training examples (100 validation examples)."""

TIMES_FASTER = {
    INTERLEAVED: {4: 10.0, 8: 10.0, 16: 5.0, 32: 5.0},
    NATIVE: {4: 20.0, 8: 20.0, 16: 10.0, 32: 5.0},
}
"""Aims: how many times faster than the original, by executor and F."""

TABLES, NO_TABLES = "with the tables of known fitness", "without them"

_THEIRS = {
    ("random", "programs of the demo's sizes", ""): 36.0,
    ("random", "programs of the baseline's sizes", ""): 30_200.0,
    ("search", "a population", TABLES): 30_200.0,
    ("search", "a population", NO_TABLES): 25_200.0,
    ("search", "whole runs", ""): 30_200.0,
    ("solve", "", "CPU"): 113.0,  # the median of seeds 1 to 5: 113, 59, not within 330, 141, 7
    ("memory", "demo search", TABLES): 24.0,
    ("memory", "demo search", NO_TABLES): 16.0,
}
"""The original's figures by benchmark, part of the work and part of "by", in the figures' units."""

_GOALS = {
    ("random", "programs of the demo's sizes", REMOVED): 3.6,
    ("random", "programs of the baseline's sizes", REMOVED): 3020.0,
    ("search", "a population", TABLES): 250_000.0,
    ("search", "a population", NO_TABLES): 150_000.0,
    ("solve", "", "CPU"): 6.0,
    ("memory", "demo search", ""): 200.0,
    ("compile", "32 to a module", ""): 15.0,
    ("first", "first kernel", ""): 10.0,
}


@dataclass(frozen=True)
class Beside:
    """What stands beside a figure, in its unit.

    Attributes:
        original: the original's figure for the same work, if there is one.
        goal: what is aimed at, if anything is.
        times: how many times better than the original azgen is.
        reached: whether the goal is reached.
    """

    original: float | None
    goal: float | None
    times: float | None
    reached: bool | None


def beside(figure: Figure) -> Beside:
    """The original's figure and the goal for what a figure shows."""
    original, goal = _found(_THEIRS, figure), _found(_GOALS, figure)
    if figure.benchmark == "evaluation":
        original, goal = _evaluation(figure)
    elif figure.benchmark == "solve" and figure.unit == "solved":
        goal = float(figure.work.rpartition(" ")[2])  # all seeds
    value, higher = figure.value, figure.unit in HIGHER_IS_BETTER
    times = reached = None
    if original is not None and value != 0:
        times = value / original if higher else original / value
    if goal is not None:
        reached = value >= goal if higher else value <= goal
    return Beside(original, goal, times, reached)


def _evaluation(figure: Figure) -> tuple[float | None, float | None]:
    for (program, n_features, n_train), theirs in EVALUATION.items():
        if figure.work == work_name(program, n_features, n_train):
            aims = TIMES_FASTER.get(figure.by)
            return theirs, theirs / aims[n_features] if aims else None
    return None, None


def _found(table: dict[tuple[str, str, str], float], figure: Figure) -> float | None:
    """The entry for a figure's key; its works also name numbers that the effort decides."""
    for (benchmark, work, by), value in table.items():
        if benchmark == figure.benchmark and work in figure.work and by in figure.by:
            return value
    return None
