"""The course of a run, from its event log: fitness over programs and time, and its stepping stones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azgen.study.lineage import difference

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Stone:
    """A stepping stone: a program that led the run from then on.

    Attributes:
        programs, seconds: when it was found.
        search_fitness, select_fitness: its mean fitness.
        origin: what it is if the run started from it; else "".
        lines: its text, line by line, after "+ " where the stone before has it not, "- " where that alone has
            it, and "  ".
    """

    programs: int
    seconds: float
    search_fitness: float
    select_fitness: float
    origin: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Course:
    """What the log says of a run's course.

    Attributes:
        programs, seconds: of every look at the run, rising.
        islands: best on its search tasks in each island's population then; looks x islands.
        restarts: seconds and programs at which populations were given up.
        stones: the stepping stones, in the order in which they were found.
    """

    programs: tuple[int, ...]
    seconds: tuple[float, ...]
    islands: tuple[tuple[float, ...], ...]
    restarts: tuple[tuple[float, int], ...]
    stones: tuple[Stone, ...]


def course(events: Sequence[Record]) -> Course:
    """The course that a log tells.

    Args:
        events: records of events.jsonl.
    """
    progress = [e for e in events if e.get("event") == "Progress"]
    restarts = [e for e in events if e.get("event") == "Restarted"]
    return Course(
        programs=tuple(int(e["programs"]) for e in progress),
        seconds=tuple(float(e["seconds"]) for e in progress),
        islands=tuple(tuple(e.get("islands") or (e["island_fitness"],)) for e in progress),
        restarts=tuple((float(e["seconds"]), int(e["programs"])) for e in restarts),
        stones=_stones([e for e in events if e.get("event") == "NewChampion"]),
    )


def _stones(events: Sequence[Record]) -> tuple[Stone, ...]:
    """Leaders, each compared with the one before; a run that goes on confirms its leader once more."""
    found, before = list[Stone](), list[str]()
    for event in events:
        champion = event["champion"]
        text = champion["program"].splitlines()
        if text == before:
            continue
        found.append(
            Stone(
                programs=int(champion["number"]),
                seconds=float(event["seconds"]),
                search_fitness=float(champion["search_fitness"]),
                select_fitness=float(champion["select_fitness"]),
                origin=str(champion.get("origin", "")),
                lines=difference(before, text),
            )
        )
        before = text
    return tuple(found)
