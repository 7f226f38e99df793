"""A whole run: settings to tasks, search, test, baselines, export, all of it kept in a run directory."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from azgen.codegen.candidate_source import candidate_source, source_target
from azgen.deadline import Deadline, aside
from azgen.errors import AzgenError
from azgen.execution.verify import verify
from azgen.exports.module import export
from azgen.exports.provenance import Provenance
from azgen.language.program import MadeFor
from azgen.runs.directory import GIVEN, RunDirectory
from azgen.runs.events import Champion, Observer, made_for
from azgen.search.evolve import Evolution, Outcome
from azgen.settings.overrides import Overrides
from azgen.settings.resolve import resolve_settings
from azgen.settings.settings import Settings
from azgen.study.baselines import baseline_scores
from azgen.study.champion import Choice, choose
from azgen.study.environment import environment
from azgen.study.finished import Run
from azgen.study.given import keep_examples
from azgen.study.notebook import NotebookLine, in_notebook
from azgen.study.pace import TUNING_SHARE, Follower, closing_of, pace_of
from azgen.study.recorder import Recorder, origin
from azgen.study.scores import Interval, Score
from azgen.study.starts import Starts, tuned_starts
from azgen.study.tensorboard import tensorboard_writer
from azgen.tasks.advice import with_all_needs
from azgen.tasks.reading import table_reading
from azgen.tasks.sources import TableTasks
from azgen.tasks.task import TaskSplit
from azgen.version import azgen_version


def evolve(
    config: Any = None,
    y: Any = None,
    *,
    preset: Any = None,
    observer: Observer | None = None,
    out: str | Path | None = None,
    tensorboard: bool = False,
    **overrides: Unpack[Overrides],
) -> Run:
    """Evolves a learning algorithm.

    Ctrl-C during the search ends it: the best program so far is tested, exported and returned.

    Args:
        config: name of a preset, path of a TOML file, nested mappings as TOML gives them, or settings. None:
            the preset "digits", with a table as `data` the preset "table", and with all `classes` of images
            the preset "ten-digits". Or examples in memory, for the preset "table": an array of
            examples x features, or a data frame.
        y: with examples, one label for each, or the data frame's column that holds them.
        preset: with examples, what says all else: as `config`, in place of the preset "table".
        observer: called with every event of the run (azgen.runs.events); None: a notebook shows one line of
            progress, other places nothing.
        out: where the run is kept; default `runs/<name>-<seed>`.
        tensorboard: also write events for TensorBoard, into the run directory (extra `tensorboard`).
        overrides: what takes the place of the config's settings: `data`, `target`, `seed`, `max_time` and so
            on; see `azgen.settings.overrides.Overrides`.

    Raises:
        AzgenError: settings or data that cannot be used, no compiler, an extra that is not installed, or an
            `out` that is not empty.
        TypeError: there is no such override.
    """
    if observer is not None and not callable(observer):
        raise AzgenError(f"observer is {observer!r}; it must be a function that takes events")
    follower = Follower(observer or (NotebookLine() if in_notebook() else None), tensorboard)
    if y is None and (config is None or isinstance(config, (str, Path, Mapping, Settings))):
        if preset is not None:
            raise TypeError("preset goes with examples, evolve(X, y, preset=...); else say it first")
        settings, split = _resolved(config, overrides)
        directory = RunDirectory.create(settings.name, settings.seed, out)
        with _discarded_if_fruitless(directory):
            return _begin(directory, settings, split, follower)
    directory = RunDirectory.create(GIVEN, overrides.get("seed") or 0, out)
    return _evolve_given(directory, (config, y), preset, follower, overrides)


def _evolve_given(
    directory: RunDirectory,
    examples: tuple[Any, Any],
    preset: Any,
    follower: Follower,
    overrides: Overrides,
) -> Run:
    """`evolve` for examples in memory, features and labels, which the run keeps as a table."""
    x, y = examples
    with _discarded_if_fruitless(directory):
        if overrides.get("data") is not None:
            raise AzgenError("examples are given in memory and as data too; leave one of them out")
        target = overrides.pop("target", None)
        data, given = keep_examples(directory, x, target if y is None else y)
        overrides["data"], overrides["target"] = data, given
        if data.suffix == ".csv":
            overrides["tasks"] = {"categorical": ("auto",), **(overrides.get("tasks") or {})}
        settings, split = _resolved(preset, overrides)
        return _begin(directory, settings, split, follower)


def _resolved(config: Any, overrides: Overrides) -> tuple[Settings, TaskSplit]:
    """Settings, and the tasks that they stand for."""
    settings = resolve_settings(config, **overrides)
    verify(settings.user, settings.dtype)
    try:
        return settings, aside(lambda: settings.tasks.split(settings.seed, user=settings.user))
    except AzgenError as error:
        tasks = settings.tasks
        if isinstance(tasks, TableTasks) and str(error).startswith(tasks.data) and Path(tasks.data).is_file():
            raise with_all_needs(error, tasks) from None
        raise


@contextlib.contextmanager
def _discarded_if_fruitless(directory: RunDirectory) -> Iterator[None]:
    """A run that fails before it has found anything leaves nothing behind."""
    try:
        yield
    except BaseException:
        if not directory.has_checkpoint and not directory.has_champion:
            directory.discard()
        raise


def _begin(directory: RunDirectory, settings: Settings, split: TaskSplit, follower: Follower) -> Run:
    """Writes what the run is, tunes what it starts from, and carries it out."""
    directory.write_settings(settings)
    directory.write_environment(environment(settings, split))
    deadline = pace_of(settings, follower.watch).until(TUNING_SHARE)
    try:
        starts = aside(lambda: tuned_starts(settings, split, deadline))
    except BaseException:
        deadline.end()  # the threads that tune look at it
        raise
    if starts:
        settings = starts.decide(settings)
        directory.write_settings(settings)
        directory.write_starts(starts.as_records())
    return carry_out(directory, settings, split, follower, starts)


def carry_out(
    directory: RunDirectory,
    settings: Settings,
    split: TaskSplit,
    follower: Follower,
    starts: Starts | None = None,
    found: Sequence[Champion] | None = None,
) -> Run:
    """Carries a run out whose settings are resolved and whose tasks are split: builds the search space,
    searches, confirms and tests, writes, exports, and compares with the baselines.

    Args:
        directory, settings, split: see `evolve`.
        follower: who is told, and since when.
        starts: what has been tuned to start from; of a run that goes on it is in the directory.
        found: champions of a run that goes on from its checkpoint; None: the run begins.
    """
    checkpoints, resumed = directory.checkpoints, found is not None
    tuned = starts.programs if starts else directory.read_starts(settings.user.table)
    pace = pace_of(settings, follower.watch)
    with contextlib.ExitStack() as stack:
        recorder = _recorder(stack, directory, settings, follower, found or ())
        try:
            if starts:
                recorder.observe(starts.as_event())
            evolution = Evolution(settings, split, recorder.observe, checkpoints, resumed, tuned, pace)
            ended = evolution.search(stack)
            closing = closing_of(pace, ended.reason)
            choice = choose(evolution, ended.progress.hall, split, settings, closing)
            outcome = evolution.test(ended, choice.hall)
            _write(directory, settings, split, outcome)
            _export(directory, settings, split, outcome)
            run = _compared(directory, settings, split, (outcome, choice), closing)
            directory.append()  # what a full disk kept out of the log at the end of the search
            directory.write_result(run.as_record())
            return run
        except AzgenError as error:
            if resumed or not directory.has_checkpoint:
                raise
            raise AzgenError(f"{error}\nThe run can go on: azgen resume {directory.path}") from None


def _recorder(
    stack: contextlib.ExitStack,
    directory: RunDirectory,
    settings: Settings,
    follower: Follower,
    found: Sequence[Champion],
) -> Recorder:
    """What keeps the directory up to date and passes events on, until the stack is closed."""
    observers = [follower.observer] if follower.observer else []
    if follower.tensorboard:
        curves = tensorboard_writer(directory.path, lambda warning: recorder.observe(warning))
        observers.append(stack.enter_context(curves))
    stack.callback(directory.close)
    recorder = Recorder(directory, settings, observers, found)
    return recorder


def _write(directory: RunDirectory, settings: Settings, split: TaskSplit, outcome: Outcome) -> None:
    """The champions, and the best one's generated source."""
    champion, classes = outcome.champion, split.search[0].vector_classes
    told = origin(directory, settings, champion)
    directory.write_champions(outcome.hall_of_fame, told)
    target = source_target(champion.program, split.n_features, split.metric, settings.conditions, classes)
    directory.write_source(candidate_source(champion.program, target, told.splitlines()))


