"""Measured figures, reports of them, and the comparison of two reports."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azgen.errors import AzgenError

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
        unit: of `best`, `median`, `original` and `goal`: "µs", "ms", "s", "MB", "programs/s", "programs",
            "evaluations" or "solved".
        best, median: over `runs` runs.
        original: the original's figure for the same work (best of many), if there is one.
        goal: what is aimed at, if anything is.
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
    original: float | None = None
    goal: float | None = None
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

    @property
    def times_original(self) -> float | None:
        """How many times better than the original."""
        if self.original is None or self.value == 0:
            return None
        return self.value / self.original if self.unit in HIGHER_IS_BETTER else self.original / self.value

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached, if there is one."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.unit in HIGHER_IS_BETTER else self.value <= self.goal

    def worse_than(self, earlier: Figure) -> float:
        """Factor by which this is worse than an earlier figure: above 1 is slower, or larger."""
        if self.value == 0 or earlier.value == 0:
            return 1.0 if self.value == earlier.value else float("inf")
        ratio = self.value / earlier.value
        return 1 / ratio if self.unit in HIGHER_IS_BETTER else ratio


@dataclass(frozen=True)
class Comparison:
    """A figure beside the same one of an earlier report."""

    now: Figure
    earlier: Figure

    @property
    def factor(self) -> float:
        """Above 1: slower than before (or larger), below 1: faster."""
        return self.now.worse_than(self.earlier)

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

    def of(self, benchmark: str) -> tuple[Figure, ...]:
        """Figures of one benchmark."""
        return tuple(figure for figure in self.figures if figure.benchmark == benchmark)

    def compared_with(self, earlier: Report) -> tuple[Comparison, ...]:
        """Figures that both reports have."""
        before = {figure.key: figure for figure in earlier.figures}
        return tuple(Comparison(f, before[f.key]) for f in self.figures if f.key in before)

    def write(self, path: str | Path) -> None:
        """Writes the report as JSON.

        Raises:
            AzgenError: the file cannot be written.
        """
        record = {"schema": SCHEMA, "environment": dict(self.environment), "options": dict(self.options)}
        figures = [_record(figure) for figure in self.figures]
        text = json.dumps(record | {"figures": figures}, indent=1, ensure_ascii=False)
        try:
            Path(path).write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise AzgenError(f"{path}: cannot be written: {error}") from None

    @staticmethod
    def read(path: str | Path) -> Report:
        """A report from its file.

        Raises:
            AzgenError: there is no such file, or it is no report.
        """
        try:
            record = json.loads(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise AzgenError(f"{path}: no such file; `azgen bench --json FILE` writes one") from None
        except (OSError, ValueError) as error:
            raise AzgenError(f"{path}: cannot be read as a report of `azgen bench --json`: {error}") from None
        if not isinstance(record, dict) or record.get("schema") != SCHEMA:
            found = record.get("schema") if isinstance(record, dict) else None
            raise AzgenError(
                f"{path}: not a report of this version's `azgen bench --json` (schema {found}, not {SCHEMA})"
            )
        try:
            figures = tuple(_figure(f) for f in record["figures"])
            return Report(record["environment"], record["options"], figures)
        except (KeyError, TypeError) as error:
            raise AzgenError(f"{path}: a report of `azgen bench --json`, but damaged: {error}") from None


def _record(figure: Figure) -> dict[str, Any]:
    derived = {"times_original": figure.times_original, "reached": figure.reached}
    return dataclasses.asdict(figure) | derived


def _figure(record: Mapping[str, Any]) -> Figure:
    names = [f.name for f in dataclasses.fields(Figure)]
    return Figure(**{name: record[name] for name in names})


def figure_of(benchmark: str, work: str, by: str, unit: str, values: Sequence[float], **rest: Any) -> Figure:
    """A figure from the values of its runs."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    best = ordered[-1] if unit in HIGHER_IS_BETTER else ordered[0]
    return Figure(benchmark, work, by, unit, best, median, len(ordered), **rest)
