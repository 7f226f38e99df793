"""Writes the tables of docs/performance.md from a result of `python -m benchmarks all --json FILE`.

python -m benchmarks all --json benchmarks/reference.json
python -m benchmarks.performance_tables benchmarks/reference.json
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from azgen.bench.figures import Figure, Report
from benchmarks.ladder import ALL_COUNTS
from benchmarks.original import beside

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"


def figures_of(report: Report, benchmark: str) -> tuple[Figure, ...]:
    """Figures of one benchmark."""
    return tuple(figure for figure in report.figures if figure.benchmark == benchmark)


def number(value: float | None) -> str:
    """Three digits, or all of a large number."""
    if value is None:
        return ""
    return f"{round(value):,}".replace(",", " ") if value >= 100 else f"{value:.3g}"


def row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def heading(*cells: str, right: int) -> Iterator[str]:
    """A table's first lines; the last columns are aligned to the right."""
    yield row(*cells)
    yield row(*(["---"] * (len(cells) - right) + ["--:"] * right))


def standard(figures: tuple[Figure, ...]) -> Iterator[str]:
    yield from heading("work", "by", "unit", "best", "median", "original", "ratio", "goal", "", right=6)
    before = ""
    for f in figures:
        other = beside(f)
        times = other.times
        ratio = "" if times is None else f"{times:.1f}x" if times >= 0.1 else f"{times:.1g}x"
        reached = {True: "reached", False: "**not reached**", None: ""}[other.reached]
        work = f.work if f.work != before else ""
        numbers = (f.best, f.median, other.original)
        yield row(work, f.by, f.unit, *map(number, numbers), ratio, number(other.goal), reached)
        before = f.work


def ladder(figures: tuple[Figure, ...]) -> Iterator[str]:
    names = [name.replace("_", " ") for name in ALL_COUNTS]
    yield from heading("search space", "rungs", "programs/s", *names, right=1 + len(names))
    for f in figures:
        counts = f.details["counts"]
        shares = [f"{counts.get(name, 0) / counts['programs']:.1%}" for name in ALL_COUNTS]
        yield row(f.work, f.by, number(f.median), *shares)


def crossover(figures: tuple[Figure, ...]) -> Iterator[str]:
    columns = ("one evaluation", "", "kernel µs", "native µs", "compiling ms", "pays after", "by the model")
    yield from heading(*columns, right=5)
    for f in figures:
        d = f.details
        times = (number(d[key]) for key in ("kernel_us", "native_us", "compile_ms"))
        yield row(f.work, f.by, *times, number(f.best), number(d.get("model")) or "never")


def backends(figures: tuple[Figure, ...]) -> Iterator[str]:
    columns = ("search", "backend", "CPU s", "on the kernel", "natively", "programs compiled")
    yield from heading(*columns, right=4)
    for f in figures:
        ratings = (number(f.details["ratings"][key]) for key in ("kernel", "native", "compiled"))
        yield row(f.work, f.by, number(f.best), *ratings)


def environment(report: Report) -> Iterator[str]:
    e = report.environment
    yield (
        f"{e['started'][:10]}, {e['processor']} ({e['processors']} processors, {e['vector_bits']}-bit SIMD), "
        f"{e['compiler']}, Cython {e['cython']}, Python {e['python']}, NumPy {e['numpy']}, {e['dtype']}; "
        f"load average {e['load_before']} before and {e['load_after']} after."
    )


def table(name: str, figures: tuple[Figure, ...]) -> Iterator[str]:
    """Lines of a benchmark's table."""
    special = {"ladder": ladder, "crossover": crossover, "backends": backends}
    return special.get(name, standard)(figures)


def main(path: str) -> None:
    report = Report.read(path)
    text = PAGE.read_text(encoding="utf-8")
    tables = {"environment": environment(report)}
    for name in dict.fromkeys(f.benchmark for f in report.figures):
        tables[name] = table(name, figures_of(report, name))
    for name, lines in tables.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        found = "\n".join(lines) + "\n"
        text = re.sub(f"(?s){begin}.*?{end}", lambda _: begin + found + end, text)  # noqa: B023
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
