"""A program in a race: its constants, tuned at one number of passes after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from azgen.codegen.lanes import LaneType
from azgen.deadline import Deadline
from azgen.execution.layout import LaneTasks, with_epochs
from azgen.execution.rating import Rating
from azgen.execution.trials import Trials, lay_out_trials, scaled_constants
from azgen.language.conditions import Conditions
from azgen.language.program import Program
from azgen.study.cross_entropy import cross_entropy
from azgen.tasks.task import Task

FIRST, SIZE = 96, 32
"""Settings of the first generation from far and wide, and of every further one."""

_MOST_NUMBERS = 16_000_000
"""Features of all examples in all lanes that settings are tried on: 64 MB of float32. Of a larger table fewer
tasks are taken, one at least."""

_STREAM = 11  # of the seed, so that factors are not what tasks of the same seed are drawn from
_FAR, _NEAR = np.log(5.0), np.log(1.6)
"""Standard deviation of the logarithms of the factors that constants are scaled by: from far and wide, and
near known ones."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TuningTasks:
    """What programs are tuned and compared on; all tasks have one metric and number of features.

    Attributes:
        search: constants are tuned on these.
        select: and on these it is seen whether they hold.
        cross: of a table, those that tell which program suits it best; empty: search and selection tasks do.
    """

    search: Sequence[Task]
    select: Sequence[Task]
    cross: Sequence[Task] = ()


@dataclass(frozen=True)
class Start:
    """A tuned program.

    Attributes:
        name: where it comes from, such as "zoo:linear" or "zoo:best-evolved with a bias".
        program: its constants are the best found on the search tasks.
        epochs: passes over the training examples that they are meant for.
        search_fitness: per task; 0 where it failed.
        select: its rating on the selection tasks.
        cross: fitness on each cross-validation task; empty: there are none.
    """

    name: str
    program: Program
    epochs: int
    search_fitness: Floats = field(repr=False)
    select: Rating = field(repr=False)
    cross: Floats = field(default_factory=lambda: np.zeros(0), repr=False)

    @property
    def fitness(self) -> float:
        """Mean over the selection tasks."""
        return self.select.mean

    @property
    def rating(self) -> float:
        """Mean fitness in cross-validation; without it, of the fitness on search and on selection tasks: of
        these there are too few examples to tell programs apart, on those all have been tuned."""
        if len(self.cross):
            return float(self.cross.mean())
        return (float(self.search_fitness.mean()) + self.fitness) / 2


class Cost:
    """Multiplications of one pass of a program over a task of this kind."""

    def __init__(self, task: Task):
        self._task = task

    def __call__(self, program: Program) -> float:
        return sum(program.cost(self._task.n_features)[1:]) * self._task.n_train


class Bench:
    """The tasks in lanes, laid out once per lane type."""

    def __init__(self, few: Sequence[Task], tasks: TuningTasks, conditions: Conditions):
        self.few, self.tasks, self.conditions = few, tasks, conditions
        self._kept: dict[LaneType, LaneTasks] = {}
        self._lock = Lock()

    def trials(self, lane: LaneType, epochs: int) -> LaneTasks:
        """The tasks to tune on, each in all lanes of a group."""
        with self._lock:
            if lane not in self._kept:
                first = self.few[0]
                numbers = (first.n_train + first.n_valid) * first.n_features * lane.lanes
                few = self.few[: max(1, _MOST_NUMBERS // numbers)]
                self._kept[lane] = lay_out_trials(few, lane, replace(self.conditions, epochs=1))
        return with_epochs(self._kept[lane], self.few[0].n_train, epochs)


class Racer:
    """A program whose constants are tuned, at one number of passes after the other.

    Attributes:
        found: the best by number of passes.
        settings, spent: tried so far, and what they cost.
        deadline: after it no other settings are tried.
    """

    def __init__(self, name: str, program: Program, bench: Bench, deadline: Deadline):
        self.name, self._live, self._bench, self.deadline = name, program.live(), bench, deadline
        self._constants = np.array(self._live.constants)
        self._scaled = scaled_constants(self._live)
        self._trials = Trials(self._live, bench.few[0], bench.conditions)
        self._random = np.random.default_rng([bench.conditions.seed, _STREAM])
        self._pass = Cost(bench.few[0])(self._live) * len(bench.few)
        self.found: dict[int, Start] = {}
        self.settings, self.spent = 0, 0.0

    def fitness(self, epochs: int) -> float:
        """On the search tasks; -1 where that is not known."""
        return float(self.found[epochs].search_fitness.mean()) if epochs in self.found else -1.0

    def cost(self, epochs: int, generations: int) -> float:
        """Multiplications that tuning near known constants costs."""
        return generations * SIZE * epochs * self._pass

    def tune(self, epochs: int, generations: int, near: int = 0) -> float:
        """Finds the best constants for a number of passes, near those for another number (or the same) or
        from far and wide; returns what it cost."""
        data, before = self._bench.trials(self._trials.lane, epochs), self.settings
        middle = np.log(self._factors(self.found[near])) if near else np.zeros(len(self._constants))
        sizes = (SIZE,) * generations if near else (FIRST, *(SIZE,) * generations)
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
        """Mean fitness of settings, given as logarithms of the constants' factors; 0 for those that there is
        no time for."""
        with np.errstate(over="ignore"):
            settings = self._constants * np.exp(np.where(self._scaled, logs, 0.0))
        self.settings += len(settings)
        return np.asarray(self._trials(data, settings, deadline=self.deadline).mean(axis=1))

    def _start(self, factors: Floats, epochs: int) -> Start:
        constants = np.where(self._scaled, self._constants * factors, self._constants)
        program = self._live.with_constants(tuple(constants.tolist()))

        def rate(tasks: Sequence[Task], epochs: int) -> Floats:
            return self._trials.fitness(tasks, constants, replace(self._bench.conditions, epochs=epochs))

        tasks = self._bench.tasks
        lasts = bool((rate(tasks.select, 2 * epochs) > 0).all())
        select = Rating(rate(tasks.select, epochs), lasts)
        cross = rate(tasks.cross, epochs) if tasks.cross else np.zeros(0)
        return Start(self.name, program, epochs, rate(tasks.search, epochs), select, cross)
