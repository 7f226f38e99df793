"""Tuning the constants of many programs at once, for several numbers of passes, within a budget.

First all programs are tuned at a middle number of passes; the best few then with fewer passes, and with more
as long as that helps and the budget lasts. What is spent is counted in multiplications as the op table states
them, never by the clock, so the same tasks and seed give the same constants on any machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from azgen.codegen.lanes import LaneType
from azgen.execution.execute import compile_together, execute_under
from azgen.execution.layout import LaneTasks, with_epochs
from azgen.execution.trials import Trials, lay_out_trials, scaled_constants
from azgen.language.conditions import USUAL, Conditions
from azgen.language.program import Program
from azgen.tasks.task import Task

EPOCHS = (1, 2, 5, 10, 20, 50, 100)
"""Numbers of passes over the training examples that are tried."""

BUDGET = 8e10
"""Multiplications that all tuning may cost: some two seconds of one core with AVX-512."""

_FAR, _ROUND, _ROUNDS = 16, 32, (4, 2, 1)
"""Settings drawn from far and wide for every round, settings of each round around the best, and numbers of
rounds, the first that can be afforded."""

_GOING_ON = 6
"""Programs that are tuned at other numbers of passes than the middle one; at each one more, one fewer goes
on."""

_LEAST_TASKS = 4

LEVEL = 1e-3
"""Fitness by which more passes must be better, as they cost the search as many times more."""

_STREAM = 11  # of the seed, so that factors are not what tasks of the same seed are drawn from
_FIRST_FACTOR, _STEP = np.log(1000.0), np.log(3.0)
_CHANGED = 0.6
"""Share of the constants that a setting around the best changes."""

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
) -> Race:
    """Tunes programs on the search tasks; see `azgen.study.starts.tune_starts` for the arguments."""
    first = search[0]
    shape = first.n_features, first.metric, conditions.dtype, first.vector_classes
    compile_together(list(programs.values()), *shape)
    n_tasks, rounds, middle = _affordable(programs.values(), search, epochs, budget / 2)
    bench = _Bench(search[:n_tasks], search, select, conditions)
    racers = [_Racer(name, program, bench) for name, program in programs.items()]
    for racer in racers:
        observe(racer.name, middle)
        racer.tune(middle, rounds)
    at, left = epochs.index(middle), max(budget / 2, budget - sum(racer.spent for racer in racers))
    for way in (epochs[:at][::-1], epochs[at + 1 :]):
        left = _climb(racers, (middle, *way), left, observe)
    tried = tuple(start for racer in racers for start in racer.found.values())
    settings = sum(racer.settings for racer in racers)
    return Race(tried, settings, lambda epochs: [racer.at(epochs) for racer in racers])


def _affordable(
    programs: Iterable[Program], search: Sequence[Task], epochs: Sequence[int], budget: float
) -> tuple[int, int, int]:
    """Numbers of tasks, rounds and passes for tuning all programs: all tasks, four rounds and the middle
    number, or less."""
    cost = sum(map(_Cost(search[0]), programs)) * (_FAR + _ROUND)
    plans = [(len(search), _ROUNDS[0], len(epochs) // 2)]
    while plans[-1][0] > _LEAST_TASKS:
        plans.append((max(_LEAST_TASKS, plans[-1][0] // 2), *plans[-1][1:]))
    plans += [(plans[-1][0], _ROUNDS[0], at) for at in range(plans[-1][2] - 1, -1, -1)]
    plans += [(plans[-1][0], rounds, 0) for rounds in _ROUNDS[1:]]
    affordable = (p for p in plans if p[0] * p[1] * epochs[p[2]] * cost <= budget)
    n_tasks, rounds, at = next(affordable, plans[-1])
    return n_tasks, rounds, epochs[at]


def _climb(
    racers: Sequence[_Racer], way: Sequence[int], left: float, observe: Callable[[str, int], None]
) -> float:
    """Tunes the best programs at one number of passes after the other; returns what is left of the
    budget, of which each number gets half."""
    climbing = [racer for racer in racers if racer.fitness(way[0]) > 0]
    for place, (last, epochs) in enumerate(pairwise(way)):
        climbing = sorted(climbing, key=lambda racer: -racer.fitness(last))[: _GOING_ON - place]
        here = left / 2
        for number, racer in enumerate(climbing):
            share = here / (len(climbing) - number)
            rounds = next((n for n in _ROUNDS if racer.cost(epochs, n) <= share), 0)
            # The leader may have all of it.
            if rounds or (not number and racer.cost(epochs, 1) <= here):
                rounds = rounds or 1
                observe(racer.name, epochs)
                spent = racer.tune(epochs, rounds, last)
                here, left = here - spent, left - spent
        climbing = [r for r in climbing if r.fitness(epochs) >= r.fitness(last) - LEVEL]
    return left


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

    def trials(self, lane: LaneType, epochs: int) -> LaneTasks:
        """The tasks to tune on, each in all lanes of a group."""
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

    def cost(self, epochs: int, rounds: int) -> float:
        """Multiplications that tuning near known constants costs."""
        return rounds * _ROUND * epochs * self._pass

    def tune(self, epochs: int, rounds: int, near: int = 0) -> float:
        """Finds the best constants for a number of passes, near those for another number or from far and
        wide; returns what it cost."""
        data, best = self._bench.trials(self._trials.lane, epochs), -1.0
        logs, before, step = np.zeros(len(self._constants)), self.settings, _STEP
        if near:
            logs = np.log(self._factors(self.found[near]))
        else:
            logs, best = self._better(data, self._far(rounds), logs, best)
        for _ in range(rounds if best else 0):  # failing with all of them is not a matter of constants
            last = best
            logs, best = self._better(data, self._around(logs, step), logs, best)
            if best <= last:
                step /= 2
        self.found[epochs] = self._start(np.exp(logs), epochs)
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

    def _far(self, rounds: int) -> Floats:
        logs = self._random.uniform(-_FIRST_FACTOR, _FIRST_FACTOR, (_FAR * rounds, len(self._constants)))
        logs[0] = 0.0  # the program as it is
        return logs

    def _around(self, logs: Floats, step: float) -> Floats:
        shape = (_ROUND, len(logs))
        moves = self._random.normal(0.0, step, shape) * (self._random.random(shape) < _CHANGED)
        moves[0] = 0.0
        return np.asarray(logs + moves)

    def _better(self, data: LaneTasks, logs: Floats, known: Floats, best: float) -> tuple[Floats, float]:
        """The best of some settings, if they are better than the best known."""
        logs = np.where(self._scaled, logs, 0.0)
        with np.errstate(over="ignore"):
            settings = self._constants * np.exp(logs)
        fitness = self._trials(data, settings).mean(axis=1)
        self.settings += len(settings)
        place = int(fitness.argmax())
        return (logs[place], float(fitness[place])) if fitness[place] > best else (known, best)

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
