"""What a run used lies with it: a run goes on, is repeated and looked at from any folder."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from azgen.language.zoo import zoo_text
from azgen.settings.reading import read_settings
from tests.commands import azgen

START = "mine.az"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on a table and from a program that were named from its folder, and are looked at from another."""
    home = tmp_path_factory.mktemp("home")
    values = np.random.default_rng(0).normal(size=(60, 2)).round(3)
    (home / "linear.csv").write_text("a,b,y\n" + "".join(f"{a},{b},{a - b:.3f}\n" for a, b in values))
    (home / START).write_text(zoo_text("linear"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        azgen("evolve", "--data", "linear.csv", "--target", "y", "--start", START, "--max-programs", 2000,
              "--baselines", "few")  # fmt: skip
        (home / START).unlink()
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        yield home / "runs" / "linear-table-0"


def test_the_table_has_its_whole_path_and_the_start_is_copied(run):
    settings = read_settings(run / "config.toml")
    assert settings.tasks.data == str(run.parents[1] / "linear.csv")
    assert settings.evolution.initial == (str(run / "started_from" / START),)
    assert json.loads((run / "hall_of_fame.json").read_text())[-1]["origin"] in (START, f"{START}, tuned", "")


def test_commands_work_from_any_folder(run, tmp_path):
    assert "champion" in azgen("resume", run, "--max-programs", 4000)
    azgen("evolve", run / "config.toml", "--max-programs", 500, "--baselines", "few", "--out", tmp_path / "r")
    again = read_settings(tmp_path / "r" / "config.toml")
    assert again.evolution.initial == (str(tmp_path / "r" / "started_from" / START),)
    assert "test" in azgen("run", run)
    moved = shutil.move(str(run), str(tmp_path / "moved"))
    assert "test" in azgen("run", moved)
    azgen("resume", moved, "--max-programs", 5000)
    table = tmp_path.parent / "linear.csv"
    shutil.move(str(run.parents[1] / "linear.csv"), str(table))
    told = azgen("run", moved, status=2)
    assert f"named in {moved}/config.toml" in told and "put it back" in told


def test_it_is_said_where_a_table_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert f"there is no such file in {tmp_path}" in azgen("data", "nope.csv", status=2)
