"""What fitness means: the names of the built-in metrics, and the row of a user's own (see
`azgen.language.userfile`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

RegressionMetric = Literal["rmse", "r2"]
ClassificationMetric = Literal["accuracy", "balanced-accuracy", "log-loss"]
REGRESSION_METRICS: tuple[RegressionMetric, ...] = get_args(RegressionMetric)
CLASSIFICATION_METRICS: tuple[ClassificationMetric, ...] = get_args(ClassificationMetric)
METRICS: tuple[str, ...] = REGRESSION_METRICS + CLASSIFICATION_METRICS

LEAST_PROBABILITY = 1e-7
"""Log-loss takes no probability of the right class for less than this, in float32 and float64 alike."""


@dataclass(frozen=True)
class UserMetric:
    """A metric of the user's: the mean loss of the validation examples, made a fitness.

    Attributes:
        name: what `--metric` calls it: small letters, digits and "-".
        kind: "regression" (labels are numbers) or "classification" (labels are 0 and 1, and predictions are
            probabilities of class 1).
        loss: loss of one example, at least 0, from label and prediction, NumPy numbers of one type, which it
            keeps.
        cython: the same in generated source, with ``{label}`` and ``{prediction}``; it may call what a user's
            op may.
        fitness: fitness in [0, 1] of a mean loss, 1 for perfect predictions; falls with the loss.
        c: the same in C, with ``{loss}``; numbers are written 1.0, functions are those of math.h.
        doc: what the fitness is, for people; it completes "fitness: ...".
    """

    name: str
    kind: Literal["regression", "classification"]
    loss: Callable[[Any, Any], Any]
    cython: str
    fitness: Callable[[float], float]
    c: str
    doc: str

    def __str__(self) -> str:
        return self.name


Metric: TypeAlias = RegressionMetric | ClassificationMetric | UserMetric


_DESCRIPTIONS = {
    "rmse": "1 - 2/π·arctan(RMS error)",
    "r2": "R2, at least 0",
    "accuracy": "accuracy",
    "balanced-accuracy": "mean of the classes' accuracies",
    "log-loss": "exp(-log-loss)",
}


def describe_metric(metric: Metric) -> str:
    """What fitness is, in a formula or a few words."""
    return metric.doc if isinstance(metric, UserMetric) else _DESCRIPTIONS[metric]


def is_classification(metric: Metric | str) -> bool:
    """Whether a metric rates classes; then predictions are made probabilities by a sigmoid."""
    if isinstance(metric, UserMetric):
        return metric.kind == "classification"
    return metric in CLASSIFICATION_METRICS
