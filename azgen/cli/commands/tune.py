"""`azgen tune`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from azgen.cli.naming import Named
from azgen.cli.options import BuildDirOption, JsonOption, table_options
from azgen.cli.values import declared, grouped


@dataclass(frozen=True)
class Tuning:
    """How much is tried, and where the result goes."""

    trials: Annotated[int, typer.Option(min=1, metavar="N", help="Settings of the constants to try.")] = 1000
    halving: Annotated[
        bool,
        typer.Option(
            "--halving",
            help="Try them on 1/27 of the examples first, the best third on 1/9, and so on: cheaper, but "
            "short training prefers higher rates.",
        ),
    ] = False
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", "--output",
            metavar="FILE.az", help="Where the tuned program goes (default NAME-tuned.az).",
        ),
    ] = None  # fmt: skip
    export: Annotated[
        Path | None, typer.Option(metavar="FILE.py", help="Export the tuned program as a Python module too.")
    ] = None


@table_options
@grouped("named")
@grouped("wanted")
@declared
def tune(
    named: Named,
    *,
    table: dict[str, Any],
    wanted: Tuning,
    json: JsonOption = False,
    build_dir: BuildDirOption = None,
) -> None:
    """Tune a program's constants: each is multiplied by a factor between 0.001 and 1000, all of them jointly.

    Random search on the search tasks; the ten best are compared on the selection tasks; the winner, and the
    program as it was, are then run once on the test tasks.
    """
