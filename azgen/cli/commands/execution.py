"""`azgen run`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from azgen.cli.naming import Named
from azgen.cli.options import BuildDirOption, JsonOption, table_options
from azgen.cli.values import declared, grouped


@table_options
@grouped("named")
@declared
def run(
    named: Named,
    *,
    table: dict[str, Any],
    backend: str = typer.Option(
        "native", metavar="NAME", help="oracle (NumPy), kernel or native (compiled)."
    ),
    sets: list[str] = typer.Option(
        ["search", "select", "test"], "--set", metavar="SET", help="search, select or test; may be repeated."
    ),
    override: Path | None = typer.Option(
        None,
        metavar="DIR",
        help="Run beside it what a .pyx in DIR compiles to: the source of `azgen show --source`, edited. A "
        "run keeps and marks it.",
    ),
    json: JsonOption = False,
    build_dir: BuildDirOption = None,
) -> None:
    """Execute a program on tasks and print its fitness; a run's champion on the run's own tasks."""
