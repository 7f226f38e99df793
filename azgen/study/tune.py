"""Tuning a program's constants by random search: the final protocol of AutoML-Zero (Real et al. 2020,
section 4.2).

Every constant is multiplied by a factor of its own, log-uniform in [0.001, 1000], all of them jointly.
Lanes carry settings here (azgen.execution.trials).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.execution.layout import LaneTasks, check_form, check_tasks, probe_of
from azgen.execution.trials import Trials, lay_out_trials, scaled_constants
from azgen.language.conditions import USUAL, Conditions
from azgen.language.program import Program
from azgen.tasks.task import Task

LARGEST_FACTOR = 1000.0
"""Factors lie between 1 / LARGEST_FACTOR and LARGEST_FACTOR."""

FINALISTS = 10
"""Settings that are compared on the selection tasks; the program as it was is one more."""

_STREAM = 7  # of the seed, so that factors are not what tasks of the same seed are drawn from
_LEAST_GOING_ON = 3
_LEAST_VALID = 200
"""Validation examples that even a short evaluation looks at, if there are as many."""

Observer = Callable[[int, int, float], None]
"""Called with the trials done, of how many at this length, and the best mean fitness so far at this
length."""

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]
"""Of trials."""


@dataclass(frozen=True)
class Tuned:
    """What tuning found.

    Attributes:
        program: the live program with the best constants.
        factors: what each constant was multiplied by, in the order of the text; 1 for those that stay.
        trials: settings that were tried, the program as it was among them.
        full_trials: of these, how many were run on all examples.
        fitness, fitness_before: per tuning task, with the best constants and as it was; 0 where it failed.
        select_fitness, select_before: the same on the selection tasks, if there were any.
        conditions: how programs were executed.
        seconds: wall-clock time.
    """

    program: Program
    factors: tuple[float, ...]
    trials: int
    full_trials: int
    fitness: Floats = field(repr=False)
    fitness_before: Floats = field(repr=False)
    select_fitness: Floats | None = field(repr=False)
    select_before: Floats | None = field(repr=False)
    conditions: Conditions
    seconds: float


def tune(
    program: Program,
    tasks: Sequence[Task],
    trials: int = 1000,
    conditions: Conditions = USUAL,
    *,
    select: Sequence[Task] = (),
    rungs: Sequence[float] = (1.0,),
    observe: Observer = lambda done, total, best: None,
) -> Tuned:
    """Tunes a program's constants.

    The mean fitness over `tasks` decides. With `select`, the ten best settings and the program as it was
    are compared on those tasks, and the best there is taken. Test tasks have no business here: evaluate
    `Tuned.program` on them once.

    Args:
        program: its live code is tuned.
        tasks: tasks of one metric and shape, on whose validation examples settings are rated.
        trials: settings to try; the first is the program as it is.
        conditions: how programs are executed; the seed decides the factors too.
        select: tasks on which the best few are compared.
        rungs: successive halving: shares of the training and validation examples, rising to 1. On each but
            the last as many settings are tried as keep the cost of every rung the same; the best go on.
            Cheaper by far, but short training prefers higher rates than long training does.
        observe: called after every batch.

    Raises:
        AzgenError: no constant that could be tuned, tasks that do not agree, or an argument out of range.
    """
    began = time.perf_counter()
    shares = _check(program, tasks, trials, rungs)
    settings = _Settings.draw(program, tasks[0], trials, conditions, observe)
    data = settings.lay_out(tasks)
    alive = settings.halved(data, tasks[0], shares)
    fitness = settings.rated(data, alive)
    best = _best_first(fitness.mean(axis=1), alive)
    winner, on_select, before = settings.selected(select, best) if select else (int(best[0]), None, None)
    return Tuned(
        program=settings.program.with_constants(tuple(settings.values[winner].tolist())),
        factors=tuple(settings.factors[winner].tolist()),
        trials=trials,
        full_trials=len(alive),
        fitness=fitness[alive == winner][0],
        fitness_before=fitness[0],
        select_fitness=on_select,
        select_before=before,
        conditions=conditions,
        seconds=time.perf_counter() - began,
    )


@dataclass(frozen=True)
class _Settings:
    """Settings of a program's constants that are tried, and what rates them.

    Attributes:
        program: its live code.
        factors: trials x constants; those of the first are 1.
        rate: rates settings.
        conditions, observe: see `tune`.
    """

    program: Program
    factors: Floats
    rate: Trials
    conditions: Conditions
    observe: Observer

    @classmethod
    def draw(
        cls, program: Program, task: Task, trials: int, conditions: Conditions, observe: Observer
    ) -> _Settings:
        """As many as there are trials."""
        live = program.live()
        factors = draw_factors(live, trials, conditions.seed)
        return cls(live, factors, Trials(live, task, conditions), conditions, observe)

    @cached_property
    def values(self) -> Floats:
        """Constants, trials x constants."""
        return np.array(self.program.constants) * self.factors

    def lay_out(self, tasks: Sequence[Task]) -> LaneTasks:
        """Tasks, for `rated`."""
        return lay_out_trials(tasks, self.rate.lane, self.conditions)

    def rated(self, tasks: LaneTasks, trials: Numbers) -> Floats:
        """Fitness of some of the settings, trials x tasks."""
        return self.rate(tasks, self.values[trials], self.observe)

    def halved(self, tasks: LaneTasks, task: Task, shares: Sequence[float]) -> Numbers:
        """The settings that get as far as all examples; the program as it was always does.

        Args:
            tasks, task: those that are tuned on, and one of them.
            shares: of the examples, rising to 1.
        """
        alive = np.arange(len(self.factors))
        for share, following in pairwise(shares):
            n_train = round(share * task.n_train * self.conditions.epochs)
            n_valid = min(task.n_valid, max(_LEAST_VALID, round(share * task.n_valid)))
            fitness = self.rated(probe_of(tasks, n_train, n_valid), alive)
            room = max(_LEAST_GOING_ON, round(len(alive) * share / following))
            alive = np.union1d(_best_first(fitness.mean(axis=1), alive)[:room], [0])
        return alive

    def selected(self, tasks: Sequence[Task], best: Numbers) -> tuple[int, Floats, Floats]:
        """The best of the finalists on selection tasks; its fitness per task, and that of the first setting.

        Args:
            tasks: the selection tasks.
            best: settings, best first; of equals on the selection tasks the first is taken.
        """
        finalists = np.union1d(best[:FINALISTS], [0])
        fitness = self.rated(self.lay_out(tasks), finalists)
        ranks = [int(np.flatnonzero(best == trial)[0]) for trial in finalists]
        winner = finalists[np.lexsort((ranks, -fitness.mean(axis=1)))[0]]
        return int(winner), fitness[finalists == winner][0], fitness[0]


def _check(program: Program, tasks: Sequence[Task], trials: int, rungs: Sequence[float]) -> tuple[float, ...]:
    """Checks what `tune` is given; the rungs."""
    check_tasks(tasks)
    check_form(program, tasks)
    if trials < 1:
        raise AzgenError(f"the number of trials is {trials}; it must be at least 1")
    shares = tuple(rungs)
    if not shares or shares[-1] != 1.0 or sorted(set(shares)) != list(shares) or shares[0] <= 0:
        raise AzgenError(
            f"rungs are {list(shares)}; shares of the examples, rising to 1, such as 0.1, 0.3, 1"
        )
    return shares


def draw_factors(program: Program, trials: int, seed: int) -> Floats:
    """Factors of a program's constants, trials x constants; those of the first trial, and of positions, are
    1.

    Raises:
        AzgenError: the program has no constant that a factor could change.
    """
    scaled = scaled_constants(program)
    if not scaled.any():
        raise AzgenError(
            "there is nothing to tune: the program's live code has no constant that a factor would change"
        )
    exponents = np.random.default_rng([seed, _STREAM]).uniform(-1.0, 1.0, (trials, len(scaled)))
    exponents[0] = 0.0
    return np.asarray(LARGEST_FACTOR ** np.where(scaled, exponents, 0.0))


def _best_first(fitness: Floats, trials: Numbers) -> Numbers:
    """Trials by falling fitness; equal ones in the order of their numbers."""
    return trials[np.lexsort((trials, -fitness))]
