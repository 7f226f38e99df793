"""`azgen bench`: measuring azgen on this machine."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from rich.console import Console

from azgen.bench import effort as efforts
from azgen.bench.figures import Comparison, Figure, Report
from azgen.bench.suite import BENCHMARKS, QUICK_SET, measure
from azgen.cli.options import use_build_directory
from azgen.cli.output import console, grid, thousands
from azgen.errors import AzgenError


def bench(
    what: list[str] | None,
    json: Path | None,
    compare: Path | None,
    quick: bool,
    features: str | None,
    build_dir: Path | None,
) -> None:
    """Measures azgen, and prints what it finds."""
    # What would fail at the end fails now.
    earlier = Report.read(compare) if compare is not None else None
    use_build_directory(build_dir)
    effort = efforts.QUICK if quick or not what else efforts.FULL
    if features is not None:
        effort = dataclasses.replace(effort, features=_numbers(features))
    to = console()

    def observe(name: str, figures: list[Figure]) -> None:
        if figures:
            _print_figures(to, name, figures)
        else:
            to.print(f"measuring {name} ...", style="dim")

    report = measure(what or QUICK_SET, effort, observe)
    _print_environment(to, report)
    if earlier is not None:
        _print_comparison(to, report.compared_with(earlier))
    if json is not None:
        report.write(json)


def _numbers(text: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise AzgenError(
            f"--features {text}: write whole numbers with commas between them, such as 4,16"
        ) from None
    if min(numbers) < 2:
        raise AzgenError(f"--features {text}: at least 2")
    return numbers


def _number(value: float | None) -> str:
    """Three digits or more."""
    if value is None:
        return ""
    return thousands(round(value)) if value >= 100 else f"{value:.3g}"


def _print_figures(to: Console, name: str, figures: list[Figure]) -> None:
    to.print(f"\n{name}: {(BENCHMARKS[name].__doc__ or '').splitlines()[0]}", style="bold")
    rows, before = [], ""
    for figure in figures:
        work = figure.work if figure.work != before else ""
        numbers = (_number(figure.best), _number(figure.median))
        rows.append((work, figure.by, *numbers, figure.unit, *_more(figure)))
        before = figure.work
    headings = ("work", "by", "best", "median", "unit")
    columns = MORE.get(name, ())
    to.print(grid(rows, *headings, *columns, right=(2, 3, *range(5, 5 + len(columns)))))
    if name in BELOW:
        to.print(BELOW[name], style="dim")


MORE = {"crossover": ("kernel µs", "native µs", "compiling ms"), "evaluation": ("times the yardstick",)}
"""Further columns of a benchmark."""

BELOW = {
    "evaluation": "The yardstick is the scalar C interpreter. The original AutoML-Zero took 0.6 to 1.0 of "
    "its time where both were measured (docs/performance.md)."
}
"""What is said below a benchmark's figures."""


def _more(figure: Figure) -> tuple[str, ...]:
    """What decides when compiling pays; how many times faster than the yardstick an executor is."""
    if figure.benchmark == "evaluation":
        times = figure.details.get("times_yardstick")
        return (f"{times:.1f}x" if times else "",)
    if figure.benchmark != "crossover":
        return ()
    return tuple(_number(figure.details[key]) for key in ("kernel_us", "native_us", "compile_ms"))


def _print_environment(to: Console, report: Report) -> None:
    e = report.environment
    to.print(
        f"\n{e['processor']} ({e['processors']}), {e['lanes']} lanes of {e['dtype']}, {e['compiler']}, "
        f"Cython {e['cython']}, Python {e['python']}; load {e['load_before']} to {e['load_after']}",
        style="dim",
    )


def _print_comparison(to: Console, comparisons: tuple[Comparison, ...]) -> None:
    if not comparisons:
        to.print("\nThe earlier result has none of these figures.")
        return
    rows = [
        (
            c.now.benchmark,
            c.now.work,
            c.now.by,
            _number(c.earlier.value),
            _number(c.now.value),
            c.now.unit,
            f"{c.factor:.2f}",
            "SLOWER" if c.slower else "",
        )
        for c in comparisons
    ]
    to.print("\nCompared with the earlier result (above 1: slower, or larger)", style="bold")
    to.print(grid(rows, "benchmark", "work", "by", "before", "now", "unit", "factor", "", right=(3, 4, 6)))
    slower = sum(c.slower for c in comparisons)
    to.print(f"{slower} of {len(comparisons)} figures got slower by more than 10 %.")
