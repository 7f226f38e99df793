"""`azgen evolve` and `azgen resume`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from azgen.cli.app import app
from azgen.cli.options import KindOption, MetricOption, OpsOption, table_options, use_build_directory

if TYPE_CHECKING:
    from azgen.runs.events import Observer
    from azgen.settings.settings import Settings
    from azgen.study.run import Run

# What both commands take.
_TARGET_FITNESS = typer.Option(
    None, metavar="X", help="Stop when the fitness on selection tasks exceeds this."
)
_WORKERS = typer.Option(None, min=1, metavar="N", help="Processes that run islands; never changes results.")
_ENGINE = typer.Option(
    None,
    metavar="NAME",
    help="What runs islands: auto, process (this one), workers or dask. Never changes results.",
)
_SCHEDULER = typer.Option(
    None,
    metavar="ADDRESS",
    help="The Dask scheduler's, such as tcp://host:8786; without it a cluster on this machine.",
)
_TENSORBOARD = typer.Option(False, "--tensorboard", help="Also write curves for TensorBoard into the run.")
_JSON = typer.Option(False, "--json", help="One JSON object per event and line; the last is the result.")
_BUILD_DIR = typer.Option(None, metavar="DIR", help="Folder of the compile cache.")


@app.command(rich_help_panel="Search")
@table_options
def evolve(
    config: str | None = typer.Argument(
        None,
        metavar="[PRESET | CONFIG.toml]",
        help='A preset or a configuration file; without any: "digits".',
    ),
    data: str | None = typer.Option(
        None, metavar="FILE | NAME", help="A table (CSV, TSV, NPZ, Parquet, ARFF) or a data set's name."
    ),
    target: str | None = typer.Option(None, metavar="COLUMN", help="The table's column to predict."),
    kind: KindOption = None,
    metric: MetricOption = None,
    ops: OpsOption = None,
    seed: int | None = typer.Option(
        None, min=0, metavar="N", help="Decides tasks, mutations and draws (default 0)."
    ),
    max_time: str | None = typer.Option(None, metavar="TIME", help="Limit of the search: 90s, 10m, 1h30m."),
    max_programs: int | None = typer.Option(
        None, min=1, metavar="N", help="Limit of the search. A limit given here replaces those of the preset."
    ),
    target_fitness: float | None = _TARGET_FITNESS,
    islands: int | None = typer.Option(
        None, min=1, metavar="N", help="Populations that evolve side by side and exchange programs."
    ),
    workers: int | None = _WORKERS,
    engine: str | None = _ENGINE,
    scheduler: str | None = _SCHEDULER,
    backend: str | None = typer.Option(
        None, metavar="NAME", help="What rates programs: auto, kernel or native. Never changes results."
    ),
    dtype: str | None = typer.Option(None, metavar="TYPE", help="Number type: float32 or float64."),
    baselines: str | None = typer.Option(
        None, metavar="WHICH", help="What the champion is compared with: all (default; takes seconds) or few."
    ),
    out: Path | None = typer.Option(
        None, metavar="DIR", help="Where the run is kept (default runs/<name>-<seed>)."
    ),
    tensorboard: bool = _TENSORBOARD,
    json: bool = _JSON,
    build_dir: Path | None = _BUILD_DIR,
    *,
    table: dict[str, Any],
) -> None:
    """Evolve a learning algorithm; test, save and export the best one.

    Without arguments the default preset runs. Ctrl-C ends the search early and keeps the best so far;
    `azgen resume` goes on with it.
    """
    from azgen.settings.overrides import resolve_settings
    from azgen.study import run as study

    settings = resolve_settings(
        config,
        data=data,
        target=target,
        kind=kind,
        seed=seed,
        backend=backend,
        dtype=dtype,
        max_time=max_time,
        max_programs=max_programs,
        target_fitness=target_fitness,
        islands=islands,
        workers=workers,
        metric=metric,
        ops=ops,
        baselines=baselines,
        tasks=table,
        engine=engine,
        scheduler=scheduler,
    )

    def carry_out(observer: Observer) -> Run:
        return study.evolve(settings, observer=observer, out=out, tensorboard=tensorboard)

    _show(settings, carry_out, json, build_dir)


@app.command(rich_help_panel="Search")
def resume(
    run: Path = typer.Argument(..., metavar="RUN", help="The run's directory."),
    max_time: str | None = typer.Option(
        None, metavar="TIME", help="New limit of the search, from its beginning: 90s, 10m, 1h30m."
    ),
    max_programs: int | None = typer.Option(
        None, min=1, metavar="N", help="New limit of the search. A limit given here replaces the run's."
    ),
    target_fitness: float | None = _TARGET_FITNESS,
    workers: int | None = _WORKERS,
    engine: str | None = _ENGINE,
    scheduler: str | None = _SCHEDULER,
    tensorboard: bool = _TENSORBOARD,
    json: bool = _JSON,
    build_dir: Path | None = _BUILD_DIR,
) -> None:
    """Go on with a run that was killed or interrupted, or give one that has ended more time or programs.

    It goes on from its last checkpoint and finds what it would have found had it never stopped.
    """
    from azgen.study import resume as study

    changes: dict[str, Any] = {
        "max_time": max_time,
        "max_programs": max_programs,
        "target_fitness": target_fitness,
        "workers": workers,
        "engine": engine,
        "scheduler": scheduler,
    }

    def carry_out(observer: Observer) -> Run:
        return study.resume(run, observer=observer, tensorboard=tensorboard, **changes)

    _show(study.resumed_settings(run, **changes), carry_out, json, build_dir)


def _show(
    settings: Settings, carry_out: Callable[[Observer], Run], json: bool, build_dir: Path | None
) -> None:
    """Carries a run out before the user's eyes, and prints what it found."""
    from azgen.cli.output import console
    from azgen.cli.report import print_champion, print_files, print_fitness, print_ladder
    from azgen.cli.view import view_for
    from azgen.runs.directory import to_json
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
