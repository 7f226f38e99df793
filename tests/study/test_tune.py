"""Tuning: the settings that are tried, what they are rated by, and the command."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from azgen.errors import AzgenError
from azgen.execution.execute import execute
from azgen.language import Program, load
from azgen.language.conditions import Conditions
from azgen.language.zoo import zoo
from azgen.study.tune import draw_factors, tune
from azgen.tasks.synthetic import affine_tasks, linear_tasks, two_layer_tasks
from tests.commands import azgen

DEAD = Program.parse(
    "def Setup():\n  s3 = 0.5\n  s2 = 0.00001\n  v1[0.25] = 0.5\ndef Predict():\n  s1 = dot(v1, v0)\n"
    "def Learn():\n  s3 = s0 - s1\n  s3 = s2 * s3\n  v2 = s3 * v0\n  v1 = v1 + v2\n"
)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["linear", "neural-net", "best-evolved"])
def test_fitness_is_that_of_executing_the_tuned_program(name, dtype):
    """Stochastic ones too, and with another number of trials than there are lanes."""
    tasks = linear_tasks(5, 4, 200, 50, metric="accuracy")
    tuned = tune(zoo(name), tasks, 37, Conditions(seed=3, epochs=2, dtype=dtype))
    for program, fitness in ((tuned.program, tuned.fitness), (zoo(name), tuned.fitness_before)):
        expected = execute(program, tasks, seed=3, epochs=2, dtype=dtype).fitness
        np.testing.assert_array_equal(fitness, expected)
    assert tuned.fitness.mean() >= tuned.fitness_before.mean()


def test_every_setting_is_rated_as_if_alone():
    """The best of all settings executed one by one is the one that tuning finds."""
    tasks = two_layer_tasks(3, 4, 300, 50)
    program, factors = zoo("neural-net"), draw_factors(zoo("neural-net"), 20, 5)
    means = [
        execute(program.with_constants(tuple(np.array(program.constants) * f)), tasks, seed=5).fitness.mean()
        for f in factors
    ]
    tuned = tune(program, tasks, 20, Conditions(seed=5))
    assert tuned.factors == tuple(factors[int(np.argmax(means))])
    assert tuned.fitness.mean() == max(means)


def test_factors():
    factors = draw_factors(DEAD.live(), 4000, 1)
    assert (factors[0] == 1).all()
    assert (factors[:, 1] == 1).all(), "a position stays"
    for column in (0, 2):
        logs = np.log10(factors[1:, column])
        assert logs.min() > -3 and logs.max() < 3
        assert abs(logs.mean()) < 0.15 and abs(logs.std() - 3 / np.sqrt(3)) < 0.05
    assert not np.array_equal(factors[:, 0], factors[:, 2])
    np.testing.assert_array_equal(factors[:50], draw_factors(DEAD.live(), 50, 1))


def test_a_rate_that_is_far_too_low_is_found():
    tuned = tune(DEAD, linear_tasks(8, 4, 300, 50), 200)
    assert tuned.fitness_before.mean() < 0.5 and tuned.fitness.mean() > 0.88
    assert len(tuned.program.constants) == 3, "dead code is gone"
    assert tuned.program.constants[1] == 0.25
    assert tuned.trials == tuned.full_trials == 200


def test_a_seed_decides_everything():
    tasks, select = affine_tasks(4, 4, 300, 60), affine_tasks(6, 4, 300, 60, seed=9)
    first, again, other = (
        tune(zoo("affine"), tasks, 100, Conditions(seed=s), select=select, rungs=(0.1, 0.3, 1))
        for s in (1, 1, 2)
    )
    assert first.program == again.program != other.program
    assert first.full_trials == 11 < first.trials
    np.testing.assert_array_equal(first.fitness, again.fitness)


def test_selection_tasks_choose_among_the_best():
    tasks, select = linear_tasks(2, 4, 100, 10), linear_tasks(20, 4, 500, 100, seed=7)
    plain = tune(zoo("linear"), tasks, 300)
    chosen = tune(zoo("linear"), tasks, 300, select=select)
    assert plain.select_fitness is None and len(chosen.select_fitness) == 20
    assert chosen.select_fitness.mean() >= max(
        execute(plain.program, select).fitness.mean(), chosen.select_before.mean()
    )
    np.testing.assert_array_equal(chosen.select_fitness, execute(chosen.program, select).fitness)
    assert plain.fitness.mean() >= chosen.fitness.mean()


def test_progress_is_told():
    seen = []
    tune(zoo("linear"), linear_tasks(2, 4, 50, 10), 40, observe=lambda *what: seen.append(what))
    assert seen[-1][:2] == (40, 40)
    assert [best for _, _, best in seen] == sorted(best for _, _, best in seen)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"trials": 0}, "at least 1"),
        ({"rungs": (0.5,)}, "rising to 1"),
        ({"rungs": (0.5, 0.2, 1)}, "rising to 1"),
        ({"tasks": []}, "no tasks"),
    ],
)
def test_bad_arguments(change, message):
    with pytest.raises(AzgenError, match=message):
        tune(**{"program": zoo("linear"), "tasks": linear_tasks(2, 4, 50, 10), **change})


@pytest.mark.parametrize("constant", ["", "  s2 = 0.0\n"])
def test_nothing_to_tune(constant):
    text = f"def Setup():\n{constant or '  pass'}\ndef Predict():\n  s1 = dot(v0, v0)\n  s1 = s1 * s2\n"
    with pytest.raises(AzgenError, match="nothing to tune"):
        tune(Program.parse(text + "def Learn():\n  pass\n"), linear_tasks(2, 4, 50, 10))


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_command_writes_a_program_that_keeps_its_word(in_folder):
    text = azgen("tune", "zoo:linear", "--tasks", "linear", "--trials", "100", "--export", "tuned.py")
    assert "tuned is better by" in text and "100 settings" in text
    tuned = load("linear-tuned.az")
    assert (
        Path("linear-tuned.az").read_text().startswith("# zoo:linear, its constants tuned: the best of 100")
    )
    assert "best of 100 settings" in Path("tuned.py").read_text()
    assert tuned.structure_hash == zoo("linear").structure_hash
    assert "linear-tuned.az exists" in azgen("tune", "zoo:linear", "--tasks", "linear", status=2)
    found = json.loads(
        azgen("tune", "zoo:linear", "--tasks", "linear", "--trials", "100", "-o", "again.az", "--json")
    )
    assert found["program"] == str(tuned)
    fitness = json.loads(azgen("run", "again.az", "--tasks", "linear", "--json"))["sets"]
    for name in ("search", "select", "test"):
        assert fitness[name]["mean"] == found["sets"][name]["tuned"]["fitness"]["mean"]


def test_the_command_on_a_table(in_folder):
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(200, 4)), columns=list("abcd"))
    table["y"] = np.where(table.a + 2 * table.b > 0, "yes", "no")
    table.to_csv("t.csv", index=False)
    options = ("--data", "t.csv", "--target", "y", "--trials", "200", "--epochs", "3", "--halving")
    found = json.loads(azgen("tune", "zoo:neural-net", *options, "--json"))
    assert found["full_trials"] < 200 and found["metric"] == "accuracy"
    assert found["sets"]["test"]["tuned"]["fitness"]["mean"] > 0.85


@pytest.mark.parametrize("metric", ["balanced-accuracy", "log-loss"])
def test_another_metric(in_folder, metric):
    options = ("--tasks", "digits", "--trials", "20", "--metric", metric, "-o", "t.az", "--export", "t.py")
    found = json.loads(azgen("tune", "zoo:linear", *options, "--json"))
    assert found["metric"] == metric
    assert "EvolvedClassifier" in Path("t.py").read_text()
    assert "rates classes, but --kind is" in azgen(
        "tune", "zoo:linear", "--tasks", "linear", "--kind", "regression", "--metric", metric, status=2
    )


def test_mistakes_of_the_command(in_folder):
    assert "on which tasks?" in azgen("tune", "zoo:linear", status=2)
    assert "in a folder that exists" in azgen(
        "tune", "zoo:linear", "--tasks", "linear", "-o", "no/such.az", status=2
    )
    Path("empty.az").write_text("def Setup():\n  pass\ndef Predict():\n  pass\ndef Learn():\n  pass\n")
    assert "nothing to tune" in azgen("tune", "empty.az", "--tasks", "linear", status=2)
