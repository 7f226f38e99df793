"""What else scores on the same test tasks: a constant, hand-designed programs, and scikit-learn's models.

Every baseline learns from the same training rows as the champion, sees the same features and is scored on the
same validation rows with the same fitness; only then does a difference mean something.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from operator import itemgetter
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from azgen.deadline import NEVER, Deadline, Overdue, aside
from azgen.errors import AzgenError
from azgen.execution.execute import compile_together, execute_under
from azgen.extras import installed
from azgen.language.program import Program
from azgen.language.zoo import zoo
from azgen.settings.settings import Settings
from azgen.study.scores import Score, fitness_of_predictions, over_rows
from azgen.study.tune import Tuned, tune
from azgen.study.verdict import CONSTANTS
from azgen.tasks.task import FloatArray, Task, TaskSplit

Which = Literal["all", "few"]


def baseline_scores(
    split: TaskSplit,
    champion: NDArray[np.float64],
    settings: Settings,
    which: Which = "all",
    program: Program | None = None,
    deadline: Deadline = NEVER,
) -> tuple[Score, ...]:
    """Scores of the baselines on the test tasks.

    Args:
        split: the run's tasks; the constants of the zoo's programs are tuned on search and selection tasks.
        champion: the champion's fitness per test task, for the paired differences.
        settings: the run's; programs are executed as the champion was.
        which: "few" are a constant, linear regression by gradient descent and scikit-learn's; "all" are also
            the other programs of the zoo, each of them as it is and with its constants tuned, and
            scikit-learn's multi-layer perceptron and gradient boosting on the first few test tasks (their
            intervals say how many). What would take minutes is left out. Where scikit-learn is not
            installed, there is a linear model in closed form in place of its models.
        program: the champion. With it, a table's intervals of differences are over its test rows, which all
            of its test tasks share; they would else say what the order of training does.
        deadline: what has not been rated by then is left out, but for the constant.
    """
    tasks, metric = split.test, split.metric
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Lack of convergence, collinear columns and the like: the score tells.
        warnings.simplefilter("ignore")
        found = dict(_baselines(split, settings, which, deadline))
        ours = _execute(program, tasks, settings)[1] if program and split.raw is not None else None
        scores = []
        for name, (fitness, predictions) in found.items():
            few = tasks[: len(fitness)]
            score = Score.of(name, fitness, metric, champion[: len(few)], few)
            if ours is not None and score.difference is not None:
                by_row = over_rows(score.difference, few[:_SLOW_TASKS], ours, predictions)
                score = replace(score, difference=by_row)
            scores.append(score)
    return tuple(scores)


def _baselines(split: TaskSplit, settings: Settings, which: Which, deadline: Deadline) -> list[Named]:
    """What there is time for, the most telling first, in the usual order."""
    tasks, metric = split.test, split.metric
    shape, classification = (tasks[0].n_train, tasks[0].n_features), tasks[0].is_classification
    every = {name: program for name in PROGRAMS if (program := zoo(name)).form == tasks[0].form}
    programs = {n: p for n, p in every.items() if shape[1] <= _LARGEST_NET or not p.memory.matrices}
    (first, *others), learned = programs, learners(classification)
    if which == "few":
        others = []
    if which == "few" or shape[0] * shape[1] > _LARGEST_FIT:
        learned = dict(islice(learned.items(), 1))

    def of_zoo(*names: str, tunes: bool = True) -> list[Named]:
        return [rated for name in names for rated in _of_zoo(name, split, settings, tunes, deadline)]

    def compiled(*names: str) -> list[Named]:
        some = [programs[name] for name in names]
        tuned = [program for program in some if _trials(program, split, settings, deadline)]
        compile_together(some, tasks[0], settings.conditions, len(tasks))
        # Tuning's lanes carry settings, however few tasks there are.
        compile_together(tuned, tasks[0], settings.conditions)
        return []

    constant = _CONSTANT[classification, metric == "log-loss"], _each(tasks, _constant)
    works: list[tuple[int, Callable[[], list[Named]]]] = [(0, partial(of_zoo, first, tunes=which == "all"))]
    for place, (name, learner) in enumerate(learned.items()):
        some = tasks[:_SLOW_TASKS] if place else tasks
        works.append((len(programs) + place, partial(_learned, name, learner, some)))
    works.append((len(programs), partial(compiled, *others)))
    works += [(place, partial(of_zoo, name)) for place, name in enumerate(others, 1)]
    found: list[tuple[int, list[Named]]] = []
    for place, work in works:
        if deadline.passed():
            break
        try:
            found.append((place, aside(work, deadline.passed)))
        except Overdue:
            break
        except KeyboardInterrupt:  # what is known by now is told
            break
    found.sort(key=itemgetter(0))
    return [constant, *(rated for _, several in found for rated in several)]


def _of_zoo(
    name: str, split: TaskSplit, settings: Settings, tunes: bool, deadline: Deadline
) -> Iterator[Named]:
    """A program of the zoo as it is, and tuned if there is time for that."""
    if deadline.passed():
        return
    program, what = zoo(name), PROGRAMS[name]
    what = what.format("logistic" if split.test[0].is_classification else "linear")
    yield f"zoo:{name} ({what})", _execute(program, split.test, settings)
    tuned = _tuned(program, split, settings, deadline) if tunes else None
    if tuned:
        fitness = _execute(tuned.program, split.test, settings)
        yield f"zoo:{name}, tuned ({tuned.trials} settings)", fitness


def _learned(name: str, learner: Predictor, tasks: Sequence[Task]) -> list[Named]:
    return [(name, _each(tasks, learner))]


def learners(classification: bool) -> dict[str, Predictor]:
    """Scikit-learn's models by name, the linear one first; where it is missing, that in closed form."""
    if not installed("sklearn"):
        return {"linear model (least squares)": _least_squares if classification else _ridge}
    linear = ("LogisticRegression", _logistic_regression) if classification else ("Ridge", _ridge)
    others = (("multi-layer perceptron", _perceptron), ("gradient boosting", _boosting))
    return {f"scikit-learn {name}": learner for name, learner in (linear, *others)}


