"""Synthetic teachers: regression tasks whose labels a random linear, affine, two-layer or quadratic model
computes.

The distributions are those of AutoML-Zero's released generators (Real et al. 2020, section 4.1), except that
they have no quadratic teacher: every
feature is N(0, 1), training examples are drawn before validation examples from one stream, and the teacher's
parameters come from a stream of their own. So the same data seed with another parameter seed gives the same
features with other labels. The numbers themselves come from NumPy's PCG64, not from the original's mt19937.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypedDict, Unpack, get_args

import numpy as np

from azgen.errors import AzgenError
from azgen.language.metrics import Metric, is_classification
from azgen.tasks.task import FloatArray, Task
from azgen.tasks.teacher_seeds import DATA, NOISE, PARAM, draw_seeds, extend_seeds

Teacher = Literal["linear", "affine", "two-layer", "two-layer-live", "quadratic"]
TEACHERS: tuple[Teacher, ...] = get_args(Teacher)


class TeacherOptions(TypedDict, total=False):
    """Options of all teachers.

    Attributes:
        data_seeds, param_seeds: explicit seeds; a list shorter than n_tasks goes on with its last seed + 1, +
            2, ... The original's own are `ORIGINAL_DATA_SEEDS` and `ORIGINAL_PARAM_SEEDS`.
        noise: standard deviation of N(0, 1) noise on the teacher's output, in the labels' unit; its stream is
            its own, so that features are the same with and without noise.
        metric: of regression: the label is the output; of classification: it is 1 where the output is above
            0, else 0.
        centred: the mean output of a task's training examples is taken off all its outputs, so that a program
            that learns nothing but the labels' mean gains nothing. Departs from the paper.
    """

    data_seeds: Sequence[int] | None
    param_seeds: Sequence[int] | None
    noise: float
    metric: Metric
    centred: bool


def linear_tasks(
    n_tasks: int,
    n_features: int,
    n_train: int,
    n_valid: int,
    seed: int = 0,
    **options: Unpack[TeacherOptions],
) -> tuple[Task, ...]:
    """Tasks with labels y = w . x, w ~ N(0, I): no bias. See `teacher_tasks` for the arguments."""
    return teacher_tasks(
        "linear",
        n_tasks,
        n_features,
        n_train,
        n_valid,
        seed,
        **options,
    )


def affine_tasks(
    n_tasks: int,
    n_features: int,
    n_train: int,
    n_valid: int,
    seed: int = 0,
    **options: Unpack[TeacherOptions],
) -> tuple[Task, ...]:
    """Tasks with labels y = w . x + a, w ~ N(0, I), a ~ N(0, 1). See `teacher_tasks` for the arguments."""
    return teacher_tasks(
        "affine",
        n_tasks,
        n_features,
        n_train,
        n_valid,
        seed,
        **options,
    )


def two_layer_tasks(
    n_tasks: int,
    n_features: int,
    n_train: int,
    n_valid: int,
    seed: int = 0,
    *,
    live_units: Literal["original", "all"] = "original",
    **options: Unpack[TeacherOptions],
) -> tuple[Task, ...]:
    """Tasks with labels y = u . max(0, M x), u and M (F x F) of N(0, 1) numbers.

    live_units: "original" sets units 0 and 2 to zero (rows of M and entries of u), as the released generator
    does, and needs F >= 3; "all" leaves them. See `teacher_tasks` for the other arguments.
    """
    if live_units not in ("original", "all"):
        raise AzgenError(f'live_units is {live_units!r}; it must be "original" or "all"')
    return teacher_tasks(
        "two-layer" if live_units == "original" else "two-layer-live",
        n_tasks,
        n_features,
        n_train,
        n_valid,
        seed,
        **options,
    )


def teacher_tasks(
    teacher: Teacher,
    n_tasks: int,
    n_features: int,
    n_train: int,
    n_valid: int,
    seed: int = 0,
    **options: Unpack[TeacherOptions],
) -> tuple[Task, ...]:
    """Tasks of one kind of teacher.

    Args:
        teacher: "linear", "affine", "two-layer" (two units zeroed, as the original), "two-layer-live" or
            "quadratic".
        n_tasks, n_features, n_train, n_valid: counts; F from 1 up, from 3 up for "two-layer".
        seed: fixes the data and parameter seeds of all tasks that are not given.
        options: see `TeacherOptions`.

    Raises:
        AzgenError: an argument out of its range.
    """
    _check(teacher, n_tasks, n_features, n_train, n_valid, options.get("noise", 0.0))
    given = options.get("data_seeds"), options.get("param_seeds")
    drawn = draw_seeds(n_tasks, seed) if None in given else ((), ())
    data, param = (
        mine if seeds is None else extend_seeds(seeds, n_tasks)
        for seeds, mine in zip(given, drawn, strict=True)
    )
    return tuple(
        _teacher_task(teacher, (n_features, n_train, n_valid), seeds, options)
        for seeds in zip(data, param, strict=True)
    )


def _check(teacher: str, n_tasks: int, n_features: int, n_train: int, n_valid: int, noise: float) -> None:
    if teacher not in TEACHERS:
        raise AzgenError(f"no teacher is called {teacher!r}; there are {', '.join(TEACHERS)}")
    for name, value, least in (("n_tasks", n_tasks, 1), ("n_train", n_train, 1), ("n_valid", n_valid, 1)):
        if value < least:
            raise AzgenError(f"{name} is {value}; it must be at least {least}")
    least_features = 3 if teacher == "two-layer" else 1
    if n_features < least_features:
        raise AzgenError(f"n_features is {n_features}; the {teacher} teacher needs at least {least_features}")
    if not (noise >= 0 and np.isfinite(noise)):
        raise AzgenError(f"noise is {noise}; it must be 0 or more")


def _teacher_task(
    teacher: Teacher, counts: tuple[int, int, int], seeds: tuple[int, int], options: TeacherOptions
) -> Task:
    """A task by its numbers of features, training and validation examples, and its two seeds."""
    (n_features, n_train, n_valid), (data_seed, param_seed) = counts, seeds
    noise, metric = options.get("noise", 0.0), options.get("metric", "rmse")
    x = np.random.default_rng([data_seed, DATA]).standard_normal((n_train + n_valid, n_features))
    output = _TEACHERS[teacher](x, np.random.default_rng([param_seed, PARAM]))
    if noise:
        output = output + noise * np.random.default_rng([data_seed, NOISE]).standard_normal(len(x))
    if options.get("centred"):
        output = output - output[:n_train].mean()
    y = (output > 0).astype(np.float64) if is_classification(metric) else output
    return Task(
        x[:n_train],
        y[:n_train],
        x[n_train:],
        y[n_train:],
        metric=metric,
        name=f"{teacher}, data seed {data_seed}, parameter seed {param_seed}",
    )


def _linear(x: FloatArray, random: np.random.Generator) -> FloatArray:
    return _rowwise_dot(x, _normal(random, x.shape[1]))


def _affine(x: FloatArray, random: np.random.Generator) -> FloatArray:
    weights = _normal(random, x.shape[1])
    return _rowwise_dot(x, weights) + random.standard_normal()


def _two_layer(x: FloatArray, random: np.random.Generator, zeroed: tuple[int, ...] = ()) -> FloatArray:
    n_features = x.shape[1]
    hidden = _normal(random, n_features, n_features)
    final = _normal(random, n_features)
    hidden[list(zeroed)] = 0.0
    final[list(zeroed)] = 0.0
    output = np.zeros(len(x))
    for unit in range(n_features):
        output += final[unit] * np.maximum(0.0, _rowwise_dot(x, hidden[unit]))
    return output


def _quadratic(x: FloatArray, random: np.random.Generator) -> FloatArray:
    """y = x . (v + M x / sqrt(F)), v and M of N(0, 1) numbers: what each feature does depends on the others.

    Linear regression gets about a half of the variance; `zoo:quadratic` can have all of it.
    """
    n_features = x.shape[1]
    weights, interactions = _normal(random, n_features), _normal(random, n_features, n_features)
    output = _rowwise_dot(x, weights)
    for feature in range(n_features):
        output += x[:, feature] * _rowwise_dot(x, interactions[feature]) / np.sqrt(n_features)
    return output


def _normal(random: np.random.Generator, *shape: int) -> FloatArray:
    return np.asarray(random.standard_normal(shape))


def _rowwise_dot(x: FloatArray, weights: FloatArray) -> FloatArray:
    """x @ weights, summed in the order of the features; a BLAS's order differs between machines."""
    total = np.zeros(len(x))
    for column, weight in enumerate(weights):
        total += x[:, column] * weight
    return total


_TEACHERS: dict[Teacher, Callable[[FloatArray, np.random.Generator], FloatArray]] = {
    "linear": _linear,
    "affine": _affine,
    "two-layer": lambda x, random: _two_layer(x, random, zeroed=(0, 2)),
    "two-layer-live": _two_layer,
    "quadratic": _quadratic,
}
