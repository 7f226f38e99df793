"""Measured figures, reports of them, and the comparison of two reports."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azgen.errors import AzgenError
from azgen.plain import PlainError, as_plain, read

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
        text = json.dumps({"schema": SCHEMA, **as_plain(self)}, indent=1, ensure_ascii=False)
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
            return read(Report, record, str(path), extra=True)
        except PlainError as error:
            raise AzgenError(f"{path}: a report of `azgen bench --json`, but damaged: {error}") from None


def figure_of(benchmark: str, work: str, by: str, unit: str, values: Sequence[float], **rest: Any) -> Figure:
    """A figure from the values of its runs."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    best = ordered[-1] if unit in HIGHER_IS_BETTER else ordered[0]
    return Figure(benchmark, work, by, unit, best, median, len(ordered), **rest)
