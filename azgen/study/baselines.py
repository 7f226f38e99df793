"""What else scores on the same test tasks: a constant, a hand-designed linear model, and scikit-learn's.

Every baseline learns from the same training rows as the champion, sees the same features and is scored on the
same validation rows with the same fitness; only then does a difference mean something.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from azgen.execution.execute import execute
from azgen.execution.oracle import fitness_of_loss
from azgen.language.zoo import zoo
from azgen.runs.settings import Settings
from azgen.tasks.task import FloatArray, Task

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 % confidence interval (Student's t), over `n` tasks.

    Attributes:
        mean: arithmetic mean.
        half_width: the interval is mean - half_width to mean + half_width; NaN for a single task.
        n: number of tasks.
    """

    mean: float
    half_width: float
    n: int

    @staticmethod
    def of(values: ArrayLike) -> Interval:
        """The interval of one value per task."""
        from scipy.special import stdtrit

        values = np.asarray(values, dtype=np.float64)
        n = len(values)
        if n < 2:
            return Interval(float(values.mean()), math.nan, n)
        error = float(values.std(ddof=1)) / math.sqrt(n)
        return Interval(float(values.mean()), float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) * error, n)

    def as_record(self) -> dict[str, Any]:
        """The interval as plain values."""
        return {"mean": self.mean, "half_width": self.half_width, "n": self.n}

    def __str__(self) -> str:
        if math.isnan(self.half_width):
            return f"{self.mean:.4f}"
        digits = 4 if self.half_width >= 5e-5 or self.half_width == 0 else 6
        return f"{self.mean:.{digits}f} ± {self.half_width:.{digits}f}"


@dataclass(frozen=True)
class Score:
    """How well something does on the test tasks.

    Attributes:
        name: what it is, for people.
        fitness: one number per task.
        interval: its mean and confidence interval.
        rms_error: root mean squared error, mean over tasks, in units of the labels; None for "accuracy".
        difference: the champion's fitness minus this one's, paired by task; None for the champion itself.
    """

    name: str
    fitness: NDArray[np.float64] = field(repr=False)
    interval: Interval
    rms_error: float | None = None
    difference: Interval | None = None

    @staticmethod
    def of(
        name: str, fitness: NDArray[np.float64], metric: str, champion: NDArray[np.float64] | None = None
    ) -> Score:
        """The score of one fitness per task, compared with the champion's on the same tasks."""
        errors = [rms_error(value) for value in fitness] if metric == "rmse" else None
        return Score(
            name,
            fitness,
            Interval.of(fitness),
            float(np.mean(errors)) if errors else None,
            Interval.of(champion - fitness) if champion is not None else None,
        )

    def as_record(self) -> dict[str, Any]:
        """The score as plain values."""
        record: dict[str, Any] = {"name": self.name, "fitness": self.interval.as_record()}
        if self.rms_error is not None:
            record["rms_error"] = self.rms_error
        if self.difference is not None:
            record["champion_minus_this"] = self.difference.as_record()
        return record


def rms_error(fitness: float) -> float:
    """The root mean squared error that a fitness stands for (see `fitness_of_loss`); infinite for 0."""
    return math.inf if fitness <= 0 else math.tan(math.pi / 2 * (1 - fitness))


def baseline_scores(
    tasks: Sequence[Task], champion: NDArray[np.float64], settings: Settings
) -> tuple[Score, ...]:
    """Scores of the baselines on the test tasks.

    Args:
        tasks: the test tasks.
        champion: the champion's fitness per task, for the paired differences.
        settings: the run's; the hand-designed program is executed as the champion was.
    """
    metric = tasks[0].metric
    linear = execute(
        zoo("linear"),
        tasks,
        "native",
        seed=settings.seed,
        epochs=settings.tasks.epochs,
        dtype=settings.dtype,
        max_abs_error=settings.tasks.max_abs_error,
    )
    if metric == "accuracy":
        names = ("most frequent class", "zoo:linear (logistic regression by gradient descent)")
        fitted = ("scikit-learn LogisticRegression", _logistic_regression)
    else:
        names = ("mean of the training labels", "zoo:linear (linear regression by gradient descent)")
        fitted = ("scikit-learn Ridge", _ridge)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Lack of convergence, collinear columns and the like: the score tells.
        warnings.simplefilter("ignore")
        found = {
            names[0]: _each(tasks, _constant),
            names[1]: linear.fitness,
            fitted[0]: _each(tasks, fitted[1]),
        }
    return tuple(Score.of(name, fitness, metric, champion) for name, fitness in found.items())


Predictor = Callable[[Task], FloatArray]
"""Learns from a task's training examples and predicts its validation labels."""


def _each(tasks: Sequence[Task], predictor: Predictor) -> NDArray[np.float64]:
    return np.array([_fitness(task, predictor(task)) for task in tasks])


def _fitness(task: Task, predictions: FloatArray) -> float:
    if task.metric == "accuracy":
        return fitness_of_loss(float(np.mean(predictions != task.y_valid)), task.metric)
    return fitness_of_loss(float(np.mean((predictions - task.y_valid) ** 2)), task.metric)


def _constant(task: Task) -> FloatArray:
    mean = task.y_train.mean()
    # A tie is class 0, as everywhere.
    value = float(mean > 0.5) if task.metric == "accuracy" else mean
    return np.full(len(task.y_valid), value)


def _logistic_regression(task: Task) -> FloatArray:
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(task.y_train)) < 2:
        return _constant(task)
    model = LogisticRegression(max_iter=1000).fit(task.x_train, task.y_train)
    return np.asarray(model.predict(task.x_valid), dtype=np.float64)


def _ridge(task: Task) -> FloatArray:
    from sklearn.linear_model import Ridge

    model = Ridge().fit(task.x_train, task.y_train)
    return np.asarray(model.predict(task.x_valid), dtype=np.float64)
