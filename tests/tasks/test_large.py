"""Large tables: fewer and shorter tasks, of rows that stay apart, and a word before memory runs out."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azgen.errors import AzgenError
from azgen.tasks import large
from azgen.tasks.readers import Table, memory
from azgen.tasks.splits import Draw, plan_ordered, plan_random
from azgen.tasks.table import tasks_of_table
from tests.tasks.tables import of_ten


def sizes(splits):
    return sum(len(split.train) + len(split.valid) for split in splits)


@settings(deadline=None)
@given(
    st.integers(30, 3000),
    st.integers(1, 300),
    st.integers(1, 20),
    st.booleans(),
    st.integers(0, 100),
)
def test_sets_keep_to_the_limit_and_apart(n_rows, n_features, n_tasks, in_time, seed):
    options = of_ten(n_search=n_tasks, n_select=n_tasks, n_test=n_tasks)
    plan = (
        plan_ordered(np.arange(n_rows) * 1.0, options)
        if in_time
        else plan_random(n_rows, options, Draw(seed))
    )
    most, large.MOST_NUMBERS = large.MOST_NUMBERS, 200_000
    try:
        short = large.shortened(plan, n_features, seed=seed, ordered=in_time)
    finally:
        large.MOST_NUMBERS = most
    for before, after in ((plan.search, short.search), (plan.select, short.select), (plan.test, short.test)):
        least = large.LEAST_TASKS * 20
        assert sizes(after) * n_features <= max(200_000, least * n_features)
        if sizes(before) * n_features <= 200_000:
            assert [s.train.tolist() for s in after] == [s.train.tolist() for s in before]
        for old, new in zip(before, after, strict=False):
            assert set(new.train) <= set(old.train) and set(new.valid) <= set(old.valid)
            assert len(new.train) and len(new.valid)
            assert len({len(s.train) for s in after} | {-len(s.valid) for s in after}) == 2
            if in_time:
                assert new.train.max() == old.train.max() < new.valid.min()
    assert all((split.valid == short.test[0].valid).all() for split in short.test)


def table(n_rows, n_features):
    random = np.random.default_rng(0)
    columns = pd.DataFrame(random.normal(size=(n_rows, n_features))).add_prefix("c")
    columns["y"] = columns.c0 - columns.c1
    return Table(columns, np.arange(n_rows) + 2, "table.csv")


def test_a_large_table_says_that_its_tasks_are_parts_of_it(monkeypatch):
    monkeypatch.setattr(large, "MOST_NUMBERS", 20_000)
    split = tasks_of_table(table(2000, 10), of_ten(target="y", n_search=16, n_test=16))
    assert (len(split.search), len(split.test)) == (4, 4)
    assert "each of 4 test tasks is" in split.description
    examples = [(t.n_train + t.n_valid) * 10 for t in split.test]
    assert sum(examples) <= 20_000
    assert len(split.raw.x_train) == 1600 and len(split.raw.x_test) == 400


def test_what_does_not_fit_into_memory_is_refused_with_its_size(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 1 << 20)
    with pytest.raises(AzgenError, match=r"table\.csv, as 30 tasks of .* MiB; .* and 1\.0 MiB is available"):
        tasks_of_table(table(2000, 10), of_ten(target="y"))
