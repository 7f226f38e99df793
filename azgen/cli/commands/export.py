"""`azgen export`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from azgen.cli.options import FusedOption, MemberOption, OpsOption, ReferenceArgument
from azgen.cli.values import declared, grouped

FORMS = {
    "python": (".py", "read the class Learner at its top"),
    "c": (".h", "C99 without allocation; its first lines say how to use it"),
    "latex": (".tex", "formulas for a document that uses amsmath"),
    "markdown": (".md", "formulas on a page"),
    "cython": ("", "a package of the same estimator, compiled: pip install it"),
    "json": (".json", "the program for other tools, an object an instruction"),
    "sympy": ("_sympy.py", "import `prediction` from it"),
}
"""Ending of the file, and what to say about it, by form; `azgen.cli.export` has what writes each."""


@dataclass(frozen=True)
class ExportOptions:
    """What is to be written; a run knows the most of it."""

    metric: Annotated[
        str | None,
        typer.Option(
            metavar="METRIC",
            help="rmse for a regressor (default), accuracy for a classifier (default for several classes); a "
            "run knows its own.",
        ),
    ] = None
    ops: OpsOption = None
    dtype: Annotated[
        str | None,
        typer.Option(metavar="TYPE", help="Number type: float32 (default) or float64; a run knows its own."),
    ] = None
    fused: FusedOption = None
    rank: MemberOption = None
    form: Annotated[
        str, typer.Option(metavar="FORM", help=f"What to write: {', '.join(FORMS)} (default python).")
    ] = "python"
    features: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="F", help="For c, cython and sympy: number of features; a run knows its own."
        ),
    ] = None
    classes: Annotated[
        int | None,
        typer.Option(
            min=2,
            metavar="C",
            help="For these, and programs of several classes: how many (default: as many as features).",
        ),
    ] = None
    pick: Annotated[
        str | None,
        typer.Option(
            metavar="RULE | N",
            help="Of a run, what this rule picks out of its hall of fame: best, cheapest-within-error, "
            "best-start (the zoo's best, tuned), or a rank.",
        ),
    ] = None


@grouped("wanted")
@declared
def export(
    reference: ReferenceArgument,
    output: Path | None = typer.Option(
        None, "-o", "--out", "--output", metavar="FILE", help="File to write (cython: a folder)."
    ),
    *,
    wanted: ExportOptions,
) -> None:
    """Write a program as a Python module that needs NumPy alone, or in other forms."""
