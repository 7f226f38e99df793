"""`azgen bench`: measuring azgen on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from azgen.cli.app import app
from azgen.cli.options import use_build_directory
from azgen.errors import AzgenError

if TYPE_CHECKING:
    from rich.console import Console

    from azgen.bench import Comparison, Figure, Report


@app.command(rich_help_panel="This machine")
def bench(
    what: list[str] | None = typer.Argument(
        None,
        metavar="[WHAT]...",
        help="evaluation, random, search, ladder, solve, compile, crossover, startup, workers, memory or "
        "all; without any: most of them, quickly.",
    ),
    json: Path | None = typer.Option(None, "--json", metavar="FILE", help="Write all figures to FILE."),
    compare: Path | None = typer.Option(
        None, metavar="FILE", help="Show ratios to an earlier result that --json wrote."
    ),
    plot: Path | None = typer.Option(None, metavar="FILE.png", help="Draw the figures (needs matplotlib)."),
    quick: bool = typer.Option(False, "--quick", help="Fewer runs, seeds and programs."),
    features: str | None = typer.Option(
        None, metavar="F,F...", help="Numbers of features for evaluation and crossover (default 4,8,16,32)."
    ),
    build_dir: Path | None = typer.Option(None, metavar="DIR", help="Folder of the compile cache."),
) -> None:
    """Measure the executors, the search and the compiler, beside the figures of the original AutoML-Zero.

    Times are CPU time of one core. docs/performance.md says what each figure means.
    """
    import dataclasses

    from azgen.bench import FULL, QUICK, QUICK_SET, Report, measure
    from azgen.bench.plot import draw, require_matplotlib
    from azgen.cli.output import console

    # What would fail at the end fails now.
    earlier = Report.read(compare) if compare is not None else None
    if plot is not None:
        require_matplotlib()
    use_build_directory(build_dir)
    effort = QUICK if quick or not what else FULL
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
    if plot is not None:
        draw(report, plot)


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


def _number(value: float | None, unit: str = "") -> str:
    """Three digits or more."""
    from azgen.cli.output import thousands

    if value is None:
        return ""
    if unit == "solved":
        return f"{value:.0f}"
    return thousands(round(value)) if value >= 100 else f"{value:.3g}"


def _print_figures(to: Console, name: str, figures: list[Figure]) -> None:
    from azgen.bench.suite import BENCHMARKS
    from azgen.cli.output import grid

    to.print(f"\n{name}: {(BENCHMARKS[name].__doc__ or '').splitlines()[0]}", style="bold")
    if name in ("ladder", "crossover"):
        (_print_ladder if name == "ladder" else _print_crossover)(to, figures)
        return
    rows, before = [], ""
    for figure in figures:
        times = figure.times_original
        rows.append(
            (
                figure.work if figure.work != before else "",
                figure.by,
                _number(figure.best, figure.unit),
                _number(figure.median, figure.unit),
                figure.unit,
                _number(figure.original, figure.unit),
                "" if times is None else f"{times:.1f}x" if times >= 0.1 else f"{times:.2g}x",
                _number(figure.goal, figure.unit),
                {True: "reached", False: "not yet", None: ""}[figure.reached],
            )
        )
        before = figure.work
    headings = ("work", "by", "best", "median", "unit", "original", "ratio", "goal", "")
    to.print(grid(rows, *headings, right=(2, 3, 5, 6, 7)))


def _print_ladder(to: Console, figures: list[Figure]) -> None:
    """What each rung took is the point here."""
    from azgen.bench.searching import ALL_COUNTS
    from azgen.cli.output import grid

    rows, before = [], ""
    for figure in figures:
        counts: dict[str, Any] = dict(figure.details["counts"])
        shares = [counts.get(name, 0) / max(counts["programs"], 1) for name in ALL_COUNTS]
        work = figure.work if figure.work != before else ""
        rows.append((work, figure.by, _number(figure.median), *(f"{share:.1%}" for share in shares)))
        before = figure.work
    headings = [name.replace("_", " ") for name in ALL_COUNTS]
    to.print(grid(rows, "work", "rungs", "programs/s", *headings, right=range(2, 3 + len(ALL_COUNTS))))


def _print_crossover(to: Console, figures: list[Figure]) -> None:
    """When compiling pays, measured and by the cost model; what backends take for whole searches."""
    from azgen.cli.output import grid

    rows, searches = [], []
    for f in figures:
        d: dict[str, Any] = dict(f.details)
        if f.unit == "evaluations":
            times = [_number(d[key]) for key in ("kernel_us", "native_us", "compile_ms")]
            rows.append((f.work, f.by, *times, _number(f.best), _number(d["model"]) or "never"))
        else:
            ratings = [_number(d["ratings"][key]) for key in ("kernel", "native", "compiled")]
            searches.append((f.work, f.by, _number(f.best), *ratings))
    if rows:
        columns = ("kernel µs", "native µs", "compiling ms", "pays after", "by the model")
        to.print(grid(rows, "one evaluation", "", *columns, right=range(2, 7)))
    headings = ("search", "backend", "CPU s", "on the kernel", "natively", "programs compiled")
    to.print(grid(searches, *headings, right=range(2, 6)))


def _print_environment(to: Console, report: Report) -> None:
    e = report.environment
    to.print(
        f"\n{e['processor']} ({e['processors']}), {e['lanes']} lanes of {e['dtype']}, {e['compiler']}, "
        f"Cython {e['cython']}, Python {e['python']}; load {e['load_before']} to {e['load_after']}",
        style="dim",
    )


def _print_comparison(to: Console, comparisons: tuple[Comparison, ...]) -> None:
    from azgen.cli.output import grid

    if not comparisons:
        to.print("\nThe earlier result has none of these figures.")
        return
    rows = [
        (
            c.now.benchmark,
            c.now.work,
            c.now.by,
            _number(c.earlier.value, c.now.unit),
            _number(c.now.value, c.now.unit),
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