def _export(directory: RunDirectory, settings: Settings, split: TaskSplit, outcome: Outcome) -> None:
    """The champion as a Python module."""
    export(
        outcome.champion.program,
        directory.export_path,
        metric=split.metric,
        dtype=settings.dtype,
        epochs=settings.execution.epochs,
        provenance=_provenance(directory, settings, split, outcome),
        table=table_reading(split.provenance, "the run's tasks"),
    )


def _compared(
    directory: RunDirectory,
    settings: Settings,
    split: TaskSplit,
    found: tuple[Outcome, Choice],
    closing: Deadline,
) -> Run:
    """The champion's scores beside the baselines'."""
    outcome, choice = found
    made = MadeFor(split.metric, settings.dtype, settings.execution.epochs)
    hall = tuple(made_for(champion, made) for champion in outcome.hall_of_fame)
    outcome = replace(outcome, champion=made_for(outcome.champion, made), hall_of_fame=hall)
    tested, which = outcome.tested, "few" if outcome.interrupted else settings.baselines
    return Run(
        outcome=outcome,
        choice=choice,
        search=Score.of("champion", tested.search, tested.search_metric),
        select=Score.of("champion", tested.select, split.metric),
        test=Score.of("champion", tested.test, split.metric, tasks=split.test),
        baselines=baseline_scores(split, tested.test, settings, which, outcome.champion.program, closing),
        settings=settings,
        tasks=split,
        directory=directory.path,
        export_path=directory.export_path,
    )


def _provenance(
    directory: RunDirectory, settings: Settings, split: TaskSplit, outcome: Outcome
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
        test_fitness=Interval.of(outcome.test_fitness).mean,
        test_spread=(float(outcome.test_fitness.min()), float(outcome.test_fitness.max())),
        search_tasks=len(split.search),
        selection_tasks=len(split.select),
        test_tasks=len(split.test),
        version=azgen_version(),
        date=datetime.date.today().isoformat(),
    )
