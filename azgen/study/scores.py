"""What a score is: fitness per task with its interval, errors in the labels' unit, and paired differences."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from azgen.execution.oracle import fitness_of_loss, loss_of
from azgen.language.metrics import Metric
from azgen.plain import as_plain
from azgen.study.quantiles import student_t
from azgen.tasks.task import FloatArray, Task
from azgen.textual import finite


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
        values = np.asarray(values, dtype=np.float64)
        n = len(values)
        if n < 2:
            return Interval(float(values.mean()), math.nan, n)
        error = float(values.std(ddof=1)) / math.sqrt(n)
        return Interval(float(values.mean()), student_t(n - 1) * error, n)

    def as_record(self) -> dict[str, Any]:
        """The interval as plain values, as in a file: half_width is None for a single task."""
        plain: dict[str, Any] = finite(as_plain(self))
        return plain

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
        rms_error: root mean squared error, mean over tasks, in units of the labels; None for other metrics
            than "rmse" and "r2".
        r2: share of the labels' variance that is explained, mean over tasks; None as `rms_error`, or if the
            tasks are not known.
        difference: the champion's fitness minus this one's, paired by task, or by row where the tasks share
            their validation rows; None for the champion itself.
    """

    name: str
    fitness: NDArray[np.float64] = field(repr=False)
    interval: Interval
    rms_error: float | None = None
    r2: float | None = None
    difference: Interval | None = None

    @staticmethod
    def of(
        name: str,
        fitness: NDArray[np.float64],
        metric: Metric,
        champion: NDArray[np.float64] | None = None,
        tasks: Sequence[Task] = (),
    ) -> Score:
        """The score of one fitness per task, compared with the champion's on the same tasks."""
        error, r2 = _errors(fitness, metric, [float(np.var(task.y_valid)) for task in tasks])
        difference = Interval.of(champion - fitness) if champion is not None else None
        return Score(name, fitness, Interval.of(fitness), error, r2, difference)

    @property
    def failed(self) -> int:
        """Tasks on which it failed, or did as badly."""
        return int((self.fitness <= 0).sum())

    def as_record(self) -> dict[str, Any]:
        """The score as plain values, as they come back from a file: an infinite error is None; what is not
        known has no key."""
        names = {"interval": "fitness", "fitness": "per_task", "difference": "champion_minus_this"}
        plain = as_plain(self, names=names) | {"failed": self.failed or None}
        record: dict[str, Any] = finite({name: item for name, item in plain.items() if item is not None})
        return record


def _errors(
    fitness: NDArray[np.float64], metric: Metric, variances: Sequence[float]
) -> tuple[float | None, float | None]:
    """Root mean squared error and share of variance explained, means over tasks, as far as they are known."""
    if metric == "rmse":
        errors = np.array([rms_error(value) for value in fitness])
    elif metric == "r2" and variances:
        errors = np.sqrt((1.0 - fitness) * variances[: len(fitness)])
    else:
        return None, None
    if not variances:
        return float(errors.mean()), None
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = 1.0 - errors**2 / np.array(variances[: len(fitness)])
    return float(errors.mean()), float(r2.mean()) if np.isfinite(r2).all() else -math.inf


def digest(tasks: Sequence[Task]) -> str:
    """16 hexadecimal digits that identify the examples of tasks."""
    found = hashlib.sha256()
    for task in tasks:
        for examples in (task.x_train, task.y_train, task.x_valid, task.y_valid):
            found.update(np.ascontiguousarray(examples).tobytes())
    return found.hexdigest()[:16]


def rms_error(fitness: float) -> float:
    """The root mean squared error that a fitness stands for (see `fitness_of_loss`); infinite for 0."""
    return math.inf if fitness <= 0 else math.tan(math.pi / 2 * (1 - fitness))


def is_level(losses: FloatArray, best: FloatArray) -> bool:
    """Whether the mean of paired differences in loss is at most their standard error."""
    worse = losses - best
    if len(worse) < 2:
        return bool(worse.mean() <= 0)
    return bool(worse.mean() <= worse.std(ddof=1) / math.sqrt(len(worse)))


def over_rows(
    difference: Interval, tasks: Sequence[Task], ours: NDArray[Any], theirs: NDArray[Any]
) -> Interval:
    """A difference in fitness with its interval over validation rows that tasks share.

    Args:
        difference: paired by task; its mean stays.
        tasks: with the same validation rows.
        ours, theirs: predictions, tasks x rows (x classes).
    """
    mine, others = row_losses(tasks, ours), row_losses(tasks, theirs)
    worse = Interval.of(others - mine)
    middle = float(mine.mean() + others.mean()) / 2
    if not math.isfinite(worse.half_width):
        return difference
    # Fitness by loss, where it lies: a loss's interval is narrow beside what bends that curve.
    step = max(1e-6, 1e-3 * abs(middle))
    low, high = (fitness_of_loss(max(0.0, middle + s), tasks[0].metric) for s in (step, -step))
    slope = (high - low) / (middle + step - max(0.0, middle - step))
    return Interval(difference.mean, slope * worse.half_width, worse.n)


def row_losses(tasks: Sequence[Task], predictions: NDArray[Any]) -> FloatArray:
    """Loss of each validation row, mean over tasks that have the same rows.

    Args:
        predictions: tasks x rows (x classes).
    """
    losses = [losses_of(task, of_task) for task, of_task in zip(tasks, predictions, strict=False)]
    return np.asarray(np.mean(np.array(losses, np.float64), axis=0))


def fitness_of_predictions(task: Task, predictions: FloatArray) -> float:
    """Fitness of predictions of a task's validation examples, in the task's metric; see `azgen.execute`."""
    return fitness_of_loss(float(np.mean(losses_of(task, predictions))), task.metric)


def losses_of(task: Task, predictions: NDArray[Any]) -> list[Any]:
    """Loss of each validation example; see `loss_of`."""
    weights = task.loss_weights
    return [
        loss_of(label, prediction, task.metric, weights)
        for label, prediction in zip(task.y_valid, predictions, strict=True)
    ]
