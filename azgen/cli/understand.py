"""`azgen explain`, `ablate` and `prune`: what a program does, and what its lines are worth."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from azgen.cli.app import app
from azgen.cli.options import KindOption, MetricOption, OpsOption, table_options, use_build_directory
from azgen.cli.programs import PANEL, REFERENCE, Reference, find
from azgen.errors import AzgenError

if TYPE_CHECKING:
    from azgen.settings.settings import Settings
    from azgen.study.understanding.ablation import Ablation, Loss
    from azgen.study.understanding.pruning import Pruned
    from azgen.tasks.task import Task, TaskSplit

_NAMES = {"search": "search", "select": "selection", "test": "test"}
"""Of the task sets, for people."""

_OPTIONS: dict[str, Any] = {
    "data": Annotated[str | None, typer.Option(metavar="FILE | NAME", help="A table or a data set's name.")],
    "target": Annotated[str | None, typer.Option(metavar="COLUMN", help="The table's column to predict.")],
    "kind": KindOption,
    "metric": MetricOption,
    "ops": OpsOption,
    "tasks": Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Tasks of a preset or configuration file, or a teacher: linear, affine, two-layer; a run "
            "has its own.",
        ),
    ],
    "seed": Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Decides tasks and draws (default 0).")
    ],
    "epochs": Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Passes over the training examples.")
    ],
    "dtype": Annotated[str | None, typer.Option(metavar="TYPE", help="Number type: float32 or float64.")],
}


@dataclass
class Subject:
    """What a command is about: a program, and the tasks that were named or are those of its run."""

    found: Reference
    given: dict[str, Any]

    @property
    def has_tasks(self) -> bool:
        """Whether tasks were named, or are known from a run."""
        return self.found.run is not None or any(self.given[name] is not None for name in ("data", "tasks"))

    @cached_property
    def settings(self) -> Settings:
        """What the program is executed with."""
        from azgen.cli.execution import task_settings

        given = dict(self.given)
        name, table, epochs = given.pop("tasks"), given.pop("table"), given.pop("epochs")
        return task_settings(self.found, name, **given, tasks=table | {"epochs": epochs})

    @cached_property
    def split(self) -> TaskSplit:
        """Search, selection and test tasks."""
        from azgen.execution.verify import verify
        from azgen.search.sources import make_tasks

        verify(self.settings.user, self.settings.dtype)
        return make_tasks(self.settings.tasks, self.settings.seed, user=self.settings.user)

    def tasks(self, name: str) -> tuple[Task, ...]:
        """The tasks of a set.

        Raises:
            AzgenError: there is no such set.
        """
        if name not in _NAMES:
            raise AzgenError(f"there is no task set {name!r}; there are {', '.join(_NAMES)}")
        return dict(self.split.sets())[name]  # type: ignore[index]  # just checked

    @property
    def how(self) -> dict[str, Any]:
        """How programs are executed, as keyword arguments."""
        settings = self.settings
        return {
            "seed": settings.seed,
            "epochs": settings.tasks.epochs,
            "dtype": settings.dtype,
            "max_abs_error": settings.tasks.max_abs_error,
        }


def subject_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command its program and the options that name tasks; they reach it as `subject`."""
    signature = inspect.signature(command, eval_str=True)
    own = [p.replace(kind=p.KEYWORD_ONLY) for n, p in signature.parameters.items() if n != "subject"]
    reference = inspect.Parameter(
        "reference",
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[str, typer.Argument(metavar="RUN | PROGRAM", help=REFERENCE)],
    )
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=hint)
        for name, hint in _OPTIONS.items()
    ]
    table = inspect.Parameter("table", inspect.Parameter.KEYWORD_ONLY, annotation=dict[str, Any])

    @wraps(command)
    def wrapped(*, reference: str, table: dict[str, Any], **given: Any) -> None:
        use_build_directory(given.get("build_dir"))
        named = {name: given.pop(name) for name in _OPTIONS}
        command(subject=Subject(find(reference, named["ops"]), named | {"table": table}), **given)

    parameters = [reference, *shared, *own, table]
    wrapped.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # read below
    return table_options(wrapped)


_BuildDirectory = Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of the compile cache.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
_Set = Annotated[
    str,
    typer.Option("--set", metavar="SET", help="Tasks that decide: search, select or test (default select)."),
]


@app.command(rich_help_panel=PANEL)
@subject_options
def ablate(
    on: _Set = "select", json: _Json = False, build_dir: _BuildDirectory = None, *, subject: Subject
) -> None:
    """Show what each line of a program is worth: its fitness without the line, and with 0 in its place."""
    from azgen.runs.directory import to_json
    from azgen.study.understanding.ablation import ablate as ablate_program

    tasks = subject.tasks(on)
    found = ablate_program(subject.found.program, tasks, **subject.how)
    if json:
        about = {"data": subject.split.description, "metric": str(subject.split.metric), "set": on}
        print(to_json(about | found.as_record()))
        return
    from azgen.cli.output import console

    console().print(f"{subject.found.name} on {subject.split.description}\n")
    print_ablation(found, on)


