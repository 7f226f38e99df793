"""`azgen ops`."""

from __future__ import annotations

import typer

from azgen.cli.options import OpsOption
from azgen.cli.values import declared


@declared
def ops_command(
    name: str | None = typer.Argument(None, metavar="[NAME | ID]", help="One op, in detail."),
    ops: OpsOption = None,
) -> None:
    """List the basic operations that programs are made of, or explain one.

    With --ops also those of your file, after checking that their generated code computes what they mean.
    """
