"""What happens in a run: events that the live view shows, the log keeps and other tools may follow."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from azgen.language.program import Program


@dataclass(frozen=True)
class Champion:
    """A program that led a run when it was found.

    Attributes:
        program: its normal form.
        number: which program of the run it was, from 1.
        restart: which population it came from, from 0.
        search_fitness: mean (or median) over the search tasks of its population.
        select_fitness: mean over the selection tasks.
    """

    program: Program
    number: int
    restart: int
    search_fitness: float
    select_fitness: float


@dataclass(frozen=True)
class Started:
    """The kernel is ready and search begins."""

    name: str
    tasks: str
    search_space: str
    kernel_seconds: float
    kernel_cached: bool


@dataclass(frozen=True)
class Progress:
    """A round has ended.

    Attributes:
        seconds: wall-clock seconds of search so far.
        programs: programs so far.
        restart: number of the current population.
        island_fitness: best on the search tasks in the current population.
        counts: programs by rung of the ladder, over the whole run.
    """

    seconds: float
    programs: int
    restart: int
    island_fitness: float
    counts: dict[str, int]


@dataclass(frozen=True)
class NewChampion:
    """A program leads on the selection tasks, and its native code agrees with the kernel."""

    seconds: float
    champion: Champion


@dataclass(frozen=True)
class Restarted:
    """A population was given up, and a new one begins."""

    seconds: float
    programs: int
    restart: int
    reason: str


@dataclass(frozen=True)
class Finished:
    """The search is over.

    Attributes:
        reason: what ended it, in words.
        cpu_seconds: processor time of this process and its compilers, from kernel to final test.
        test_fitness: the champion's mean fitness on the test tasks.
    """

    reason: str
    seconds: float
    cpu_seconds: float
    programs: int
    counts: dict[str, int]
    test_fitness: float


Event = Started | Progress | NewChampion | Restarted | Finished
Observer = Callable[[Event], None]


def as_record(event: Event) -> dict[str, Any]:
    """The event as plain values, for JSON."""
    record = {"event": type(event).__name__}
    for field in dataclasses.fields(event):
        value = getattr(event, field.name)
        record[field.name] = champion_record(value) if isinstance(value, Champion) else value
    return record


def champion_record(champion: Champion) -> dict[str, Any]:
    """A champion as plain values; the program as text."""
    return {field.name: getattr(champion, field.name) for field in dataclasses.fields(champion)} | {
        "program": str(champion.program),
        "hash": champion.program.hash,
        "structure_hash": champion.program.structure_hash,
    }
