"""Tuning a program's constants by random search: the final protocol of AutoML-Zero (Real et al. 2020,
section 4.2).

Every constant is multiplied by a factor of its own, log-uniform in [0.001, 1000], all of them jointly.
Lanes carry settings here (azgen.execution.trials).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.execution.layout import check_form, check_tasks, probe_of
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
        rungs: successive halving: shares of the training and validation examples, rising to 1. At each but
            the last the settings are run on that share, and as many go on as keep the cost of every rung
            the same. Cheaper by far, but short training prefers higher rates than long training does.
        observe: called after every batch.

    Raises:
        AzgenError: no constant that could be tuned, tasks that do not agree, or an argument out of range.
    """
    began = time.perf_counter()
    check_tasks(tasks)
    check_form(program, tasks)
    if trials < 1:
        raise AzgenError(f"the number of trials is {trials}; it must be at least 1")
    shares = tuple(rungs)
    if not shares or shares[-1] != 1.0 or sorted(set(shares)) != list(shares) or shares[0] <= 0:
        raise AzgenError(
            f"rungs are {list(shares)}; shares of the examples, rising to 1, such as 0.1, 0.3, 1"
        )
    live = program.live()
    factors = draw_factors(live, trials, conditions.seed)
    settings = np.array(live.constants) * factors
    rate = Trials(live, tasks[0], conditions.dtype)
    data = lay_out_trials(tasks, rate.lane, conditions)

    alive = np.arange(trials)
    for place, share in enumerate(shares[:-1]):
        n_train = round(share * tasks[0].n_train * conditions.epochs)
        part = probe_of(data, n_train, _valid_share(tasks[0].n_valid, share))
        order = _best_first(rate(part, settings[alive], observe).mean(axis=1), alive)
        room = max(_LEAST_GOING_ON, round(len(alive) * share / shares[place + 1]))
        alive = np.union1d(order[:room], [0])  # the program as it was always goes on
    fitness = rate(data, settings[alive], observe)
    best = _best_first(fitness.mean(axis=1), alive)

    winner, select_fitness = int(best[0]), None
    if select:
        finalists = np.union1d(best[:FINALISTS], [0])
        held_out = lay_out_trials(select, rate.lane, conditions)
        select_fitness = rate(held_out, settings[finalists], observe)
        # Equal on the selection tasks: the better on the tuning tasks.
        ranks = [int(np.flatnonzero(best == trial)[0]) for trial in finalists]
        order = np.lexsort((ranks, -select_fitness.mean(axis=1)))
        winner = int(finalists[order[0]])
    return Tuned(
        program=live.with_constants(tuple(settings[winner].tolist())),
        factors=tuple(factors[winner].tolist()),
        trials=trials,
        full_trials=len(alive),
        fitness=fitness[alive == winner][0],
        fitness_before=fitness[0],
        select_fitness=None if select_fitness is None else select_fitness[finalists == winner][0],
        select_before=None if select_fitness is None else select_fitness[0],
        conditions=conditions,
        seconds=time.perf_counter() - began,
    )


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


def _valid_share(n_valid: int, share: float) -> int:
    return min(n_valid, max(_LEAST_VALID, round(share * n_valid)))


def _best_first(fitness: Floats, trials: NDArray[np.intp]) -> NDArray[np.intp]:
    """Trials by falling fitness; equal ones in the order of their numbers."""
    return trials[np.lexsort((trials, -fitness))]
