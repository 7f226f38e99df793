"""The oracle: programs executed one instruction at a time in NumPy, slow and obvious; the living definition.

Section 2.3 of the original's evaluator, with the choices of docs/semantics.md: validation works with a label
of 0 and a sigmoid or softmax in memory, a failed task scores 0.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.execution.layout import epoch_order
from azgen.language.conditions import Conditions
from azgen.language.instruction import FEATURES, SCALAR, Address, Instruction, Memory
from azgen.language.meaning import larger, softmax
from azgen.language.metrics import LEAST_PROBABILITY, Metric, UserMetric
from azgen.language.program import Program
from azgen.language.random import Generator, task_state
from azgen.tasks.task import Task


class OracleMemory:
    """All addresses of one task, zero at the start; arrays are replaced, never changed in place."""

    def __init__(
        self, memory: Memory, n_features: int, dtype: Any, generator: Generator, fused: bool = False
    ):
        self.dtype, self.fused = np.dtype(dtype), fused
        self.n_features = n_features
        self.generator = generator
        shapes = {"s": (), "v": (n_features,), "m": (n_features, n_features)}
        self._cells = {
            Address(kind, number): np.zeros(shape, dtype)[()]
            for kind, shape in shapes.items()
            for number in range(memory.of(kind))
        }
        self._shapes = shapes

    def __getitem__(self, address: Address) -> Any:
        return self._cells[address]

    def __setitem__(self, address: Address, value: Any) -> None:
        self._cells[address] = value

    def run(self, function: Sequence[Instruction]) -> None:
        """Runs instructions in order."""
        for instruction in function:
            if instruction.writes:
                self[instruction.writes] = self._result(instruction)

    def _result(self, instruction: Instruction) -> Any:
        op = instruction.op
        constants: list[Any] = [
            value if kind == "index" else self.dtype.type(value)
            for kind, value in zip(op.constants, instruction.constants, strict=True)
        ]
        operands = [self[address] for address in instruction.reads]
        if self.fused and op.fused:
            return op.fused(*operands)
        if op.stochastic:
            return op.numpy(self.generator, *constants, self._shapes[op.result])
        if op.family == "broadcast":
            return op.numpy(*operands, self.n_features)
        return op.numpy(*operands, *constants)


class OracleLearner:
    """A program with its memory on one task: Setup has run, Learn and Predict run on one example at a time.

    Args:
        program: of the task's form.
        task: its features and labels are of the shape and kind of those to come.
        number: of the task, which together with the seed decides what stochastic ops draw.
        conditions: how it is executed.
    """

    def __init__(self, program: Program, task: Task, number: int, conditions: Conditions):
        self._live, self._form, self._classes = program.live(), program.form, task.vector_classes
        self._is_classification, self._number_type = task.is_classification, np.dtype(conditions.dtype).type
        self._limit = self._number_type(conditions.max_abs_error)
        self._no_label = np.zeros(task.y_train.shape[1:], conditions.dtype)[()]
        generator = Generator(task_state(conditions.seed, number), conditions.dtype)
        self._memory = OracleMemory(
            program.memory, task.n_features, conditions.dtype, generator, conditions.fused
        )
        self._memory.run(self._live.setup)

    def copy(self) -> OracleLearner:
        """The same, with a memory of its own."""
        result = copy.copy(self)
        result._memory = copy.copy(self._memory)
        result._memory.generator = copy.copy(self._memory.generator)
        result._memory._cells = dict(self._memory._cells)
        return result

    def predict(self, features: NDArray[Any]) -> Any:
        """Prediction of an example, its label hidden."""
        memory, form = self._memory, self._form
        memory[FEATURES] = features
        self._show_label(self._no_label)
        memory.run(self._live.predict)
        raw = memory[form.prediction]
        if self._classes:
            memory[form.prediction] = softmax(raw, self._classes)
            return memory[form.prediction][: self._classes]
        if self._is_classification:
            one = self._number_type(1)
            memory[form.prediction] = one / (one + np.exp(-raw))
        return memory[form.prediction]

    def failed(self, label: Any, prediction: Any) -> bool:
        """Whether an error is NaN or too large."""
        return not np.all(abs(label - prediction) <= self._limit)

    def learn(self, features: NDArray[Any], label: Any) -> bool:
        """Predicts an example and learns from it; False, and it does not learn, if the prediction fails."""
        if self.failed(label, self.predict(features)):
            return False
        self._show_label(label)
        self._memory.run(self._live.learn)
        return True

    def _show_label(self, label: Any) -> None:
        """Puts a label where the program reads it; one of several classes as a vector of F entries."""
        shown = label if self._form == SCALAR else np.pad(label, (0, self._memory.n_features - self._classes))
        self._memory[self._form.label] = shown


def execute_task(
    program: Program, task: Task, number: int, conditions: Conditions
) -> tuple[float, NDArray[Any]]:
    """Fitness on one task, NaN when the program failed, and its predictions of the validation examples."""
    dtype = conditions.dtype
    x_train, x_valid = task.x_train.astype(dtype), task.x_valid.astype(dtype)
    y_train, y_valid = task.y_train.astype(dtype), task.y_valid.astype(dtype)
    predictions = np.full_like(y_valid, np.nan)
    learner = OracleLearner(program, task, number, conditions)
    for epoch in range(conditions.epochs):
        for row in epoch_order(len(y_train), epoch):
            if not learner.learn(x_train[row], y_train[row]):
                return math.nan, predictions
    loss, weights = np.dtype(dtype).type(0), np.array(task.loss_weights, dtype)
    for row, label in enumerate(y_valid):
        prediction = predictions[row] = learner.predict(x_valid[row])
        if learner.failed(label, prediction):
            return math.nan, np.full_like(predictions, np.nan)
        loss += loss_of(label, prediction, task.metric, weights)
    return fitness_of_loss(float(loss) / len(y_valid), task.metric), predictions


def loss_of(label: Any, prediction: Any, metric: Metric, weights: Any) -> Any:
    """Loss of one validation example, in its own number type (templates/lane/fitness.h.j2 says the same).

    Args:
        label, prediction: numbers; of several classes the one-hot label and the probabilities.
        metric: see `Task`.
        weights: see `Task.loss_weights`.
    """
    if isinstance(metric, UserMetric):
        return metric.loss(label, prediction)
    if np.ndim(label):
        return _loss_of_classes(int(np.argmax(label)), prediction, metric, weights)
    number_type, weight = type(prediction), weights[int(label > 0.5)]
    if metric == "rmse":
        return (label - prediction) * (label - prediction)
    if metric == "r2":
        return (label - prediction) * (label - prediction) * weight
    if metric == "log-loss":
        right = prediction if label > 0.5 else number_type(1) - prediction
        return -np.log(larger(right, number_type(LEAST_PROBABILITY)))
    wrong = number_type((label > 0.5) != (prediction > 0.5))
    return wrong if metric == "accuracy" else wrong * weight


def _loss_of_classes(right: int, probabilities: NDArray[Any], metric: Metric, weights: Any) -> Any:
    number_type = probabilities.dtype.type
    if metric == "log-loss":
        return -np.log(larger(probabilities[right], number_type(LEAST_PROBABILITY)))
    wrong = number_type(np.argmax(probabilities) != right)  # of equal ones the first
    return wrong if metric == "accuracy" else wrong * weights[right]


def fitness_of_loss(loss: float, metric: Metric) -> float:
    """Fitness in [0, 1] of a mean (weighted) loss; for the metrics of the original its section 2.4."""
    if isinstance(metric, UserMetric):
        try:
            return min(max(0.0, float(metric.fitness(loss))), 1.0)
        except (ArithmeticError, ValueError) as error:
            message = f"metric {metric}: its fitness of a mean loss of {loss:g} fails: {error}"
            raise AzgenError(message) from None
    if metric == "rmse":
        return 1.0 - 2.0 / math.pi * math.atan(math.sqrt(loss))
    if metric == "log-loss":
        return math.exp(-loss)
    return 1.0 - loss if loss < 1.0 else 0.0


def execute(
    program: Program, tasks: Sequence[Task], conditions: Conditions
) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Fitness (tasks; NaN: failed) and predictions (tasks x validation examples) of a program."""
    with np.errstate(all="ignore"):
        results = [execute_task(program, task, n, conditions) for n, task in enumerate(tasks)]
    return np.array([fitness for fitness, _ in results]), np.array(
        [predictions for _, predictions in results]
    )
