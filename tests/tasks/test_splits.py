"""Which rows go where: nothing that is scored later is seen earlier."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azgen.errors import AzgenError
from azgen.tasks.splits import FOLDS, REPEATS, Draw, plan_grouped, plan_ordered, plan_random
from tests.tasks.tables import of_ten, table_tasks


def check(plan, n_rows):
    """What every plan promises."""
    every = set(range(n_rows))
    test, rest = set(plan.test_rows.tolist()), set(plan.rest_rows.tolist())
    assert test | rest == every and not test & rest
    selection = set(plan.select[0].valid.tolist())
    searched = set()
    for split in plan.search:
        train, valid = split.train.tolist(), split.valid.tolist()
        assert len(set(train)) == len(train) and len(set(valid)) == len(valid)
        assert train and valid and not set(train) & set(valid)
        searched |= {*train, *valid}
    assert not searched & selection and not searched & test and not selection & test
    for split in plan.select:
        assert set(split.valid.tolist()) == selection
        assert set(split.train.tolist()) <= rest - selection
        assert len(split.train) == len(plan.search[0].train)
    for split in plan.test:
        assert set(split.valid.tolist()) == test and set(split.train.tolist()) == rest
    for splits in (plan.search, plan.cross):
        assert len({(len(split.train), len(split.valid)) for split in splits}) <= 1
    check_cross(plan, rest)


def check_cross(plan, rest):
    """Cross-validation: folds of all rows but the test rows, each of which trains on the others."""
    for repeat in range(0, len(plan.cross), FOLDS):
        folds = plan.cross[repeat : repeat + FOLDS]
        scored = [row for split in folds for row in split.valid.tolist()]
        assert len(folds) == FOLDS and len(scored) == len(set(scored)) and set(scored) <= rest
        for split in folds:
            assert not set(split.train) & set(split.valid)
            assert set(split.train.tolist()) <= rest and len(set(split.train)) == len(split.train)


@given(
    n_rows=st.integers(10, 200),
    n_search=st.integers(1, 12),
    fractions=st.tuples(*[st.floats(0.05, 0.6)] * 3),
    seed=st.integers(0, 2**32),
)
def test_random_splits(n_rows, n_search, fractions, seed):
    test, select, valid = fractions
    options = of_ten(
        n_search=n_search,
        n_select=3,
        n_test=2,
        test_fraction=test,
        select_fraction=select,
        valid_fraction=valid,
    )
    plan = plan_random(n_rows, options, Draw(seed))
    check(plan, n_rows)
    enough = len(plan.rest_rows) >= 5 * FOLDS
    assert len(plan.cross) == (REPEATS * FOLDS if enough else 0)
    for split in plan.cross:  # nearly all rows
        assert len(split.train) + len(split.valid) > len(plan.rest_rows) - FOLDS


@given(classes=st.lists(st.integers(5, 60), min_size=2, max_size=5), seed=st.integers(0, 1000))
def test_stratified_splits(classes, seed):
    codes = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(classes)), classes))
    plan = plan_random(len(codes), of_ten(), Draw(seed), codes)
    check(plan, len(codes))
    assert not plan.cross
    for split in (*plan.search, *plan.select, *plan.test):
        assert len(set(codes[split.valid])) == len(classes)
    for split in (*plan.search, *plan.test):
        assert len(set(codes[split.train])) == len(classes)


@given(n_rows=st.integers(12, 150), folds=st.integers(2, 5), seed=st.integers(0, 1000))
def test_folds_score_every_search_row_once(n_rows, folds, seed):
    plan = plan_random(n_rows, of_ten(folds=folds), Draw(seed))
    check(plan, n_rows)
    scored = [row for split in plan.search for row in split.valid.tolist()]
    assert len(scored) == len(set(scored))
    search_rows = set(plan.rest_rows.tolist()) - set(plan.select[0].valid.tolist())
    assert set(scored) <= search_rows
    assert len(search_rows) - len(scored) < folds  # rows cut off to make the folds equal


@given(seed=st.integers(0, 1000), folds=st.sampled_from([0, 5]))
def test_groups_stay_together(seed, folds):
    random = np.random.default_rng(seed)
    groups = np.repeat(np.arange(20), random.integers(1, 9, 20))
    groups = random.permutation(groups)
    plan = plan_grouped(groups, of_ten(n_search=5, folds=folds), Draw(seed))
    check(plan, len(groups))
    assert plan.cross or len(plan.rest_rows) < 5 * FOLDS
    for split in (*plan.search, *plan.select, *plan.test, *plan.cross):
        assert not set(groups[split.train]) & set(groups[split.valid])
    selection = set(groups[plan.select[0].valid])
    assert not selection & set(groups[plan.test_rows])
    for split in plan.search:
        assert not selection & set(groups[[*split.train, *split.valid]])


@given(n_rows=st.integers(20, 200), distinct=st.integers(8, 300), seed=st.integers(0, 1000))
def test_later_rows_are_scored(n_rows, distinct, seed):
    time = np.random.default_rng(seed).integers(0, distinct, n_rows).astype(float)
    try:
        plan = plan_ordered(time, of_ten(n_search=4))
    except AzgenError as problem:
        assert "rows are left to search on" in str(problem) or "same time" in str(problem)
        return
    check(plan, n_rows)
    assert not plan.cross
    assert time[plan.rest_rows].max() < time[plan.test_rows].min()  # rows of one moment stay together
    for split in (*plan.search, *plan.select, *plan.test):
        assert (np.diff(time[split.train]) >= 0).all()
        assert time[split.train].max() <= time[split.valid].min()
    assert time[plan.select[0].train].max() < time[plan.select[0].valid].min()
    assert len(plan.select) == len(plan.test) == 1


def test_search_tasks_differ_and_more_of_them_leave_the_test_rows():
    few, many = (plan_random(100, of_ten(n_search=n), Draw(4)) for n in (5, 50))
    assert np.array_equal(few.test_rows, many.test_rows)
    assert np.array_equal(few.select[0].valid, many.select[0].valid)
    for a, b in itertools.combinations(many.search[:8], 2):
        assert set(a.valid) != set(b.valid)
    assert not np.array_equal(many.test[0].train, many.test[1].train)  # orders of training differ


@pytest.mark.parametrize("folds", [0, 10])
def test_redrawn_search_tasks_use_the_same_search_rows(folds):
    first, again = (plan_random(100, of_ten(folds=folds), Draw(4, n)) for n in (0, 1))
    check(again, 100)
    assert first.cross and not again.cross
    assert np.array_equal(first.test_rows, again.test_rows)
    for a, b in zip((*first.select, *first.test), (*again.select, *again.test), strict=True):
        assert np.array_equal(a.train, b.train) and np.array_equal(a.valid, b.valid)
    assert all(set(a.valid) != set(b.valid) for a, b in zip(first.search, again.search, strict=True))


def test_by_columns_of_a_table(tmp_path):
    random = np.random.default_rng(0)
    n = 90
    columns = pd.DataFrame({"x": random.normal(size=n), "patient": [f"p{i // 5}" for i in range(n)]})
    columns["day"] = [f"2024-{1 + i // 28:02d}-{1 + i % 28:02d}" for i in range(n)]
    columns["y"] = columns.x * 2 + random.normal(size=n)
    columns = columns.sample(frac=1, random_state=1)
    path = tmp_path / "d.csv"
    columns.to_csv(path, index=False)
    columns = columns.reset_index(drop=True)

    split = table_tasks(path, "y", groups="patient", drop=("day",))
    assert split.feature_names == ("x",) and "whole groups of patient" in split.description
    test = set(columns.patient[split.raw.test_lines - 2])
    assert test and not test & set(columns.patient.drop(split.raw.test_lines - 2))

    split = table_tasks(path, "y", time="day", drop=("patient",))
    assert split.feature_names == ("x",) and "ordered by day" in split.description
    rows = split.raw.test_lines - 2
    assert columns.day[rows].min() > columns.day.drop(rows).max()
    assert len(split.test) == 1


def test_what_time_and_group_columns_refuse(tmp_path):
    columns = pd.DataFrame({"x": np.arange(40.0) ** 2, "y": np.arange(40.0), "g": ["a", "b"] * 20})
    columns["t"] = [*["2024-01-05"] * 20, "soon", *["2024-02-01"] * 19]
    path = tmp_path / "d.csv"
    columns.to_csv(path, index=False)
    with pytest.raises(AzgenError, match=r"line 22, column 't': 'soon' is neither a number nor a time"):
        table_tasks(path, "y", time="t")
    with pytest.raises(AzgenError, match="2 groups; at least 6 are needed"):
        table_tasks(path, "y", groups="g")
    with pytest.raises(AzgenError, match=r"no group column 'gg'. Did you mean 'g'"):
        table_tasks(path, "y", groups="gg")
    with pytest.raises(AzgenError, match="both the target and the time column"):
        table_tasks(path, "y", time="y")
    with pytest.raises(AzgenError, match="exclude each other"):
        of_ten(time="t", groups="g")
    columns["t"] = [1.0, np.nan, *[2.0] * 38]
    columns.to_csv(path, index=False)
    with pytest.raises(AzgenError, match=r"column 't' is empty in 1 rows, first in line 3"):
        table_tasks(path, "y", time="t")


def test_groups_with_a_class_of_their_own_are_refused(tmp_path):
    """If one group holds all of a class, no split has the class on both sides."""
    groups = np.repeat(np.arange(10), 10)
    with pytest.raises(AzgenError, match="no split of the groups was found"):
        plan_grouped(groups, of_ten(), Draw(), (groups == 3).astype(int))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_search": 0}, "n_search is 0"),
        ({"n_test": -1}, "n_test is -1"),
        ({"test_fraction": 0.0}, "test_fraction is 0.0"),
        ({"valid_fraction": 1.0}, "valid_fraction is 1.0"),
        ({"select_fraction": float("nan")}, "select_fraction is nan"),
        ({"impute": "zero"}, "impute is 'zero'; it must be one of '', 'mean', 'median'"),
        ({"kind": "ranking"}, "kind is 'ranking'; it must be one of 'auto', "),
        ({"folds": -1}, "folds is -1; it must be at least 0"),
        ({"folds": 1}, "folds is 1; at least 2, or 0 for none"),
        ({"folds": 3, "time": "t"}, "folds and time exclude each other"),
        ({"groups": "g", "time": "t"}, "groups and time exclude each other"),
        ({"positive": "a", "kind": "regression"}, 'kind is "regression"'),
        ({"positive": "a", "kind": "multiclass"}, 'kind is "multiclass"'),
    ],
)
def test_options_out_of_range(options, words):
    with pytest.raises(AzgenError) as caught:
        of_ten(**options)
    assert words in str(caught.value)
    with pytest.raises(AzgenError) as caught:
        dataclasses.replace(of_ten(), **options)
    assert words in str(caught.value)


def test_too_many_folds():
    with pytest.raises(AzgenError, match="40 folds are too many"):
        plan_random(30, of_ten(folds=40), Draw())


@pytest.mark.parametrize("name", ["seed", "redraw"])
def test_draws_are_counted_from_0(name):
    with pytest.raises(AzgenError, match=f"{name} is -1; it must be at least 0"):
        Draw(**{name: -1})
