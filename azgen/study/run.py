"""A whole run: settings to tasks, search, test, baselines, export, all of it kept in a run directory."""

from __future__ import annotations

import contextlib
import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from azgen.codegen.candidate_source import candidate_source
from azgen.codegen.target import Target
from azgen.deadline import Deadline
from azgen.errors import AzgenError
from azgen.execution.verify import verify
from azgen.exports.module import export, learner_source, without_docstrings
from azgen.exports.place import check_place, write_export
from azgen.exports.provenance import Provenance
from azgen.language.metrics import Metric, describe_metric, is_classification
from azgen.language.program import Program
from azgen.plain import Writers, as_plain
from azgen.runs.directory import RunDirectory
from azgen.runs.events import Champion, Observer, champion_record
from azgen.runs.saved import load_run
from azgen.search.evolve import Evolution, Outcome
from azgen.settings.overrides import Overrides
from azgen.settings.resolve import resolve_settings
from azgen.settings.settings import Settings
from azgen.study.baselines import baseline_scores
from azgen.study.champion import Choice, choose
from azgen.study.environment import environment
from azgen.study.recorder import Recorder, origin
from azgen.study.report.comparison import beside_baselines
from azgen.study.report.page import render_report
from azgen.study.scores import Interval, Score, digest
from azgen.study.starts import Starts, tuned_starts
from azgen.study.tensorboard import tensorboard_writer
from azgen.study.verdict import verdict
from azgen.tasks.reading import table_reading
from azgen.tasks.task import TaskSplit
from azgen.version import azgen_version

if TYPE_CHECKING:
    import pandas as pd

_HASTE, _LEAST_CLOSING = 1.0, 2.0
"""Seconds after the search from which on nothing new is begun: after Ctrl-C, and with a short time limit."""

_WRITERS: Writers = {Champion: champion_record, Choice: Choice.as_record, Score: Score.as_record}


@dataclass(frozen=True, repr=False)
class Run:
    """What a run found, and where it is kept.

    Attributes:
        choice: why the champion is the champion.
        outcome: what the search found, and how its best did: champion, hall of fame, counts, end, times.
        search, select, test: the champion's score per task of each set, with confidence intervals; no part of
            the search has seen the test tasks.
        baselines: what else scores on the same test tasks.
        settings: everything that decided the run.
        tasks: the task sets.
        directory: the run directory.
        export_path: the champion as a Python module that needs NumPy alone.
    """

    outcome: Outcome
    choice: Choice
    search: Score
    select: Score
    test: Score
    baselines: tuple[Score, ...]
    settings: Settings
    tasks: TaskSplit
    directory: Path
    export_path: Path

    def __repr__(self) -> str:
        return f"Run({self.directory}, test fitness {self.test.interval}, champion {self.champion!r})"

    def _repr_html_(self) -> str:
        record = self.as_record()
        heading = f"<p><b>{escape(verdict(record))}</b></p><p>{escape(str(self.directory))}</p>"
        table = str(self.to_frame().to_html(index=False, float_format="{:.4f}".format, na_rep=""))
        return heading + table + self.champion._repr_html_()

    def to_frame(self) -> pd.DataFrame:
        """Champion and baselines on the test tasks as a data frame, best first: name, fitness and the half
        width of its interval, tasks, by how much the champion is better, and R2 and error for numbers."""
        import pandas as pd

        return pd.DataFrame(beside_baselines(self.as_record()))

    def report(self, path: str | Path | None = None) -> Path:
        """Writes the run as one HTML page (`azgen report`; needs matplotlib).

        Args:
            path: the file; None: report.html in the run directory.

        Raises:
            AzgenError: matplotlib is missing, or the file cannot be written.
        """
        target = Path(path) if path is not None else self.directory / "report.html"
        check_place(target)
        write_export(target, render_report(load_run(self.directory)))
        return target

    @property
    def champion(self) -> Champion:
        """The chosen program: ``.program``, ``.search_fitness``, ``.select_fitness``."""
        return self.outcome.champion

    @property
    def hall_of_fame(self) -> tuple[Champion, ...]:
        """The best programs of different structure, best first."""
        return self.outcome.hall_of_fame

    @property
    def test_fitness(self) -> float:
        """The champion's mean fitness on the test tasks."""
        return self.test.interval.mean

    @property
    def counts(self) -> dict[str, int]:
        """Programs by what became of them."""
        return self.outcome.counts

    @property
    def reason(self) -> str:
        """What ended the search, in words."""
        return self.outcome.reason

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the search."""
        return self.outcome.interrupted

    @property
    def learner(self) -> tuple[str, ...]:
        """The champion's class Learner, line by line, without its documentation."""
        lines = learner_source(self.champion.program, metric=self.tasks.metric, dtype=self.settings.dtype)
        return without_docstrings([line.text for line in lines])

    def as_record(self) -> dict[str, Any]:
        """The run as plain values: the content of result.json."""
        settings, metric, outcome = self.settings, self.tasks.metric, self.outcome
        record: dict[str, Any] = {
            "name": settings.name,
            "seed": settings.seed,
            "source": settings.tasks.source,
            "metric": str(metric),
            "fitness_is": describe_metric(metric),
            "classification": is_classification(metric),
            "dtype": settings.dtype,
            "data": self.tasks.description,
            "test_digest": digest(self.tasks.test),
            "champion": self.champion,
            "choice": self.choice,
            "epochs": settings.execution.epochs,
            "search": self.search,
            "select": self.select,
            "test": self.test,
            "baselines": self.baselines,
            "target": self._target(),
            "counts": outcome.counts,
            "quarantined": outcome.quarantined,
            "ratings": outcome.ratings,
            "reason": outcome.reason,
            "seconds": outcome.seconds,
            "cpu_seconds": outcome.cpu_seconds,
            "search_seconds": outcome.search_seconds,
            "directory": str(self.directory),
            "export": str(self.export_path),
        }
        plain: dict[str, Any] = as_plain(record, _WRITERS)
        return plain

    def _target(self) -> dict[str, Any]:
        """A table's target: its name, and its unit in units of the labels; empty for classes and others."""
        standardization = self.tasks.provenance.get("standardization")
        if self.tasks.raw is None or is_classification(self.tasks.metric) or not standardization:
            return {}
        return {"name": self.tasks.label_names[0], "scale": standardization["label_scale"]}


