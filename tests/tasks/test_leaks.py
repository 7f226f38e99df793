"""Nothing of the test rows may reach search or selection, by whatever path."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from tests.tasks.tables import table_tasks

MARKER = 987654.0


def arrays(tasks):
    return [array for task in tasks for array in (task.x_train, task.y_train, task.x_valid, task.y_valid)]


def table(seed=0, n=80):
    random = np.random.default_rng(seed)
    columns = pd.DataFrame(random.normal(size=(n, 3)), columns=["a", "b", "c"])
    columns["color"] = random.choice(["red", "green", "blue"], n)
    columns.loc[[5, 50], "b"] = np.nan
    columns["group"] = random.integers(0, 12, n)
    columns["time"] = random.permutation(n)
    return columns


@pytest.mark.parametrize("method", ["random", "folds", "groups", "time"])
@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_a_marker_planted_in_the_test_rows_is_nowhere_in_search_and_selection(tmp_path, method, kind):
    columns = table()
    columns["y"] = columns.a * 2 + columns.c if kind == "regression" else np.where(columns.a > 0, "yes", "no")
    aside = {"groups": {"groups": "group"}, "time": {"time": "time"}}.get(method, {})
    options = dict(
        **aside,
        impute="mean",
        categorical=("auto",),
        drop=("group", "time") if not aside else (),
        folds=4 if method == "folds" else 0,
        n_search=4,
        seed=3,
    )
    path = tmp_path / "d.csv"
    columns.to_csv(path, index=False)
    clean = table_tasks(path, "y", **options)
    rows = clean.raw.test_lines - 2
    assert len(rows) >= 8

    marked = columns.copy()
    marked.loc[rows, ["a", "b", "c"]] = MARKER
    marked.loc[rows, "color"] = "marker"
    if kind == "regression":
        marked.loc[rows, "y"] = MARKER
    marked.to_csv(path, index=False)
    split = table_tasks(path, "y", **options)

    assert np.array_equal(split.raw.test_lines, clean.raw.test_lines)
    assert (split.raw.x_test[:, :3] == MARKER).all()
    before = arrays(clean.search + clean.select)
    after = arrays(split.search + split.select)
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    # What test tasks learn from, and all statistics, are free of the marker too.
    assert np.array_equal(clean.raw.x_train, split.raw.x_train)
    assert clean.provenance["standardization"] == split.provenance["standardization"]
    for a, b in zip(clean.test, split.test, strict=True):
        assert np.array_equal(a.x_train, b.x_train) and np.array_equal(a.y_train, b.y_train)
        assert not np.array_equal(a.x_valid, b.x_valid)


def test_the_selection_rows_are_nowhere_in_search(tmp_path):
    columns = table().drop(columns=["color", "group", "time"]).fillna(0.0)
    columns["y"] = columns.a * 2 + columns.c
    path = tmp_path / "d.csv"
    columns.to_csv(path, index=False)
    clean = table_tasks(path, "y")
    # The selection rows are those of which changing the features changes no search task.
    changed = []
    for row in range(len(columns)):
        marked = columns.copy()
        marked.loc[row, ["a", "b", "c"]] = MARKER
        marked.to_csv(path, index=False)
        split = table_tasks(path, "y")
        same_search = all(map(np.array_equal, arrays(clean.search), arrays(split.search)))
        same_select = all(map(np.array_equal, arrays(clean.select), arrays(split.select)))
        changed.append((same_search, same_select))
    unseen = sum(search for search, _ in changed)
    test = clean.provenance["rows"]["test"]
    selection = clean.provenance["rows"]["selection"]
    assert unseen == test + selection
    assert sum(search and select for search, select in changed) == test


def test_shuffled_labels_give_chance_level_on_the_test_rows(tmp_path):
    """With labels that know nothing of the features, any way above chance would be a leak."""
    random = np.random.default_rng(1)
    columns = pd.DataFrame(random.normal(size=(400, 5)), columns=list("abcde"))
    real = np.where(columns.a + columns.b > 0, "yes", "no")
    scores = {"real": [], "shuffled": []}
    for seed in range(10):
        for name, labels in (("real", real), ("shuffled", random.permutation(real))):
            columns["y"] = labels
            columns.to_csv(tmp_path / "d.csv", index=False)
            task = table_tasks(tmp_path / "d.csv", "y", seed=seed).test[0]
            fit = LogisticRegression().fit(task.x_train, task.y_train)
            scores[name].append(fit.score(task.x_valid, task.y_valid))
    assert np.mean(scores["real"]) > 0.9
    assert abs(np.mean(scores["shuffled"]) - 0.5) < 4 * np.sqrt(0.25 / 800)
