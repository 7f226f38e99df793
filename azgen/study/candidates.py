"""Programs that may become the champion, compared on the selection tasks; and the rules that pick one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.deadline import NEVER, Deadline
from azgen.execution.rating import Rating
from azgen.runs.events import Champion
from azgen.search.evolve import Evolution
from azgen.study.scores import Interval, is_level, row_losses
from azgen.tasks.task import Task

_ROW_TASKS = 4
"""Selection tasks of a table whose losses are compared row by row: they differ in the order of training
alone."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Candidate(Rating):
    """A program that may become the champion, as it does on the selection tasks.

    Attributes:
        champion: the program, as the hall of fame has it.
        losses: what the standard error is taken over: of a table, whose selection tasks share their rows, the
            mean loss of each row; else the negative fitness of each task.
    """

    champion: Champion
    losses: Floats = field(repr=False)

    def as_record(self) -> dict[str, Any]:
        """The comparison as plain values; the hash says which program."""
        select = Interval.of(self.fitness).as_record()
        return {"hash": self.champion.program.hash, "select": select, "holds": self.holds}


def rated(
    evolution: Evolution,
    members: Sequence[Champion],
    tasks: Sequence[Task],
    *,
    by_row: bool,
    deadline: Deadline = NEVER,
) -> list[Candidate]:
    """Programs on the selection tasks, by the search's kernel.

    Args:
        by_row: the tasks share their validation rows.
        deadline: after it no other program is rated; the best that the run started from, or else the best,
            always is.
    """
    select, found = evolution.space.select, dict[int, Candidate]()
    # Should time run out, then not before what the champion must not be worse than has been rated.
    first = sorted(range(len(members)), key=lambda at: (not members[at].origin, -members[at].select_fitness))
    for at in first:
        if found and deadline.passed():
            break
        rating, predictions, _ = select.rating(members[at].program)
        losses = row_losses(tasks[:_ROW_TASKS], predictions) if by_row else -rating.fitness
        found[at] = Candidate(rating.fitness, rating.lasts, members[at], losses)
    return [found[at] for at in sorted(found)]


def chosen(
    candidates: Sequence[Candidate], rule: str | int, target: float = math.inf
) -> tuple[Candidate, Candidate, int]:
    """The champion, the best, and how many are within one standard error of the best.

    Args:
        candidates: at least one; those with `champion.origin` are what the run started from.
        rule: "cheapest-within-error" is the cheapest of those within one standard error, "best" the best, a
            number the one of this rank (the last if there are fewer).
        target: mean fitness that the champion exceeds if any candidate does.
    """
    holding = [c for c in candidates if c.holds] or list(candidates)
    # What a run started from is given: to end below it would be to have searched for nothing.
    start = max((c for c in holding if c.champion.origin), key=lambda c: c.mean, default=None)
    if start and rule != "best":
        holding = [c for c in holding if c.champion.origin or _takes_the_place(c, start, target)]
    best = max(holding, key=lambda c: (c.mean, -c.champion.cost))
    level = [c for c in holding if c is best or is_level(c.losses, best.losses)]
    if isinstance(rule, int):
        ranked = sorted(candidates, key=lambda c: -c.mean)
        return ranked[min(rule, len(ranked)) - 1], best, len(level)
    if rule == "best":
        return best, best, len(level)
    floor = start.mean if start else 0.0
    enough = [c for c in level if c.mean >= floor and (c.mean > target or best.mean <= target)]
    return min(enough, key=lambda c: (c.champion.cost, -c.mean)), best, len(level)


def _takes_the_place(candidate: Candidate, start: Candidate, target: float) -> bool:
    """Whether a program is better than the best of what the run started from beyond the 95 % interval of
    paired differences, or reaches a target that this does not.

    The search has looked at thousands of programs, and the best of so many on few selection tasks is ahead by
    luck; a start is one of a few.
    """
    if candidate.mean > target >= start.mean:
        return True
    ahead = Interval.of(start.losses - candidate.losses)
    return candidate.mean > start.mean and not ahead.mean <= ahead.half_width
