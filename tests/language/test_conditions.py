"""What decides an execution beside program and tasks."""

import pytest

from azgen.errors import AzgenError
from azgen.execution.execute import execute, execute_under, prepare, prepare_under
from azgen.language.conditions import DTYPES, Conditions, check_dtype
from azgen.language.zoo import zoo
from azgen.tasks.synthetic import linear_tasks


@pytest.mark.parametrize(
    "change, message",
    [
        ({"dtype": "float16"}, "dtype is 'float16'; it must be one of float32, float64"),
        ({"seed": -1}, "seed is -1; it must be at least 0"),
        ({"epochs": 0}, "epochs is 0; it must be at least 1"),
        ({"max_abs_error": 0.0}, "max_abs_error is 0.0; it must be above 0"),
        ({"max_abs_error": float("nan")}, "max_abs_error is nan"),
    ],
)
def test_values_out_of_range(change, message):
    with pytest.raises(AzgenError, match=message):
        Conditions(**change)
    with pytest.raises(AzgenError, match=message):
        execute(zoo("linear"), linear_tasks(2, 4, 20, 10), "oracle", **change)


def test_number_types():
    for dtype in DTYPES:
        check_dtype(dtype)


@pytest.mark.parametrize("backend", ["oracle", "kernel", "native"])
def test_keywords_are_the_conditions(backend):
    """The public functions take singly what all others take as one value."""
    tasks = linear_tasks(3, 4, 30, 10)
    given = {"seed": 5, "epochs": 2, "dtype": "float64", "max_abs_error": 3.0}
    expected = execute_under(Conditions(**given), zoo("linear"), tasks, backend)
    assert 0 < expected.failed.sum() < 3, "the limit decides something here"
    for found in (
        execute(zoo("linear"), tasks, backend, **given),
        prepare(zoo("linear"), tasks, backend, **given)(),
        prepare_under(Conditions(**given), zoo("linear"), tasks, backend)(),
    ):
        assert found.fitness.tolist() == expected.fitness.tolist() and found.dtype == "float64"
