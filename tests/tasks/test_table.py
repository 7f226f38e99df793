"""The user's own table: kinds of targets, features, standardisation, and rows that can be found again."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from azgen.errors import AzgenError
from azgen.tasks import (
    load_data_set,
    read_table,
    tasks_of_table,
)
from tests.tasks.tables import of_ten, table_tasks


def frame(n=60, seed=0):
    random = np.random.default_rng(seed)
    columns = pd.DataFrame(
        {"a": random.normal(50, 10, n), "b": random.normal(-3, 0.1, n), "c": random.integers(0, 9, n)}
    )
    columns["y"] = 2 * columns.a - columns.b + 100
    return columns


def saved(tmp_path, columns, name="data.csv"):
    path = tmp_path / name
    if name.endswith(".parquet"):
        columns.to_parquet(path)
    else:
        columns.to_csv(path, index=False, sep="\t" if name.endswith(".tsv") else ",")
    return path


def test_regression_from_csv(tmp_path):
    split = table_tasks(saved(tmp_path, frame()), "y")
    assert split.metric == "rmse" and split.feature_names == ("a", "b", "c") and split.label_names == ("y",)
    assert "regression" in split.description and "60 rows" in split.description
    assert [len(tasks) for _, tasks in split.sets()] == [10, 10, 10]
    for _, tasks in split.sets():
        for task in tasks:
            for array in (task.x_train, task.y_train):
                assert (
                    np.abs(array.mean(axis=0)).max() < 1e-12 and np.abs(array.std(axis=0) - 1).max() < 1e-12
                )
    assert len(split.provenance["sha256"]) == 64


def test_raw_rows_are_the_users_own(tmp_path):
    columns = frame()
    split = table_tasks(saved(tmp_path, columns), "y")
    raw = split.raw
    rows = raw.test_lines - 2  # line 1 is the header
    assert np.array_equal(raw.x_test, columns[["a", "b", "c"]].to_numpy(float)[rows])
    assert np.array_equal(raw.y_test, columns.y.to_numpy()[rows])
    assert len(raw.x_train) + len(raw.x_test) == 60
    together = np.concatenate([raw.x_train, raw.x_test])[:, 0]
    assert sorted(together) == sorted(columns.a)


def test_test_tasks_are_the_raw_rows_standardised_and_can_be_undone(tmp_path):
    split = table_tasks(saved(tmp_path, frame()), "y")
    numbers = split.provenance["standardization"]
    offset, scale = np.array(numbers["feature_offset"]), np.array(numbers["feature_scale"])
    for task in split.test:
        assert np.allclose(task.x_valid * scale + offset, split.raw.x_test)
        assert np.allclose(task.y_valid * numbers["label_scale"] + numbers["label_offset"], split.raw.y_test)
        assert np.allclose(
            np.sort(task.y_train * numbers["label_scale"] + numbers["label_offset"]),
            np.sort(split.raw.y_train),
        )
    # A linear model on the standardised task, undone, is the linear model on the raw rows.
    task = split.test[0]
    standardised = LinearRegression().fit(task.x_train, task.y_train).predict(task.x_valid)
    direct = LinearRegression().fit(split.raw.x_train, split.raw.y_train).predict(split.raw.x_test)
    assert np.allclose(standardised * numbers["label_scale"] + numbers["label_offset"], direct)


@pytest.mark.parametrize("name", ["data.csv", "data.tsv", "data.parquet"])
def test_formats_give_the_same_tasks(tmp_path, name):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    columns = frame()
    split = table_tasks(saved(tmp_path, columns, name), "y")
    expected = table_tasks(saved(tmp_path, columns, "expected.csv"), "y")
    assert np.array_equal(split.search[3].x_train, expected.search[3].x_train)
    assert np.array_equal(split.raw.y_test, expected.raw.y_test)


def test_npz_and_arff_give_the_same_tasks(tmp_path):
    columns = frame()
    expected = table_tasks(saved(tmp_path, columns), "y")
    x = columns[["a", "b", "c"]].to_numpy()
    np.savez(tmp_path / "data.npz", x=x, y=columns.y.to_numpy(), feature_names=np.array(["a", "b", "c"]))
    lines = ["@relation data", *(f"@attribute {name} numeric" for name in columns), "@data"]
    lines += [",".join(repr(float(cell)) for cell in row) for row in columns.to_numpy()]
    (tmp_path / "data.arff").write_text("\n".join(lines))
    for split in (table_tasks(tmp_path / "data.npz"), table_tasks(tmp_path / "data.arff", "y")):
        assert split.feature_names == ("a", "b", "c")
        assert np.array_equal(split.search[3].x_train, expected.search[3].x_train)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_quotes_blank_lines_and_byte_order_mark(tmp_path, delimiter):
    rows = [["name, unit", "second", "y"], *([str(i), f'"{i * i}"', str(i % 7 + 0.5)] for i in range(30))]
    rows[0] = [f'"{name}"' for name in rows[0]]
    text = "\ufeff" + "\r\n".join(
        delimiter.join(row) + ("\r\n" if i == 4 else "") for i, row in enumerate(rows)
    )
    (tmp_path / "d.csv").write_bytes(text.encode())
    if delimiter == ",":
        assert table_tasks(tmp_path / "d.csv", "y").feature_names == ("name, unit", "second")
    else:
        table = read_table(tmp_path / "d.csv")
        assert table.names == ["name, unit", "second", "y"]
    assert read_table(tmp_path / "d.csv").lines.tolist() == [2, 3, 4, 5, *range(7, 33)]


def with_target(values, n=60):
    columns = frame(n)
    columns["y"] = values
    return columns


def kind_of(tmp_path, values, n=60, **options):
    return table_tasks(saved(tmp_path, with_target(values, n)), "y", **options)


def test_two_values_are_two_classes(tmp_path):
    split = kind_of(tmp_path, ["no", "yes"] * 30)
    assert split.metric == "accuracy" and split.label_names == ("no", "yes")
    assert "y is no (label 0) or yes (label 1)" in split.description
    assert kind_of(tmp_path, [-1, 1] * 30).label_names == ("-1", "1")
    assert kind_of(tmp_path, [0.0, 2.5] * 30).label_names == ("0", "2.5")
    assert kind_of(tmp_path, [True, False] * 30).metric == "accuracy"
    assert kind_of(tmp_path, [0, 1] * 30, kind="regression").metric == "rmse"


def test_labels_belong_to_their_rows(tmp_path):
    columns = frame()
    columns["y"] = np.where(columns.a > 50, "high", "low")
    split = table_tasks(saved(tmp_path, columns), "y")
    assert split.label_names == ("high", "low")
    assert np.array_equal(split.raw.y_test, (split.raw.x_test[:, 0] <= 50).astype(float))
    for _, tasks in split.sets():
        for task in tasks:
            low = task.x_train[task.y_train == 1, 0]
            assert low.max() < task.x_train[task.y_train == 0, 0].min()


def test_numbers_are_regression_unless_they_look_like_classes(tmp_path):
    assert kind_of(tmp_path, np.arange(60)).metric == "rmse"
    assert kind_of(tmp_path, np.arange(60) % 11).metric == "rmse"  # more than ten distinct numbers
    assert kind_of(tmp_path, np.arange(60) % 4 + 0.5).metric == "rmse"  # no whole numbers
    split = kind_of(tmp_path, np.arange(60) % 4)
    assert split.metric == "accuracy" and split.label_names == ("0", "1", "2", "3")
    assert '4 classes of y: 0, 1, 2, 3 (kind="regression" takes them as numbers)' in split.description
    assert kind_of(tmp_path, np.arange(60) % 4, kind="regression").metric == "rmse"
    assert kind_of(tmp_path, np.arange(12), n=12).metric == "rmse"  # each number once


def test_several_classes(tmp_path):
    values = ["red", "green", "blue"] * 20
    split = kind_of(tmp_path, values, positive="green")
    assert split.label_names == ("not green", "green")
    assert split.raw.y_test.sum() == 4  # a third of 12, stratified
    for kind in ("auto", "classification", "multiclass"):
        split = kind_of(tmp_path, values, kind=kind)
        assert split.label_names == ("blue", "green", "red") and split.search[0].n_classes == 3
        assert split.search[0].y_train.shape[1] == 3
        assert set(split.raw.y_test) == {0.0, 1.0, 2.0}
    assert kind_of(tmp_path, ["no", "yes"] * 30, kind="multiclass").search[0].y_train.shape[1] == 2


def test_vectors_get_an_entry_for_every_class(tmp_path):
    """With more classes than features there are features that are 0."""
    columns = with_target(list("abcdefg") * 15, 105)
    narrow = columns[[*list(columns)[:2], "y"]]
    split = table_tasks(saved(tmp_path, narrow), "y")
    width = len(split.raw.x_test[0])
    assert (
        split.n_features == 7 > width and "so that vectors have an entry for every class" in split.description
    )
    assert split.feature_names[width:] == tuple(f"zero {i + 1}" for i in range(7 - width))
    for _, tasks in split.sets():
        for task in tasks:
            assert not task.x_train[:, width:].any() and not task.x_valid[:, width:].any()
            assert task.x_train[:, :width].any(axis=0).all()


def test_positive_may_be_written_as_another_number(tmp_path):
    assert kind_of(tmp_path, np.arange(60) % 3, positive="2.0").label_names == ("not 2", "2")
    with pytest.raises(AzgenError, match=r"no row has the class '7'.* the classes are 0, 1, 2"):
        kind_of(tmp_path, np.arange(60) % 3, positive="7")
    with pytest.raises(AzgenError, match="leave one of the two out"):
        kind_of(tmp_path, np.arange(60) % 3, positive="1", kind="regression")


def test_every_part_holds_every_class_in_its_share(tmp_path):
    values = ["rare"] * 12 + ["common"] * 108
    split = kind_of(tmp_path, values, n=120)
    for _, tasks in split.sets():
        for task in tasks:
            for labels in (task.y_train, task.y_valid):
                assert 0.05 < labels.mean() < 0.2 or 0.8 < labels.mean() < 0.95


def test_categories_become_one_feature_each(tmp_path):
    columns = frame()
    columns["color"] = ["red", "green", "blue"] * 20
    columns["sex"] = ["f", "m"] * 30
    options = dict(categorical=("auto",))
    split = table_tasks(saved(tmp_path, columns), "y", **options)
    assert split.feature_names == ("a", "b", "c", "color=blue", "color=green", "color=red", "sex=m")
    assert "color (3 categories), sex (2 categories)" in split.description
    rows = split.raw.test_lines - 2
    assert np.array_equal(split.raw.x_test[:, 4], (columns.color[rows] == "green").to_numpy(float))
    assert np.array_equal(split.raw.x_test[:, 6], (columns.sex[rows] == "m").to_numpy(float))
    # A column of numbers is one of categories only when it is named.
    named = dict(categorical=("c", "color", "sex"))
    assert "c=3" in table_tasks(saved(tmp_path, columns), "y", **named).feature_names


def test_a_category_of_the_test_rows_alone_is_zero_everywhere(tmp_path):
    columns = frame()
    columns["color"] = ["red", "green", "blue"] * 20
    options = dict(categorical=("auto",))
    rows = table_tasks(saved(tmp_path, columns), "y", **options).raw.test_lines - 2
    columns.loc[rows[0], "color"] = "violet"
    split = table_tasks(saved(tmp_path, columns), "y", **options)
    assert split.feature_names == ("a", "b", "c", "color=blue", "color=green", "color=red")
    assert (split.raw.x_test[0, 3:] == 0).all()


def test_empty_cells_take_the_training_rows_mean_or_median(tmp_path):
    columns = frame()
    columns.loc[[3, 10, 11], "a"] = np.nan
    columns.loc[[3, 40], "b"] = np.nan
    path = saved(tmp_path, columns)
    for impute, middle in (("mean", np.nanmean), ("median", np.nanmedian)):
        split = table_tasks(path, "y", impute=impute)
        assert f"5 empty cells take the {impute}" in split.description
        rest = np.setdiff1d(np.arange(60), split.raw.test_lines - 2)
        expected = middle(columns.a.to_numpy()[rest])
        filled = np.where(columns.a.isna(), expected, columns.a)
        assert np.allclose(split.raw.x_train[:, 0], filled[rest])
        assert np.allclose(split.raw.x_test[:, 0], filled[split.raw.test_lines - 2])
        # A search task knows the mean of its own training rows alone: after standardisation that mean is 0.
        if impute == "mean":
            zero = [np.isclose(task.x_train[:, 0], 0, atol=1e-12).sum() for task in split.search]
            assert max(zero) >= 1


def test_constant_columns_can_be_left_out(tmp_path):
    columns = frame().assign(k=4, z=np.nan)
    options = dict(drop_constant=True)
    split = table_tasks(saved(tmp_path, columns), "y", **options)
    assert split.feature_names == ("a", "b", "c")
    assert "left out as constant: k (always 4), z (always empty)" in split.description


def test_columns_can_be_dropped(tmp_path):
    split = table_tasks(saved(tmp_path, frame()), "y", drop=("b",))
    assert split.feature_names == ("a", "c")
    with pytest.raises(AzgenError, match="no dropped column 'bb'"):
        table_tasks(saved(tmp_path, frame()), "y", drop=("bb",))
    with pytest.raises(AzgenError, match="both the target and the dropped column"):
        table_tasks(saved(tmp_path, frame()), "y", drop=("y",))


def test_a_column_constant_in_training_alone_is_zero(tmp_path):
    columns = frame()
    columns["spike"] = 0.0
    columns.loc[17, "spike"] = 1e6
    for _, tasks in table_tasks(saved(tmp_path, columns), "y").sets():
        for task in tasks:
            if (task.x_train[:, 3] == 0).all():
                assert (task.x_valid[:, 3] == 0).all()  # and not 1e6


def test_labels_constant_in_training_alone_are_not_made_to_vanish(tmp_path):
    """Zeros before the first sale: predicting 0 must not look perfect on the sales that follow."""
    columns = frame()
    columns["time"] = np.arange(60)
    columns["y"] = np.where(np.arange(60) < 48, 0.0, 5.5 + np.arange(60) % 3)
    split = table_tasks(saved(tmp_path, columns), "y", time="time", kind="regression")
    assert split.provenance["standardization"]["label_scale"] == 1.0
    assert (split.search[0].y_train == 0).all()
    assert (split.test[0].y_valid >= 5.5).all()


def test_large_offsets_do_not_spoil_standardisation(tmp_path):
    columns = frame()
    columns["a"] = 1e12 + np.arange(60)
    columns["b"] = np.linspace(1e30, 3e38, 60)
    columns["c"] = np.linspace(1e-30, 2e-30, 60)
    for task in table_tasks(saved(tmp_path, columns), "y").search:
        assert np.abs(task.x_train.std(axis=0) - 1).max() < 1e-9


def test_seeds(tmp_path):
    path = saved(tmp_path, frame())

    def rows(seed):
        return table_tasks(path, "y", seed=seed).raw.test_lines.tolist()

    assert rows(1) == rows(1) != rows(2)


@pytest.mark.parametrize(
    ("name", "options", "metric"),
    [
        ("wine", {"positive": "class_1"}, "accuracy"),
        ("wine", {"kind": "multiclass"}, "accuracy"),
        ("breast-cancer", {}, "accuracy"),
        ("diabetes", {}, "rmse"),
        ("digits", {"positive": "3", "drop_constant": True}, "accuracy"),
    ],
)
def test_bundled_sets_as_tables_and_written_out_as_csv(tmp_path, name, options, metric):
    table = load_data_set(name).table()
    direct = tasks_of_table(table, of_ten(**options))
    table.columns.to_csv(tmp_path / "set.csv", index=False)
    read = table_tasks(tmp_path / "set.csv", "target", **options)
    assert direct.metric == read.metric == metric
    for (_, a), (_, b) in zip(direct.sets(), read.sets(), strict=True):
        for one, other in zip(a, b, strict=True):
            assert np.array_equal(one.x_train, other.x_train) and np.array_equal(one.y_valid, other.y_valid)