TRIALS = 160
"""Settings of the constants that a program of the zoo is tuned with."""

_SLOW_TASKS = 4
"""Test tasks that the slower of scikit-learn's models are fitted to."""

_LARGEST_FIT = 400_000
"""Numbers in a task's training examples beyond which those are left out."""

_LARGEST_NET = 128
"""Features beyond which programs with matrices are left out."""

_WORK_PER_SECOND = 3e9
"""Multiplications that take about a second when settings are tried."""

_LARGEST_TUNING = 3e10
"""Multiplications beyond which a program is tuned with fewer settings: some ten seconds of one core."""

_CONSTANT = {
    (False, False): CONSTANTS[0],
    (True, False): CONSTANTS[1],
    (True, True): CONSTANTS[2],
}
PROGRAMS = {
    "linear": "{} regression by gradient descent",
    "affine": "{} regression with a bias",
    "ridge": "{} regression with a penalty",
    "additive": "additive model",
    "quadratic": "quadratic regression",
    "skip-net": "two-layer network beside a linear model",
    "additive-net": "two-layer network beside an additive model",
    "neural-net": "two-layer network",
    "evolved-net": "two-layer network as evolved",
    "discovered-net": "two-layer network as azgen discovered it",
    "discovered-quadratic": "quadratic model as azgen discovered it",
    "best-evolved": "AutoML-Zero's best, evolved for classes",
    "best-evolved-raw": "the same as evolution left it",
    "noisy-relu": "network adapted to few examples",
    "rate-decay": "network adapted to fast training",
    "mean-weight-rate": "network adapted to many classes",
    "softmax-linear": "softmax regression by gradient descent",
    "softmax-ridge": "softmax regression with a penalty",
    "softmax-ridge-net": "two-layer network with a penalty",
    "softmax-neural-net": "two-layer network",
    "softmax-mean-weight-rate": "network adapted to many classes",
}
"""The zoo's programs, and what each of them is."""

Rated = tuple[NDArray[np.float64], NDArray[Any]]
"""Fitness per task, and predictions: tasks x validation examples (x classes)."""

Named = tuple[str, Rated]

Predictor = Callable[[Task], FloatArray]
"""Learns from a task's training examples and predicts its validation labels: numbers, or probabilities of
class 1, or of every class."""


def _execute(program: Program, tasks: Sequence[Task], settings: Settings) -> Rated:
    result = execute_under(settings.conditions, program, tasks)
    return result.fitness, result.predictions


def _tuned(program: Program, split: TaskSplit, settings: Settings, deadline: Deadline) -> Tuned | None:
    """The constants that are best on the search and selection tasks; None: too much to try."""
    trials = _trials(program, split, settings, deadline)
    if not trials:
        return None
    with suppress(AzgenError):  # tasks of which copies for every lane do not fit into memory
        return tune(program, split.search, trials, settings.conditions, select=split.select)
    return None


def _trials(program: Program, split: TaskSplit, settings: Settings, deadline: Deadline) -> int:
    """Settings that a program is tuned with; 0: too much to try."""
    first, epochs = split.search[0], settings.execution.epochs
    _, predict, learn = program.cost(first.n_features)
    cost = len(split.search) * (
        (first.n_train * epochs + first.n_valid) * predict + first.n_train * epochs * learn
    )
    trials = min(TRIALS, int(_LARGEST_TUNING / cost))
    enough = trials >= 2 and deadline.left * _WORK_PER_SECOND >= trials * cost
    return trials if enough else 0


def _each(tasks: Sequence[Task], predictor: Predictor) -> Rated:
    predictions = [predictor(task) for task in tasks]
    fitness = [fitness_of_predictions(t, p) for t, p in zip(tasks, predictions, strict=True)]
    return np.array(fitness), np.array(predictions)


def _constant(task: Task) -> FloatArray:
    mean = task.y_train.mean(axis=0)
    # As a probability it is that of class 1, or of each class; a tie is the first class, as everywhere.
    return np.full_like(task.y_valid, mean)


def _logistic_regression(task: Task) -> FloatArray:
    from sklearn.linear_model import LogisticRegression

    return _probabilities(task, LogisticRegression(max_iter=1000))


def _ridge(task: Task) -> FloatArray:
    # What scikit-learn's Ridge() predicts, in closed form: to import and fit that takes a second.
    x_mean, y_mean = task.x_train.mean(axis=0), task.y_train.mean(axis=0)
    x, y = task.x_train - x_mean, task.y_train - y_mean
    weights = np.linalg.solve(x.T @ x + np.eye(task.n_features), x.T @ y)
    return np.asarray((task.x_valid - x_mean) @ weights + y_mean)


def _least_squares(task: Task) -> FloatArray:
    """Ridge regression of the labels 0 and 1, as probabilities that are never quite certain."""
    least = 1.0 / (task.n_train + 2)
    found = np.clip(_ridge(task), least, 1.0 - least)
    return found / found.sum(axis=1, keepdims=True) if task.vector_classes else found


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
