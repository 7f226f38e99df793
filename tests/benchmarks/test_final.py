"""Tasks of the final protocol: examples come from the right parts, none of the test part before the test."""

import dataclasses

import numpy as np
import pytest

from azgen.errors import AzgenError
from azgen.execution.execute import execute
from azgen.language.zoo import zoo
from azgen.tasks import DataSet, load_data_set
from azgen.tasks.sources import ImageTasks, TeacherTasks
from benchmarks.final_protocol import Protocol, final_protocol
from benchmarks.final_tasks import final_tasks


@pytest.fixture
def data():
    """300 images of three classes, the last 90 the test part; the first value is the image's number."""
    random = np.random.default_rng(0)
    x = random.integers(0, 255, (300, 12)).astype(np.uint8).astype(float)
    x[:, 0] = np.arange(300)
    y = np.arange(300) % 3
    return DataSet("three", x, y, (), ("a", "b", "c"), "three classes", own_test=np.arange(210, 300))


def numbers(task_x, scale, offset):
    return set(np.rint(task_x[:, 0] * scale + offset).astype(int).tolist())


def test_examples_come_from_the_right_parts(data):
    found = final_tasks(data, (0, 2), seed=1, n_train=80, n_valid=40)
    assert (found.tuning.n_train, found.tuning.n_valid) == (80, 40)
    assert (found.test.n_train, found.test.n_valid) == (80, 60), "all of the test part's two classes"
    np.testing.assert_array_equal(found.tuning.x_train, found.test.x_train)
    np.testing.assert_array_equal(found.tuning.y_train, found.test.y_train)
    assert found.tuning.y_train.mean() == found.tuning.y_valid.mean() == found.test.y_valid.mean() == 0.5
    # Standardised by the training examples, so the image's number can be told from two of them.
    assert np.allclose(found.test.x_train.mean(axis=0), 0) and np.allclose(found.test.x_train.std(axis=0), 1)
    order = np.argsort(found.test.x_valid[:, 0])
    scale = (299 - 210) / np.ptp(found.test.x_valid[:, 0])
    offset = 210 - found.test.x_valid[order[0], 0] * scale
    train, valid, test = (
        numbers(x, scale, offset) for x in (found.tuning.x_train, found.tuning.x_valid, found.test.x_valid)
    )
    assert len(train) == 80 and len(valid) == 40 and not train & valid
    assert max(train | valid) < 210 and min(test) >= 210
    assert all(n % 3 in (0, 2) for n in train | valid | test)


def test_the_test_part_does_not_reach_tuning(data):
    changed = dataclasses.replace(data, x=np.where(np.arange(300)[:, None] >= 210, 1e6, data.x))
    for a, b in ((data, changed),):
        one, other = (
            final_tasks(a, (0, 1), n_train=80, n_valid=40),
            final_tasks(b, (0, 1), n_train=80, n_valid=40),
        )
        for name in ("x_train", "y_train", "x_valid", "y_valid"):
            np.testing.assert_array_equal(getattr(one.tuning, name), getattr(other.tuning, name))
        np.testing.assert_array_equal(one.test.x_train, other.test.x_train)


def test_a_seed_decides_the_examples(data):
    first, again, other = (final_tasks(data, (0, 1), seed=s, n_train=80, n_valid=40) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.tuning.x_train, again.tuning.x_train)
    assert not np.array_equal(first.tuning.x_train, other.tuning.x_train)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"pair": (1, 1)}, "no pair of two classes"),
        ({"pair": (0, 3)}, "no pair of two classes"),
        ({"n_train": 200}, "class a has 70 in the training part"),
        ({"n_train": 7}, "even sizes"),
        ({"seed": -1}, "seeds from 0"),
    ],
)
def test_mistakes(data, change, message):
    with pytest.raises(AzgenError, match=message):
        final_tasks(**{"data": data, "pair": (0, 1), "n_train": 80, "n_valid": 40, **change})


def test_a_set_without_a_test_part():
    with pytest.raises(AzgenError, match="no test part of its own"):
        final_tasks(load_data_set("digits"), (0, 1))


def test_a_split_in_another_metric():
    split = TeacherTasks("linear", n_search=10, n_select=10, n_test=10).split(0)
    changed = split.with_metric("r2")
    assert changed.metric == "r2" and split.metric == "rmse"
    assert {task.metric for _, tasks in changed.sets() for task in tasks} == {"r2"}
    np.testing.assert_array_equal(changed.test[3].x_valid, split.test[3].x_valid)
    with pytest.raises(AzgenError, match="for regression it must be one of rmse, r2"):
        split.with_metric("accuracy")
    digits = ImageTasks("digits", n_features=4, n_search=10, n_select=10, n_test=10).split(0)
    assert digits.with_metric("log-loss").metric == "log-loss"
    with pytest.raises(AzgenError, match="for classification it must be one of accuracy, balanced"):
        digits.with_metric("r2")


def test_fashion_mnist_has_the_papers_sizes():
    """8000 + 2000 examples of the training part, and 2000 of the test part: Real et al. 2020, section 4.2."""
    try:
        data = load_data_set("fashion-mnist")
    except AzgenError as reason:
        pytest.skip(str(reason))
    found = final_tasks(data, (4, 6))
    assert found.tuning.x_train.shape == (8000, 784) and found.tuning.n_valid == 2000
    assert found.test.x_valid.shape == (2000, 784)
    assert np.isfinite(found.test.x_valid).all() and found.test.y_valid.mean() == 0.5


def test_the_final_protocol():
    digits = load_data_set("digits")
    data = dataclasses.replace(digits, own_test=np.arange(1300, 1797))
    told = []
    scores = final_protocol(
        data,
        {"linear": zoo("linear"), "best-evolved": zoo("best-evolved")},
        tuning_pairs=[(4, 6)],
        test_pairs=[(0, 1), (3, 8), (5, 9)],
        protocol=Protocol(trials=30, n_train=160, n_valid=80),
        observe=told.append,
    )
    for score in scores:
        assert score.tuned.trials == 30 and len(score.accuracy) == 3
        assert score.tuned.fitness.mean() >= score.tuned.fitness_before.mean()
        assert score.accuracy.mean() > 0.9 and score.interval.n == 3
        # Executed by itself, a pair gives the same.
        task = final_tasks(data, (0, 1), 0, 160, 80).test
        assert execute(score.tuned.program, task).fitness[0] == score.accuracy[0]
    assert len(told) >= 3 and "3 of 3 pairs" in told[-1]  # more where pairs take long
