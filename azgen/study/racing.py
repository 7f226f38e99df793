"""Tuning the constants of many programs at once, for several numbers of passes, within a budget.

First all programs are tuned at a middle number of passes; the best few then once more, with more passes and
with fewer, as long as that helps and the budget lasts. What is spent is counted in multiplications as the op
table states them, never by the clock, so the same tasks and seed give the same constants on any machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from azgen.codegen.lanes import LaneType
from azgen.deadline import NEVER, Deadline
from azgen.execution.execute import compile_together, execute_under
from azgen.execution.layout import LaneTasks, with_epochs
from azgen.execution.trials import Trials, lay_out_trials, scaled_constants
from azgen.language.conditions import USUAL, Conditions
from azgen.language.program import Program
from azgen.study.cross_entropy import cross_entropy
from azgen.tasks.task import Task

EPOCHS = (1, 3, 10, 30, 100)
"""Numbers of passes over the training examples that are tried."""

BUDGET = 3e11
"""Multiplications that all tuning may cost: some eight seconds of one core with AVX-512."""

_FIRST, _SIZE, _GENERATIONS = 96, 32, (8, 4, 2)
"""Settings of the first generation from far and wide, of every further one, and numbers of these, the first
that can be afforded."""

_GOING_ON = 6
"""Programs that are tuned at other numbers of passes than the middle one; at each one more, one fewer goes
on."""

_LEAST_TASKS = 4

_LEAST_PROGRAMS = 2
"""Programs, the cheapest, that are tuned whatever the deadline."""

_THREADS = min(4, os.cpu_count() or 1)
"""Programs that are tuned at a time, which changes nothing in what is found."""

LEVEL = 1e-3
"""Fitness by which more passes must be better, as they cost the search as many times more."""

_STREAM = 11  # of the seed, so that factors are not what tasks of the same seed are drawn from
_FAR, _NEAR = np.log(5.0), np.log(1.6)
"""Standard deviation of the logarithms of the factors that constants are scaled by: from far and wide, and
near known ones."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Start:
    """A tuned program.

    Attributes:
        name: where it comes from, such as "zoo:linear" or "zoo:best-evolved with a bias".
        program: its constants are the best found on the search tasks.
        epochs: passes over the training examples that they are meant for.
        search_fitness, select_fitness: per task; 0 where it failed.
        lasts: whether it fails on no selection task when it learns from each of its examples twice as often:
            the test tasks, and what people have, are larger than the search tasks.
    """

    name: str
    program: Program
    epochs: int
    search_fitness: Floats = field(repr=False)
    select_fitness: Floats = field(repr=False)
    lasts: bool = True

    @property
    def holds(self) -> bool:
        """Whether it fails on no selection task, nor when it is trained twice as long there."""
        return bool((self.select_fitness > 0).all()) and self.lasts

    @property
    def fitness(self) -> float:
        """Mean over the selection tasks."""
        return float(self.select_fitness.mean())

    @property
    def rating(self) -> float:
        """Mean of the fitness on search and on selection tasks: of these there are too few examples to tell
        programs apart, on those all have been tuned."""
        return (float(self.search_fitness.mean()) + self.fitness) / 2


@dataclass(frozen=True)
class Race:
    """All programs, tuned.

    Attributes:
        tried: every program at every number of passes that it was tuned at.
        settings: settings of constants that were tried.
        at: every program for a number of passes, whether it was tuned at that or not.
    """

    tried: tuple[Start, ...]
    settings: int
    at: Callable[[int], list[Start]]


def race(
    programs: Mapping[str, Program],
    search: Sequence[Task],
    select: Sequence[Task],
    *,
    epochs: Sequence[int] = EPOCHS,
    conditions: Conditions = USUAL,
    budget: float = BUDGET,
    observe: Callable[[str, int], None] = lambda name, epochs: None,
    deadline: Deadline = NEVER,
) -> Race:
    """Tunes programs on the search tasks; see `azgen.study.starts.tune_starts` for the arguments."""
    first = search[0]
    shape = first.n_features, first.metric, conditions.dtype, first.vector_classes
    compile_together(list(programs.values()), *shape)
    n_tasks, generations, middle = _affordable(programs.values(), search, epochs, budget / 2)
    bench = _Bench(search[:n_tasks], search, select, conditions)
    racers = [_Racer(name, program, bench) for name, program in programs.items()]
    in_order = sorted(racers, key=lambda racer: racer.cost(1, 1))  # cheap ones first, if time runs out
    least, others = in_order[:_LEAST_PROGRAMS], in_order[_LEAST_PROGRAMS:]
    _tune([(racer, middle, generations, 0) for racer in least], observe)
    _tune([(racer, middle, generations, 0) for racer in others], observe, deadline)
    racers = [racer for racer in racers if racer.found]
    at, left = epochs.index(middle), max(budget / 2, budget - sum(racer.spent for racer in racers))
    for way in (epochs[at:], epochs[:at][::-1]):
        left = _climb(racers, (middle, *way), left, observe, deadline)
    tried = tuple(start for racer in racers for start in racer.found.values())
    settings = sum(racer.settings for racer in racers)
    return Race(tried, settings, lambda epochs: [racer.at(epochs) for racer in racers])


