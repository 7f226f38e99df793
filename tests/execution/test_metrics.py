"""Metrics: what each means, and that oracle, kernel and candidates agree on it to the last bit."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, log_loss, r2_score

from azgen.errors import AzgenError
from azgen.execution.execute import execute
from azgen.execution.oracle import LEAST_PROBABILITY, fitness_of_loss
from azgen.language import Program
from azgen.language.instruction import SCALAR
from azgen.language.zoo import zoo, zoo_names
from azgen.settings.presets import preset
from azgen.study.baselines import baseline_scores, learners
from azgen.study.scores import fitness_of_predictions
from azgen.tasks.task import CLASSIFICATION_METRICS, REGRESSION_METRICS, Task, TaskSplit
from tests.agreement import Tally, compile_all, random_tasks
from tests.strategies import random_program
from tests.thinned import few_of

METRICS = (*REGRESSION_METRICS, *CLASSIFICATION_METRICS)
BACKENDS = ("oracle", "kernel", "native")
EMPTY = Program.parse("def Setup():\n  pass\ndef Predict():\n  pass\ndef Learn():\n  pass\n")
LOGIT = Program.parse(
    "def Setup():\n  v1[0.0] = 1.0\ndef Predict():\n  s1 = dot(v1, v0)\ndef Learn():\n  pass\n"
)


def tasks_of(metric, n_tasks=5, n_features=4, n_train=60, n_valid=37, seed=0):
    """Tasks whose classes are far from balanced."""
    random = np.random.default_rng(seed)
    tasks = []
    for number in range(n_tasks):
        x = random.normal(size=(n_train + n_valid, n_features))
        y = x @ random.normal(size=n_features) + 0.5 * random.normal(size=len(x))
        if metric in CLASSIFICATION_METRICS:
            y = (y > 0.3 * (number % 4)).astype(float)
        tasks.append(Task(x[:n_train], y[:n_train], x[n_train:], y[n_train:], metric=metric))
    return tasks


def expected(task, predictions):
    """The metric by scikit-learn, from predictions of the validation examples."""
    y, p = task.y_valid, predictions.astype(np.float64)
    if task.metric == "rmse":
        return 1 - 2 / np.pi * np.arctan(np.sqrt(np.mean((y - p) ** 2)))
    if task.metric == "r2":
        return max(0.0, r2_score(y, p))
    if task.metric == "accuracy":
        return np.mean((p > 0.5) == y)
    if task.metric == "balanced-accuracy":
        return balanced_accuracy_score(y, p > 0.5)
    return np.exp(-log_loss(y, np.clip(p, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("metric", "name"),
    few_of(
        [(metric, name) for name in ("linear", "neural-net") for metric in METRICS],
        *((metric, "linear") for metric in METRICS),
        ("rmse", "neural-net"),
        ("accuracy", "neural-net"),
    ),
)
def test_fitness_is_what_scikit_learn_says(metric, backend, name):
    tasks = tasks_of(metric)
    result = execute(zoo(name), tasks, backend)
    for task, fitness, predictions in zip(tasks, result.fitness, result.predictions, strict=True):
        assert fitness == pytest.approx(expected(task, predictions), abs=2e-6)
    assert not result.failed.any()


@pytest.mark.parametrize(
    ("metric", "dtype"),
    few_of(
        [(m, d) for m in ("r2", "balanced-accuracy", "log-loss") for d in ("float32", "float64")],
        ("r2", "float32"),
        ("balanced-accuracy", "float32"),
        ("log-loss", "float64"),
    ),
)
def test_executors_agree_on_random_programs(metric, dtype):
    regression = metric in REGRESSION_METRICS
    rng = np.random.default_rng([7, dtype == "float32", METRICS.index(metric)])
    sample = [random_program(rng) for _ in range(24)]
    compile_all(sample, 4, metric, dtype, n_tasks=3)
    tally = Tally()
    for program in sample:
        tasks = [
            Task(t.x_train, t.y_train, t.x_valid, t.y_valid, metric=metric)
            for t in random_tasks(rng, 4, metric="rmse" if regression else "accuracy")
        ]
        tally.compare(program, tasks, dtype)
        kernel, native = (execute(program, tasks, backend, dtype=dtype) for backend in ("kernel", "native"))
        np.testing.assert_array_equal(kernel.fitness, native.fitness)
    assert not tally.wrong, "\n\n".join(tally.wrong)
    assert tally.programs - tally.sensitive > 20


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_r2_is_the_same_to_the_last_bit_in_all_executors(dtype):
    programs = [zoo("linear"), zoo("affine"), zoo("neural-net")]
    compile_all(programs, 4, "r2", dtype, n_tasks=20)
    for program in programs:
        tasks = tasks_of("r2", 20, n_train=12, n_valid=9)
        results = [execute(program, tasks, backend, dtype=dtype) for backend in BACKENDS]
        for result in results[1:]:
            np.testing.assert_array_equal(result.fitness, results[0].fitness)


@pytest.mark.parametrize("backend", BACKENDS)
def test_r2_of_useless_predictions_and_of_constant_labels(backend):
    x, y = np.ones((6, 4)), np.array([1.0, 2, 3, 4, 5, 6])
    assert execute(EMPTY, Task(x, y, x, y, metric="r2"), backend).fitness[0] == 0, "clipped"
    zeros, ones = np.zeros(6), np.ones(6)
    assert execute(EMPTY, Task(x, zeros, x, zeros, metric="r2"), backend).fitness[0] == 1
    assert execute(EMPTY, Task(x, ones, x, ones, metric="r2"), backend).fitness[0] == 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_balanced_accuracy_does_not_reward_the_frequent_class(backend):
    x, y = np.ones((10, 4)), np.array([0.0] * 9 + [1.0])
    never = Program.parse("def Setup():\n  s2 = -5.0\ndef Predict():\n  s1 = s2 + s3\ndef Learn():\n  pass\n")
    for metric, fitness in (("accuracy", 0.9), ("balanced-accuracy", 0.5)):
        assert execute(never, Task(x, y, x, y, metric=metric), backend).fitness[0] == pytest.approx(fitness)
    # Of one class alone the other's share of mistakes is none.
    assert execute(never, Task(x, y, x[:9], y[:9], metric="balanced-accuracy"), backend).fitness[0] == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_log_loss_of_certainty(backend, dtype):
    """Fitness is the geometric mean of the probabilities of the right classes; none counts as less than
    1e-7."""

    def task(train, valid, labels):
        x_train, x_valid = (np.outer(first, [1.0, 0, 0, 0]) for first in (train, valid))
        return Task(x_train, np.ones(len(train)), x_valid, labels, metric="log-loss")

    right, wrong = task([90.0], [90.0, -80], [1, 0]), task([90.0], [90.0, 80], [1, 0])
    assert execute(LOGIT, right, backend, dtype=dtype).fitness[0] == 1
    assert execute(LOGIT, wrong, backend, dtype=dtype).fitness[0] == pytest.approx(np.sqrt(1e-7), rel=1e-5)
    unsure = task(np.zeros(4), np.zeros(4), [0, 1, 1, 0])
    assert execute(LOGIT, unsure, backend, dtype=dtype).fitness[0] == pytest.approx(0.5)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("metric", METRICS)
def test_failure_is_zero_whatever_the_metric(metric, backend):
    nan = Program.parse("def Setup():\n  pass\ndef Predict():\n  s1 = s2 / s2\ndef Learn():\n  pass\n")
    result = execute(nan, tasks_of(metric), backend)
    assert (result.fitness == 0).all() and result.failed.all()


def test_fitness_of_loss_stays_between_0_and_1():
    for metric in METRICS:
        values = [fitness_of_loss(loss, metric) for loss in (0.0, 0.25, 1.0, 50.0, float("inf"))]
        assert values[0] == 1 and values[-1] == pytest.approx(0)
        assert values == sorted(values, reverse=True)


@pytest.mark.parametrize(
    "metric, y, message",
    [
        ("log-loss", [0.0, 0.5], 'metric "log-loss" needs 0 or 1'),
        ("rmse", [[0, 1], [1, 0]], "one label per example"),
        ("r2", [[0.0], [1.0]], "one label per example"),
        ("auc", [0.0, 1.0], "it must be one of rmse, r2, accuracy, balanced-accuracy, log-loss"),
    ],
)
def test_labels_that_do_not_suit_the_metric(metric, y, message):
    with pytest.raises(AzgenError, match=message):
        Task(np.ones((2, 3)), y, np.ones((2, 3)), y, metric=metric)


@pytest.mark.parametrize("metric", METRICS)
def test_predictions_of_baselines_are_rated_as_programs_are(metric):
    tasks = tasks_of(metric)
    result = execute(zoo("linear"), tasks, "oracle", dtype="float64")
    for task, fitness, predictions in zip(tasks, result.fitness, result.predictions, strict=True):
        assert fitness_of_predictions(task, predictions) == pytest.approx(fitness, abs=1e-12)


@pytest.mark.parametrize("metric", few_of(METRICS, "rmse", "log-loss"))
def test_every_baseline_is_there_and_beats_a_constant(metric):
    settings = preset("linear" if metric in REGRESSION_METRICS else "digits")
    sets = [tasks_of(metric, n_tasks=6, n_train=100, n_valid=60, seed=seed) for seed in range(3)]
    split = TaskSplit(*map(tuple, sets), description="")
    assert len(baseline_scores(split, np.ones(6), settings, "few")) == 3
    scores = {score.name: score for score in baseline_scores(split, np.ones(6), settings)}
    constant = next(iter(scores.values())).interval.mean
    names = list(scores)[1:]
    for program in [name for name in zoo_names() if zoo(name).form == SCALAR]:
        assert sum(name.startswith(f"zoo:{program} (") for name in names) == 1
        assert f"zoo:{program}, tuned (160 settings)" in names
    linear = "Ridge" if metric in REGRESSION_METRICS else "LogisticRegression"
    for part in (linear, "multi-layer perceptron", "gradient boosting"):
        assert f"scikit-learn {part}" in names
    for name in names:
        score = scores[name]
        slow = "perceptron" in name or "boosting" in name
        assert score.interval.n == (4 if slow else 6)
        assert (score.rms_error is not None) == (metric in REGRESSION_METRICS)
        assert score.difference.mean == pytest.approx(1 - score.interval.mean)
        plain = any(f"zoo:{program}" in name for program in ("linear", "affine", "neural-net"))
        if plain or name.startswith("scikit-learn"):
            assert score.interval.mean > constant, name
    for program in ("linear", "affine", "neural-net"):
        raw = next(scores[name] for name in names if name.startswith(f"zoo:{program} ("))
        assert scores[f"zoo:{program}, tuned (160 settings)"].interval.mean > raw.interval.mean - 0.02
    fitted = next(score for name, score in scores.items() if "Ridge" in name or "Logistic" in name)
    assert fitted.interval.mean > constant + 0.1


def test_ridge_is_that_of_scikit_learn():
    model = pytest.importorskip("sklearn.linear_model").Ridge()
    for task in tasks_of("rmse", n_tasks=2):
        expected = model.fit(task.x_train, task.y_train).predict(task.x_valid)
        found = learners(False)["scikit-learn Ridge"](task)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_a_program_that_cannot_be_tuned_for_want_of_memory_stands_there_as_it_is(monkeypatch):
    monkeypatch.setattr("azgen.tasks.readers.memory.available_memory", lambda: 1000)
    tasks = tuple(tasks_of("rmse", n_tasks=2))
    names = [
        s.name for s in baseline_scores(TaskSplit(tasks, tasks, tasks, ""), np.ones(2), preset("linear"))
    ]
    assert any("zoo:linear" in name for name in names) and not any("tuned" in name for name in names)
