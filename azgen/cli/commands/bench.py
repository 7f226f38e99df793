"""`azgen bench`."""

from __future__ import annotations

from pathlib import Path

import typer

from azgen.cli.options import BuildDirOption
from azgen.cli.values import declared


@declared
def bench(
    what: list[str] | None = typer.Argument(
        None,
        metavar="[WHAT]...",
        help="evaluation, search, compile, crossover, startup or all; without any: most of them, quickly.",
    ),
    json: Path | None = typer.Option(None, "--json", metavar="FILE", help="Write all figures to FILE."),
    compare: Path | None = typer.Option(
        None, metavar="FILE", help="Show ratios to an earlier result that --json wrote."
    ),
    quick: bool = typer.Option(False, "--quick", help="Fewer runs, seeds and programs."),
    features: str | None = typer.Option(
        None, metavar="F,F...", help="Numbers of features for evaluation and crossover (default 4,8,16,32)."
    ),
    build_dir: BuildDirOption = None,
) -> None:
    """Measure the executors, the search and the compiler on this machine.

    Times are CPU time of one core. docs/performance.md says what each figure means, beside those of the
    original AutoML-Zero.
    """
