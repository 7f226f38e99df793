"""`azgen evolve` and `azgen resume`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from azgen.cli.options import OVERRIDES, PANELS, RESUME_OVERRIDES, Shown, table_options
from azgen.cli.values import declared, gathered, grouped, in_panels
from azgen.settings.overrides import Overrides, ResumeOverrides

_SEEDS = typer.Option(
    None,
    metavar="0-4",
    help="Several runs, one after the other: 0-4, or 1,5,7. In place of --seed.",
    rich_help_panel="Search",
)
_OUT = typer.Option(
    None,
    "-o",
    "--out",
    "--output",
    metavar="DIR",
    help="Where the run is kept (default runs/<name>-<seed>); of several, the folder of their folders.",
    rich_help_panel="Output",
)


@table_options
@grouped("shown")
@gathered("overrides", in_panels(OVERRIDES, PANELS))
@declared
def evolve(
    config: str | None = typer.Argument(
        None,
        metavar="[PRESET | CONFIG.toml]",
        help='A preset or a configuration file; without any: "digits".',
    ),
    *,
    overrides: Overrides,
    seeds: str | None = _SEEDS,
    out: Path | None = _OUT,
    table: dict[str, Any],
    shown: Shown,
) -> None:
    """Evolve a learning algorithm; test, save and export the best one.

    Without arguments the default preset runs. Ctrl-C ends the search early and keeps the best so far;
    `azgen resume` goes on with it.

    Examples:

    \b
      azgen evolve linear --seed 3 --max-time 2m
      azgen evolve --data houses.csv --target price
      azgen evolve --data wine --islands 4 --workers 2
      azgen evolve two-layer --seeds 0-4 --out study
      azgen evolve mine.toml --start zoo:neural-net --pick best
    """


@grouped("shown")
@gathered("overrides", in_panels(RESUME_OVERRIDES, PANELS))
@declared
def resume(
    run: Path = typer.Argument(..., metavar="RUN", help="The run's directory."),
    *,
    overrides: ResumeOverrides,
    shown: Shown,
) -> None:
    """Go on with a run that was killed or interrupted, or give one that has ended more time or programs.

    It goes on from its last checkpoint and finds what it would have found had it never stopped.
    """
