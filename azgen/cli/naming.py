"""How a program is named on the command line, and the tasks that it is studied on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from azgen.cli.options import (
    ClassesOption,
    FusedOption,
    KindOption,
    MetricOption,
    OpsOption,
    ReferenceArgument,
)


@dataclass(frozen=True)
class Named:
    """A program, and tasks; `azgen.cli.subject` finds them."""

    reference: ReferenceArgument
    data: Annotated[str | None, typer.Option(metavar="FILE | NAME", help="A table or a data set's name.")] = (
        None
    )
    target: Annotated[str | None, typer.Option(metavar="COLUMN", help="The table's column to predict.")] = (
        None
    )
    kind: KindOption = None
    classes: ClassesOption = None
    metric: MetricOption = None
    ops: OpsOption = None
    tasks: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Tasks of a preset or configuration file, or a teacher: linear, affine, two-layer; a run "
            "has its own.",
        ),
    ] = None
    seed: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Decides tasks and draws (default 0).")
    ] = None
    epochs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Passes over the training examples.")
    ] = None
    dtype: Annotated[str | None, typer.Option(metavar="TYPE", help="Number type: float32 or float64.")] = None
    fused: FusedOption = None