def print_ablation(found: Ablation, on: str) -> None:
    """The table of `azgen ablate`."""
    from azgen.cli.output import console, grid, interval
    from azgen.language import FUNCTIONS
    from azgen.study.baselines import Interval

    to, rows, last = console(), [], -1
    base = Interval.of(found.fitness)
    for line in found.lines:
        if line.place.function != last:
            last = line.place.function
            rows.append((f"def {FUNCTIONS[last].capitalize()}():", "", ""))
        rows.append((f"  {line.line}", _loss(line.removed), _loss(line.zeroed)))
    to.print(
        f"Fitness on {base.n} {_NAMES[on]} tasks {interval(base.as_record())}; what it loses "
        "without a line (± 95 % confidence interval over tasks, paired):"
    )
    to.print(grid(rows, "line", "removed", "set to 0", right=(1, 2)))


def _loss(loss: Loss) -> str:
    from azgen.cli.output import interval

    if loss.same:
        return "no change"
    failed = f" ({loss.failed} fail)" if loss.failed else ""
    return interval(loss.difference.as_record()) + failed


@app.command(rich_help_panel=PANEL)
@subject_options
def prune(
    on: _Set = "select",
    tolerance: float = typer.Option(
        0.01,
        min=0.0,
        metavar="X",
        help="Share of 1 - fitness by which the mean fitness may fall, in all.",
    ),
    output: Path | None = typer.Option(
        None, "-o", "--output", metavar="FILE.az", help="Write the pruned program there."
    ),
    json: _Json = False,
    build_dir: _BuildDirectory = None,
    *,
    subject: Subject,
) -> None:
    """Take out of a program every line that it does as well without.

    The chosen tasks decide; then both programs are run once on the test tasks.
    """
    from azgen.execution.execute import execute
    from azgen.runs.directory import to_json
    from azgen.study.baselines import Score
    from azgen.study.understanding.pruning import prune as prune_program

    if output is not None and (output.is_dir() or not output.parent.is_dir()):
        raise AzgenError(f"cannot write {output}: name a file in a folder that exists")
    pruned = prune_program(subject.found.program, subject.tasks(on), tolerance=tolerance, **subject.how)
    before, after = (
        execute(program, subject.split.test, "native", **subject.how).fitness
        for program in (pruned.before, pruned.program)
    )
    metric = subject.split.metric
    record = {
        "data": subject.split.description,
        "metric": str(metric),
        "set": on,
        **pruned.as_record(),
        "test": {
            "before": Score.of("as it was", before, metric, after).as_record(),
            "pruned": Score.of("pruned", after, metric).as_record(),
        },
    }
    if output is not None:
        heading = (
            f"# {subject.found.name}, pruned: without what it does as well without on {_NAMES[on]} tasks.\n"
        )
        _write(output, heading + f"# {subject.split.description}\n" + str(pruned.program))
    if json:
        print(to_json(record))
    else:
        _report_pruned(subject.found.name, pruned, record, output)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AzgenError(f"cannot write {path}: {error.strerror or error}") from None


def _report_pruned(name: str, pruned: Pruned, record: dict[str, Any], output: Path | None) -> None:
    from azgen.cli.output import console, grid, interval, print_code

    to = console()
    to.print(f"{name} on {record['data']}\n")
    if not pruned.cuts:
        to.print("Every line is needed; nothing goes.\n")
    for cut in pruned.cuts:
        way = "bypassed" if cut.bypassed else "removed"
        to.print(f"{way}, fitness {cut.difference.mean:+.2g} in all:")
        for line in cut.lines:
            to.print(f"  {line}")
    sizes = [" + ".join(str(len(f)) for f in p.functions) for p in (pruned.before, pruned.program)]
    to.print(f"\nWhat stays ({sizes[1]} of {sizes[0]} lines)", style="bold")
    print_code(to, str(pruned.program))
    test = record["test"]
    rows = [
        (
            f"{record['difference']['n']} {_NAMES[record['set']]} tasks",
            *(interval(record[key]) for key in ("fitness_before", "fitness", "difference")),
        ),
        (
            f"{test['pruned']['fitness']['n']} test tasks",
            *(interval(test[key]["fitness"]) for key in ("before", "pruned")),
            interval(test["before"]["champion_minus_this"]),
        ),
    ]
    to.print("\nMean fitness ± 95 % confidence interval over tasks", style="bold")
    to.print(grid(rows, "", "as it was", "pruned", "pruned is better by"))
    to.print(f"\nallowed: {pruned.tolerance[1]:.2g} less; {pruned.versions} versions executed")
    if output is not None:
        to.print(f"Written: {output}")
