"""`azgen show`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from azgen.cli.options import FusedOption, MemberOption, OpsOption, ReferenceArgument
from azgen.cli.values import declared, grouped


@dataclass(frozen=True)
class SourceOptions:
    """What a program's source is generated for; a run knows its own."""

    features: Annotated[
        int, typer.Option(min=1, metavar="F", help="With --source, for a program: number of features.")
    ] = 4
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="METRIC",
            help="With --source, for a program: rmse (default), accuracy (for several classes) and so on.",
        ),
    ] = None
    classes: Annotated[
        int | None,
        typer.Option(
            min=2,
            metavar="C",
            help="With --source, for a program of several classes: how many (default: as many as features).",
        ),
    ] = None
    ops: OpsOption = None
    dtype: Annotated[
        str, typer.Option(metavar="TYPE", help="With --source, for a program: float32 or float64.")
    ] = "float32"
    fused: FusedOption = None


@grouped("wanted")
@declared
def show(
    reference: ReferenceArgument,
    source: bool = typer.Option(False, "--source", help="Print the generated Cython source instead."),
    *,
    wanted: SourceOptions,
    rank: MemberOption = None,
    kernel: bool = typer.Option(False, "--kernel", help="Of a run, print its search kernel's Cython source."),
    repro: bool = typer.Option(
        False,
        "--repro",
        help="Of a run, print a Python script of program and tasks that compares native code and oracle.",
    ),
    baselines: str | None = typer.Option(
        None, metavar="csv | latex", help="Of a run, print the table of baselines in this form instead."
    ),
) -> None:
    """Show a run's champion, its hall of fame, its fitness and what became of all programs; or a program."""