def _tune(
    orders: Sequence[tuple[_Racer, int, int, int]],
    observe: Callable[[str, int], None],
    deadline: Deadline = NEVER,
) -> float:
    """Tunes programs (see `_Racer.tune` for the numbers) side by side, as native code holds no lock; returns
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
    cost, most = sum(map(_Cost(search[0]), programs)), _GENERATIONS[0]
    plans = [(len(search), most, len(epochs) // 2)]
    while plans[-1][0] > _LEAST_TASKS:
        plans.append((max(_LEAST_TASKS, plans[-1][0] // 2), *plans[-1][1:]))
    plans += [(plans[-1][0], most, at) for at in range(plans[-1][2] - 1, -1, -1)]
    plans += [(plans[-1][0], fewer, 0) for fewer in _GENERATIONS[1:]]
    affordable = (p for p in plans if p[0] * (_FIRST + p[1] * _SIZE) * epochs[p[2]] * cost <= budget)
    n_tasks, generations, at = next(affordable, plans[-1])
    return n_tasks, generations, epochs[at]


def _climb(
    racers: Sequence[_Racer],
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


def _within_reach(leader: _Racer, way: Sequence[int], left: float) -> Sequence[int]:
    """As many of the numbers of passes as a budget lets at least the leader be tuned at, one after the
    other."""
    least = [leader.cost(epochs, _GENERATIONS[-1]) for epochs in way[1:]]
    return way[: 1 + sum(total <= left for total in accumulate(least))]


class _Cost:
    """Multiplications of one pass of a program over a task of this kind."""

    def __init__(self, task: Task):
        self._task = task

    def __call__(self, program: Program) -> float:
        return sum(program.cost(self._task.n_features)[1:]) * self._task.n_train


class _Bench:
    """The tasks in lanes, laid out once per lane type."""

    def __init__(
        self, few: Sequence[Task], search: Sequence[Task], select: Sequence[Task], conditions: Conditions
    ):
        self.few, self.search, self.select = few, search, select
        self.conditions = conditions
        self._kept: dict[int, LaneTasks] = {}
        self._lock = Lock()

    def trials(self, lane: LaneType, epochs: int) -> LaneTasks:
        """The tasks to tune on, each in all lanes of a group."""
        with self._lock:
            if lane.lanes not in self._kept:
                self._kept[lane.lanes] = lay_out_trials(self.few, lane, replace(self.conditions, epochs=1))
        return with_epochs(self._kept[lane.lanes], self.few[0].n_train, epochs)

    def fitness(self, program: Program, tasks: Sequence[Task], epochs: int) -> Floats:
        """A program's fitness per task."""
        return execute_under(replace(self.conditions, epochs=epochs), program, tasks).fitness


class _Racer:
    """A program whose constants are tuned, at one number of passes after the other.

    Attributes:
        found: the best by number of passes.
        settings, spent: tried so far, and what they cost.
    """

    def __init__(self, name: str, program: Program, bench: _Bench):
        self.name, self._live, self._bench = name, program.live(), bench
        self._constants = np.array(self._live.constants)
        self._scaled = scaled_constants(self._live)
        self._trials = Trials(self._live, bench.search[0], bench.conditions.dtype)
        self._random = np.random.default_rng([bench.conditions.seed, _STREAM])
        self._pass = _Cost(bench.search[0])(self._live) * len(bench.few)
        self.found: dict[int, Start] = {}
        self.settings, self.spent = 0, 0.0

    def fitness(self, epochs: int) -> float:
        """On the search tasks; -1 where that is not known."""
        return float(self.found[epochs].search_fitness.mean()) if epochs in self.found else -1.0

    def cost(self, epochs: int, generations: int) -> float:
        """Multiplications that tuning near known constants costs."""
        return generations * _SIZE * epochs * self._pass

    def tune(self, epochs: int, generations: int, near: int = 0) -> float:
        """Finds the best constants for a number of passes, near those for another number (or the same) or
        from far and wide; returns what it cost."""
        data, before = self._bench.trials(self._trials.lane, epochs), self.settings
        middle = np.log(self._factors(self.found[near])) if near else np.zeros(len(self._constants))
        sizes = (_SIZE,) * generations if near else (_FIRST, *(_SIZE,) * generations)
        found = cross_entropy(
            lambda logs: self._rate(data, logs), middle, _NEAR if near else _FAR, sizes, self._random
        )
        start = self._start(np.exp(found), epochs)
        if near != epochs or start.search_fitness.mean() > self.fitness(epochs):
            self.found[epochs] = start
        spent = (self.settings - before) * epochs * self._pass
        self.spent += spent
        return spent

    def at(self, epochs: int) -> Start:
        """The program for a number of passes, with the constants of the nearest that it was tuned for."""
        if epochs in self.found:
            return self.found[epochs]
        nearest = min(self.found, key=lambda known: abs(np.log(known / epochs)))
        return self._start(self._factors(self.found[nearest]), epochs)

    def _factors(self, start: Start) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self._scaled, np.array(start.program.constants) / self._constants, 1.0)

    def _rate(self, data: LaneTasks, logs: Floats) -> Floats:
        """Mean fitness of settings, given as logarithms of the constants' factors."""
        with np.errstate(over="ignore"):
            settings = self._constants * np.exp(np.where(self._scaled, logs, 0.0))
        self.settings += len(settings)
        return np.asarray(self._trials(data, settings).mean(axis=1))

    def _start(self, factors: Floats, epochs: int) -> Start:
        constants = np.where(self._scaled, self._constants * factors, self._constants)
        program = self._live.with_constants(tuple(constants.tolist()))
        rate, select = self._bench.fitness, self._bench.select
        return Start(
            self.name,
            program,
            epochs,
            rate(program, self._bench.search, epochs),
            rate(program, select, epochs),
            bool((rate(program, select, 2 * epochs) > 0).all()),
        )
