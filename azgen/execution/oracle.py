"""The oracle: programs executed one instruction at a time in NumPy, slow and obvious; the living definition.

Section 2.3 of the original's evaluator, with the choices of docs/semantics.md: validation works with s0 = 0
and a sigmoid in memory, a failed task scores 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.execution.layout import epoch_order
from azgen.language.metrics import Metric, UserMetric
from azgen.language.program import Instruction, Memory, Program
from azgen.language.random import Generator, task_state
from azgen.tasks.task import Task

LEAST_PROBABILITY = 1e-7
"""Log-loss takes no probability of the right class for less than this, in float32 and float64 alike."""


class OracleMemory:
    """All addresses of one task, zero at the start; arrays are replaced, never changed in place."""

    def __init__(self, memory: Memory, n_features: int, dtype: Any, generator: Generator):
        self.dtype = np.dtype(dtype)
        self.n_features = n_features
        self.generator = generator
        shapes = {"s": (), "v": (n_features,), "m": (n_features, n_features)}
        self._cells = {
            f"{kind}{number}": np.zeros(shape, dtype)[()]
            for kind, shape in shapes.items()
            for number in range(memory.of(kind))
        }
        self._shapes = shapes

    def __getitem__(self, name: str) -> Any:
        return self._cells[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._cells[name] = value

    def run(self, function: Sequence[Instruction]) -> None:
        """Runs instructions in order."""
        for instruction in function:
            if instruction.writes:
                self[str(instruction.writes)] = self._result(instruction)

    def _result(self, instruction: Instruction) -> Any:
        op = instruction.op
        constants: list[Any] = [
            value if kind == "index" else self.dtype.type(value)
            for kind, value in zip(op.constants, instruction.constants, strict=True)
        ]
        operands = [self[str(address)] for address in instruction.reads]
        if op.stochastic:
            return op.numpy(self.generator, *constants, self._shapes[op.result])
        if op.name == "scalar_broadcast":
            return op.numpy(*operands, self.n_features)
        return op.numpy(*operands, *constants)


def execute_task(
    program: Program, task: Task, number: int, *, seed: int, epochs: int, dtype: str, max_abs_error: float
) -> tuple[float, NDArray[Any]]:
    """Fitness on one task, NaN when the program failed, and its predictions of the validation examples."""
    number_type = np.dtype(dtype).type
    live = program.live()
    memory = OracleMemory(program.memory, task.n_features, dtype, Generator(task_state(seed, number), dtype))
    limit = number_type(max_abs_error)
    x_train, x_valid = task.x_train.astype(dtype), task.x_valid.astype(dtype)
    y_train, y_valid = task.y_train.astype(dtype), task.y_valid.astype(dtype)
    predictions = np.full(len(y_valid), np.nan, dtype)

    def predict(features: NDArray[Any]) -> Any:
        memory["v0"], memory["s0"] = features, number_type(0)
        memory.run(live.predict)
        if task.is_classification:
            memory["s1"] = number_type(1) / (number_type(1) + np.exp(-memory["s1"]))
        return memory["s1"]

    def failed(label: Any, prediction: Any) -> bool:
        return not abs(label - prediction) <= limit

    memory.run(live.setup)
    for epoch in range(epochs):
        for row in epoch_order(len(y_train), epoch):
            if failed(y_train[row], predict(x_train[row])):
                return math.nan, predictions
            memory["s0"] = y_train[row]
            memory.run(live.learn)
    loss = number_type(0)
    for row, label in enumerate(y_valid):
        prediction = predictions[row] = predict(x_valid[row])
        if failed(label, prediction):
            return math.nan, np.full_like(predictions, np.nan)
        loss += loss_of(label, prediction, task.metric, number_type(task.loss_weights[int(label > 0.5)]))
    return fitness_of_loss(float(loss) / len(y_valid), task.metric), predictions


def loss_of(label: Any, prediction: Any, metric: Metric, weight: Any) -> Any:
    """Loss of one validation example, in its own number type (templates/lane/fitness.h.j2 says the same)."""
    if isinstance(metric, UserMetric):
        return metric.loss(label, prediction)
    number_type = type(prediction)
    if metric == "rmse":
        return (label - prediction) * (label - prediction)
    if metric == "r2":
        return (label - prediction) * (label - prediction) * weight
    if metric == "log-loss":
        right = prediction if label > 0.5 else number_type(1) - prediction
        return -np.log(right if right > number_type(LEAST_PROBABILITY) else number_type(LEAST_PROBABILITY))
    wrong = number_type((label > 0.5) != (prediction > 0.5))
    return wrong if metric == "accuracy" else wrong * weight


def fitness_of_loss(loss: float, metric: Metric) -> float:
    """Fitness in [0, 1] of a mean (weighted) loss; for the metrics of the original its section 2.4."""
    if isinstance(metric, UserMetric):
        return min(max(0.0, float(metric.fitness(loss))), 1.0)
    if metric == "rmse":
        return 1.0 - 2.0 / math.pi * math.atan(math.sqrt(loss))
    if metric == "log-loss":
        return math.exp(-loss)
    return 1.0 - loss if loss < 1.0 else 0.0


def execute(
    program: Program, tasks: Sequence[Task], *, seed: int, epochs: int, dtype: str, max_abs_error: float
) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Fitness (tasks; NaN: failed) and predictions (tasks x validation examples) of a program."""
    with np.errstate(all="ignore"):
        results = [
            execute_task(program, task, n, seed=seed, epochs=epochs, dtype=dtype, max_abs_error=max_abs_error)
            for n, task in enumerate(tasks)
        ]
    return np.array([fitness for fitness, _ in results]), np.array(
        [predictions for _, predictions in results]
    )
