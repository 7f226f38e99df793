"""A whole run: settings to tasks, search, test, baselines, export, all of it kept in a run directory."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.codegen.candidate import render_candidates
from azgen.codegen.lanes import lane_type
from azgen.codegen.render import largest_register
from azgen.execution.execute import execute
from azgen.language.program import Program
from azgen.presets import resolve_settings
from azgen.runs.directory import RunDirectory
from azgen.runs.events import Champion, Event, NewChampion, Observer, Progress, champion_record
from azgen.runs.settings import Settings
from azgen.search.evolve import HALL_SIZE, Evolution, Outcome
from azgen.search.sources import make_tasks
from azgen.study.baselines import Score, baseline_scores
from azgen.study.environment import environment
from azgen.study.export import export
from azgen.study.provenance import Provenance
from azgen.tasks.task import Task, TaskSplit
from azgen.version import azgen_version

_LOG_SECONDS = 1.0
"""Least time between two Progress events in the log."""


@dataclass(frozen=True)
class Run:
    """What a run found, and where it is kept.

    Attributes:
        champion: best program on the selection tasks: ``.program``, ``.search_fitness``, ``.select_fitness``.
        test_fitness: its mean fitness on the test tasks, which no part of the search has seen.
        search, select, test: its score per task of each set, with confidence intervals.
        baselines: what else scores on the same test tasks.
        hall_of_fame: the best programs of different structure, best first.
        settings: everything that decided the run.
        tasks: the task sets.
        directory: the run directory.
        export_path: the champion as a Python module that needs NumPy alone.
        counts: programs by what became of them.
        ratings: how many of those that were evaluated the kernel and native code rated; how many programs,
            and how many champions, were compiled.
        reason: what ended the search, in words.
        seconds, cpu_seconds: wall-clock and processor time.
    """

    champion: Champion
    test_fitness: float
    search: Score = field(repr=False)
    select: Score = field(repr=False)
    test: Score = field(repr=False)
    baselines: tuple[Score, ...] = field(repr=False)
    hall_of_fame: tuple[Champion, ...] = field(repr=False)
    settings: Settings = field(repr=False)
    tasks: TaskSplit = field(repr=False)
    directory: Path
    export_path: Path
    counts: dict[str, int] = field(repr=False)
    ratings: dict[str, int] = field(repr=False)
    reason: str
    seconds: float
    cpu_seconds: float

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the search."""
        return self.reason == "interrupted"

    def as_record(self) -> dict[str, Any]:
        """The run as plain values: the content of result.json."""
        return {
            "name": self.settings.name,
            "seed": self.settings.seed,
            "source": self.settings.tasks.source,
            "metric": self.tasks.metric,
            "dtype": self.settings.dtype,
            "data": self.tasks.description,
            "champion": champion_record(self.champion),
            "search": self.search.as_record(),
            "select": self.select.as_record(),
            "test": self.test.as_record(),
            "baselines": [score.as_record() for score in self.baselines],
            "counts": self.counts,
            "ratings": self.ratings,
            "reason": self.reason,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "directory": str(self.directory),
            "export": str(self.export_path),
        }


def evolve(
    config: str | Path | Mapping[str, Any] | Settings | None = None,
    *,
    observer: Observer | None = None,
    out: str | Path | None = None,
    data: str | Path | None = None,
    target: str | None = None,
    kind: str | None = None,
    seed: int | None = None,
    backend: str | None = None,
    dtype: str | None = None,
    max_time: str | float | None = None,
    max_programs: int | None = None,
    target_fitness: float | None = None,
    islands: int | None = None,
    workers: int | None = None,
) -> Run:
    """Evolves a learning algorithm.

    Ctrl-C during the search ends it: the best program so far is tested, exported and returned.

    Args:
        config: name of a preset, path of a TOML file, nested mappings as TOML gives them, or settings. None:
            the preset "digits", or with a table as `data` the preset "table".
        observer: called with every event of the run (azgen.runs.events).
        out: where the run is kept; default runs/<name>-<seed>.
        data: a table (CSV, TSV, NPZ, Parquet, ARFF) or a data set's name, in place of the config's tasks.
        target: the table's column to predict.
        kind: "regression" or "classification"; without it the column tells.
        seed: decides tasks, mutations and draws.
        backend: "auto", "kernel" or "native": what rates children; never changes results.
        dtype: "float32" or "float64".
        max_time: limit of the search in seconds, or as text: "10m". A limit of time or of programs replaces
            both limits of the config.
        max_programs: limit of the search in programs.
        target_fitness: stop when the fitness on the selection tasks exceeds this.
        islands: populations that evolve side by side and exchange programs.
        workers: processes that run the islands; never changes results.

    Raises:
        AzgenError: settings or data that cannot be used, no compiler, or an `out` that is not empty.
    """
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
    )
    split = make_tasks(settings.tasks, settings.seed)
    directory = RunDirectory.create(settings.name, settings.seed, out)
    recorder = _Recorder(directory, settings, observer)
    try:
        directory.write_settings(settings)
        directory.write_environment(environment(settings, split))
        outcome = Evolution(settings, split, recorder.observe).run()
        return _conclude(directory, settings, split, outcome)
    except BaseException:
        if not recorder.champions:
            directory.discard()
        raise
    finally:
        directory.close()


