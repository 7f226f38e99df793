"""Learners: what is learned in several calls is what is learned in one, by oracle and native code alike."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import azgen
from azgen.errors import AzgenError
from azgen.execution.execute import execute
from azgen.execution.learner import Learner, LearnerBackend
from azgen.language.program import Program
from azgen.language.zoo import zoo
from azgen.tasks.task import Task

# Draws in every function, a matrix, and a scalar that Predict carries from example to example.
RESTLESS = """
def Setup():
  m0 = gaussian(0.0, 0.5, (n_features, n_features))
def Predict():
  s2 = gaussian(0.0, 0.1)
  s3 = s3 + s2
  v1 = dot(m0, v0)
  s1 = mean(v1)
  s1 = s1 + s3
def Learn():
  s4 = uniform(0.0, 0.1)
  s5 = s0 - s1
  s5 = s5 * s4
  v2 = s5 * v0
  m1 = outer(v2, v0)
  m0 = m0 + m1
"""


def numbers(seed: int = 0) -> Task:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(50, 4))
    y = x @ rng.normal(size=4)
    return Task(x[:30], y[:30], x[30:], y[30:])


def classes() -> Task:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(50, 4)), np.eye(3)[np.arange(50) % 3]
    return Task(x[:30], y[:30], x[30:], y[30:], "log-loss")


@pytest.mark.parametrize("backend", ["oracle", "native"])
@pytest.mark.parametrize(
    ("program", "task", "dtype"),
    [
        (zoo("neural-net"), numbers(), "float32"),
        (Program.parse(RESTLESS), numbers(), "float64"),
        (zoo("softmax-linear"), classes(), "float32"),
    ],
    ids=["net", "restless", "classes"],
)
def test_learning_in_parts_is_learning(
    program: Program, task: Task, dtype: str, backend: LearnerBackend
) -> None:
    expected = execute(program, task, "oracle", seed=3, dtype=dtype)
    assert not expected.failed.any()
    options = {"n_classes": task.vector_classes, "seed": 3, "dtype": dtype, "backend": backend}
    learner = Learner(program, 4, task.metric, **options)
    untaught = copy.copy(learner)
    for start, end in ((0, 1), (1, 12), (12, 30)):
        learner.learn(task.x_train[start:end], task.y_train[start:end])
        before = copy.copy(learner)
        first = learner.predict(task.x_valid)
        np.testing.assert_array_equal(learner.predict(task.x_valid), first, "predicting changes nothing")
    compare = np.testing.assert_array_equal
    if task.metric == "log-loss":  # exp is the vector library's in native code
        compare = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5)  # noqa: E731
    compare(first, expected.predictions[0])
    np.testing.assert_array_equal(execute(program, task, backend, seed=3, dtype=dtype).predictions[0], first)
    learner.learn(task.x_valid, task.y_valid)
    assert (learner.predict(task.x_valid) != first).any()
    np.testing.assert_array_equal(before.predict(task.x_valid), first, "a copy learns nothing")
    assert (untaught.predict(task.x_valid) != first).any()


@pytest.mark.parametrize("backend", ["oracle", "native"])
def test_a_learner_that_fails_predicts_nothing(backend: LearnerBackend) -> None:
    task = numbers()
    learner = Learner("zoo:linear", 4, max_abs_error=1e-6, backend=backend)
    assert np.isfinite(learner.predict(task.x_valid)).all() and not learner.failed
    learner.learn(task.x_train, task.y_train)
    assert learner.failed and np.isnan(learner.predict(task.x_valid)).all()
    assert learner.learn(task.x_train, task.y_train).failed


def test_what_does_not_fit_is_told() -> None:
    learner = azgen.Learner("zoo:linear", 4)
    with pytest.raises(AzgenError, match="takes 4 features"):
        learner.learn(np.zeros((2, 5)), np.zeros(2))
    with pytest.raises(AzgenError, match="takes 4 features"):
        learner.predict(np.zeros((2, 5)))
    with pytest.raises(AzgenError, match="backend 'kernel' has no learners"):
        Learner("zoo:linear", 4, backend="kernel")  # type: ignore[arg-type]
    with pytest.raises(AzgenError, match="several classes"):
        Learner("zoo:softmax-linear", 4)
