"""A task: training and validation examples of one problem, and task sets that never share a scored example.

A task is what a program is executed on (Real et al. 2020, section 2): it learns from the training examples
one by one and is scored on the validation examples. A task source (see ``sources``) yields a `TaskSplit`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.language.instruction import SCALAR, VECTOR, Form
from azgen.language.metrics import (
    CLASSIFICATION_METRICS,
    METRICS,
    REGRESSION_METRICS,
    Metric,
    UserMetric,
    is_classification,
)
from azgen.tasks.examples import FloatArray, check_classes, check_examples, frozen_array
from azgen.textual import html_table

__all__ = ["SET_NAMES", "FloatArray", "RawRows", "SetName", "Task", "TaskSplit"]

SetName = Literal["search", "select", "test"]
_LEAST_VARIANCE = 1e-30
SET_NAMES: tuple[SetName, ...] = get_args(SetName)


@dataclass(frozen=True, eq=False, repr=False)
class Task:
    """Examples of one problem.

    Args:
        x_train: features to learn from, N x F.
        y_train: labels, N; for a task with several classes one-hot rows, N x C.
        x_valid: features to be scored on, V x F.
        y_valid: labels, V (or V x C).
        metric: what fitness means; docs/data.md has the formulas. Labels are real numbers for "rmse"
            and "r2", and 0 or 1 or one-hot rows for "accuracy", "balanced-accuracy" and "log-loss".
        name: for people, such as "3 against 8, projection 17".

    The arrays are kept as read-only C-contiguous float64; a writable array is copied, so later changes to it
    do not reach the task.

    Raises:
        AzgenError: shapes do not agree, something is empty, not a number, not finite, or no label of the
            metric.
    """

    x_train: FloatArray
    y_train: FloatArray
    x_valid: FloatArray
    y_valid: FloatArray
    metric: Metric = "rmse"
    name: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.metric, UserMetric) and self.metric not in METRICS:
            raise self._error(f"the metric is {self.metric!r}; it must be one of {', '.join(METRICS)}")
        one_hot = self.is_classification and not isinstance(self.metric, UserMetric)
        for part in ("train", "valid"):
            x, y = (frozen_array(getattr(self, n), self._error, n) for n in (f"x_{part}", f"y_{part}"))
            check_examples(x, y, part, one_hot, self._error)
            if self.is_classification:
                check_classes(y, f"y_{part}", str(self.metric), self._error)
            object.__setattr__(self, f"x_{part}", x)
            object.__setattr__(self, f"y_{part}", y)
        if self.x_train.shape[1] != self.x_valid.shape[1]:
            raise self._error(
                f"x_train has {self.x_train.shape[1]} features, but x_valid has {self.x_valid.shape[1]}"
            )
        if self.y_train.shape[1:] != self.y_valid.shape[1:]:
            raise self._error(
                f"y_train has labels of shape {self.y_train.shape[1:]}, y_valid of shape "
                f"{self.y_valid.shape[1:]}"
            )

    def __repr__(self) -> str:
        classes = f", {self.n_classes} classes" if self.is_classification else ""
        name = f", {self.name}" if self.name else ""
        return (
            f"Task({self.n_train} + {self.n_valid} examples to learn from and to be scored on, "
            f"{self.n_features} features{classes}, {self.metric}{name})"
        )

    def _repr_html_(self) -> str:
        rows = [("to learn from", self.n_train), ("to be scored on", self.n_valid)]
        rows += [("features", self.n_features)]
        named = [("name", self.name)] if self.name else []
        classes = [("classes", self.n_classes)] if self.is_classification else []
        return html_table([*named, *rows, *classes, ("metric", str(self.metric))])

    @property
    def n_features(self) -> int:
        """F, the length of a feature vector."""
        return int(self.x_train.shape[1])

    @property
    def n_train(self) -> int:
        """N, the number of training examples."""
        return len(self.x_train)

    @property
    def n_valid(self) -> int:
        """V, the number of validation examples."""
        return len(self.x_valid)

    @property
    def is_classification(self) -> bool:
        """Whether labels are classes, so that predictions are made probabilities by a sigmoid or softmax."""
        return is_classification(self.metric)

    @property
    def form(self) -> Form:
        """The form of programs that such a task is for."""
        return VECTOR if self.vector_classes else SCALAR

    @property
    def loss_weights(self) -> tuple[float, ...]:
        """Weights of the loss of a validation example of each class: of label 0 (or any number) and label 1,
        or of each column of one-hot labels.

        They make the mean of the weighted loss what the metric asks for: for "r2" the mean squared error as
            a share of the labels' variance, for "balanced-accuracy" the mean of all classes' shares of
            wrong predictions. Classes that do not occur have weight 1.
        """
        if self.metric == "r2":
            variance = float(np.var(self.y_valid))
            # Constant labels: any error that counts at all gives 0.
            weight = 1.0 / max(variance, _LEAST_VARIANCE)
            return weight, weight
        if self.metric != "balanced-accuracy":
            return (1.0,) * (self.vector_classes or 2)
        ones = self.y_valid.sum(axis=0)
        counts = ones.tolist() if self.vector_classes else [self.n_valid - float(ones), float(ones)]
        n_present = float(sum(count > 0 for count in counts))
        return tuple(self.n_valid / (n_present * count) if count else 1.0 for count in counts)

    @property
    def n_classes(self) -> int | None:
        """2 for 0/1 labels, C for one-hot labels, None for regression."""
        if not self.is_classification:
            return None
        return self.vector_classes or 2

    @property
    def vector_classes(self) -> int:
        """C for one-hot labels, 0 for labels that are single numbers."""
        return 0 if self.y_train.ndim == 1 else int(self.y_train.shape[1])

    @property
    def shape_key(self) -> tuple[Any, ...]:
        """What tasks that run side by side in lanes must have in common: shapes and the metric."""
        return (self.x_train.shape, self.y_train.shape, self.x_valid.shape, self.y_valid.shape, self.metric)

    def _error(self, message: str) -> AzgenError:
        return AzgenError(f"task {self.name!r}: {message}" if self.name else f"task: {message}")


@dataclass(frozen=True, eq=False)
class RawRows:
    """A table's rows in the user's units, for baselines and exported modules to be scored on the same.

    Attributes:
        x: features of all rows, encoded as numbers but not standardised; NaN in cells that are yet to be
            filled.
        y: labels of all rows, in the target's unit, or class numbers (see label_names).
        rest, test: numbers of the rows that are no test rows, and of those that are.
        test_lines: line (or record) number of each test row in the source, counted from 1 with the header.
        fill: fills empty cells as the test tasks do.
    """

    x: NDArray[np.floating[Any]]
    y: FloatArray
    rest: NDArray[np.intp]
    test: NDArray[np.intp]
    test_lines: NDArray[np.int64]
    fill: Callable[[NDArray[np.floating[Any]]], NDArray[np.floating[Any]]]

    @property
    def x_train(self) -> FloatArray:
        """Features of every row that is no test row, filled."""
        return np.asarray(self.fill(self.x[self.rest]), dtype=np.float64)

    @property
    def y_train(self) -> FloatArray:
        """Their labels."""
        return self.y[self.rest]

    @property
    def x_test(self) -> FloatArray:
        """Features of the test rows, filled."""
        return np.asarray(self.fill(self.x[self.test]), dtype=np.float64)

    @property
    def y_test(self) -> FloatArray:
        """Their labels."""
        return self.y[self.test]


@dataclass(frozen=True, eq=False, repr=False)
class TaskSplit:
    """What a task source yields: tasks to search on, to select with, and to test on at the very end.

    No example that a selection task is scored on occurs in a search task, and none that a test task is scored
    on occurs in a search or selection task; each source says what more it guarantees. All tasks of one set
    have the same shapes (they run in lockstep lanes), and all tasks have the same number of features and the
    same metric.

    Attributes:
        search, select, test: the task sets T_search, T_select, T_test (Real et al. 2020, section 3).
        description: one or a few sentences for people: where from, how many, what kind.
        feature_names: one per feature, or empty when features have no meaning (projections).
        label_names: regression: the target's name; classification: names of class 0, class 1, ...
        provenance: plain data (JSON): source, seed, sizes, standardisation.
        raw: a table's rows in its own units; None for other sources.
        cross: of a table, cross-validation over all rows but the test rows; empty: there is none.
    """

    search: tuple[Task, ...]
    select: tuple[Task, ...]
    test: tuple[Task, ...]
    description: str
    feature_names: tuple[str, ...] = ()
    label_names: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    raw: RawRows | None = None
    cross: tuple[Task, ...] = ()

    def __repr__(self) -> str:
        return f"TaskSplit({self.description})"

    def _repr_html_(self) -> str:
        rows = [
            (name, len(tasks), tasks[0].n_train, tasks[0].n_valid, tasks[0].n_features, str(tasks[0].metric))
            for name, tasks in self.sets()
        ]
        headers = ("task set", "tasks", "to learn from", "to be scored on", "features", "metric")
        return f"<p>{escape(self.description)}</p>{html_table(rows, headers)}"

    def __post_init__(self) -> None:
        common: tuple[Any, ...] | None = None
        for name, tasks in (*self.sets(), *([("cross-validation", self.cross)] if self.cross else [])):
            if not tasks:
                raise AzgenError(f"the {name} set has no task; at least one is needed")
            if len({task.shape_key for task in tasks}) > 1:
                raise AzgenError(
                    f"the tasks of the {name} set differ in shape; they run side by side and must agree"
                )
            this = (tasks[0].n_features, tasks[0].metric, tasks[0].n_classes)
            if common is not None and this != common:
                raise AzgenError(f"the {name} set differs from the search set in features, metric or classes")
            common = this
        if self.feature_names and len(self.feature_names) != self.n_features:
            raise AzgenError(f"{len(self.feature_names)} feature names for {self.n_features} features")

    @property
    def n_features(self) -> int:
        """F, the same for all tasks."""
        return self.search[0].n_features

    @property
    def metric(self) -> Metric:
        """The same for all tasks."""
        return self.search[0].metric

    def with_metric(self, metric: Metric) -> TaskSplit:
        """The same tasks, rated by another metric.

        Raises:
            AzgenError: no such metric, or one for the other kind of labels.
        """
        several = self.search[0].vector_classes
        if isinstance(metric, UserMetric) and several:
            raise AzgenError(
                f"the metric {metric} is your own, which rates numbers and two classes; these tasks have "
                f"{several} classes: take one of {', '.join(CLASSIFICATION_METRICS)}, or one class against "
                "the others (--positive CLASS)"
            )
        classes = self.search[0].is_classification
        known = CLASSIFICATION_METRICS if classes else REGRESSION_METRICS
        fits = is_classification(metric) == classes if isinstance(metric, UserMetric) else metric in known
        if not fits:
            kind = "classification" if classes else "regression"
            raise AzgenError(f"the metric is '{metric}'; for {kind} it must be one of {', '.join(known)}")
        sets = dict[str, tuple[Task, ...]](self.sets()) | {"cross": self.cross}
        changed = {
            name: tuple(replace(task, metric=metric) for task in tasks) for name, tasks in sets.items()
        }
        return replace(self, **changed)  # type: ignore[arg-type]

    def sets(self) -> Iterator[tuple[SetName, tuple[Task, ...]]]:
        """("search", tasks), ("select", tasks), ("test", tasks)."""
        yield "search", self.search
        yield "select", self.select
        yield "test", self.test
