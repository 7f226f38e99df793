"""`azgen ops` and `azgen presets`: what there is to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from azgen.cli.app import app

if TYPE_CHECKING:
    from rich.table import Table

    from azgen.language.ops import Op

_PANEL = "Reference"
_FEATURES = (4, 16, 64)


@app.command(rich_help_panel=_PANEL)
def ops(
    name: str | None = typer.Argument(None, metavar="[NAME | ID]", help="One op, in detail."),
) -> None:
    """List the basic operations that programs are made of, or explain one."""
    from azgen.cli.output import console, grid
    from azgen.language.ops import OPS

    to = console()
    if name is None:
        to.print(_table(list(OPS)))
        to.print("\ns: scalar, v: vector of F entries, m: matrix of F x F entries; F: number of features")
        return
    found = find_ops(name)
    if len(found) > 1:
        to.print(_table(found))
        return
    op = found[0]
    costs = ", ".join(f"{op.cost(n):g} at F = {n}" for n in _FEATURES)
    to.print(f"{op.name} (op {op.id})", style="bold")
    to.print(op.doc + "\n")
    to.print(
        grid(
            [
                ("types", op.signature.strip()),
                ("as printed", example(op)),
                ("constants", ", ".join(op.constants) or "none"),
                ("generated Cython", op.cython),
                ("exported Python", op.python),
                ("cost", f"{costs} (in multiplications)"),
                ("commutative", "yes" if op.commutative else "no"),
                ("random draws", "yes" if op.stochastic else "no"),
            ]
        )
    )


def _table(ops: Sequence[Op]) -> Table:
    from azgen.cli.output import grid

    rows = [(str(op.id), op.name, op.signature.strip(), example(op), op.doc) for op in ops]
    return grid(rows, "id", "op", "types", "as printed", "meaning", right=(0,))


def find_ops(name: str) -> list[Op]:
    """The op of this name or id; without one, all ops whose name or printed form contains the text.

    Raises:
        AzgenError: no such op; suggests one.
    """
    import difflib

    from azgen.errors import AzgenError
    from azgen.language.ops import OPS

    exact = [op for op in OPS if name in (op.name, str(op.id))]
    found = exact or [op for op in OPS if name in op.name or f"{name}(" in op.listing]
    if not found:
        close = difflib.get_close_matches(name, [op.name for op in OPS], 1)
        hint = f"; did you mean {close[0]}?" if close else "; `azgen ops` lists them all"
        raise AzgenError(f"there is no op {name!r}{hint}")
    return found


def example(op: Op) -> str:
    """The op as a line of program text, on some addresses."""
    from azgen.language.program import Instruction

    constants = tuple(
        0.5 if kind == "index" else 0.25 * (place + 1) for place, kind in enumerate(op.constants)
    )
    return str(Instruction(op, 3, 1, 2, constants))


@app.command(rich_help_panel=_PANEL)
def presets(
    name: str | None = typer.Argument(None, metavar="[NAME]", help="Print this preset's TOML."),
) -> None:
    """List the presets, or print one to start a configuration file from."""
    from azgen.cli.output import console, grid
    from azgen.presets import DEFAULT, preset, preset_names, preset_text

    if name is not None:
        typer.echo(preset_text(name), nl=False)
        return
    to = console()
    rows = [(n + (" (default)" if n == DEFAULT else ""), preset(n).description) for n in preset_names()]
    to.print(grid(rows, "preset", "what it does"))
    to.print("\nazgen presets NAME > mine.toml starts a configuration of your own: azgen evolve mine.toml")
