"""`azgen run`: executing a program on tasks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from azgen.cli.app import app
from azgen.cli.options import KindOption, MetricOption, OpsOption, table_options, use_build_directory
from azgen.cli.programs import PANEL, REFERENCE, find
from azgen.errors import AzgenError

if TYPE_CHECKING:
    from azgen.cli.programs import Reference
    from azgen.settings.settings import Settings


@app.command(rich_help_panel=PANEL)
@table_options
def run(
    reference: str = typer.Argument(..., metavar="PROGRAM | RUN", help=REFERENCE),
    data: str | None = typer.Option(None, metavar="FILE | NAME", help="A table or a data set's name."),
    target: str | None = typer.Option(None, metavar="COLUMN", help="The table's column to predict."),
    kind: KindOption = None,
    metric: MetricOption = None,
    ops: OpsOption = None,
    tasks: str | None = typer.Option(
        None,
        metavar="NAME",
        help="Tasks of a preset or configuration file, or a teacher: linear, affine, two-layer.",
    ),
    seed: int | None = typer.Option(None, min=0, metavar="N", help="Decides tasks and draws (default 0)."),
    epochs: int | None = typer.Option(None, min=1, metavar="N", help="Passes over the training examples."),
    backend: str = typer.Option(
        "native", metavar="NAME", help="oracle (NumPy), kernel or native (compiled)."
    ),
    dtype: str | None = typer.Option(None, metavar="TYPE", help="Number type: float32 or float64."),
    sets: list[str] = typer.Option(
        ["search", "select", "test"], "--set", metavar="SET", help="search, select or test; may be repeated."
    ),
    json: bool = typer.Option(False, "--json", help="Print one JSON object."),
    build_dir: Path | None = typer.Option(None, metavar="DIR", help="Folder of the compile cache."),
    *,
    table: dict[str, Any],
) -> None:
    """Execute a program on tasks and print its fitness; a run's champion on the run's own tasks."""
    from azgen.cli.output import console, grid, interval
    from azgen.execution.execute import execute
    from azgen.execution.verify import verify
    from azgen.plain import to_json
    from azgen.study.scores import Score

    use_build_directory(build_dir)
    found = find(reference, ops)
    settings = task_settings(
        found,
        tasks,
        data=data,
        target=target,
        kind=kind,
        metric=metric,
        ops=ops,
        seed=seed,
        dtype=dtype,
        tasks=table | {"epochs": epochs},
    )
    unknown = [name for name in sets if name not in ("search", "select", "test")]
    if unknown:
        raise AzgenError(f"there is no task set {unknown[0]!r}; there are search, select and test")
    verify(settings.user, settings.dtype)
    split = settings.tasks.split(settings.seed, user=settings.user)
    rows, records = [], {}
    for name, members in split.sets():
        if name not in sets:
            continue
        result = execute(
            found.program,
            members,
            backend,  # type: ignore[arg-type]  # `execute` checks it
            seed=settings.seed,
            epochs=settings.tasks.epochs,
            dtype=settings.dtype,
            max_abs_error=settings.tasks.max_abs_error,
        )
        record = Score.of(name, result.fitness, split.metric).as_record()
        failed = int(result.failed.sum())
        shape = f"{members[0].n_train} + {members[0].n_valid}"
        rows.append(
            (
                name,
                str(len(members)),
                shape,
                interval(record["fitness"]),
                _error(record),
                str(failed),
            )
        )
        records[name] = record["fitness"] | {
            "per_task": result.fitness.tolist(),
            "failed": failed,
            "rms_error": record.get("rms_error"),
        }
    if json:
        heading = {
            "program": str(found.program),
            "hash": found.program.hash,
            "backend": backend,
            "dtype": settings.dtype,
        }
        print(to_json(heading | {"metric": str(split.metric), "data": split.description, "sets": records}))
        return
    to = console()
    to.print(f"{found.name} on {split.description}\n")
    to.print(
        grid(
            rows,
            "set",
            "tasks",
            "examples",
            f"fitness ({split.metric})",
            "RMS error",
            "failed",
            right=(1, 2, 4, 5),
        )
    )


def task_settings(found: Reference, name: str | None, **overrides: Any) -> Settings:
    """Settings whose tasks a program is to be executed on.

    Args:
        found: the program, and the run whose champion it is, if it is one.
        name: a preset, a configuration file or a teacher.
        overrides: see `resolve_settings`.
    """
    from azgen.language.instruction import VECTOR
    from azgen.settings.presets import preset_names
    from azgen.settings.resolve import resolve_settings
    from azgen.settings.settings import Settings
    from azgen.settings.tasks import TaskSettings
    from azgen.tasks.synthetic import TEACHERS

    run, data = found.run, overrides["data"]
    if found.program.form == VECTOR and data and overrides["kind"] is None:
        overrides["kind"] = "multiclass"  # it takes one-hot labels alone
    if name is not None and overrides["data"] is not None:
        raise AzgenError("--tasks and --data exclude each other; give one of them")
    if name is not None and name not in preset_names() and name in TEACHERS:
        base: Any = Settings(tasks=TaskSettings(source=name))
    elif name is not None:
        base = name
    elif overrides["data"] is not None:
        base = None
    elif run is not None:
        base = run.settings
    else:
        raise AzgenError(
            "on which tasks? Give --data FILE --target COLUMN, or --tasks NAME, such as --tasks linear"
        )
    return resolve_settings(base, **overrides)


def _error(record: dict[str, Any]) -> str:
    """The RMS error of a score's record as a cell; nothing for metrics that have none."""
    if "rms_error" not in record:
        return ""
    return "infinite" if record["rms_error"] is None else f"{record['rms_error']:.4g}"
