"""What programs and runs are carried out with, to look at and to run: generated source, and one script."""

from __future__ import annotations

import tomli_w

from azgen.codegen.candidate_source import candidate_source, source_target
from azgen.codegen.kernel_source import render_kernel
from azgen.codegen.templates import environment
from azgen.language.conditions import Conditions
from azgen.language.metrics import Metric
from azgen.language.program import Program
from azgen.runs.directory import RunDirectory
from azgen.runs.saved import SavedRun
from azgen.search.starts import programs_given, programs_with_room, start_programs
from azgen.search.task_set import kernel_spec
from azgen.settings.values import as_mapping


def kernel_source(run: SavedRun) -> str:
    """The Cython source of a run's search kernel.

    Raises:
        AzgenError: its data are gone.
    """
    settings = run.settings
    split = settings.tasks.split(settings.seed, user=settings.user)
    tuned = tuple(RunDirectory(run.path).read_starts(settings.user.table).values())
    given = programs_given(start_programs(settings, split.select, tuned), tuned)
    task, room = split.select[0], programs_with_room(settings, given, tuned)
    spec = kernel_spec(settings, task.n_features, task.metric, room, task.vector_classes)
    return render_kernel(spec)["kernel.pyx"]


def script(run: SavedRun, program: Program) -> str:
    """A Python script with a program of a run, the settings that make its tasks, and a comparison of oracle,
    kernel and native code."""
    settings = tomli_w.dumps(as_mapping(run.settings))
    return (
        environment()
        .get_template("report/repro.py.j2")
        .render(name=run.name, settings=settings, program=str(program), literal=_literal)
    )


def _literal(text: str) -> str:
    """A text as a literal of several lines."""
    if "\\" in text or '"""' in text:
        return repr(text)
    return f'"""\n{text.rstrip()}\n"""'


def generated_source(
    program: Program, n_features: int, metric: Metric, conditions: Conditions, classes: int = 0
) -> str:
    """The Cython source that a program is compiled from, with its constants' values; for several classes, or
    0 for the scalar form."""
    return candidate_source(program, source_target(program, n_features, metric, conditions, classes))
