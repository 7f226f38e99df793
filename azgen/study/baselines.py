"""What else scores on the same test tasks: a constant, hand-designed programs, and scikit-learn's models.

Every baseline learns from the same training rows as the champion, sees the same features and is scored on the
same validation rows with the same fitness; only then does a difference mean something.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from azgen.errors import AzgenError
from azgen.execution.execute import compile_together, execute
from azgen.execution.oracle import fitness_of_loss, loss_of
from azgen.language.metrics import Metric
from azgen.language.program import Program
from azgen.language.zoo import zoo
from azgen.plain import as_plain
from azgen.settings.settings import Settings
from azgen.study.tune import Tuned, tune
from azgen.tasks.task import FloatArray, Task, TaskSplit

CONFIDENCE = 0.95

Which = Literal["all", "few"]


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
        plain: dict[str, Any] = as_plain(self)
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
            than "rmse".
        difference: the champion's fitness minus this one's, paired by task; None for the champion itself.
    """

    name: str
    fitness: NDArray[np.float64] = field(repr=False)
    interval: Interval
    rms_error: float | None = None
    difference: Interval | None = None

    @staticmethod
    def of(
        name: str, fitness: NDArray[np.float64], metric: Metric, champion: NDArray[np.float64] | None = None
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
    split: TaskSplit, champion: NDArray[np.float64], settings: Settings, which: Which = "all"
) -> tuple[Score, ...]:
    """Scores of the baselines on the test tasks.

    Args:
        split: the run's tasks; the constants of the zoo's programs are tuned on search and selection tasks.
        champion: the champion's fitness per test task, for the paired differences.
        settings: the run's; programs are executed as the champion was.
        which: "few" are a constant, linear regression by gradient descent and scikit-learn's; "all" are also
            the other programs of the zoo, each of them as it is and with its constants tuned, and
            scikit-learn's multi-layer perceptron and gradient boosting on the first few test tasks (their
            intervals say how many). What would take minutes is left out.
    """
    tasks, metric = split.test, split.metric
    shape, classification = (tasks[0].n_train, tasks[0].n_features), tasks[0].is_classification
    every = {name: program for name in PROGRAMS if (program := zoo(name)).form == tasks[0].form}
    if which == "few":
        every = dict(islice(every.items(), 1))
    programs = {n: p for n, p in every.items() if shape[1] <= _LARGEST_NET or not p.memory.matrices}
    found: dict[str, NDArray[np.float64]] = {}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Lack of convergence, collinear columns and the like: the score tells.
        warnings.simplefilter("ignore")
        found[_CONSTANT[classification, metric == "log-loss"]] = _each(tasks, _constant)
        compile_together(list(programs.values()), shape[1], metric, settings.dtype, tasks[0].vector_classes)
        for name, program in programs.items():
            what = PROGRAMS[name].format("logistic" if classification else "linear")
            found[f"zoo:{name} ({what})"] = _execute(program, tasks, settings)
            tuned = _tuned(program, split, settings) if which == "all" else None
            if tuned:
                found[f"zoo:{name}, tuned ({tuned.trials} settings)"] = _execute(
                    tuned.program, tasks, settings
                )
        linear = _logistic_regression if classification else _ridge
        found[f"scikit-learn {'LogisticRegression' if classification else 'Ridge'}"] = _each(tasks, linear)
        if which == "all" and shape[0] * shape[1] <= _LARGEST_FIT:
            some = tasks[:_SLOW_TASKS]
            found["scikit-learn multi-layer perceptron"] = _each(some, _perceptron)
            found["scikit-learn gradient boosting"] = _each(some, _boosting)
    return tuple(Score.of(name, fitness, metric, champion[: len(fitness)]) for name, fitness in found.items())


TRIALS = 160
"""Settings of the constants that a program of the zoo is tuned with."""

_SLOW_TASKS = 4
"""Test tasks that the slower of scikit-learn's models are fitted to."""

_LARGEST_FIT = 400_000
"""Numbers in a task's training examples beyond which those are left out."""

_LARGEST_NET = 128
"""Features beyond which programs with matrices are left out."""

_LARGEST_TUNING = 3e10
"""Multiplications beyond which a program is tuned with fewer settings: some ten seconds of one core."""

