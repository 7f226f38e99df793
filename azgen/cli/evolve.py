"""`azgen evolve`."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from azgen.cli.app import app
from azgen.cli.options import MetricOption, OpsOption, table_options


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
    kind: str | None = typer.Option(
        None, metavar="KIND", help="regression or classification; without it the target column tells."
    ),
    metric: MetricOption = None,
    ops: OpsOption = None,
    seed: int | None = typer.Option(
        None, min=0, metavar="N", help="Decides tasks, mutations and draws (default 0)."
    ),
    max_time: str | None = typer.Option(None, metavar="TIME", help="Limit of the search: 90s, 10m, 1h30m."),
    max_programs: int | None = typer.Option(
        None, min=1, metavar="N", help="Limit of the search. A limit given here replaces those of the preset."
    ),
    target_fitness: float | None = typer.Option(
        None, metavar="X", help="Stop when the fitness on selection tasks exceeds this."
    ),
    islands: int | None = typer.Option(
        None, min=1, metavar="N", help="Populations that evolve side by side and exchange programs."
    ),
    workers: int | None = typer.Option(
        None, min=1, metavar="N", help="Processes that run islands; never changes results."
    ),
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
    json: bool = typer.Option(
        False, "--json", help="One JSON object per event and line; the last is the result."
    ),
    build_dir: Path | None = typer.Option(None, metavar="DIR", help="Folder of the compile cache."),
    *,
    table: dict[str, Any],
) -> None:
    """Evolve a learning algorithm; test, save and export the best one.

    Without arguments the default preset runs. Ctrl-C ends the search early and keeps the best so far.
    """
    from azgen.cli.output import console
    from azgen.cli.report import print_champion, print_files, print_fitness, print_ladder
    from azgen.cli.view import view_for
    from azgen.presets import resolve_settings
    from azgen.runs.directory import to_json
    from azgen.study import run as study

    if build_dir is not None:
        from azgen.codegen.cache import set_build_directory

        set_build_directory(build_dir)
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
    )
    to = console()
    with _interruptible(), view_for(settings, to, json) as view:
        run = study.evolve(settings, observer=view.observe, out=out)
    result = run.as_record()
    if json:
        print(to_json({"event": "Result", **result}), flush=True)
        return
    if run.interrupted:
        to.print("\nInterrupted: this is the best program so far.", style="bold")
    to.print()
    print_champion(to, result)
    print_fitness(to, result)
    print_ladder(to, result)
    print_files(to, result)


class Interruption(KeyboardInterrupt):
    """Ctrl-C or a request to terminate.

    A class of its own, because Python remembers when a plain KeyboardInterrupt has passed through an `exec`
    (Cython and dataclasses use it), and then ends by that signal even if the interrupt was handled.
    """


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C ends the search, and so does SIGTERM, so that a batch system's time limit loses nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: Any) -> None:
        raise Interruption

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
