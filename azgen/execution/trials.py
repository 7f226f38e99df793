"""Settings of a program's constants side by side: every task in all lanes of a group of its own, every lane
with other constants.

Candidates read their constants from lanes, so a batch of as many settings as there are lanes costs what one
setting costs. A fitness is bit for bit what `azgen.execution.execute` gives for that program on these tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from azgen.codegen.lanes import LaneType
from azgen.deadline import NEVER, Deadline
from azgen.execution.execute import native_code, target_for
from azgen.execution.layout import LaneTasks, check_tasks, lay_out, lay_out_copies
from azgen.language.conditions import Conditions
from azgen.language.program import Program
from azgen.tasks.readers.memory import refuse_if_too_large
from azgen.tasks.task import Task

SCALED = ("value", "mean", "stdev", "low", "high")
"""Kinds of constants that may be scaled. Positions of elements stay: a factor would move them, not scale
them."""

Floats = NDArray[np.float64]


def scaled_constants(program: Program) -> NDArray[np.bool_]:
    """Which of a program's constants, in the order of the text, a factor would change."""
    kinds = [kind for instruction in program.instructions() for kind in instruction.op.constants]
    values = np.array(program.constants)
    scaled = np.array([kind in SCALED for kind in kinds], dtype=bool)
    return np.asarray(scaled & np.isfinite(values) & (values != 0))


def lay_out_trials(tasks: Sequence[Task], lane: LaneType, conditions: Conditions) -> LaneTasks:
    """The tasks, each in all lanes of a group of its own.

    Raises:
        AzgenError: tasks that do not agree, or do not fit into memory so often.
    """
    check_tasks(tasks)
    rows = tasks[0].n_train + tasks[0].n_valid
    refuse_if_too_large(
        f"each of {len(tasks)} tasks in {lane.lanes} lanes",
        len(tasks) * rows * (tasks[0].n_features + (tasks[0].vector_classes or 1)) * lane.bytes,
    )
    return lay_out_copies(tasks, lane, conditions)


class Trials:
    """A compiled structure that settings of its constants are tried with.

    Args:
        program: its live code is run; settings are given in the order of its text.
        task: one of those that it will run on; decides features, metric and classes.
        conditions: whose number type and fused multiply-add count.
    """

    def __init__(self, program: Program, task: Task, conditions: Conditions):
        target = target_for(program, task, conditions)
        self.lane = target.lane
        self._candidate = native_code(target).prepare(program)

    def __call__(
        self,
        data: LaneTasks,
        settings: Floats,
        observe: Callable[[int, int, float], None] = lambda done, total, best: None,
        deadline: Deadline = NEVER,
    ) -> Floats:
        """Fitness of settings (trials x constants) on tasks laid out by `lay_out_trials`: trials x tasks; 0
        where a setting failed, or the deadline had passed."""
        fitness, best = np.zeros((len(settings), data.n_groups)), 0.0
        for start in range(0, len(settings), data.lanes):
            if deadline.passed():
                break
            batch = settings[start : start + data.lanes]
            lanes = np.resize(np.arange(len(batch)), data.lanes)  # the last batch repeats itself
            found, _ = self._candidate.with_constants(batch[lanes].T).evaluate(data)
            by_trial = found.reshape(data.n_groups, data.lanes).T[: len(batch)]
            fitness[start : start + len(batch)] = np.nan_to_num(by_trial, nan=0.0)
            best = max(best, float(fitness[start : start + len(batch)].mean(axis=1).max()))
            observe(start + len(batch), len(settings), best)
        return fitness

    def fitness(self, tasks: Sequence[Task], constants: Floats, conditions: Conditions) -> Floats:
        """Fitness of one setting per task, 0 where it failed: as `azgen.execution.execute` gives it, by the
        code that is there already."""
        found, _ = self._candidate.with_constants(constants).evaluate(lay_out(tasks, self.lane, conditions))
        return np.nan_to_num(found, nan=0.0)
