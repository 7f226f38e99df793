"""A program bound to tasks in lanes: called again and again, it costs little besides running."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.codegen.lanes import LaneType
from azgen.execution.kernel import Kernel, room_for_predictions
from azgen.execution.layout import LaneTasks
from azgen.execution.native import PreparedCandidate


@dataclass(frozen=True, slots=True)
class Result:
    """What executing a program gave.

    Attributes:
        fitness: one number in [0, 1] per task; 0 where the program failed.
        predictions: tasks x validation examples; of two classes the probability of class 1. For tasks with
            several classes tasks x validation examples x classes: their probabilities. NaN where the
            program failed.
        failed: per task, whether an error was NaN or above max_abs_error.
        dtype: number type of the arithmetic.
    """

    fitness: NDArray[np.float64]
    predictions: NDArray[Any]
    failed: NDArray[np.bool_]
    dtype: str


def result_of(fitness: NDArray[np.float64], predictions: NDArray[Any], dtype: str) -> Result:
    """The result of an executor that gives NaN as the fitness of tasks on which the program failed; it keeps
    the arrays."""
    failed = fitness != fitness  # is NaN
    if failed.any():
        fitness[failed], predictions[failed] = 0.0, np.nan
    return Result(fitness, predictions, failed, dtype)


class Room:
    """Arrays that one program after the other is evaluated into; every result has copies of its own.

    Args:
        tasks: in lanes of this type.
        classes: see `Target`.

    Attributes:
        lock: held from an evaluation to its result, as native code runs beside other threads.
    """

    def __init__(self, tasks: LaneTasks, lane: LaneType, classes: int):
        self.tasks, self._dtype = tasks, lane.dtype
        self.fitness = np.empty(tasks.n_groups * lane.lanes)
        self.predictions = room_for_predictions(1, tasks, lane, classes)
        self._by_lane = np.moveaxis(self.predictions[0], -1, 1)  # [group][lane][step]...
        self._shape = (-1, *self._by_lane.shape[2:])
        self.lock = Lock()

    def result(self) -> Result:
        """What is in the arrays."""
        n = self.tasks.n_tasks
        return result_of(
            self.fitness[:n].copy(), self._by_lane.copy("C").reshape(self._shape)[:n], self._dtype
        )


class BoundProgram:
    """A function that evaluates a program on tasks, into a room.

    Args:
        function, arguments: what fills the room's arrays.
        program: what else the arguments point to.
    """

    def __init__(self, function: Callable[..., object], arguments: tuple[Any, ...], program: Any, room: Room):
        self._function, self._arguments = function, arguments
        self._program, self._room = program, room

    def __call__(self) -> Result:
        """Executes the program."""
        with self._room.lock:
            self._function(*self._arguments)
            return self._room.result()


def bind_candidate(candidate: PreparedCandidate, room: Room) -> BoundProgram:
    """A compiled program, on tasks in its lanes."""
    run, call = candidate.arguments(room.tasks, room.fitness, room.predictions)
    arguments = ctypes.c_void_p(run), ctypes.byref(call)
    return BoundProgram(candidate.compiled.evaluate, arguments, candidate, room)


def bind_encoded(kernel: Kernel, program: NDArray[Any], room: Room) -> BoundProgram:
    """A program in the kernel's form (an array of one), on tasks in the kernel's lanes."""
    addresses = (each.ctypes.data for each in (room.fitness, room.predictions))
    arguments = program.ctypes.data, 1, room.tasks.address, *addresses, False
    return BoundProgram(kernel.calls.evaluate, arguments, program, room)
