"""Bad input to the command line: one clear message, exit status 2, no traceback, nothing left behind."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from azgen.cli import app
from azgen.settings.presets import preset_text


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def refused(*arguments, before="anything is printed"):
    """The message of a command that must be refused."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 2
    assert result.stdout == "" or before == "the search"
    assert result.stderr.startswith("Error: ") and "Traceback" not in result.stderr
    assert not list(Path("runs").glob("*"))
    return result.stderr


def table(rows=40, **columns):
    """Writes table.csv: features a and b, target y, or as given."""
    random = np.random.default_rng(0)
    everything = {
        "a": random.normal(size=rows),
        "b": random.normal(size=rows),
        "y": random.normal(size=rows),
    } | columns
    lines = [",".join(everything)]
    lines += [",".join(str(column[row]) for column in everything.values()) for row in range(rows)]
    Path("table.csv").write_text("\n".join(lines) + "\n")


def of_table(*more):
    return refused("evolve", "--data", "table.csv", "--target", "y", "--max-time", "1", *more)


def test_missing_file():
    assert "table.csv" in of_table()
    assert "no such file" in refused("evolve", "--data", "nowhere", "--target", "y")


def test_missing_target_column():
    table()
    message = refused("evolve", "--data", "table.csv", "--target", "price")
    assert "'price'" in message and "a, b, y" in message
    assert "which column is the target?" in refused("evolve", "--data", "table.csv")


def test_text_in_a_feature_column():
    table(a=["1.5"] * 20 + ["abc"] + ["2.5"] * 19)
    message = of_table()
    assert "line 22" in message and "'a'" in message and "'abc'" in message


def test_constant_column():
    table(b=[3] * 40)
    assert "a constant column tells nothing: b (always 3)" in of_table()


def test_empty_cells():
    table(a=[""] + ["1.5", "2.5", "3"] * 13)
    message = of_table()
    assert "'a'" in message and "line 2" in message


def test_one_class_only():
    table(y=[1] * 40)
    assert "one class only" in of_table()


def test_too_few_rows():
    table(rows=9)
    assert "9 rows" in of_table() and "at least 10" in of_table()


def test_text_where_numbers_are_needed():
    table(y=["cat", "dog"] * 20)
    assert "regression needs numbers" in of_table("--kind", "regression")


def test_programs_and_tasks_of_different_forms():
    table(y=["cat", "dog", "cow", "hen"] * 10)
    message = refused("run", "zoo:linear", "--data", "table.csv", "--target", "y")
    assert "4 classes with one-hot labels" in message and "zoo:softmax-linear" in message


def test_a_file_that_is_no_table():
    Path("table.csv").write_bytes(b"\x00\x01\x02" * 100)
    assert "table.csv" in of_table()
    Path("table.csv").write_text("")
    assert "table.csv" in of_table()
    Path("table.csv").unlink()
    Path("table.csv").mkdir()
    assert "table.csv" in of_table()


@pytest.mark.parametrize(
    "before, after, message",
    [
        ('"vector_inner_product"', '"vector_inner_produkt"', "Did you mean 'vector_inner_product'?"),
        ("max_size = 8", "max_size = 7", "learn.min_size 8 and learn.max_size 7 contradict each other"),
        ("scalars = 4", "scalars = 1", "memory.scalars is 1; it must be between 2 and 1000"),
        ("population = 1000", "population = many", "not valid TOML"),
        (
            "population = 1000",
            'population = "many"',
            "evolution.population is 'many'; it must be a whole number",
        ),
        ("population = 1000", "populatoin = 1000", "Did you mean evolution.population?"),
        ("matrices = 1", 'matrices = 0\n[nonsense]\nx = "y"', "there is no setting nonsense"),
        ("n_features = 4", "n_features = 0", "tasks.n_features is 0; it must be at least 1"),
    ],
)
def test_bad_configuration(before, after, message):
    text = preset_text("demo")
    assert before in text
    Path("mine.toml").write_text(text.replace(before, after))
    error = refused("evolve", "mine.toml")
    assert message in error and "mine.toml" in error


def test_an_address_out_of_range_in_the_initial_program():
    Path("start.az").write_text(
        "def Setup():\n  pass\ndef Predict():\n  s1 = dot(v5, v0)\ndef Learn():\n  pass\n"
    )
    text = preset_text("demo").replace("tournament = 10", 'tournament = 10\ninitial = "start.az"')
    Path("mine.toml").write_text(text)
    message = refused("evolve", "mine.toml", before="the search")
    assert "start.az" in message and "memory.vectors is 3; it needs vectors = 6" in message


def test_an_unknown_op_in_the_initial_program():
    Path("start.az").write_text(
        "def Setup():\n  pass\ndef Predict():\n  s1 = dott(v1, v0)\ndef Learn():\n  pass\n"
    )
    text = preset_text("demo").replace("tournament = 10", 'tournament = 10\ninitial = "start.az"')
    Path("mine.toml").write_text(text)
    assert "start.az, line 4, column" in refused("evolve", "mine.toml")


def test_unknown_presets_and_files():
    assert "Did you mean 'linear'?" in refused("evolve", "linaer")
    assert "no such configuration file" in refused("evolve", "mine.toml")
    assert "no such configuration file" in refused("evolve", "some/where")


@pytest.mark.parametrize("time", ["soon", "10x", "-1", "0"])
def test_bad_limits(time):
    assert "is no duration" in refused("evolve", "linear", f"--max-time={time}")


def test_the_preset_for_tables_needs_a_table():
    assert "--data" in refused("evolve", "table")


def test_a_place_that_is_taken():
    Path("mine").mkdir()
    Path("mine/thesis.tex").write_text("")
    assert "mine is not empty" in refused("evolve", "linear", "--out", "mine")


def test_options_that_contradict_each_other():
    assert "only for tables" in refused("evolve", "linear", "--target", "y")
    assert "dtype is 'float16'" in refused("evolve", "linear", "--dtype", "float16")
    assert "backend is 'gpu'" in refused("evolve", "linear", "--backend", "gpu")


def test_what_is_no_run():
    assert "no such run directory or program file" in refused("show", "runs/nothing")
    Path("empty").mkdir()
    assert "empty is no run directory" in refused("show", "empty")
    Path("empty/config.toml").write_text("seed = 1\n")
    assert "has not found a program" in refused("export", "empty")
