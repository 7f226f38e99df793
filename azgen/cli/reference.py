"""`azgen presets` and `azgen zoo`: what there is to start from."""

from __future__ import annotations

import typer

from azgen.cli.output import console, grid
from azgen.language.zoo import zoo, zoo_description, zoo_names, zoo_text
from azgen.settings.presets import DEFAULT, preset, preset_names, preset_text


def presets(
    name: str | None = typer.Argument(None, metavar="[NAME]", help="Print this preset's TOML."),
) -> None:
    """List the presets, or print one to start a configuration file from."""
    if name is not None:
        typer.echo(preset_text(name), nl=False)
        return
    to = console()
    rows = [(n + (" (default)" if n == DEFAULT else ""), preset(n).description) for n in preset_names()]
    to.print(grid(rows, "preset", "what it does"))
    to.print("\nazgen presets NAME > mine.toml starts a configuration of your own: azgen evolve mine.toml")


def zoo_programs(
    name: str | None = typer.Argument(None, metavar="[NAME]", help="Print this program's file."),
) -> None:
    """List the zoo, hand-designed and published programs to start from and to compare with; or print one."""
    if name is not None:
        typer.echo(zoo_text(name.removeprefix("zoo:")), nl=False)
        return
    rows = []
    for each in zoo_names():
        program = zoo(each)
        size = program.size
        rows.append((f"zoo:{each}", program.form.name, size, zoo_description(each)))
    to = console()
    to.print(grid(rows, "program", "form", "instructions", "what it is"))
    to.print("\nazgen show zoo:NAME shows one, azgen explain zoo:NAME says what its lines do,")
    to.print(
        "azgen run zoo:NAME --data FILE --target COLUMN runs it, azgen evolve --start zoo:NAME starts there."
    )
