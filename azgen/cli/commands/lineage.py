"""`azgen lineage`."""

from __future__ import annotations

import typer

from azgen.cli.options import RunArgument
from azgen.cli.values import declared


@declared
def show_lineage(
    reference: RunArgument,
    member: int | None = typer.Option(
        None, "--member", min=1, metavar="N", help="The N-th of the hall of fame in place of the champion."
    ),
    full: bool = typer.Option(False, "--full", help="All steps, and whole listings."),
    json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Print the stepping stones to a run's champion: what it descends from, each compared with the one
    before."""
