"""`azgen data`: the list, descriptions, and drawn tasks."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from azgen.cli import app
from azgen.tasks import list_data_sets
from azgen.tasks.describe import describe_columns, describe_labels
from azgen.tasks.readers import read_table


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def data(*arguments, status=0):
    result = CliRunner().invoke(app, ["data", *(str(a) for a in arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    return result.stdout if status == 0 else result.stderr


@pytest.fixture
def patients():
    random = np.random.default_rng(0)
    table = pd.DataFrame({"age": random.integers(20, 80, 60), "weight": random.normal(70, 10, 60)})
    table["color"] = random.choice(["red", "green"], 60)
    table["visit"] = random.permutation(60)
    table["clinic"] = random.integers(0, 9, 60)
    table["ill"] = np.where(table.age > 50, "yes", "no")
    table.loc[[3, 9], "weight"] = np.nan
    table.to_csv("patients.csv", index=False)
    return table


def test_the_list_says_where_every_set_is():
    text = data()
    for entry in list_data_sets():
        line = next(line for line in text.splitlines() if line.startswith(f"{entry.name} "))
        assert (entry.place or "not here") in line
    assert [e["name"] for e in json.loads(data("--json"))["data_sets"]] == [e.name for e in list_data_sets()]


def test_a_missing_set_says_where_it_can_be_had(monkeypatch):
    monkeypatch.setattr("azgen.tasks.image_sets.data_folders", lambda: (pd.io.common.Path("/nowhere"),))
    text = data("cifar10", status=2)
    assert "https://www.cs.toronto.edu" in text and "/nowhere/cifar10" in text


def test_unknown_names():
    assert "Did you mean fashion-mnist?" in data("fashon-mnist", status=2)
    assert "there is no such file" in data("none.csv", status=2)
    assert "draw tasks of what?" in data("--draw", status=2)
    assert "is a teacher" in data("linear", status=2)


def test_names_may_be_spelt_otherwise():
    assert data("Breast_Cancer").splitlines()[0] == data("breast-cancer").splitlines()[0]
    assert "Did you mean digits?" in data("digit", status=2)


def test_a_bundled_set_is_described():
    text = data("wine")
    assert "178" in text and "class_0: 59" in text and "flavanoids" in text
    assert "3 classes of target: class_0, class_1, class_2" in text
    assert "regression: target is a number" in data("diabetes")
    assert "10 classes" in data("digits")


def test_a_table_is_described(patients):
    columns = {c.name: c for c in describe_columns(read_table("patients.csv"))}
    assert columns["weight"].n_empty == 2 and columns["weight"].kind == "numbers"
    assert columns["color"].kind == "text" and columns["color"].n_distinct == 2
    assert columns["color"].values.startswith(patients.color.value_counts().index[0])
    text = data("patients.csv")
    assert "60 rows, 6 columns" in text and "--target" in text
    assert "ill is no (label 0) or yes (label 1)" in data("patients.csv", "--target", "ill")
    assert "Did you mean 'ill'?" in data("patients.csv", "--target", "illl", status=2)
    found = json.loads(data("patients.csv", "--target", "ill", "--json"))
    assert found["rows"] == 60 and len(found["columns"]) == 6 and len(found["sha256"]) == 64


def test_a_seed_decides_the_drawn_task(patients):
    options = ("--target", "ill", "--impute", "mean", "--categorical", "auto", "--drop", "visit")
    options = (*options, "--groups", "clinic")
    found = json.loads(data("patients.csv", *options, "--draw", "--seed", "3", "--rows", "4", "--json"))
    assert found["metric"] == "accuracy" and found["features"] == ["age", "weight", "color=red"]
    assert len(found["x"]) == 4 and set(found["y"]) <= {0.0, 1.0}
    again = json.loads(data("patients.csv", *options, "--draw", "--seed", "3", "--rows", "4", "--json"))
    other = json.loads(data("patients.csv", *options, "--draw", "--seed", "4", "--rows", "4", "--json"))
    assert found == again != other
    text = data("patients.csv", *options, "--draw", "--set", "test", "--task", "9")
    assert "Task 9 of 10 test tasks" in text and "yes:" in text
    assert "whole groups of clinic" in text


def test_table_options_reach_the_table(patients):
    assert "--impute mean or --impute median" in data(
        "patients.csv", "--target", "ill", "--drop", "color", "--draw", status=2
    )
    folds = ("--drop", "color,weight", "--folds", "5")
    text = data("patients.csv", "--target", "ill", *folds, "--draw")
    assert "Task 0 of 5 search tasks" in text
    text = data("patients.csv", "--target", "age", "--drop", "color,weight,ill", "--time", "visit", "--draw")
    assert "ordered by visit" in text and "standard deviation" in text
    assert "exclude each other" in data(
        "patients.csv", "--target", "ill", "--groups", "clinic", "--time", "age", status=2
    )


def test_images_and_teachers_are_drawn():
    assert "projected to 16 features" in data("digits", "--draw")
    assert "all 64 features" in data("digits", "--draw", "--features", "0")
    found = json.loads(data("two-layer", "--draw", "--features", "8", "--json"))
    assert len(found["features"]) == 8 and found["metric"] == "rmse"
    signs = json.loads(data("linear", "--draw", "--kind", "classification", "--json"))
    assert signs["metric"] == "accuracy" and set(signs["y"]) <= {0.0, 1.0}
    assert "give --features 1 or more" in data("linear", "--draw", "--features", "0", status=2)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("digits", "--draw", "--set", "final"), "there is no task set 'final'"),
        (("digits", "--draw", "--task", "99"), "counted from 0"),
        (("digits", "--draw", "--groups", "x"), '--groups is for source "table"'),
        (("linear", "--draw", "--impute", "mean"), '--impute is for source "table"'),
        (("diabetes", "--draw", "--features", "4"), "for images and teachers"),
        (("diabetes", "--draw", "--kind", "maybe"), "kind is 'maybe'"),
        (("diabetes", "--draw", "--impute", "zero"), "impute is 'zero'"),
    ],
)
def test_mistakes(arguments, message):
    assert message in data(*arguments, status=2)


def test_labels_of_several_classes():
    labels = np.eye(3)[[0, 1, 1, 2]]
    assert describe_labels(labels, ("a", "b", "c"), True) == "a: 1 (25.0%), b: 2 (50.0%), c: 1 (25.0%)"
