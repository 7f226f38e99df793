"""Task and TaskSplit: what they keep and what they refuse."""

import numpy as np
import pytest

from azgen.errors import AzgenError
from azgen.tasks import Task, TaskSplit


def good(**changes):
    fields = {
        "x_train": np.arange(12.0).reshape(4, 3),
        "y_train": np.array([0.0, 1.0, 1.0, 0.0]),
        "x_valid": np.ones((2, 3)),
        "y_valid": np.array([1.0, 0.0]),
        "metric": "accuracy",
        "name": "toy",
    }
    return Task(**{**fields, **changes})


def test_arrays_become_read_only_contiguous_float64():
    task = good(
        x_train=np.asfortranarray(np.arange(12, dtype=np.int8).reshape(4, 3)), x_valid=[[1, 2, 3], [4, 5, 6]]
    )
    for array in (task.x_train, task.y_train, task.x_valid, task.y_valid):
        assert array.dtype == np.float64 and array.flags.c_contiguous and not array.flags.writeable
    assert np.array_equal(task.x_train, np.arange(12.0).reshape(4, 3))
    assert (task.n_features, task.n_train, task.n_valid, task.n_classes) == (3, 4, 2, 2)


def test_a_writable_array_is_copied_and_a_read_only_one_is_shared():
    x = np.zeros((4, 3))
    task = good(x_train=x)
    x[0, 0] = 7.0
    assert task.x_train[0, 0] == 0.0
    x.flags.writeable = False
    assert good(x_train=x).x_train is x


def test_a_view_of_a_writable_array_is_copied():
    base = np.zeros((8, 3))
    task = good(x_train=base[:4])
    base[:] = 5.0
    assert (task.x_train == 0.0).all()


def test_one_hot_labels():
    task = good(y_train=np.eye(4), y_valid=np.eye(4)[:2])
    assert task.n_classes == 4
    assert good(metric="rmse").n_classes is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metric": "auc"}, "metric is 'auc'"),
        ({"x_train": np.zeros(4)}, "x_train has shape (4,)"),
        ({"x_train": np.zeros((0, 3)), "y_train": []}, "x_train is empty"),
        ({"x_valid": np.zeros((2, 0))}, "x_valid is empty"),
        ({"y_train": [0, 1, 0]}, "4 examples, but y_train has 3"),
        ({"y_valid": np.zeros((2, 1, 1))}, "y_valid has shape"),
        ({"metric": "rmse", "y_train": np.zeros((4, 2))}, "one label per example"),
        ({"x_valid": np.ones((2, 4))}, "x_train has 3 features, but x_valid has 4"),
        ({"x_train": [[1, 2, np.nan]] * 4}, "x_train holds NaN or infinity, first in example 0"),
        ({"y_valid": [1, np.inf]}, "y_valid holds NaN or infinity, first in example 1"),
        ({"y_train": [0, 1, 2, 0]}, "labels other than 0 and 1"),
        ({"y_train": [-1, 1, 1, -1]}, "labels other than 0 and 1"),
        ({"y_train": np.ones((4, 3)), "y_valid": np.eye(3)[:2]}, "exactly one 1"),
        ({"y_train": np.ones((4, 1)), "y_valid": np.ones((2, 1))}, "two or more columns"),
        ({"y_train": np.eye(4), "y_valid": np.eye(3)[:2]}, "labels of shape (4,), y_valid of shape (3,)"),
        ({"x_train": [["a", "b", "c"]] * 4}, "x_train has type"),
        ({"x_train": [[1, 2, 3], [4]]}, "x_train is not an array of numbers"),
        ({"x_train": np.array([[1, 2, 3j]] * 4)}, "x_train has type complex128"),
        ({"y_train": 1.0}, "y_train is a single number"),
        ({"x_train": None}, "x_train has type object"),
    ],
)
def test_what_a_task_refuses(changes, words):
    with pytest.raises(AzgenError) as caught:
        good(**changes)
    assert words in str(caught.value)
    assert "toy" in str(caught.value)


def test_a_split_refuses_sets_that_cannot_run_side_by_side():
    task = good()
    wide = good(x_train=np.ones((4, 5)), x_valid=np.ones((2, 5)))
    longer = good(x_valid=np.ones((3, 3)), y_valid=[0, 1, 0])
    TaskSplit((task, task), (longer,), (task,), "sets may differ in size")
    with pytest.raises(AzgenError, match="the tasks of the search set differ in shape"):
        TaskSplit((task, longer), (task,), (task,), "")
    with pytest.raises(AzgenError, match="the test set differs from the search set"):
        TaskSplit((task,), (task,), (wide,), "")
    with pytest.raises(AzgenError, match="the select set differs"):
        TaskSplit((task,), (good(metric="rmse"),), (task,), "")
    with pytest.raises(AzgenError, match="the select set has no task"):
        TaskSplit((task,), (), (task,), "")
    with pytest.raises(AzgenError, match="2 feature names for 3 features"):
        TaskSplit((task,), (task,), (task,), "", feature_names=("a", "b"))
