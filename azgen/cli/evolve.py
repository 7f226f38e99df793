"""`azgen evolve` and `azgen resume`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from azgen.cli.app import app
from azgen.cli.options import OVERRIDES, RESUME_OVERRIDES, gathered, table_options, use_build_directory
from azgen.settings.overrides import Overrides, ResumeOverrides

if TYPE_CHECKING:
    from azgen.runs.events import Observer
    from azgen.settings.settings import Settings
    from azgen.study.run import Run

# What both commands take.
_TENSORBOARD = typer.Option(False, "--tensorboard", help="Also write curves for TensorBoard into the run.")
_JSON = typer.Option(False, "--json", help="One JSON object per event and line; the last is the result.")
_BUILD_DIR = typer.Option(None, metavar="DIR", help="Folder of the compile cache.")


@app.command(rich_help_panel="Search")
@table_options
@gathered("overrides", OVERRIDES)
def evolve(
    config: str | None = typer.Argument(
        None,
        metavar="[PRESET | CONFIG.toml]",
        help='A preset or a configuration file; without any: "digits".',
    ),
    *,
    overrides: Overrides,
    out: Path | None = typer.Option(
        None, metavar="DIR", help="Where the run is kept (default runs/<name>-<seed>)."
    ),
    tensorboard: bool = _TENSORBOARD,
    table: dict[str, Any],
    json: bool = _JSON,
    build_dir: Path | None = _BUILD_DIR,
) -> None:
    """Evolve a learning algorithm; test, save and export the best one.

    Without arguments the default preset runs. Ctrl-C ends the search early and keeps the best so far;
    `azgen resume` goes on with it.
    """
    from azgen.settings.resolve import resolve_settings
    from azgen.study import run as study

    overrides["tasks"] = table
    settings = resolve_settings(config, **overrides)

    def carry_out(observer: Observer) -> Run:
        return study.evolve(settings, observer=observer, out=out, tensorboard=tensorboard)

    _show(settings, carry_out, json, build_dir)


@app.command(rich_help_panel="Search")
@gathered("overrides", RESUME_OVERRIDES)
def resume(
    run: Path = typer.Argument(..., metavar="RUN", help="The run's directory."),
    *,
    overrides: ResumeOverrides,
    tensorboard: bool = _TENSORBOARD,
    json: bool = _JSON,
    build_dir: Path | None = _BUILD_DIR,
) -> None:
    """Go on with a run that was killed or interrupted, or give one that has ended more time or programs.

    It goes on from its last checkpoint and finds what it would have found had it never stopped.
    """
    from azgen.study import resume as study

    def carry_out(observer: Observer) -> Run:
        return study.resume(run, observer=observer, tensorboard=tensorboard, **overrides)

    _show(study.resumed_settings(run, **overrides), carry_out, json, build_dir)


def _show(
    settings: Settings, carry_out: Callable[[Observer], Run], json: bool, build_dir: Path | None
) -> None:
    """Carries a run out before the user's eyes, and prints what it found."""
    from azgen.cli.output import console
    from azgen.cli.report import print_champion, print_files, print_fitness, print_ladder
    from azgen.cli.view import view_for
    from azgen.plain import to_json
    from azgen.search.interrupts import interruptible

    use_build_directory(build_dir)
    to = console()
    with interruptible(), view_for(settings, to, json) as view:
        run = carry_out(view.observe)
    result = run.as_record()
    if json:
        print(to_json({"event": "Result", **result}), flush=True)
        return
    if run.interrupted:
        to.print(
            f"\nInterrupted: this is the best program so far. azgen resume {run.directory} goes on.",
            style="bold",
        )
    to.print()
    print_champion(to, result)
    print_fitness(to, result)
    print_ladder(to, result)
    print_files(to, result)
