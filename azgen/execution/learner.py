"""A program that learns from examples as they come, and predicts when it is asked."""

from __future__ import annotations

import copy
import ctypes
import math
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from azgen.codegen.candidate_source import Candidate, render_candidates
from azgen.errors import AzgenError
from azgen.execution.execute import target_for
from azgen.execution.kernel import per_task, room_for_predictions
from azgen.execution.layout import aligned, check_form, check_width, lay_out, probe_of
from azgen.execution.native import PreparedCandidate, compile_candidates
from azgen.execution.oracle import OracleLearner
from azgen.language.conditions import Conditions
from azgen.language.metrics import Metric
from azgen.language.program import Program
from azgen.language.zoo import as_program
from azgen.tasks.task import Task

LearnerBackend = Literal["oracle", "native"]


class Learner:
    """A program with its memory: Setup runs before the first example, Learn on those given to `learn`, and
    Predict also on those given to `predict`.

    Learning a task's training examples, in one call or several, and predicting its validation examples then
    gives the predictions of `azgen.execute`, bit for bit, unless that fails. A copy (copy.copy) has a memory
    of its own.

    Args:
        program: a program, the name of its file, zoo:NAME, or what has a program.
        n_features: F.
        metric: as for `azgen.Task`; of classification metrics predictions are probabilities.
        n_classes: columns of one-hot labels, for programs of the vector form; 0: labels are single numbers.
        backend: "native" (compiled) or "oracle" (NumPy, the definition).
        seed, dtype, max_abs_error: as for `azgen.execute`.

    Attributes:
        failed: whether an error in learning was NaN or above max_abs_error; nothing is learned from then on,
            and predictions are NaN.

    Raises:
        AzgenError: a program of another form, or an unknown backend, metric or number type.
    """

    def __init__(
        self,
        program: Any,
        n_features: int,
        metric: Metric = "rmse",
        *,
        n_classes: int = 0,
        backend: LearnerBackend = "native",
        seed: int = 0,
        dtype: str = "float32",
        max_abs_error: float = 100.0,
    ):
        if backend not in get_args(LearnerBackend):
            raise AzgenError(
                f"backend {backend!r} has no learners; choose {' or '.join(get_args(LearnerBackend))}"
            )
        self._shape, self._metric, self.failed = (n_features, n_classes), metric, False
        check_width(n_features, n_classes)
        found = as_program(program, several_classes=n_classes > 0)
        conditions = Conditions(seed, 1, dtype, max_abs_error)
        one = self._task(np.zeros((1, n_features)), None)
        check_form(found, [one])
        kind = _NativeMemory if backend == "native" else _OracleMemory
        self._memory: _NativeMemory | _OracleMemory = kind.new(found, one, conditions)

    def learn(self, x: ArrayLike, y: ArrayLike) -> Learner:
        """Learns from examples, one after the other.

        Args:
            x: features, N x F.
            y: labels, N (or N x classes).

        Returns:
            Itself.

        Raises:
            AzgenError: other shapes, or values that are not finite.
        """
        task = self._task(x, y)
        self.failed = self.failed or not self._memory.learn(task)
        return self

    def predict(self, x: ArrayLike) -> NDArray[Any]:
        """Predictions of examples, N (or N x classes), in their order, on a copy of the memory.

        From a prediction that is NaN on, all are.
        """
        task = self._task(x, None)
        if self.failed:
            return np.full(task.y_train.shape, np.nan, self._memory.dtype)
        return self._memory.predict(task)

    def __copy__(self) -> Learner:
        result = object.__new__(Learner)
        result.__dict__.update(self.__dict__, _memory=self._memory.copy())
        return result

    def __deepcopy__(self, memo: Any) -> Learner:
        return copy.copy(self)

    def _task(self, x: ArrayLike, y: ArrayLike | None) -> Task:
        """Examples as a task's training and validation examples alike."""
        n_features, classes = self._shape
        features = np.asarray(x, dtype=float)
        if y is None:  # any label does
            y = np.eye(classes)[np.zeros(len(features), int)] if classes else np.zeros(len(features))
        task = Task(features, y, features, y, self._metric)  # type: ignore[arg-type]
        if (task.n_features, task.vector_classes) != self._shape:
            raise AzgenError(
                f"the learner takes {n_features} features and labels of {classes or 1} columns; "
                f"these are {task.n_features} and {task.vector_classes or 1}"
            )
        return task


