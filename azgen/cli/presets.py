"""`azgen presets`: ready-made settings."""

from __future__ import annotations

import typer

from azgen.cli.output import console, grid
from azgen.settings.presets import DEFAULT, preset, preset_names, preset_text


def presets(name: str | None) -> None:
    """Lists the presets, or prints one."""
    if name is not None:
        typer.echo(preset_text(name), nl=False)
        return
    to = console()
    rows = [(n + (" (default)" if n == DEFAULT else ""), preset(n).description) for n in preset_names()]
    to.print(grid(rows, "preset", "what it does"))
    to.print("\nazgen presets NAME > mine.toml starts a configuration of your own: azgen evolve mine.toml")
