"""Champions in spaces of many kinds: what is said and written of them is right (see `tests.champions`)."""

import pytest

from tests.champions import sweep


@pytest.mark.parametrize(("first", "count"), [(1, 1), (61, 1), pytest.param(0, 500, marks=pytest.mark.slow)])
def test_what_is_said_and_written_of_champions_is_right(first, count):
    kinds, wrong = sweep(first, count)
    assert not wrong, "\n".join(wrong)
    assert kinds["champions"] == count and (count < 100 or kinds["that learn"] > 0.8 * count)
