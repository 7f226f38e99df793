"""What result.json, environment.json, starts.json and events.jsonl must hold, for whoever reads them back.

Who writes them may write more; what runs of before did not write has a default here. The readers of
`azgen.runs.saved` check a file against its class, and hand its plain values on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from azgen.bounds import Bounded, Bounds, Count, NotNegative, Positive
from azgen.errors import AzgenError
from azgen.plain import PlainError, read

Mean = Annotated[float, Bounds(-1, 1)]


@dataclass(frozen=True)
class Measured(Bounded):
    """A mean fitness, or a difference of two, with its interval; no width where there is one task."""

    mean: Mean
    half_width: float | None
    n: Positive


@dataclass(frozen=True)
class Scored(Bounded):
    """What a program, or a model, scores on a set of tasks."""

    name: str
    fitness: Measured
    per_task: tuple[float, ...] = ()
    failed: Count = 0
    rms_error: float | None = None
    r2: float | None = None


@dataclass(frozen=True)
class Baseline(Scored):
    """A baseline, with the champion's fitness minus its own."""

    champion_minus_this: Measured = field(kw_only=True)


@dataclass(frozen=True)
class Leader(Bounded):
    """The champion, as far as it is shown; the hall of fame has all of it."""

    program: str
    number: Count
    origin: str = ""


@dataclass(frozen=True)
class Member:
    """A program that was compared to choose the champion."""

    hash: str
    select: Measured
    holds: bool = True


@dataclass(frozen=True)
class Choice(Bounded):
    """How the champion was chosen."""

    best_select_fitness: Mean
    considered: Count
    failing: Count
    level: Count
    pruned: tuple[str, ...] = ()
    known: str = ""
    warnings: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()


@dataclass(frozen=True)
class Ratings(Bounded):
    """How many programs were rated by what."""

    kernel: Count
    native: Count
    compiled: Count
    champions: Count


@dataclass(frozen=True)
class Suspect:
    """A program in quarantine."""

    program: str
    cause: str


@dataclass(frozen=True)
class Unit:
    """The target of a table: RMS errors times its scale are in its unit. Empty for other tasks."""

    name: str = ""
    scale: float = 1.0


@dataclass(frozen=True)
class Result(Bounded):
    """result.json."""

    name: str
    seed: Count
    metric: str
    dtype: str
    data: str
    classification: bool
    champion: Leader
    search: Scored
    select: Scored
    test: Scored
    baselines: tuple[Baseline, ...]
    counts: dict[str, int]
    reason: str
    seconds: NotNegative
    cpu_seconds: NotNegative
    directory: str
    export: str
    source: str = ""
    fitness_is: str = ""
    test_digest: str = ""
    search_seconds: NotNegative = 0.0
    epochs: Positive = 1
    choice: Choice | None = None
    fused: bool = False
    target: Unit | None = None
    quarantined: tuple[Suspect, ...] = ()
    ratings: Ratings | None = None


@dataclass(frozen=True)
class Environment(Bounded):
    """environment.json, as far as it is read back."""

    n_features: Positive = 1
    classes: Count = 0
    metric: str = ""
    dtype: str = "float32"
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Started:
    """A program of starts.json."""

    name: str
    program: str


@dataclass(frozen=True)
class Stone(Bounded):
    """A champion in a log."""

    program: str
    number: Count
    search_fitness: float
    select_fitness: float
    origin: str = ""


@dataclass(frozen=True)
class Told(Bounded):
    """A line of events.jsonl."""

    event: str


@dataclass(frozen=True)
class ToldRestart(Told):
    """A population was given up."""

    seconds: NotNegative
    programs: Count


@dataclass(frozen=True)
class ToldProgress(ToldRestart):
    """A round has ended."""

    island_fitness: float
    counts: dict[str, int]
    islands: tuple[float, ...] = ()


@dataclass(frozen=True)
class ToldChampion(Told):
    """A program leads."""

    seconds: NotNegative
    champion: Stone


_TOLD: dict[str, type] = {
    "Restarted": ToldRestart,
    "Progress": ToldProgress,
    "NewChampion": ToldChampion,
}
"""What is read back of a line, by its event."""


def check_event(record: Any, where: str) -> None:
    """Checks a line of events.jsonl; the arguments and errors are those of `check`."""
    check(Told, record, where)
    check(_TOLD.get(record["event"], Told), record, where)


def check(cls: type, value: Any, path: Path | str, at: str = "") -> None:
    """Checks the plain values of a file.

    Args:
        cls: the class that says what it must hold.
        value: what it holds.
        path: the file, and the line if it has lines.
        at: the path of the value in the file.

    Raises:
        AzgenError: something is missing, of another type, or out of bounds; names it and the file.
    """
    try:
        read(cls, value, f"{path} is damaged", at, extra=True)
    except PlainError as error:
        raise AzgenError(f"{error}; restore the file, or run the search again") from None
