"""All classes at once, with one-hot labels."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from azgen.errors import AzgenError
from azgen.tasks import load_data_set
from tests.tasks.labelled import image_tasks


@pytest.fixture(scope="module")
def digits():
    return load_data_set("digits")


def test_ten_classes(digits):
    split = image_tasks(digits.x, digits.y, "all", class_names=digits.class_names, seed=2)
    assert split.label_names == tuple("0123456789") and split.search[0].n_classes == 10
    for _, tasks in split.sets():
        for task in tasks:
            assert task.y_train.shape == (task.n_train, 10)
            assert (task.y_train.sum(axis=0) > 0).all()
            assert np.abs(task.x_train.std(axis=0) - 1).max() < 1e-12
    # The test set's own 540 images: labels fit the features, so a plain classifier is far above chance.
    task = split.test[0]
    fit = LogisticRegression(max_iter=1000).fit(task.x_train, task.y_train.argmax(axis=1))
    assert fit.score(task.x_valid, task.y_valid.argmax(axis=1)) > 0.7


def test_columns_follow_the_class_numbers_and_sets_share_nothing():
    y = np.repeat([3, 7, 40], 100)
    x = np.random.default_rng(0).integers(0, 2, (300, 64))
    number_of = {bits.tobytes(): number for number, bits in enumerate(x == 1)}
    used = {}
    for name, tasks in image_tasks(x, y, "all", n_features=0, seed=1).sets():
        used[name] = set()
        for task in tasks:
            for rows, labels in ((task.x_train, task.y_train), (task.x_valid, task.y_valid)):
                numbers = [number_of[bits.tobytes()] for bits in rows > 0]
                assert np.array_equal(np.array([3, 7, 40])[labels.argmax(axis=1)], y[numbers])
                used[name] |= set(numbers)
            assert len(used[name]) <= task.n_train + task.n_valid or len(tasks) > 1
    assert len(used["search"]) == 150 and len(used["select"]) == 60 and len(used["test"]) == 90
    assert not used["search"] & used["select"] and not used["test"] & (used["search"] | used["select"])


def test_seeds(digits):
    one, same, other = (
        image_tasks(digits.x, digits.y, "all", n_search=2, seed=s).search[1] for s in (5, 5, 6)
    )
    assert np.array_equal(one.x_train, same.x_train) and np.array_equal(one.y_train, same.y_train)
    assert not np.array_equal(one.x_train, other.x_train)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n_train": 5000}, "more than the"),
        ({"n_valid": (1, 0, 1)}, "both must be at least 1"),
        ({"n_test": 0}, "n_test is 0; it must be at least 1"),
        ({"y": np.zeros(1797, dtype=int)}, "one class only"),
        ({"y": np.r_[np.zeros(1796, dtype=int), 1]}, "lacks a class"),
    ],
)
def test_arguments_out_of_range(digits, arguments, words):
    with pytest.raises(AzgenError) as caught:
        image_tasks(**{"x": digits.x, "y": digits.y, "classes": "all", **arguments})
    assert words in str(caught.value)
