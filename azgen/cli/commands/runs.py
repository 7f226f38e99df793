"""`azgen runs` and `compare`."""

from __future__ import annotations

from pathlib import Path

import typer

from azgen.cli.values import declared


@declared
def runs(
    folder: Path | None = typer.Argument(None, metavar="[DIR]", help="Where they are (default runs/)."),
) -> None:
    """List the runs, last changed first."""


@declared
def compare(
    references: list[str] = typer.Argument(..., metavar="RUN RUN...", help="Run directories, two or more."),
) -> None:
    """Compare runs: their champions on the test tasks, paired where the tasks are the same."""
