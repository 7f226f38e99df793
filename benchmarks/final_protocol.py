"""AutoML-Zero's final protocol (Real et al. 2020, section 4.2): tune on the training part, score once on
the test part.

Every program's constants are tuned with the same number of trials on the same pairs of classes of an image
set at full dimension; the tuned programs then learn each of the test pairs and are scored on the data set's
own test part.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from azgen.execution.execute import execute_under
from azgen.language.conditions import USUAL, Conditions
from azgen.language.program import Program
from azgen.study.scores import Interval
from azgen.study.tune import Tuned, tune
from azgen.tasks.datasets import DataSet
from azgen.tasks.task import Task
from benchmarks.final_tasks import final_tasks

Pair = tuple[int, int]

RUNGS = (1 / 27, 1 / 9, 1 / 3, 1.0)
"""Shares of the examples at which settings are compared: a task at full dimension costs seconds."""

TUNING_SEED = 1000
"""Of the examples that are tuned on."""


_CHUNK = 4
"""Test pairs that are executed together: all of one chunk share a seed of draws, whatever the machine."""


@dataclass(frozen=True)
class Protocol:
    """How much is tuned and tested.

    Attributes:
        trials: settings of the constants per program; most are looked at on few examples (`rungs`).
        rungs: see `tune`.
        n_seeds: different seeds of the test tasks.
        n_train, n_valid: examples of each task, from the training part.
    """

    trials: int = 160
    rungs: Sequence[float] = RUNGS
    n_seeds: int = 5
    n_train: int = 8000
    n_valid: int = 2000


@dataclass(frozen=True)
class FinalScore:
    """What a program reached.

    Attributes:
        name: the program's.
        tuned: how its constants were found.
        accuracy: per test pair, on the data set's own test part; 0 where the program failed.
        tuning_seconds, test_seconds: wall-clock time.
    """

    name: str
    tuned: Tuned
    accuracy: NDArray[np.float64] = field(repr=False)
    tuning_seconds: float
    test_seconds: float

    @property
    def interval(self) -> Interval:
        """Mean accuracy and its 95 % confidence interval over test pairs."""
        return Interval.of(self.accuracy)


def final_protocol(
    data: DataSet,
    programs: Mapping[str, Program],
    tuning_pairs: Sequence[Pair],
    test_pairs: Sequence[Pair],
    protocol: Protocol,
    conditions: Conditions = USUAL,
    observe: Callable[[str], None] = lambda message: None,
) -> tuple[FinalScore, ...]:
    """Carries out the protocol.

    Args:
        data: images with a test part of their own.
        programs: by name; all are tuned alike.
        tuning_pairs: pairs of classes to tune on, together.
        test_pairs: pairs to be scored on; pair number i uses seed number i modulo `Protocol.n_seeds` for its
            examples, and draws of its own.
        protocol: how much is tuned and tested.
        conditions: how programs are executed; the seed decides everything.
        observe: told what is going on.

    Raises:
        AzgenError: the data do not suit the protocol.
    """
    seed, sizes = conditions.seed, (protocol.n_train, protocol.n_valid)
    tuning = (final_tasks(data, pair, seed + TUNING_SEED, *sizes).tuning for pair in tuning_pairs)
    found = _tuned(programs, tuple(tuning), protocol, conditions, observe)
    accuracy = {name: np.zeros(len(test_pairs)) for name in programs}
    seconds = dict.fromkeys(programs, 0.0)
    for start in range(0, len(test_pairs), _CHUNK):
        numbers = range(start, min(start + _CHUNK, len(test_pairs)))
        tasks = [final_tasks(data, test_pairs[i], seed + i % protocol.n_seeds, *sizes).test for i in numbers]
        for name, (tuned, _) in found.items():
            began = time.perf_counter()
            draws = replace(conditions, seed=seed + start)
            accuracy[name][start : start + len(tasks)] = _accuracy(tuned.program, tasks, draws)
            seconds[name] += time.perf_counter() - began
        observe(
            f"{numbers[-1] + 1} of {len(test_pairs)} pairs: "
            + ", ".join(f"{name} {a[: numbers[-1] + 1].mean():.4f}" for name, a in accuracy.items())
        )
    return tuple(
        FinalScore(name, tuned, accuracy[name], spent, seconds[name])
        for name, (tuned, spent) in found.items()
    )


def _tuned(
    programs: Mapping[str, Program],
    tasks: Sequence[Task],
    protocol: Protocol,
    conditions: Conditions,
    observe: Callable[[str], None],
) -> dict[str, tuple[Tuned, float]]:
    """All programs, tuned on the same tasks; with the wall-clock seconds that each took."""
    found: dict[str, tuple[Tuned, float]] = {}
    for name, program in programs.items():
        began = time.perf_counter()
        tuned = tune(program, tasks, protocol.trials, conditions, rungs=protocol.rungs)
        found[name] = tuned, time.perf_counter() - began
        observe(
            f"{name}: tuned in {found[name][1]:.0f} s, validation {tuned.fitness_before.mean():.4f} -> "
            f"{tuned.fitness.mean():.4f}, factors {', '.join(f'{f:.3g}' for f in tuned.factors)}"
        )
    return found


def _accuracy(program: Program, tasks: Sequence[Task], conditions: Conditions) -> NDArray[np.float64]:
    """Accuracy per task; those of one shape run side by side."""
    result = np.zeros(len(tasks))
    for shape in {task.shape_key: None for task in tasks}:
        places = [i for i, task in enumerate(tasks) if task.shape_key == shape]
        result[places] = execute_under(conditions, program, [tasks[i] for i in places]).fitness
    return result
