"""Tuning a program's constants by random search: the final protocol of AutoML-Zero (Real et al. 2020,
section 4.2).

Every constant is multiplied by a factor of its own, log-uniform in [0.001, 1000], all of them jointly.
Candidates read their constants from lanes, so the lanes carry settings here: each task lies in every lane
of a group of its own, and each lane has other constants. A fitness is bit for bit what `azgen.execute`
gives for that program on these tasks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.codegen.lanes import DTYPES, lane_type
from azgen.codegen.render import largest_register
from azgen.errors import AzgenError
from azgen.execution.execute import native_code
from azgen.execution.layout import LaneTasks, check_form, check_tasks, lay_out, probe_of
from azgen.language.program import Program
from azgen.language.random import task_state
from azgen.tasks.readers.memory import refuse_if_too_large
from azgen.tasks.task import Task

LARGEST_FACTOR = 1000.0
"""Factors lie between 1 / LARGEST_FACTOR and LARGEST_FACTOR."""

FINALISTS = 10
"""Settings that are compared on the selection tasks; the program as it was is one more."""

SCALED = ("value", "mean", "stdev", "low", "high")
"""Kinds of constants that are multiplied. Positions of elements stay: a factor would move them, not scale
them."""

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
        epochs, dtype, seed: how programs were executed.
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
    epochs: int
    dtype: str
    seed: int
    seconds: float


def tune(
    program: Program,
    tasks: Sequence[Task],
    trials: int = 1000,
    seed: int = 0,
    epochs: int = 1,
    dtype: str = "float32",
    *,
    select: Sequence[Task] = (),
    rungs: Sequence[float] = (1.0,),
    max_abs_error: float = 100.0,
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
        seed: decides the factors and the draws of stochastic ops.
        epochs, dtype, max_abs_error: as in `azgen.execute`.
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
    if dtype not in DTYPES:
        raise AzgenError(f"number type {dtype!r} is unknown; choose one of {', '.join(DTYPES)}")
    shares = tuple(rungs)
    if not shares or shares[-1] != 1.0 or sorted(set(shares)) != list(shares) or shares[0] <= 0:
        raise AzgenError(
            f"rungs are {list(shares)}; shares of the examples, rising to 1, such as 0.1, 0.3, 1"
        )
    live = program.live()
    factors = draw_factors(live, trials, seed)
    settings = np.array(live.constants) * factors
    rate = _Rater(live, settings, dtype)
    data = rate.lay_out(tasks, seed, epochs, max_abs_error)

    alive = np.arange(trials)
    for place, share in enumerate(shares[:-1]):
        part = probe_of(data, round(share * tasks[0].n_train * epochs), _valid_share(tasks[0].n_valid, share))
        order = _best_first(rate(part, alive, observe).mean(axis=1), alive)
        room = max(_LEAST_GOING_ON, round(len(alive) * share / shares[place + 1]))
        alive = np.union1d(order[:room], [0])  # the program as it was always goes on
    fitness = rate(data, alive, observe)
    best = _best_first(fitness.mean(axis=1), alive)

    winner, select_fitness = int(best[0]), None
    if select:
        finalists = np.union1d(best[:FINALISTS], [0])
        select_fitness = rate(rate.lay_out(select, seed, epochs, max_abs_error), finalists, observe)
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
        epochs=epochs,
        dtype=dtype,
        seed=seed,
        seconds=time.perf_counter() - began,
    )


def draw_factors(program: Program, trials: int, seed: int) -> Floats:
    """Factors of a program's constants, trials x constants; those of the first trial, and of positions, are
    1.

    Raises:
        AzgenError: the program has no constant that a factor could change.
    """
    kinds = [kind for instruction in program.instructions() for kind in instruction.op.constants]
    values = np.array(program.constants)
    scaled = np.array([kind in SCALED for kind in kinds], dtype=bool) & np.isfinite(values) & (values != 0)
    if not scaled.any():
        raise AzgenError(
            "there is nothing to tune: the program's live code has no constant that a factor would change"
        )
    exponents = np.random.default_rng([seed, _STREAM]).uniform(-1.0, 1.0, (trials, len(kinds)))
    exponents[0] = 0.0
    return np.asarray(LARGEST_FACTOR ** np.where(scaled, exponents, 0.0))


def _valid_share(n_valid: int, share: float) -> int:
    return min(n_valid, max(_LEAST_VALID, round(share * n_valid)))


def _best_first(fitness: Floats, trials: NDArray[np.intp]) -> NDArray[np.intp]:
    """Trials by falling fitness; equal ones in the order of their numbers."""
    return trials[np.lexsort((trials, -fitness))]


class _Rater:
    """A compiled structure, and the settings of its constants."""

    def __init__(self, program: Program, settings: Floats, dtype: str):
        self._program, self._settings, self._dtype = program, settings, dtype
        self._memory = program.normalized().memory

    def lay_out(self, tasks: Sequence[Task], seed: int, epochs: int, max_abs_error: float) -> LaneTasks:
        """The tasks, each in all lanes of a group of its own."""
        check_tasks(tasks)
        lane = lane_type(self._dtype, largest_register(self._memory, tasks[0].n_features))
        rows = tasks[0].n_train + tasks[0].n_valid
        refuse_if_too_large(
            f"each of {len(tasks)} tasks in {lane.lanes} lanes",
            len(tasks) * rows * (tasks[0].n_features + (tasks[0].vector_classes or 1)) * lane.bytes,
        )
        copies = [task for task in tasks for _ in range(lane.lanes)]
        data = lay_out(copies, lane, seed=seed, epochs=epochs, max_abs_error=max_abs_error)
        # Draws depend on the task's number, not on the lane, as if every setting were executed by itself.
        data.arrays["random"][:] = [[task_state(seed, number)] for number in range(len(tasks))]
        code = native_code(tasks[0].n_features, lane, tasks[0].metric, tasks[0].vector_classes)
        self._candidate: Any = code.prepare(self._program)
        return data

    def __call__(self, data: LaneTasks, trials: NDArray[np.intp], observe: Observer) -> Floats:
        """Fitness of these settings, trials x tasks; 0 where a setting failed."""
        fitness = np.empty((len(trials), data.n_groups))
        best = 0.0
        for start in range(0, len(trials), data.lanes):
            batch = trials[start : start + data.lanes]
            lanes = np.resize(batch, data.lanes)  # the last batch repeats itself
            with np.errstate(over="ignore"):
                # A prepared candidate has its constants [constant][lane]: here another setting in each lane.
                self._candidate._constants[: self._settings.shape[1]] = self._settings[lanes].T
            found, _ = self._candidate.evaluate(data)
            by_trial = found.reshape(data.n_groups, data.lanes).T
            fitness[start : start + len(batch)] = np.nan_to_num(by_trial[: len(batch)], nan=0.0)
            best = max(best, float(fitness[start : start + len(batch)].mean(axis=1).max()))
            observe(start + len(batch), len(trials), best)
        return fitness
