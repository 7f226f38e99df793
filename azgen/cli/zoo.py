"""`azgen zoo`: programs to start from and to compare with."""

from __future__ import annotations

import typer

from azgen.cli.output import console, grid
from azgen.language.zoo import zoo, zoo_description, zoo_names, zoo_text


def zoo_programs(name: str | None) -> None:
    """Lists the zoo, or prints one of its programs."""
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
