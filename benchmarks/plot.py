"""A picture of a report: speed beside the original's, the ladder, where compiling pays, the demo solved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from azgen.bench.evaluation import INTERLEAVED, NATIVE
from azgen.bench.figures import Figure, Report
from azgen.errors import AzgenError
from azgen.study.report.plots import require_matplotlib
from benchmarks.original import beside
from benchmarks.performance_tables import figures_of

_BLUE, _ORANGE, _GREY = "#3b6ea5", "#d9803a", "#8a8a8a"


def draw(report: Report, path: str | Path) -> None:
    """Draws what a report has, one panel per benchmark.

    Raises:
        AzgenError: matplotlib is missing, nothing to draw, or the file cannot be written.
    """
    figure_module = require_matplotlib("--plot needs")
    panels = [(panel, found) for name, panel in _PANELS.items() if (found := figures_of(report, name))]
    if not panels:
        raise AzgenError(f"nothing to draw: --plot shows {', '.join(_PANELS)}")
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    picture = figure_module.Figure(figsize=(6.5 * columns, 4.2 * rows), layout="constrained")
    axes = picture.subplots(rows, columns, squeeze=False).ravel()
    for axis, (panel, figures) in zip(axes, panels, strict=False):
        panel(axis, figures)
        axis.spines[["top", "right"]].set_visible(False)
    for axis in axes[len(panels) :]:
        axis.set_visible(False)
    environment = report.environment
    picture.suptitle(f"azgen {environment['azgen']}, {environment['processor']}", fontsize=10)
    try:
        picture.savefig(path, dpi=120)
    except (OSError, ValueError) as error:  # ValueError: a format that matplotlib does not know
        raise AzgenError(f"{path}: the picture cannot be written: {error}") from None


def _evaluation(axis: Any, figures: tuple[Figure, ...]) -> None:
    works = list(dict.fromkeys(f.work for f in figures if beside(f).original))
    height = 0.38
    for shift, by, colour in ((-height / 2, INTERLEAVED, _BLUE), (height / 2, NATIVE, _ORANGE)):
        found = {f.work: beside(f).times or 0.0 for f in figures if f.by == by}
        bars = axis.barh(
            np.arange(len(works)) + shift, [found.get(w, 0.0) for w in works], height, color=colour
        )
        axis.bar_label(bars, fmt="%.1f", fontsize=7, padding=2)
        bars.set_label(by)
    axis.axvline(1, color=_GREY, linewidth=1)
    axis.set_yticks(range(len(works)), works, fontsize=7)
    axis.invert_yaxis()
    axis.set_title("one evaluation: times as fast as the original", fontsize=10)
    axis.legend(fontsize=8, frameon=False, loc="lower right")


def _random(axis: Any, figures: tuple[Figure, ...]) -> None:
    labels = [f"{f.work.partition(',')[0]}\n{f.by}" for f in figures]
    bars = axis.barh(range(len(figures)), [beside(f).times or 0.0 for f in figures], color=_BLUE)
    axis.bar_label(bars, fmt="%.1f", fontsize=7, padding=2)
    axis.set_yticks(range(len(figures)), labels, fontsize=7)
    axis.invert_yaxis()
    axis.set_title("random programs: times as fast as the original", fontsize=10)


def _rates(title: str, scale: str = "linear") -> Callable[[Any, tuple[Figure, ...]], None]:
    def panel(axis: Any, figures: tuple[Figure, ...]) -> None:
        labels = [f"{f.work.partition(',')[0]}: {f.by}" for f in figures]
        bars = axis.barh(range(len(figures)), [f.median for f in figures], color=_BLUE)
        axis.bar_label(bars, fmt="{:,.0f}", fontsize=7, padding=2)
        axis.set_yticks(range(len(figures)), labels, fontsize=7)
        axis.invert_yaxis()
        axis.set_xscale(scale)
        if scale == "linear":
            axis.locator_params(axis="x", nbins=5)
        axis.set_title(title, fontsize=10)

    return panel


def _compile(axis: Any, figures: tuple[Figure, ...]) -> None:
    figures = tuple(f for f in figures if f.unit == "ms")  # what is done once is in the table
    bars = axis.barh(range(len(figures)), [f.best for f in figures], color=_BLUE)
    axis.bar_label(bars, fmt="%.1f", fontsize=7, padding=2)
    axis.set_yticks(range(len(figures)), [f.work.partition(", ")[2] for f in figures], fontsize=7)
    axis.set_title("ms of CPU per candidate", fontsize=10)


def _crossover(axis: Any, figures: tuple[Figure, ...]) -> None:
    largest = max((f.details["batch"] for f in figures), default=1)
    evaluations = np.logspace(0, 5, 60)
    shown = [f for f in figures if f.details["batch"] == largest]
    for number, f in enumerate(shown):
        d, colour = f.details, f"C{number % 10}"
        axis.plot(evaluations, evaluations * d["kernel_us"] / 1e3, color=colour, linewidth=1)
        native = d["compile_ms"] + evaluations * d["native_us"] / 1e3
        axis.plot(evaluations, native, "--", color=colour, linewidth=1)
        label = f"{d['program']}, F = {d['F']}: {f.best:,.0f}"
        axis.plot(f.best, f.best * d["kernel_us"] / 1e3, "o", color=colour, markersize=5, label=label)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlabel("evaluations of one program", fontsize=8)
    axis.set_ylabel("ms of CPU", fontsize=8)
    axis.set_title(f"kernel (solid) and compiled, {largest} to a module (dashed)", fontsize=10)
    if shown:
        axis.legend(fontsize=7, frameon=False, title="they meet at", title_fontsize=7)


def _solve(axis: Any, figures: tuple[Figure, ...]) -> None:
    cpu = next(f for f in figures if f.unit == "s")
    seconds = np.sort(cpu.details["per_seed"])
    axis.step(seconds, np.arange(1, len(seconds) + 1), where="post", color=_BLUE)
    axis.axvline(cpu.median, color=_GREY, linewidth=1, linestyle=":")
    axis.set_xscale("log")
    axis.set_xlabel("CPU seconds", fontsize=8)
    axis.yaxis.get_major_locator().set_params(integer=True)
    axis.set_title(f"{cpu.work}: seeds done (median {cpu.median:.1f} s)", fontsize=10)


_PANELS: dict[str, Callable[[Any, tuple[Figure, ...]], None]] = {
    "evaluation": _evaluation,
    "random": _random,
    "search": _rates("demo search: programs per CPU second"),
    "ladder": _rates("rung by rung: programs per CPU second", "log"),
    "solve": _solve,
    "compile": _compile,
    "crossover": _crossover,
    "startup": _rates("ms of CPU until a command answers"),
    "workers": _rates("workers: programs per second"),
    "memory": _rates("MB at the peak"),
}
