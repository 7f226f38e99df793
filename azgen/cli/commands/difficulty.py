"""`azgen difficulty`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from azgen.cli.options import BuildDirOption, JsonOption
from azgen.cli.values import declared, grouped


@dataclass(frozen=True)
class Counting:
    """What is counted, and for how long."""

    programs: Annotated[
        float, typer.Option(min=1, metavar="N", help="Random programs to draw in all, such as 1e9.")
    ] = 1e8
    max_time: Annotated[str | None, typer.Option(metavar="TIME", help="Stop earlier: 90s, 10m, 1h30m.")] = (
        None
    )
    goal: Annotated[
        str | None,
        typer.Option(
            metavar="FITNESS | PROGRAM",
            help="What is acceptable: a fitness on the search tasks, or at least that of a program; "
            "default: the hand-designed program for the teacher, such as zoo:linear.",
        ),
    ] = None
    seed: Annotated[int | None, typer.Option(min=0, help="Decides the tasks and the programs.")] = None
    workers: Annotated[
        int, typer.Option(min=1, metavar="N", help="Threads; the count is the same for any number.")
    ] = 1
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json",
            help="Keep the count there; if there is one of the same search, go on from it.",
        ),
    ] = None


@grouped("wanted")
@declared
def difficulty(
    config: str = typer.Argument(..., metavar="PRESET | CONFIG.toml", help="Whose search space is meant."),
    *,
    wanted: Counting,
    json: JsonOption = False,
    build_dir: BuildDirOption = None,
) -> None:
    """Count the acceptable programs among random ones: the difficulty of a search (figure 4 of the paper).

    Functions are drawn at their full length, uniformly over ops and addresses. Programs that cannot learn by
    their data flow are counted as not acceptable without being run. Presets of the figure:
    paper-linear-learn, paper-linear, paper-affine-learn, paper-affine. Ctrl-C ends the count; what has been
    counted stays.
    """
