"""`azgen evolve` and `azgen resume`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from azgen.cli.options import (
    OVERRIDES,
    PANELS,
    RESUME_OVERRIDES,
    table_options,
    use_build_directory,
)
from azgen.cli.output import console
from azgen.cli.report import print_champion, print_files, print_fitness, print_ladder, print_summary
from azgen.cli.runs import print_comparison
from azgen.cli.values import gathered, grouped, in_panels
from azgen.cli.view import view_for
from azgen.errors import AzgenError
from azgen.runs.saved import load_run
from azgen.search.interrupts import interruptible
from azgen.settings.overrides import Overrides, ResumeOverrides
from azgen.settings.resolve import resolve_settings
from azgen.settings.settings import Settings
from azgen.study import resume as resuming
from azgen.study import run as running
from azgen.study.finished import Run
from azgen.textual import to_json

_MOST_SEEDS = 10_000

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


@dataclass(frozen=True)
class Shown:
    """What both commands are asked about what they write and show, and where they compile."""

    tensorboard: Annotated[
        bool,
        typer.Option(
            "--tensorboard",
            help="Also write curves for TensorBoard into the run.",
            rich_help_panel="Output",
        ),
    ] = False
    json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="One JSON object per event and line; the last is the result.",
            rich_help_panel="Output",
        ),
    ] = False
    full: Annotated[
        bool,
        typer.Option(
            "--full", help="At the end, all there is to say and not a screen of it.", rich_help_panel="Output"
        ),
    ] = False
    build_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the compile cache.", rich_help_panel="Output"),
    ] = None


@table_options
@grouped("shown")
@gathered("overrides", in_panels(OVERRIDES, PANELS))
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
    overrides["tasks"] = table
    if seeds is None:
        _evolve(config, overrides, out, shown)
        return
    if overrides.get("seed") is not None:
        raise AzgenError("--seed and --seeds exclude each other")
    runs = []
    for seed in parse_seeds(seeds):
        runs.append(_evolve(config, overrides | {"seed": seed}, out, shown, several=True))
        if runs[-1].interrupted:
            break
    if not shown.json:
        print_comparison([load_run(run.directory) for run in runs])


def _evolve(
    config: str | None, overrides: Overrides, out: Path | None, shown: Shown, several: bool = False
) -> Run:
    """One run, before the user's eyes; of several each has a folder in `out`."""
    settings = resolve_settings(config, **overrides)
    place = out / f"{settings.name}-{settings.seed}" if several and out is not None else out
    carry_out = partial(running.evolve, settings, out=place, tensorboard=shown.tensorboard)
    return _show(settings, carry_out, shown)


def parse_seeds(text: str) -> list[int]:
    """Seeds from a text such as "0-4" or "1,5,7".

    Raises:
        AzgenError: it is none.
    """
    found = list[int]()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+))?\s*", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last or last - first >= _MOST_SEEDS:
            raise AzgenError(f"{text!r} names no seeds; write them as 0-4 or 1,5,7")
        found += range(first, last + 1)
    return list(dict.fromkeys(found))


@grouped("shown")
@gathered("overrides", in_panels(RESUME_OVERRIDES, PANELS))
def resume(
    run: Path = typer.Argument(..., metavar="RUN", help="The run's directory."),
    *,
    overrides: ResumeOverrides,
    shown: Shown,
) -> None:
    """Go on with a run that was killed or interrupted, or give one that has ended more time or programs.

    It goes on from its last checkpoint and finds what it would have found had it never stopped.
    """
    carry_out = partial(resuming.resume, run, tensorboard=shown.tensorboard, **overrides)
    _show(resuming.resumed_settings(run, **overrides), carry_out, shown)


def _show(settings: Settings, carry_out: Callable[..., Run], shown: Shown) -> Run:
    """Carries a run out before the user's eyes, and prints what it found."""
    use_build_directory(shown.build_dir)
    to = console()
    with interruptible(), view_for(settings, to, shown.json) as view:
        run = carry_out(observer=view.observe)
    result = run.as_record()
    if shown.json:
        print(to_json({"event": "Result", **result}), flush=True)
        return run
    if run.interrupted:
        to.print(
            f"\nInterrupted: this is the best program so far. azgen resume {run.directory} goes on.",
            style="bold",
        )
    to.print()
    if not shown.full:
        print_summary(to, result, run.learner, *_own_table(settings))
        return run
    print_champion(to, result)
    print_fitness(to, result)
    print_ladder(to, result)
    print_files(to, result, *_own_table(settings))
    return run


def _own_table(settings: Settings) -> tuple[str, ...]:
    """The run's table, as words for its champion.py, which knows its target; none if it is no file."""
    data = getattr(settings.tasks, "data", "")
    return (shlex.quote(data),) if settings.tasks.source == "table" and Path(data).is_file() else ()