class _Recorder:
    """Keeps the run directory up to date while the search goes on, and passes events on."""

    def __init__(self, directory: RunDirectory, settings: Settings, observer: Observer | None):
        self.champions: list[Champion] = []
        self._directory, self._settings, self._observer = directory, settings, observer
        self._next_progress = 0.0

    def observe(self, event: Event) -> None:
        if isinstance(event, NewChampion):
            self.champions = [event.champion, *self.champions][:HALL_SIZE]
            self._directory.write_champions(
                self.champions, _origin(self._directory, self._settings, event.champion)
            )
        if not isinstance(event, Progress) or event.seconds >= self._next_progress:
            self._directory.append(event)
        if isinstance(event, Progress) and event.seconds >= self._next_progress:
            self._next_progress = event.seconds + _LOG_SECONDS
        if self._observer:
            self._observer(event)


def _origin(directory: RunDirectory, settings: Settings, champion: Champion) -> str:
    return (
        f"Champion of run {directory.name} (preset {settings.name}, seed {settings.seed}), program "
        f"{champion.number}.\nFitness {champion.search_fitness:.6g} on search tasks, "
        f"{champion.select_fitness:.6g} on selection tasks."
    )


def _conclude(directory: RunDirectory, settings: Settings, split: TaskSplit, outcome: Outcome) -> Run:
    """Tests, exports and writes down what the search found."""
    champion, metric = outcome.champion, split.metric
    directory.write_champions(outcome.hall_of_fame, _origin(directory, settings, champion))
    directory.write_source(generated_source(champion.program, split.n_features, metric, settings.dtype))
    test = Score.of("champion", np.nan_to_num(outcome.test_fitness, nan=0.0), metric)
    export(
        champion.program,
        directory.export_path,
        metric=metric,
        dtype=settings.dtype,
        epochs=settings.tasks.epochs,
        provenance=_provenance(directory, settings, split, outcome, test),
    )
    run = Run(
        champion=champion,
        test_fitness=test.interval.mean,
        search=Score.of(
            "champion", _fitness(champion.program, search_tasks(settings, split, champion), settings), metric
        ),
        select=Score.of("champion", _fitness(champion.program, split.select, settings), metric),
        test=test,
        baselines=baseline_scores(split.test, test.fitness, settings),
        hall_of_fame=outcome.hall_of_fame,
        settings=settings,
        tasks=split,
        directory=directory.path,
        export_path=directory.export_path,
        counts=outcome.counts,
        ratings=outcome.ratings,
        reason=outcome.reason,
        seconds=outcome.seconds,
        cpu_seconds=outcome.cpu_seconds,
    )
    directory.write_result(run.as_record())
    return run


def search_tasks(settings: Settings, split: TaskSplit, champion: Champion) -> tuple[Task, ...]:
    """The search tasks of the population that a champion comes from."""
    if settings.tasks.redraw and champion.restart:
        return make_tasks(settings.tasks, settings.seed, redraw=champion.restart).search
    return split.search


def _fitness(program: Program, tasks: tuple[Task, ...], settings: Settings) -> NDArray[np.float64]:
    result = execute(
        program,
        tasks,
        "native",
        seed=settings.seed,
        epochs=settings.tasks.epochs,
        dtype=settings.dtype,
        max_abs_error=settings.tasks.max_abs_error,
    )
    return result.fitness


def generated_source(program: Program, n_features: int, metric: str, dtype: str) -> str:
    """The Cython source that a program is compiled from."""
    lane = lane_type(dtype, largest_register(program.normalized().memory, n_features))
    return render_candidates([program], n_features, lane, metric)["candidates.pyx"]


def _provenance(
    directory: RunDirectory, settings: Settings, split: TaskSplit, outcome: Outcome, test: Score
) -> Provenance:
    return Provenance(
        run=directory.name,
        preset=settings.name,
        seed=settings.seed,
        program_number=outcome.champion.number,
        programs=outcome.counts["programs"],
        data=split.description,
        search_fitness=outcome.champion.search_fitness,
        selection_fitness=outcome.champion.select_fitness,
        test_fitness=test.interval.mean,
        search_tasks=len(split.search),
        selection_tasks=len(split.select),
        test_tasks=len(split.test),
        version=azgen_version(),
        date=datetime.date.today().isoformat(),
    )
