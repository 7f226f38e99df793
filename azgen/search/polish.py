"""Shrinking programs and tuning their constants, on the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.execution.kernel import Kernel
from azgen.execution.layout import LaneTasks
from azgen.settings.evolution import ArchiveSettings


@dataclass
class Polisher:
    """Makes programs short and their constants good, on tasks of its own.

    Attributes:
        kernel, tasks: what programs are rated with and on.
        median: whether fitness over tasks is the median, not the mean.
        settings: see `ArchiveSettings`.
        evaluated: programs evaluated so far.
    """

    kernel: Kernel
    tasks: LaneTasks
    median: bool
    settings: ArchiveSettings
    evaluated: int = 0

    def fitness(self, programs: NDArray[Any]) -> NDArray[np.float64]:
        """Fitness of programs over the tasks; a task on which one fails counts as 0."""
        found, _ = self.kernel.evaluate(programs, self.tasks)
        self.evaluated += len(programs)
        return self._combined(found)

    def shrink(self, program: NDArray[Any]) -> float:
        """Takes needless instructions out of a program, in place; returns the fitness that is left."""
        evaluated = np.zeros(1, np.int64)
        fitness = self.kernel.calls.shrink_program(
            program.ctypes.data,
            self.settings.shrink_tolerance,
            self.tasks.address,
            self.tasks.n_tasks,
            self.median,
            evaluated.ctypes.data,
        )
        self.evaluated += int(evaluated[0])
        return float(fitness)

    def tune(self, program: NDArray[Any], fitness: float, random: int) -> float:
        """Climbs by log-normal steps of a program's constants, in place; returns the fitness reached.

        Args:
            program: array of one program.
            fitness: what it has.
            random: state of the generator of steps.
        """
        step, count = self.settings.tuning_step, self.settings.tuning_settings
        for _ in range(self.settings.tuning_rounds):
            variants = np.repeat(program, count)
            random = self.kernel.calls.vary_programs(variants.ctypes.data, count, step, random)
            found = self.fitness(variants)
            best = int(found.argmax())
            if found[best] > fitness:
                fitness = float(found[best])
                program[0] = variants[best]
            else:
                step /= 2
        return fitness

    def _combined(self, fitness: NDArray[np.float64]) -> NDArray[np.float64]:
        known = np.nan_to_num(fitness, nan=0.0)
        if self.median:
            return np.asarray(np.sort(known, axis=1)[:, known.shape[1] // 2])
        # Added up in order, as the kernel does.
        return np.asarray(known.cumsum(axis=1)[:, -1] / known.shape[1])
