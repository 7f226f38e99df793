"""`azgen show`: reading runs and programs."""

from __future__ import annotations

import typer
from rich.console import Console

from azgen.cli.commands.programs import SourceOptions
from azgen.cli.listing import print_code
from azgen.cli.output import console, grid, interval
from azgen.cli.references import Reference, find, metric_of
from azgen.cli.report import print_champion, print_fitness, print_hall, print_ladder
from azgen.errors import AzgenError
from azgen.execution.layout import check_width
from azgen.files import read_text
from azgen.language.conditions import Conditions
from azgen.language.instruction import VECTOR
from azgen.language.metrics import CLASSIFICATION_METRICS
from azgen.language.program import Program
from azgen.runs.directory import SOURCE
from azgen.runs.edited import edited_sources
from azgen.runs.saved import SavedRun
from azgen.study.report.comparison import as_csv, as_latex, require_results
from azgen.study.repro import generated_source, kernel_source, script


def show(
    reference: str,
    source: bool,
    wanted: SourceOptions,
    rank: int | None,
    kernel: bool,
    repro: bool,
    baselines: str | None,
) -> None:
    """Prints a run's champion and what its run says about it, or a program; or a source."""
    found, to = find(reference, wanted.ops, rank), console()
    if baselines is not None:
        typer.echo(_table_of(found, baselines), nl=False)
    elif kernel or repro:
        print_code(to, _of_run(found, kernel), "cython" if kernel else "python")
    elif source:
        print_code(to, _source(found, wanted), "cython")
    else:
        _print(to, found, rank)


def _print(to: Console, found: Reference, rank: int | None) -> None:
    """A program, and what its run says about it."""
    run = found.run
    if run is not None and run.result is None:
        to.print(f"{run.path}: this run is not finished, azgen resume {run.path} goes on with it")
    if run is not None and run.result is not None and found.champion is run.champion:
        to.print(f"{run.path}: {run.result['data']}\n")
        print_champion(to, run.result)
    else:
        if run is not None:
            to.print(f"program {rank} of the hall of fame:\n" if rank else "the best program so far:\n")
        print_code(to, str(found.program))
    _print_normal_form(to, found.program)
    to.print(grid(_facts(found.program)))
    if run is not None:
        print_hall(to, run)
        _print_edited(to, run)
    if run is not None and run.result is not None and found.champion is run.champion:
        print_fitness(to, run.result)
        print_ladder(to, run.result)


def _print_edited(to: Console, run: SavedRun) -> None:
    """Generated sources that a person has edited and run."""
    sources = edited_sources(run.path)
    if not sources:
        return
    to.print("Run by sources that were edited by hand (azgen run --override)", style="bold")
    for path, record in sources:
        test = record.get("sets", {}).get("test") or {}
        fitness = f": test fitness {interval(test.get('edited'))}" if test else ""
        to.print(f"  {path}{fitness}")
    to.print()


def _of_run(found: Reference, kernel: bool) -> str:
    """A run's kernel, or a script that executes its program."""
    if found.run is None:
        raise AzgenError(f"{found.given} is no run: only a run has a search kernel and tasks of its own")
    return kernel_source(found.run) if kernel else script(found.run, found.program)


def _table_of(found: Reference, form: str) -> str:
    """The champion among the baselines, as a file has them."""
    forms = {"csv": as_csv, "latex": as_latex}
    if form not in forms:
        raise AzgenError(f"there is no table of the form {form!r}; there are {', '.join(forms)}")
    if found.run is None:
        raise AzgenError(f"{found.given} is no run: only a run has baselines")
    require_results([found.run])
    assert found.run.result is not None
    return forms[form](found.run.result)


def _print_normal_form(to: Console, program: Program) -> None:
    to.print("\nNormal form (live code, addresses in order of appearance)", style="bold")
    if str(program.normalized()) == str(program):
        to.print("the same\n")
    else:
        print_code(to, str(program.normalized()))
        to.print()


def _facts(program: Program) -> list[tuple[str, str]]:
    live = program.live()
    several = program.form == VECTOR
    sizes = [" + ".join(str(len(f)) for f in p.functions) for p in (program, live)]
    return [
        ("instructions", sizes[0] + (f", of which {sizes[1]} are live" if sizes[0] != sizes[1] else "")),
        ("memory", live.memory.in_words),
        ("constants", str(len(live.constants))),
        (
            "predicts",
            "the probabilities of several classes" if several else "a number, or one of two classes",
        ),
        ("random draws", "yes" if live.stochastic else "no"),
        ("hash", program.hash),
        ("structure hash", program.structure_hash),
    ]


def _source(found: Reference, wanted: SourceOptions) -> str:
    """The Cython source that a program is compiled from."""
    several = found.program.form == VECTOR
    features, classes = wanted.features, wanted.classes
    conditions = Conditions(dtype=wanted.dtype, fused=bool(wanted.fused))
    if classes and not several:
        raise AzgenError(f"--classes is for programs of several classes ({VECTOR})")
    if found.run is not None:
        file = found.run.path / SOURCE
        if file.is_file() and found.champion is found.run.champion:
            return read_text(file)
        features, conditions = (
            int(found.run.environment.get("n_features", features)),
            found.run.settings.conditions,
        )
        classes = found.run.environment.get("classes", classes)
    classes = (classes or features) if several else 0
    check_width(features, classes)
    rated = metric_of(found, wanted.metric, wanted.ops)
    if several and rated not in CLASSIFICATION_METRICS:
        raise AzgenError(
            f"the metric is {rated}, but the program tells classes apart ({VECTOR}): take "
            f"{', '.join(CLASSIFICATION_METRICS)}"
        )
    return generated_source(found.program, features, rated, conditions, classes)
