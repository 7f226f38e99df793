"""`azgen data`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from azgen.cli.options import ClassesOption, JsonOption, table_options
from azgen.cli.values import declared, gathered

_DRAWN: dict[str, Any] = {
    "classes": ClassesOption,
    "seed": Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="With --draw: decides split and projection (default 0)."),
    ],
    "set": Annotated[
        str | None,
        typer.Option("--set", metavar="SET", help="With --draw: search (default), select or test."),
    ],
    "task": Annotated[
        int | None,
        typer.Option("--task", min=0, metavar="N", help="With --draw: which task of the set (default 0)."),
    ],
    "rows": Annotated[
        int | None, typer.Option(min=0, metavar="N", help="With --draw: examples to show (default 5).")
    ],
    "features": Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="F",
            help="With --draw, for images and teachers: number of features; 0: images without projection.",
        ),
    ],
}


@table_options
@gathered("drawn", _DRAWN)
@declared
def data(
    name: str | None = typer.Argument(
        None,
        metavar="[NAME | FILE]",
        help="A data set, a table, or with --draw a teacher: linear, affine, two-layer, two-layer-live, "
        "quadratic.",
    ),
    target: str | None = typer.Option(None, metavar="COLUMN", help="The table's column to predict."),
    draw: bool = typer.Option(False, "--draw", help="Draw tasks as a run does, and show one of them."),
    kind: str = typer.Option(
        "auto",
        metavar="KIND",
        help="Of a table: auto, regression, classification or multiclass; of a teacher all but the last.",
    ),
    json: JsonOption = False,
    *,
    drawn: dict[str, Any],
    table: dict[str, Any],
) -> None:
    """List the data sets on this machine, describe one or a table of yours, or draw a task and show it.

    Nothing is ever downloaded: of a missing set it says where it can be had and where to put it.
    """
