"""A whole run: settings to tasks, search, test, baselines, export, all of it kept in a run directory."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.codegen.candidate import render_candidates
from azgen.codegen.lanes import lane_type
from azgen.codegen.render import largest_register
from azgen.errors import AzgenError
from azgen.execution.execute import execute
from azgen.execution.verify import verify
from azgen.exports.module import export
from azgen.exports.provenance import Provenance
from azgen.language.metrics import Metric, describe_metric, is_classification
from azgen.language.program import Program
from azgen.runs.directory import RunDirectory
from azgen.runs.events import Champion, Observer, champion_record
from azgen.search.evolve import Evolution, Outcome
from azgen.search.progress import Suspect
from azgen.search.sources import make_tasks
from azgen.search.space import population_tasks
from azgen.settings.overrides import resolve_settings
from azgen.settings.settings import Settings
from azgen.settings.values import task_settings
from azgen.study.baselines import Score, baseline_scores
from azgen.study.environment import environment
from azgen.study.recorder import Recorder, origin
from azgen.study.tensorboard import tensorboard_writer
from azgen.tasks.task import Task, TaskSplit
from azgen.version import azgen_version


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
        seconds, cpu_seconds: wall-clock time of the run, and processor time of the process that ended it
            and of its workers.
        search_seconds: wall-clock time of the search alone, which limits are for.
        quarantined: programs that killed or hung the processes that ran them.
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
    search_seconds: float
    quarantined: tuple[Suspect, ...] = ()

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
            "metric": str(self.tasks.metric),
            "fitness_is": describe_metric(self.tasks.metric),
            "classification": is_classification(self.tasks.metric),
            "dtype": self.settings.dtype,
            "data": self.tasks.description,
            "champion": champion_record(self.champion),
            "search": self.search.as_record(),
            "select": self.select.as_record(),
            "test": self.test.as_record(),
            "baselines": [score.as_record() for score in self.baselines],
            "counts": self.counts,
            "quarantined": [dataclasses.asdict(suspect) for suspect in self.quarantined],
            "ratings": self.ratings,
            "reason": self.reason,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "search_seconds": self.search_seconds,
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
    metric: str | None = None,
    ops: str | Path | None = None,
    baselines: str | None = None,
    tasks: Mapping[str, Any] | None = None,
    engine: str | None = None,
    scheduler: str | None = None,
    tensorboard: bool = False,
) -> Run:
    """Evolves a learning algorithm.

    Ctrl-C during the search ends it: the best program so far is tested, exported and returned.

    Args:
        config: name of a preset, path of a TOML file, nested mappings as TOML gives them, or settings. None:
            the preset "digits", with a table as `data` the preset "table", and with images and the kind
            "multiclass" the preset "ten-digits".
        observer: called with every event of the run (azgen.runs.events).
        out: where the run is kept; default runs/<name>-<seed>.
        data: a table (CSV, TSV, NPZ, Parquet, ARFF) or a data set's name, in place of the config's tasks.
        target: the table's column to predict.
        kind: "regression", "classification" or "multiclass"; without it the column tells. For images
            "multiclass" means all classes at once, in place of pairs of classes.
        seed: decides tasks, mutations and draws.
        backend: "auto", "kernel" or "native": what rates children; never changes results.
        dtype: "float32" or "float64".
        max_time: limit of the search in seconds, or as text: "10m". A limit of time or of programs replaces
            both limits of the config.
        max_programs: limit of the search in programs.
        target_fitness: stop when the fitness on the selection tasks exceeds this.
        islands: populations that evolve side by side and exchange programs.
        workers: processes that run the islands; never changes results.
        metric: what fitness is; see docs/data.md.
        ops: a Python file of your own ops and metrics (azgen.language.userfile).
        baselines: "all" or "few": what the champion is compared with.
        tasks: further changes to the settings of tasks, by name, such as {"groups": "patient"}.
        engine: "process", "workers" or "dask": what runs the islands; never changes results.
        scheduler: address of the Dask scheduler, for the engine "dask"; without it a cluster on this machine.
        tensorboard: also write events for TensorBoard, into the run directory (extra `tensorboard`).

    Raises:
        AzgenError: settings or data that cannot be used, no compiler, an extra that is not installed, or an
            `out` that is not empty.
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
        metric=metric,
        ops=ops,
        baselines=baselines,
        tasks=tasks,
        engine=engine,
        scheduler=scheduler,
    )
    verify(settings.user, settings.dtype)
    split = make_tasks(settings.tasks, settings.seed, user=settings.user)
    directory = RunDirectory.create(settings.name, settings.seed, out)
    try:
        directory.write_settings(settings)
        directory.write_environment(environment(settings, split))
        return carry_out(directory, settings, split, observer, tensorboard)
    except BaseException:
        if not directory.has_checkpoint and not directory.has_champion:
            directory.discard()
        raise


