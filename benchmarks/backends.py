"""What `--backend auto` makes of costly tasks: whole searches, by backend."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Literal

from azgen.bench.figures import Figure, figure_of
from azgen.bench.timing import Stopwatch
from azgen.bench.workloads import demo_kernel, demo_settings
from azgen.codegen.cache_folder import build_directory, fresh_build_directory
from azgen.codegen.measurements import CALIBRATION
from azgen.search.evolve import Evolution, Outcome
from azgen.search.rating.raters import Raters
from azgen.search.space import SearchSpace
from azgen.settings.settings import Settings
from benchmarks.effort import FullEffort

BACKENDS: tuple[Literal["kernel", "native", "auto"], ...] = ("kernel", "native", "auto")


def measure_backends(effort: FullEffort) -> list[Figure]:
    """CPU seconds of whole searches on costly tasks; an epoch is 10 tasks x (1000 + 100) examples."""
    demo_kernel()  # the benchmark "compile" counts kernels
    with fresh_build_directory():
        return [figure for epochs in effort.backend_epochs for figure in _searches(epochs, effort)]


def _searches(epochs: int, effort: FullEffort) -> list[Figure]:
    """CPU seconds of a search in the demo's space on costly tasks, by backend; all find the same."""
    demo, figures, found = demo_settings(), list[Figure](), dict[str, Outcome]()
    tasks = replace(demo.tasks, n_train=(1000, 100, 100), n_select=10, n_test=10, redraw=False)
    execution = replace(demo.execution, epochs=epochs)
    n_programs = effort.backend_programs
    evolution = replace(demo.evolution, population=n_programs // 4)
    stop = replace(
        demo.stop,
        max_programs=n_programs,
        max_seconds=0.0,
        target_fitness=2.0,
        restart_programs=0,
        round_programs=100,
    )
    settings = replace(demo, tasks=tasks, execution=execution, evolution=evolution, stop=stop)
    space = SearchSpace.of(settings, tasks.split(settings.seed))
    Raters(space).hook(0, space.task_set(0, 0))  # measures what costs, once on a machine
    what = f"search of {n_programs} programs, F = 4, 10 x ({epochs} x 1000 + 100)"
    for backend in BACKENDS:
        values = []
        for _ in range(effort.compile_runs):
            seconds, found[backend] = _search(replace(settings, backend=backend))
            values.append(seconds)
        details = {"ratings": found[backend].ratings, "epochs": epochs}
        figures.append(figure_of("backends", what, backend, "s", values, details=details))
    if len({outcome.hall_of_fame for outcome in found.values()}) > 1:
        raise AssertionError(f"backends found different programs in: {what}")
    return figures


def _search(settings: Settings) -> tuple[float, Outcome]:
    """CPU seconds of a run that finds its kernel and what was measured, but no candidate compiled."""
    measured, split = build_directory() / CALIBRATION, settings.tasks.split(settings.seed)
    with fresh_build_directory():
        if measured.exists():
            shutil.copytree(measured, build_directory() / CALIBRATION)
        with Stopwatch() as watch:
            outcome = Evolution(settings, split).run()
    return watch.cpu, outcome