def evolve(
    config: str | Path | Mapping[str, Any] | Settings | None = None,
    *,
    observer: Observer | None = None,
    out: str | Path | None = None,
    tensorboard: bool = False,
    **overrides: Unpack[Overrides],
) -> Run:
    """Evolves a learning algorithm.

    Ctrl-C during the search ends it: the best program so far is tested, exported and returned.

    Args:
        config: name of a preset, path of a TOML file, nested mappings as TOML gives them, or settings. None:
            the preset "digits", with a table as `data` the preset "table", and with images and the kind
            "multiclass" the preset "ten-digits".
        observer: called with every event of the run (azgen.runs.events).
        out: where the run is kept; default runs/<name>-<seed>.
        tensorboard: also write events for TensorBoard, into the run directory (extra `tensorboard`).
        overrides: what takes the place of the config's settings: `data`, `target`, `seed`, `max_time` and so
            on; see `azgen.settings.overrides.Overrides`.

    Raises:
        AzgenError: settings or data that cannot be used, no compiler, an extra that is not installed, or an
            `out` that is not empty.
        TypeError: there is no such override.
    """
    settings = resolve_settings(config, **overrides)
    verify(settings.user, settings.dtype)
    split = settings.tasks.split(settings.seed, user=settings.user)
    directory = RunDirectory.create(settings.name, settings.seed, out)
    try:
        directory.write_settings(settings)
        directory.write_environment(environment(settings, split))
        starts = tuned_starts(settings, split)
        if starts:
            settings = starts.decide(settings)
            directory.write_settings(settings)
            directory.write_starts(starts.as_records())
        return carry_out(directory, settings, split, observer, tensorboard, starts)
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
    starts: Starts | None = None,
    found: Sequence[Champion] | None = None,
) -> Run:
    """Carries a run out whose settings are resolved and whose tasks are split: builds the search space,
    searches, confirms and tests, writes, exports, and compares with the baselines.

    Args:
        directory, settings, split, observer, tensorboard: see `evolve`.
        starts: what has been tuned to start from; of a run that goes on it is in the directory.
        found: champions of a run that goes on from its checkpoint; None: the run begins.
    """
    checkpoints, resumed = directory.checkpoints, found is not None
    tuned = starts.programs if starts else directory.read_starts(settings.user.table)
    with contextlib.ExitStack() as stack:
        recorder = _recorder(stack, directory, settings, observer, tensorboard, found or ())
        try:
            if starts:
                recorder.observe(starts.as_event())
            evolution = Evolution(settings, split, recorder.observe, None, checkpoints, resumed, tuned)
            ended = evolution.search(stack)
            closing = Deadline(_closing_seconds(settings, ended.reason))
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


def _closing_seconds(settings: Settings, reason: str) -> float:
    """How long a run may still choose, test and compare: as long as it needs if it has no time limit."""
    if reason == "interrupted":
        return _HASTE
    limit = settings.stop.max_seconds
    return max(_LEAST_CLOSING, limit / 4) if limit else math.inf


def _recorder(
    stack: contextlib.ExitStack,
    directory: RunDirectory,
    settings: Settings,
    observer: Observer | None,
    tensorboard: bool,
    found: Sequence[Champion],
) -> Recorder:
    """What keeps the directory up to date and passes events on, until the stack is closed."""
    observers = [observer] if observer else []
    if tensorboard:
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
    target = Target.of(
        champion.program.normalized().memory, split.n_features, split.metric, settings.dtype, classes
    )
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


def generated_source(
    program: Program,
    n_features: int,
    metric: Metric,
    dtype: str,
    classes: int = 0,
) -> str:
    """The Cython source that a program is compiled from, with its constants' values; for several classes, or
    0 for the scalar form."""
    target = Target.of(program.normalized().memory, n_features, metric, dtype, classes)
    return candidate_source(program, target)


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
        search_tasks=len(split.search),
        selection_tasks=len(split.select),
        test_tasks=len(split.test),
        version=azgen_version(),
        date=datetime.date.today().isoformat(),
    )