def carry_out(
    directory: RunDirectory,
    settings: Settings,
    split: TaskSplit,
    observer: Observer | None,
    tensorboard: bool,
    found: Sequence[Champion] | None = None,
) -> Run:
    """Searches and concludes, in a directory that is there.

    Args:
        directory, settings, split, observer, tensorboard: see `evolve`.
        found: champions of a run that goes on from its checkpoint; None: the run begins.
    """
    observers, resumed = [observer] if observer else [], found is not None
    with contextlib.ExitStack() as stack:
        if tensorboard:
            curves = tensorboard_writer(directory.path, lambda warning: recorder.observe(warning))
            observers.append(stack.enter_context(curves))
        stack.callback(directory.close)
        recorder = Recorder(directory, settings, observers, found or ())
        try:
            outcome = Evolution(
                settings, split, recorder.observe, checkpoints=directory.checkpoints, resume=resumed
            ).run(stack)
            return _conclude(directory, settings, split, outcome)
        except AzgenError as error:
            if resumed or not directory.has_checkpoint:
                raise
            raise AzgenError(f"{error}\nThe run can go on: azgen resume {directory.path}") from None


def _conclude(directory: RunDirectory, settings: Settings, split: TaskSplit, outcome: Outcome) -> Run:
    """Tests, exports and writes down what the search found."""
    champion, metric = outcome.champion, split.metric
    directory.write_champions(outcome.hall_of_fame, origin(directory, settings, champion))
    classes = split.search[0].vector_classes
    source = generated_source(champion.program, split.n_features, metric, settings.dtype, classes)
    directory.write_source(source)
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
        search=_search_score(settings, split, champion),
        select=Score.of(
            "champion", _fitness(champion.program, split.select, settings, settings.tasks.epochs), metric
        ),
        test=test,
        baselines=baseline_scores(
            split, test.fitness, settings, "few" if outcome.reason == "interrupted" else settings.baselines
        ),
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
        search_seconds=outcome.search_seconds,
        quarantined=outcome.quarantined,
    )
    directory.append()  # what a full disk kept out of the log at the end of the search
    directory.write_result(run.as_record())
    return run


def _search_score(settings: Settings, split: TaskSplit, champion: Champion) -> Score:
    """On the search tasks of the population that the champion comes from."""
    tasks = population_tasks(settings, split, champion.population)
    epochs = task_settings(settings, champion.population % settings.islands.count).epochs
    return Score.of("champion", _fitness(champion.program, tasks, settings, epochs), tasks[0].metric)


def _fitness(
    program: Program, tasks: tuple[Task, ...], settings: Settings, epochs: int
) -> NDArray[np.float64]:
    result = execute(
        program,
        tasks,
        "native",
        seed=settings.seed,
        epochs=epochs,
        dtype=settings.dtype,
        max_abs_error=settings.tasks.max_abs_error,
    )
    return result.fitness


def generated_source(program: Program, n_features: int, metric: Metric, dtype: str, classes: int = 0) -> str:
    """The Cython source that a program is compiled from; for several classes, or 0 for the scalar form."""
    lane = lane_type(dtype, largest_register(program.normalized().memory, n_features))
    return render_candidates([program], n_features, lane, metric, classes)["candidates.pyx"]


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
