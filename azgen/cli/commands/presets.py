"""`azgen presets`."""

from __future__ import annotations

import typer

from azgen.cli.values import declared


@declared
def presets(
    name: str | None = typer.Argument(None, metavar="[NAME]", help="Print this preset's TOML."),
) -> None:
    """List the presets, or print one to start a configuration file from."""