_CONSTANT = {
    (False, False): "mean of the training labels",
    (True, False): "most frequent class",
    (True, True): "share of the classes in training",
}
PROGRAMS = {
    "linear": "{} regression by gradient descent",
    "affine": "{} regression with a bias",
    "neural-net": "two-layer network",
    "evolved-net": "two-layer network as evolved",
    "best-evolved": "AutoML-Zero's best, evolved for classes",
    "best-evolved-raw": "the same as evolution left it",
    "noisy-relu": "network adapted to few examples",
    "rate-decay": "network adapted to fast training",
    "mean-weight-rate": "network adapted to many classes",
    "softmax-linear": "softmax regression by gradient descent",
    "softmax-neural-net": "two-layer network",
    "softmax-mean-weight-rate": "network adapted to many classes",
}
"""The zoo's programs, and what each of them is."""

Predictor = Callable[[Task], FloatArray]
"""Learns from a task's training examples and predicts its validation labels: numbers, or probabilities of
class 1, or of every class."""


def _execute(program: Program, tasks: Sequence[Task], settings: Settings) -> NDArray[np.float64]:
    return execute(
        program,
        tasks,
        "native",
        seed=settings.seed,
        epochs=settings.tasks.epochs,
        dtype=settings.dtype,
        max_abs_error=settings.tasks.max_abs_error,
    ).fitness


def _tuned(program: Program, split: TaskSplit, settings: Settings) -> Tuned | None:
    """The constants that are best on the search and selection tasks; None: too much to try."""
    first, epochs = split.search[0], settings.tasks.epochs
    _, predict, learn = program.cost(first.n_features)
    cost = len(split.search) * (
        (first.n_train * epochs + first.n_valid) * predict + first.n_train * epochs * learn
    )
    trials = min(TRIALS, int(_LARGEST_TUNING / cost))
    if trials < 2:
        return None
    with suppress(AzgenError):  # tasks of which copies for every lane do not fit into memory
        return tune(
            program,
            split.search,
            trials,
            seed=settings.seed,
            epochs=epochs,
            dtype=settings.dtype,
            select=split.select,
            max_abs_error=settings.tasks.max_abs_error,
        )
    return None


def _each(tasks: Sequence[Task], predictor: Predictor) -> NDArray[np.float64]:
    return np.array([fitness_of_predictions(task, predictor(task)) for task in tasks])


def fitness_of_predictions(task: Task, predictions: FloatArray) -> float:
    """Fitness of predictions of a task's validation examples, in the task's metric; see `azgen.execute`."""
    weights = task.loss_weights
    losses = [
        loss_of(label, prediction, task.metric, weights)
        for label, prediction in zip(task.y_valid, predictions, strict=True)
    ]
    return fitness_of_loss(float(np.mean(losses)), task.metric)


def _constant(task: Task) -> FloatArray:
    mean = task.y_train.mean(axis=0)
    # As a probability it is that of class 1, or of each class; a tie is the first class, as everywhere.
    return np.full_like(task.y_valid, mean)


def _logistic_regression(task: Task) -> FloatArray:
    from sklearn.linear_model import LogisticRegression

    return _probabilities(task, LogisticRegression(max_iter=1000))


def _ridge(task: Task) -> FloatArray:
    from sklearn.linear_model import Ridge

    return _numbers(task, Ridge())


def _perceptron(task: Task) -> FloatArray:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    if task.is_classification:
        return _probabilities(task, MLPClassifier(max_iter=400, random_state=0))
    return _numbers(task, MLPRegressor(max_iter=400, random_state=0))


def _boosting(task: Task) -> FloatArray:
    # The histogram form is faster from a few thousand examples on, and no good with few.
    from sklearn.ensemble import (
        GradientBoostingClassifier,
        GradientBoostingRegressor,
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
    )

    many = task.n_train > 2000
    if task.is_classification:
        return _probabilities(
            task, (HistGradientBoostingClassifier if many else GradientBoostingClassifier)(random_state=0)
        )
    return _numbers(
        task, (HistGradientBoostingRegressor if many else GradientBoostingRegressor)(random_state=0)
    )


def _probabilities(task: Task, model: Any) -> FloatArray:
    classes = task.y_train.argmax(axis=1) if task.vector_classes else task.y_train.astype(int)
    if len(np.unique(classes)) < 2:
        return _constant(task)
    model.fit(task.x_train, classes)
    # A class that does not occur in training has no column of the model's.
    probabilities = np.zeros((task.n_valid, task.n_classes or 2))
    probabilities[:, model.classes_] = model.predict_proba(task.x_valid)
    return probabilities if task.vector_classes else probabilities[:, 1]


def _numbers(task: Task, model: Any) -> FloatArray:
    model.fit(task.x_train, task.y_train)
    return np.asarray(model.predict(task.x_valid), dtype=np.float64)
