"""Reading what a run has left in its directory."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azgen.errors import AzgenError
from azgen.files import path_of, read_text
from azgen.language.program import MadeFor, Program
from azgen.runs import figures
from azgen.runs.directory import CONFIG, ENVIRONMENT, EVENTS, HALL_OF_FAME, RESULT, ROOT
from azgen.runs.events import Champion, made_for, read_champion
from azgen.settings.reading import read_settings
from azgen.settings.settings import Settings
from azgen.tasks.task import TaskSplit
from azgen.textual import from_json, read_json


@dataclass(frozen=True)
class SavedRun:
    """A run as read from its directory.

    Attributes:
        path: the directory.
        settings: everything that decided the run.
        champion: the best program, on the selection tasks.
        hall_of_fame: the best programs, best first.
        environment: what the run ran on; empty if it did not come to writing it.
        result: fitness, baselines, counts and times; None for a run that was killed, or still goes on.
    """

    path: Path
    settings: Settings
    champion: Champion
    hall_of_fame: tuple[Champion, ...] = field(repr=False)
    environment: dict[str, Any] = field(repr=False)
    result: dict[str, Any] | None = field(repr=False)

    @property
    def program(self) -> Program:
        """The champion's program."""
        return self.champion.program

    @property
    def name(self) -> str:
        """The run's name: that of its directory."""
        return self.path.absolute().name

    def events(self) -> list[dict[str, Any]]:
        """What happened, as plain values; a last line that was cut off is left out."""
        records = []
        with suppress(FileNotFoundError):
            lines = read_text(self.path / EVENTS).splitlines()
            for number, line in enumerate(lines, 1):
                try:
                    record = from_json(line)
                except (ValueError, RecursionError):
                    if number < len(lines):
                        raise AzgenError(f"{self.path / EVENTS}, line {number} is damaged: no JSON") from None
                else:
                    figures.check_event(record, f"{self.path / EVENTS}, line {number}")
                    records.append(record)
        return records


def is_run(path: str | Path) -> bool:
    """Whether this looks like a run directory."""
    return (Path(path) / CONFIG).is_file()


def saved_settings(path: str | Path) -> Settings:
    """Settings of a run, which may have found nothing yet.

    Raises:
        AzgenError: no run is there, or its settings are damaged.
    """
    path = path_of(path, "a run")
    if not path.is_dir():
        raise AzgenError(f"{path}: no such run directory; `azgen evolve` makes them in {ROOT}/")
    if not is_run(path):
        raise AzgenError(f"{path} is no run directory: there is no {CONFIG} in it")
    return read_settings(path / CONFIG, saved=True)


def split_of_run(path: str | Path, settings: Settings) -> TaskSplit:
    """The tasks of a run.

    Raises:
        AzgenError: as `TaskSource.split`; a table that is not where it was is named with the configuration.
    """
    try:
        return settings.tasks.split(settings.seed, user=settings.user)
    except AzgenError as error:
        data = getattr(settings.tasks, "data", "")
        if not data or Path(data).exists() or str(data) not in str(error):
            raise
        raise AzgenError(
            f"{error}\nThe run's table is named in {Path(path) / CONFIG} (data, in [tasks]): put it back, or "
            "correct it there"
        ) from None


def load_run(path: str | Path) -> SavedRun:
    """Reads a run directory.

    Raises:
        AzgenError: no run is there, it has found nothing yet, or a file is damaged; says which.
    """
    path, settings = path_of(path, "a run"), saved_settings(path)
    records = _read_json(path / HALL_OF_FAME)
    if records is None:
        raise AzgenError(f"{path}: this run has not found a program (there is no {HALL_OF_FAME} in it)")
    if not isinstance(records, list) or not records:
        raise AzgenError(f"{path / HALL_OF_FAME} is damaged: it must be a list of programs")
    hall_of_fame = tuple(
        read_champion(record, f"{path / HALL_OF_FAME}, program {n}", settings.user.table)
        for n, record in enumerate(records, 1)
    )
    environment, result = _read_json(path / ENVIRONMENT) or {}, _read_json(path / RESULT)
    figures.check(figures.Environment, environment, path / ENVIRONMENT)
    if result is not None:
        figures.check(figures.Result, result, path / RESULT)
    metric = (result or environment).get("metric")
    if isinstance(metric, str):
        made = MadeFor(settings.user.metric(metric), settings.dtype, settings.execution.epochs)
        hall_of_fame = tuple(made_for(champion, made) for champion in hall_of_fame)
    return SavedRun(path, settings, hall_of_fame[0], hall_of_fame, environment, result)


def _read_json(path: Path) -> Any:
    """The file's content; None if there is no such file."""
    try:
        return read_json(path)
    except FileNotFoundError:
        return None