@dataclass
class _OracleMemory:
    """Memory of the oracle."""

    learner: OracleLearner
    dtype: str

    @classmethod
    def new(cls, program: Program, task: Task, conditions: Conditions) -> _OracleMemory:
        return cls(OracleLearner(program, task, 0, conditions), conditions.dtype)

    def copy(self) -> _OracleMemory:
        return replace(self, learner=self.learner.copy())

    def learn(self, task: Task) -> bool:
        with np.errstate(all="ignore"):
            examples = zip(task.x_train.astype(self.dtype), task.y_train.astype(self.dtype), strict=True)
            return all(self.learner.learn(features, label) for features, label in examples)

    def predict(self, task: Task) -> NDArray[Any]:
        learner, found = self.learner.copy(), np.full(task.y_train.shape, np.nan, self.dtype)
        with np.errstate(all="ignore"):
            for number, features in enumerate(task.x_train.astype(self.dtype)):
                prediction = learner.predict(features)
                if np.isnan(prediction).any():
                    break
                found[number] = prediction
        return found


@dataclass
class _NativeMemory:
    """Memory of compiled code.

    Attributes:
        numbers: [number][lane] of what lasts.
        random: [lane] states of the generators.
        resumes: whether a call before has left them.
    """

    prepared: PreparedCandidate
    conditions: Conditions
    numbers: NDArray[Any]
    random: NDArray[Any]
    resumes: bool = False

    @property
    def dtype(self) -> str:
        return self.conditions.dtype

    @classmethod
    def new(cls, program: Program, task: Task, conditions: Conditions) -> _NativeMemory:
        normal_form = program.normalized()
        target = target_for(normal_form, task, conditions, 1)
        files = render_candidates([program], target, keeps_memory=True)
        (compiled,) = compile_candidates("learner", files, [program.structure_hash], target).values()
        lanes = target.lane.lanes
        numbers = aligned((Candidate(program, target).numbers, lanes), conditions.dtype)
        prepared = PreparedCandidate.of(compiled, target, normal_form)
        return cls(prepared, conditions, numbers, aligned((lanes,), np.uint64))

    def copy(self) -> _NativeMemory:
        numbers, random = (aligned(a.shape, a.dtype) for a in (self.numbers, self.random))
        numbers[...], random[...] = self.numbers, self.random
        return replace(self, numbers=numbers, random=random)

    def learn(self, task: Task) -> bool:
        return self._run(task, task.n_train, 0)[0]

    def predict(self, task: Task) -> NDArray[Any]:
        return self.copy()._run(task, 0, task.n_valid)[1]

    def _run(self, task: Task, n_train: int, n_valid: int) -> tuple[bool, NDArray[Any]]:
        target = self.prepared.target
        tasks = probe_of(lay_out([task], target.lane, self.conditions), n_train, n_valid)
        if n_valid:  # whose labels are not known: no error is too large
            tasks.record["max_abs_error"] = math.inf
        fitness = np.empty(target.lane.lanes)
        predictions = room_for_predictions(1, tasks, target.lane, target.classes)
        predictions[...] = np.nan
        run, call = self.prepared.arguments(tasks, fitness, predictions)
        call.memory, call.numbers = self.numbers.ctypes.data, len(self.numbers)
        call.random, call.resumes = self.random.ctypes.data, self.resumes
        self.prepared.compiled.evaluate(run, ctypes.byref(call))
        self.resumes = True
        found = per_task(predictions, 1)
        assert found is not None
        return not math.isnan(fitness[0]), found[0, 0]
