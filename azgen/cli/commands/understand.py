"""`azgen explain`, `ablate` and `prune`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from azgen.cli.naming import Named
from azgen.cli.options import BuildDirOption, JsonOption, table_options
from azgen.cli.values import declared, grouped

_Set = Annotated[
    str,
    typer.Option("--set", metavar="SET", help="Tasks that decide: search, select or test (default select)."),
]


@table_options
@grouped("named")
@declared
def explain(
    named: Named,
    *,
    table: dict[str, Any],
    on: _Set = "select",
    worth: bool = typer.Option(
        True,
        "--worth/--no-worth",
        help="Say what each line is worth too, if there are tasks (as azgen ablate).",
    ),
    json: JsonOption = False,
    build_dir: BuildDirOption = None,
) -> None:
    """Explain a program: the known ideas in it, its nearest relative in the zoo, what its lines are worth.

    An idea is named only where an equality was checked, by SymPy (extra explain) or numerically on random
    inputs.
    """


@table_options
@grouped("named")
@declared
def ablate(
    named: Named,
    *,
    table: dict[str, Any],
    on: _Set = "select",
    json: JsonOption = False,
    build_dir: BuildDirOption = None,
) -> None:
    """Show what each line of a program is worth: its fitness without the line, and with 0 in its place."""


@table_options
@grouped("named")
@declared
def prune(
    named: Named,
    *,
    table: dict[str, Any],
    on: _Set = "select",
    tolerance: float = typer.Option(
        0.01,
        min=0.0,
        metavar="X",
        help="Share of 1 - fitness by which the mean fitness may fall, in all.",
    ),
    output: Path | None = typer.Option(
        None, "-o", "--out", "--output", metavar="FILE.az", help="Write the pruned program there."
    ),
    json: JsonOption = False,
    build_dir: BuildDirOption = None,
) -> None:
    """Take out of a program every line that it does as well without.

    The chosen tasks decide; then both programs are run once on the test tasks.
    """
