"""`azgen zoo`."""

from __future__ import annotations

import typer

from azgen.cli.values import declared


@declared
def zoo_programs(
    name: str | None = typer.Argument(None, metavar="[NAME]", help="Print this program's file."),
) -> None:
    """List the zoo, hand-designed and published programs to start from and to compare with; or print one."""
