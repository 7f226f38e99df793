"""`azgen report` and `azgen plot`."""

from __future__ import annotations

from pathlib import Path

import typer

from azgen.cli.options import BuildDirOption, RunArgument
from azgen.cli.values import declared


@declared
def report(
    reference: RunArgument,
    output: Path | None = typer.Option(
        None, "-o", "--out", "--output", metavar="FILE.html", help="File to write (default RUN/report.html)."
    ),
    worth: bool = typer.Option(
        True, "--worth/--no-worth", help="Say what each line of the champion is worth, which executes it."
    ),
    build_dir: BuildDirOption = None,
) -> None:
    """Write a run as one HTML page: figures, sources side by side, explanation, tables. Needs matplotlib."""


@declared
def plot(
    reference: RunArgument,
    names: list[str] = typer.Argument(None, metavar="[PLOT]...", help="Which plots; without any, all."),
    output: Path | None = typer.Option(
        None, "-o", "--out", "--output", metavar="DIR", help="Folder to write into (default RUN/plots)."
    ),
    png: bool = typer.Option(False, "--png", help="PNG in place of SVG."),
) -> None:
    """Write a run's figures, each as a file of its own. Needs matplotlib."""
