"""Tuning the constants of many programs at once, for several numbers of passes, within a budget.

First all programs are tuned at a middle number of passes; the best few then once more, with more passes and
with fewer, as long as that helps and the budget lasts. What is spent is counted in multiplications as the op
table states them, never by the clock, so the same tasks and seed give the same constants on any machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TypedDict

from azgen.deadline import NEVER, BusyDeadline, Deadline
from azgen.execution.execute import compile_together
from azgen.language.conditions import USUAL, Conditions
from azgen.language.program import Program
from azgen.study.racer import FIRST, SIZE, Bench, Cost, Racer, Start, TuningTasks
from azgen.tasks.task import Task

EPOCHS = (1, 3, 10, 30, 100)
"""Numbers of passes over the training examples that are tried."""

BUDGET = 3e11
"""Multiplications that all tuning may cost: some eight seconds of one core with AVX-512."""

CROSS_EPOCHS = (*EPOCHS, 300)
CROSS_BUDGET = 1e12
"""The same where programs are compared by cross-validation, which tells what many passes bring, in a run of a
minute."""

_GENERATIONS = (8, 4, 2)
"""Numbers of generations, the first that can be afforded."""

_GOING_ON = 6
"""Programs that are tuned at other numbers of passes than the middle one; at each one more, one fewer goes
on."""

_LEAST_TASKS = 4

_LEAST_PROGRAMS = 2
"""Programs, the cheapest, that are tuned whatever the deadline, until tuning has had some processor time."""

_LEAST_SECONDS = 1.5

_THREADS = min(4, os.cpu_count() or 1)
"""Programs that are tuned at a time, which changes nothing in what is found."""

LEVEL = 1e-3
"""Fitness by which more passes must be better, as they cost the search as many times more."""


class RaceOptions(TypedDict, total=False):
    """What may be said of a race; see `race`."""

    epochs: Sequence[int]
    conditions: Conditions
    budget: float
    observe: Callable[[str, int], None]
    deadline: Deadline


@dataclass(frozen=True)
class Race:
    """All programs, tuned.

    Attributes:
        tried: every program at every number of passes that it was tuned at.
        settings: settings of constants that were tried.
        at: every program for a number of passes of `tried`, whether it was tuned at that or not; after the
            deadline those alone that were.
    """

    tried: tuple[Start, ...]
    settings: int
    at: Callable[[int], list[Start]]


def race(
    programs: Mapping[str, Program],
    tasks: TuningTasks,
    *,
    epochs: Sequence[int] = EPOCHS,
    conditions: Conditions = USUAL,
    budget: float = BUDGET,
    observe: Callable[[str, int], None] = lambda name, epochs: None,
    deadline: Deadline = NEVER,
) -> Race:
    """Tunes programs on the search tasks.

    Args:
        programs: by name, at least one, of the tasks' form.
        tasks: what they are tuned on, and compared on in the end.
        epochs: numbers of passes to choose from, rising, in place of that of the conditions; of those that
            are within .001 of the best the smallest is taken. One alone is taken as it is.
        conditions: how programs are executed; the seed decides the factors too.
        budget: multiplications that tuning may cost; with less, fewer tasks and settings are tried, and
            fewer passes.
        observe: told what is being tuned.
        deadline: after it no other program is tuned, and none for other numbers of passes.
    """
    search = tasks.search
    compile_together(list(programs.values()), search[0], conditions)
    n_tasks, generations, middle = _affordable(programs.values(), search, epochs, budget / 2)
    bench = Bench(search[:n_tasks], tasks, conditions)
    racers = [Racer(name, program, bench, deadline) for name, program in programs.items()]
    later = BusyDeadline(deadline.left, _LEAST_SECONDS)
    in_order = sorted(racers, key=lambda racer: racer.cost(1, 1))  # cheap ones first, if time runs out
    least, others = in_order[:_LEAST_PROGRAMS], in_order[_LEAST_PROGRAMS:]
    for racer in least:
        racer.deadline = later
    _tune([(racer, middle, generations, 0) for racer in least], observe)
    _tune([(racer, middle, generations, 0) for racer in others], observe, deadline)
    racers = [racer for racer in racers if racer.found]
    at, left = epochs.index(middle), max(budget / 2, budget - sum(racer.spent for racer in racers))
    for way in (epochs[at:], epochs[:at][::-1]):
        left = _climb(racers, (middle, *way), left, observe, deadline)
    tried = tuple(start for racer in racers for start in racer.found.values())
    settings = sum(racer.settings for racer in racers)

    def at_epochs(epochs: int) -> list[Start]:
        known = [racer for racer in racers if epochs in racer.found or not deadline.passed()]
        return [racer.at(epochs) for racer in known]

    return Race(tried, settings, at_epochs)


def _tune(
    orders: Sequence[tuple[Racer, int, int, int]],
    observe: Callable[[str, int], None],
    deadline: Deadline = NEVER,
) -> float:
    """Tunes programs (see `Racer.tune` for the numbers) side by side, as native code holds no lock; returns
    what it cost. After the deadline no other is begun."""
    for racer, epochs, *_ in orders:
        observe(racer.name, epochs)
    with ThreadPoolExecutor(_THREADS) as pool:
        spent: list[float] = list(
            pool.map(lambda order: 0.0 if deadline.passed() else order[0].tune(*order[1:]), orders)
        )
    return sum(spent)


def _affordable(
    programs: Iterable[Program], search: Sequence[Task], epochs: Sequence[int], budget: float
) -> tuple[int, int, int]:
    """Numbers of tasks, generations and passes for tuning all programs: all tasks, eight generations and the
    middle number, or less."""
    cost, most = sum(map(Cost(search[0]), programs)), _GENERATIONS[0]
    plans = [(len(search), most, len(epochs) // 2)]
    while plans[-1][0] > _LEAST_TASKS:
        plans.append((max(_LEAST_TASKS, plans[-1][0] // 2), *plans[-1][1:]))
    plans += [(plans[-1][0], most, at) for at in range(plans[-1][2] - 1, -1, -1)]
    plans += [(plans[-1][0], fewer, 0) for fewer in _GENERATIONS[1:]]
    affordable = (p for p in plans if p[0] * (FIRST + p[1] * SIZE) * epochs[p[2]] * cost <= budget)
    n_tasks, generations, at = next(affordable, plans[-1])
    return n_tasks, generations, epochs[at]


def _climb(
    racers: Sequence[Racer],
    way: Sequence[int],
    left: float,
    observe: Callable[[str, int], None],
    deadline: Deadline,
) -> float:
    """Tunes the best programs at one number of passes after the other; returns what is left of the
    budget, of which each number gets its share."""
    climbing = [racer for racer in racers if racer.fitness(way[0]) > 0]
    if climbing:
        way = _within_reach(max(climbing, key=lambda racer: racer.fitness(way[0])), way, left)
    for place, (last, epochs) in enumerate(pairwise(way)):
        climbing = sorted(climbing, key=lambda racer: -racer.fitness(last))[: _GOING_ON - place]
        here = left * epochs / sum(way[place + 1 :])
        share = here / max(len(climbing), 1)
        most = (next((n for n in _GENERATIONS if r.cost(epochs, n) <= share), 0) for r in climbing)
        orders = [(racer, epochs, n, last) for racer, n in zip(climbing, most, strict=True) if n]
        if climbing and not orders and climbing[0].cost(epochs, 1) <= here:
            orders = [(climbing[0], epochs, 1, last)]  # the leader may have all of it
        left -= _tune(orders, observe, deadline)
        climbing = [r for r in climbing if r.fitness(epochs) >= r.fitness(last) - LEVEL]
    return left


def _within_reach(leader: Racer, way: Sequence[int], left: float) -> Sequence[int]:
    """As many of the numbers of passes as a budget lets at least the leader be tuned at, one after the
    other."""
    least = [leader.cost(epochs, _GENERATIONS[-1]) for epochs in way[1:]]
    return way[: 1 + sum(total <= left for total in accumulate(least))]
