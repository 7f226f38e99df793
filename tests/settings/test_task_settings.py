"""What tasks can be asked for in settings and on the command line: tables, teachers, metrics."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from azgen.errors import AzgenError
from azgen.settings.reading import read_settings, settings_from
from azgen.settings.resolve import resolve_settings
from tests.commands import azgen


@pytest.fixture(autouse=True)
def patients(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    table = pd.DataFrame({"age": random.normal(50, 10, 120), "weight": random.normal(70, 9, 120)})
    table["ward"] = random.choice(["a", "b", "c"], 120)
    table["visit"] = np.arange(120)
    table["clinic"] = np.arange(120) % 15
    table["always"] = 1
    table["ill"] = np.where(table.age + 0.5 * table.weight > 85, "yes", "no")
    table["stage"] = np.where(table.ill == "no", "none", random.choice(["early", "late"], 120))
    table.loc[3, "weight"] = np.nan
    table.to_csv("patients.csv", index=False)


CLEAN = {
    "drop": ["stage", "visit", "clinic"],
    "drop_constant": True,
    "impute": "mean",
    "categorical": ["ward"],
}


def split_of(seed=0, target="ill", metric=None, **changes):
    tasks = {**CLEAN, "n_search": 4, "n_select": 3, "n_test": 2, **changes}
    given = resolve_settings(data="patients.csv", target=target, seed=seed, metric=metric, tasks=tasks)
    return given.tasks.split(given.seed)


def test_options_of_a_table_reach_its_tasks():
    plain = split_of()
    assert plain.feature_names == ("age", "weight", "ward=a", "ward=b", "ward=c")
    assert len(plain.search) == 4 and plain.provenance["rows"]["test"] == 24
    assert len(split_of(folds=6).search) == 6
    assert split_of(test_fraction=0.5).provenance["rows"]["test"] == 60
    assert split_of(categorical=["auto"]).feature_names == plain.feature_names
    late = split_of(target="stage", positive="late", drop=["ill", "visit", "clinic"])
    assert late.label_names == ("not late", "late")
    grouped = split_of(groups="clinic", drop=["stage", "visit"])
    assert "whole groups of clinic" in grouped.description
    ordered = split_of(time="visit", drop=["stage", "clinic", "ill"], target="age", kind="regression")
    assert "ordered by visit" in ordered.description
    assert ordered.raw.test_lines.min() > 96


@pytest.mark.parametrize("metric", ["accuracy", "balanced-accuracy", "log-loss"])
def test_a_metric_of_classes_for_every_source(metric):
    assert split_of(metric=metric).metric == metric
    for source in ("linear", "affine", "two-layer", "two-layer-live", "quadratic"):
        tasks = {
            "source": "teacher",
            "teacher": source,
            "n_features": 5,
            "n_search": 2,
            "n_select": 2,
            "n_test": 2,
        }
        given = resolve_settings("linear", metric=metric, tasks=tasks)
        split = given.tasks.split(1)
        assert split.metric == metric and set(split.search[0].y_train) <= {0.0, 1.0}
        regression = resolve_settings("linear", tasks=tasks).tasks.split(1)
        for task, other in zip(split.search, regression.search, strict=True):
            np.testing.assert_array_equal(task.y_train, other.y_train > 0)
        for redraw in (0, 2):
            alone = given.tasks.search(1, redraw)
            whole = given.tasks.split(1, redraw).search
            assert all(np.array_equal(a.y_train, b.y_train) for a, b in zip(alone, whole, strict=True))
    assert resolve_settings("digits", metric=metric).tasks.split(0).metric == metric


@pytest.mark.parametrize("metric", ["rmse", "r2"])
def test_a_metric_of_numbers(metric):
    assert split_of(target="age", metric=metric, drop=["stage", "ill", "visit", "clinic"]).metric == metric
    assert resolve_settings("affine", metric=metric).tasks.split(0).metric == metric
    with pytest.raises(AzgenError, match="for classification it must be one of accuracy"):
        split_of(metric=metric)


def test_teachers_are_what_the_settings_say():
    tasks = {"n_search": 3, "n_select": 2, "n_test": 2, "n_train": 50, "n_valid": 20}

    def drawn(**changes):
        return resolve_settings("linear", tasks={**tasks, **changes, "redraw": False}).tasks.split(4)

    signs = drawn(kind="classification")
    assert signs.metric == "accuracy"
    for n_features in (1, 2, 7, 33):
        assert drawn(n_features=n_features).n_features == n_features
    seeds = drawn(data_seeds=[7], param_seeds=[9, 5])
    assert [task.name.partition(", ")[2] for task in seeds.search] == [
        "data seed 7, parameter seed 9",
        "data seed 8, parameter seed 5",
        "data seed 9, parameter seed 6",
    ]
    assert [task.name for task in seeds.test] == [task.name for task in drawn().test]
    alone = settings_from({"tasks": {**tasks, "data_seeds": [7]}}).tasks.search(4, 0)
    assert alone[0].name.startswith("linear, data seed 7")
    assert not np.array_equal(drawn(noise=0.3).search[0].y_train, drawn().search[0].y_train)
    assert "two-layer-live" in drawn(teacher="two-layer-live", n_features=4).description


def test_images_without_a_projection():
    tasks = {"n_features": 0, "n_search": 1, "n_select": 1, "n_test": 1}
    given = resolve_settings("digits", tasks=tasks)
    assert given.tasks.split(0).n_features == 64


@pytest.mark.parametrize(
    "tasks, message",
    [
        ({"groups": "x"}, 'tasks.groups is for source "table", but tasks.source is "teacher"'),
        ({"source": "images", "data": "digits", "folds": 3}, 'tasks.folds is for source "table"'),
        ({"source": "table", "data": "t.csv", "noise": 0.1}, 'tasks.noise is for source "teacher"'),
        (
            {"source": "images", "data": "digits", "data_seeds": [1]},
            'tasks.data_seeds is for source "teacher"',
        ),
        ({"source": "table", "data": "t.csv", "groups": "a", "time": "b"}, "exclude each other"),
        ({"source": "table", "data": "t.csv", "folds": 3, "time": "b"}, "a fold would train on later rows"),
        ({"source": "table", "data": "t.csv", "folds": 1}, "tasks.folds is 1; at least 2"),
        ({"source": "table", "data": "t.csv", "positive": "a", "kind": "regression"}, "picks a class"),
        ({"source": "table", "data": "t.csv", "test_fraction": 1.0}, "tasks.test_fraction is 1.0"),
        ({"source": "table", "data": "t.csv", "kind": "regression", "metric": "accuracy"}, "rates classes"),
        ({"source": "images", "data": "digits", "kind": "regression"}, "told apart by their classes"),
        ({"teacher": "linear", "kind": "classification", "metric": "r2"}, "tasks.metric r2 rates numbers"),
        ({"teacher": "linear", "metric": "auc"}, "there is no metric 'auc'"),
        ({"teacher": "linear", "redraw": True, "data_seeds": [1]}, "leave one of them out"),
        ({"teacher": "linear", "data_seeds": [-1]}, "tasks.data_seeds is [-1]; it must be at least 0"),
        ({"teacher": "linear", "n_features": 0}, "tasks.n_features is 0; it must be at least 1"),
        ({"teacher": "two-layer", "n_features": 2}, "at least 3 for two-layer"),
    ],
)
def test_contradictions_are_refused(tasks, message):
    with pytest.raises(AzgenError) as caught:
        settings_from({"tasks": tasks}, "mine.toml")
    assert str(caught.value).startswith("mine.toml: ") and message in str(caught.value)


OPTIONS = ("--impute", "median", "--categorical", "auto", "--drop", "stage,visit", "--drop-constant")
OPTIONS = (*OPTIONS, "--groups", "clinic", "--folds", "5", "--test-fraction", "0.3", "--data", "patients.csv")


def test_all_commands_take_the_same_options():
    azgen("evolve", "--target", "ill", *OPTIONS, "--metric", "balanced-accuracy", "--max-programs", "2000",
          "--baselines", "few", "--out", "mine")  # fmt: skip
    tasks = read_settings("mine/config.toml").tasks
    assert (tasks.impute, tasks.drop, tasks.folds, tasks.test_fraction) == (
        "median",
        ("stage", "visit"),
        5,
        0.3,
    )
    result = json.loads(Path("mine/result.json").read_text())
    assert result["metric"] == "balanced-accuracy" and result["search"]["fitness"]["n"] == 5
    ran = json.loads(azgen("run", "zoo:linear", "--target", "ill", *OPTIONS, "--json"))
    tuned = json.loads(azgen("tune", "zoo:linear", "--target", "ill", *OPTIONS, "--trials", "9", "--json"))
    drawn = json.loads(azgen("data", "patients.csv", "--target", "ill", *OPTIONS[:-2], "--draw", "--json"))
    assert ran["data"] == tuned["data"] == drawn["description"] == result["data"]
    message = azgen("evolve", "--target", "ill", *OPTIONS, "--time", "visit", status=2)
    assert "exclude each other" in message
    assert '--groups is for source "table"' in azgen("evolve", "linear", "--groups", "x", status=2)
    assert "no dropped column 'x'" in azgen(
        "evolve", *OPTIONS[-2:], "--target", "ill", "--drop", "x", status=2
    )
