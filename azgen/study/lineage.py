"""A champion's lineage: the programs that it descends from, each compared with the one before."""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azgen.language.op import OpTable
from azgen.language.ops import OPS
from azgen.language.program import Program
from azgen.runs.events import Ancestor, Champion
from azgen.search.trail import told_steps

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """A step on the way to a champion.

    Attributes:
        number, population: which program of which population of the run it was, see `Ancestor`.
        seconds: of search when it was found, to a round; None: the log does not say.
        fitness: on its search tasks; gain: the same minus that of the step before.
        mutations: kinds of mutations that made it of the step before, in words.
        lines: its listing, line by line, after "+ " where the step before has it not, "- " where that alone
            has it, and "  ".
    """

    number: int
    population: int
    seconds: float | None
    fitness: float
    gain: float
    mutations: tuple[str, ...]
    lines: tuple[str, ...]

    @property
    def changes(self) -> tuple[str, ...]:
        """Lines that differ, each function's under its name."""
        found, head = list[str](), ""
        for line in self.lines:
            if line[2:].startswith("def "):
                head = line
            if line[0] != " ":
                found += [head] if head and head != line else []
                found.append(line)
                head = ""
        return tuple(found)


def lineage(champion: Champion, events: Sequence[Record], most: int = 0) -> tuple[Step, ...]:
    """The steps to a champion, the first one first.

    Args:
        champion: of a run.
        events: the run's, records of events.jsonl.
        most: of more steps, those that brought the least are taken together with the ones after them; 0: all.
    """
    when, found, before, text = _Clock(events), list[Step](), 0.0, list[str]()
    for ancestor, mutations in _fewer(champion.ancestors, most):
        lines = ancestor.program.splitlines()
        found.append(
            Step(
                ancestor.number,
                ancestor.population,
                when(ancestor),
                ancestor.fitness,
                ancestor.fitness - before,
                mutations,
                difference(text, lines),
            )
        )
        before, text = ancestor.fitness, lines
    return tuple(found)


def conclusion(champion: Champion, ops: OpTable = OPS) -> tuple[str, ...]:
    """How the champion differs from the last step, which was found before constants were tuned or needless
    lines taken out; empty if it is that."""
    if not champion.ancestors:
        return ()
    last = Program.parse(champion.ancestors[-1].program, "the last step", ops).normalized()
    if last == champion.program.normalized():
        return ()
    lines = difference(str(last).splitlines(), str(champion.program.normalized()).splitlines())
    return tuple(lines)


def difference(before: Sequence[str], after: Sequence[str]) -> tuple[str, ...]:
    """Lines of both, each after what it is: see `Step.lines`."""
    return tuple(line for line in difflib.ndiff(before, after) if not line.startswith("?"))


def _fewer(ancestors: Sequence[Ancestor], most: int) -> list[tuple[Ancestor, tuple[str, ...]]]:
    """The first, the last, and of the others those that brought the most, with all mutations since."""
    told = set(told_steps([ancestor.fitness for ancestor in ancestors], most or len(ancestors)))
    found, mutations = [], dict[str, None]()
    for number, ancestor in enumerate(ancestors):
        mutations |= dict.fromkeys(name.replace("_", " ") for name in ancestor.mutations)
        if number in told:
            found.append((ancestor, tuple(mutations)))
            mutations = {}
    return found


class _Clock:
    """When a program was found, from the log of rounds."""

    def __init__(self, events: Sequence[Record]):
        progress = [e for e in events if e.get("event") == "Progress"]
        self._programs = [int(e["programs"]) for e in progress]
        self._seconds = [float(e["seconds"]) for e in progress]
        self._islands = max((len(e.get("islands") or (0,)) for e in progress), default=1)
        restarts = [e for e in events if e.get("event") == "Restarted"]
        self._began = {int(e["population"]): int(e["programs"]) for e in restarts if "population" in e}

    def __call__(self, ancestor: Ancestor) -> float | None:
        # Islands go on side by side, so the run makes as many programs as there are islands.
        programs = self._began.get(ancestor.population, 0) + ancestor.number * self._islands
        at = bisect_left(self._programs, programs)
        if not self._seconds:
            return None
        return self._seconds[min(at, len(self._seconds) - 1)]
