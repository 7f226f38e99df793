"""Runs at the edge of what there can be go to their end: one feature, one task of a set, an order in time."""

import json

import numpy as np
import pytest

from azgen.language.instruction import SCALAR
from azgen.runs.saved import load_run
from tests.commands import azgen
from tests.thinned import few_of

LIMITED = ("--max-programs", 3000, "--baselines", "few")


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def _table(name, header, columns):
    rows = [",".join(str(value) for value in row) for row in zip(*columns, strict=True)]
    with open(name, "w") as file:
        file.write("\n".join([header, *rows]) + "\n")
    return name


def _tasks(*settings):
    with open("small.toml", "w") as file:
        file.write("\n".join(["[tasks]", 'source = "linear"', *settings, "[stop]", "max_programs = 3000"]))
    return "small.toml"


def _carried_out(*arguments):
    """What evolve prints about fitness, after show, resume, run and tune went to their end as well."""
    text = azgen("evolve", *arguments, *LIMITED, "--out", "run", "--full")
    fitness = text[text.index("\nFitness:") : text.index("\nWhat became")]
    shown = azgen("show", "run")
    assert fitness == shown[shown.index("\nFitness:") : shown.index("\nWhat became")]
    azgen("resume", "run", "--max-programs", 6000)
    azgen("run", "run")
    where = arguments if arguments[0] == "--data" else ("--tasks", *arguments)
    program = "zoo:linear" if load_run("run").champion.program.form is SCALAR else "zoo:softmax-linear"
    azgen("tune", program, *where, "--trials", 20, "-o", "tuned.az")
    for set_name in ("search", "select", "test"):
        assert load_run("run").result[set_name]["fitness"]["mean"] > 0
    return fitness


@pytest.mark.parametrize("name", few_of(["n_test", "n_select", "n_search"], "n_test", "n_search"))
def test_one_task_of_a_set(name):
    fitness = _carried_out(_tasks(f"{name} = 1"))
    alone = next(line for line in fitness.splitlines() if " on 1 " in line)
    assert "±" not in alone and "nan" not in fitness.lower()


def test_an_order_in_time():
    x = np.random.default_rng(0).normal(size=60).round(3)
    days = np.arange("2025-01-01", "2025-03-02", dtype="datetime64[D]")
    path = _table("days.csv", "day,x,y", [days, x, (2 * x).round(3)])
    assert "champion on 1 test tasks" in _carried_out("--data", path, "--target", "y", "--time", "day")


def test_a_single_task_has_no_interval_in_json_either():
    azgen("evolve", _tasks("n_test = 1"), *LIMITED, "--out", "run")
    record = json.loads((load_run("run").path / "result.json").read_text())["test"]["fitness"]
    assert record["half_width"] is None and record["n"] == 1


@pytest.mark.parametrize(
    "kind", few_of(["regression", "two classes", "three classes"], "regression", "three classes")
)
def test_a_table_of_one_feature(kind):
    x = np.random.default_rng(0).normal(size=60).round(3)
    labels = {
        "regression": (2 * x).round(3),
        "two classes": np.where(x > 0, "hi", "lo"),
        "three classes": np.where(x > 0.5, "hi", np.where(x > -0.5, "mid", "lo")),
    }
    path = _table("one.csv", "x,y", [x, labels[kind]])
    _carried_out("--data", path, "--target", "y")
