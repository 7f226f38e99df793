"""Measured figures, reports of them, and the comparison of two reports."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azgen.errors import AzgenError
from azgen.files import write_file
from azgen.plain import as_plain, read
from azgen.textual import read_json, to_json

SCHEMA = 1
"""Format of a report's file."""

SLOWER = 1.1
"""A figure that is worse than an earlier one by more than this factor is marked."""

HIGHER_IS_BETTER = frozenset({"programs/s", "solved"})


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        benchmark: name of the benchmark, such as "evaluation".
        work: what is done.
        by: what does it: an executor or a configuration.
        unit: of `best` and `median`: "µs", "ms", "s", "MB", "programs/s", "programs",
            "evaluations" or "solved".
        best, median: over `runs` runs.
        typical: whether the median counts and not the best, because runs differ in what they do (seeds).
        details: further plain values, which the documentation of the benchmark explains.
    """

    benchmark: str
    work: str
    by: str
    unit: str
    best: float
    median: float
    runs: int
    typical: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        """What two reports have in common."""
        return self.benchmark, self.work, self.by

    @property
    def value(self) -> float:
        """The figure that counts: the best of all runs, or the median."""
        return self.median if self.typical else self.best


@dataclass(frozen=True)
class Comparison:
    """A figure beside the same one of an earlier report."""

    now: Figure
    earlier: Figure

    @property
    def factor(self) -> float:
        """Above 1: slower than before (or larger), below 1: faster."""
        if self.now.value == 0 or self.earlier.value == 0:
            return 1.0 if self.now.value == self.earlier.value else float("inf")
        ratio = self.now.value / self.earlier.value
        return 1 / ratio if self.now.unit in HIGHER_IS_BETTER else ratio

    @property
    def slower(self) -> bool:
        """Whether it got slower by more than 10 %."""
        return self.factor > SLOWER


@dataclass(frozen=True)
class Report:
    """What one `azgen bench` measured.

    Attributes:
        environment: machine, versions and load.
        options: which benchmarks ran, and with how much effort.
        figures: in the order of measuring.
    """

    environment: Mapping[str, Any]
    options: Mapping[str, Any]
    figures: tuple[Figure, ...]

    def compared_with(self, earlier: Report) -> tuple[Comparison, ...]:
        """Figures that both reports have."""
        before = {figure.key: figure for figure in earlier.figures}
        return tuple(Comparison(f, before[f.key]) for f in self.figures if f.key in before)

    def write(self, path: str | Path) -> None:
        """Writes the report as JSON.

        Raises:
            AzgenError: the file cannot be written.
        """
        write_file(Path(path), to_json({"schema": SCHEMA, **as_plain(self)}, indent=1) + "\n")

    @staticmethod
    def read(path: str | Path) -> Report:
        """A report from its file.

        Raises:
            AzgenError: there is no such file, or it is no report.
        """
        try:
            record = read_json(Path(path))
        except FileNotFoundError:
            raise AzgenError(f"{path}: no such file; `azgen bench --json FILE` writes one") from None
        found = record.get("schema") if isinstance(record, dict) else None
        if found != SCHEMA:
            raise AzgenError(
                f"{path}: not a report of this version's `azgen bench --json` (schema {found}, not {SCHEMA})"
            )
        return read(Report, record, f"{path}, a damaged report of `azgen bench --json`", extra=True)


def figure_of(benchmark: str, work: str, by: str, unit: str, values: Sequence[float], **rest: Any) -> Figure:
    """A figure from the values of its runs."""
    best = max(values) if unit in HIGHER_IS_BETTER else min(values)
    return Figure(benchmark, work, by, unit, best, statistics.median(values), len(values), **rest)
