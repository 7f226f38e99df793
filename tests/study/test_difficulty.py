"""Random search: counts that do not depend on threads, agree with execution, and go on where they ended."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from azgen.errors import AzgenError
from azgen.execution.execute import execute
from azgen.language.program import Program
from azgen.language.zoo import zoo
from azgen.settings.presets import preset
from azgen.settings.settings import Settings
from azgen.study import difficulty
from azgen.study.difficulty import Difficulty, RandomSearch
from tests.commands import azgen


def small(name: str = "paper-linear-learn") -> Settings:
    found = preset(name)
    tasks = dataclasses.replace(
        found.tasks, n_train=(100, 10, 10), n_valid=(20, 10, 10), n_select=4, n_test=4
    )
    return dataclasses.replace(found, tasks=tasks)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(difficulty, "CHUNK", 1 << 15)


def counts(found: Difficulty) -> tuple[object, ...]:
    return dataclasses.astuple(dataclasses.replace(found, cpu_seconds=0.0))


def test_the_count_is_the_same_for_any_number_of_threads_and_when_it_goes_on(tmp_path: Path) -> None:
    search = RandomSearch(small(), 0.3)
    whole = search.search(search.begin(), 1 << 17)
    assert whole.drawn == 1 << 17 and whole.chunks == 4 and whole.acceptable > 0
    assert whole.acceptable <= whole.can_learn and whole.evaluated <= whole.can_learn < whole.drawn
    assert counts(search.search(search.begin(), 1 << 17, workers=3)) == counts(whole)

    half = search.search(search.begin(), 1 << 16)
    difficulty.save(tmp_path / "count.json", half)
    again = RandomSearch(small(), 0.3)
    assert counts(again.search(difficulty.load(tmp_path / "count.json", again.begin()), 1 << 17)) == counts(
        whole
    )


def test_acceptable_programs_have_the_goals_fitness_and_only_what_may_vary_does() -> None:
    settings = small()
    search = RandomSearch(settings, 0.3)
    found = search.search(search.begin(), 1 << 17)
    tasks = settings.tasks.split(settings.seed).search
    for program in map(Program.parse, found.found[:5]):
        assert execute(program, tasks).fitness.mean() >= 0.3 - 1e-6
        assert [len(function) for function in program.functions] == [1, 1, 4]
        assert str(program.functions[1][0]) == "s1 = dot(v1, v0)"


def test_what_cannot_learn_by_its_data_flow_is_never_acceptable() -> None:
    settings = small("paper-linear")
    search = RandomSearch(settings, 0.999)
    found = search.search(search.begin(), 1 << 15)
    assert 0.005 < found.can_learn / found.drawn < 0.03
    assert found.acceptable == 0 and found.rate == 0.0 and found.interval[0] == 0.0


def test_the_interval_is_poissons() -> None:
    low, high = dataclasses.replace(Difficulty("x", "", 0.5), drawn=1000, acceptable=10).interval
    assert np.allclose((low * 1000, high * 1000), (4.795, 18.39), atol=0.01)
    assert np.isclose(
        dataclasses.replace(Difficulty("x", "", 0.5), drawn=1000).interval[1] * 1000, 3.689, atol=0.01
    )


def test_the_reference_is_the_hand_designed_program_of_the_teacher() -> None:
    search = RandomSearch(small())
    tasks = small().tasks.split(small().seed).search
    assert search.reference == "zoo:linear"
    assert np.isclose(search.goal, execute(zoo("linear"), tasks).fitness.mean(), atol=1e-6)


def test_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = ("difficulty", "paper-linear-learn", "--goal", "0.3", "--out", "count.json", "--workers", "2")
    text = azgen(*given, "--programs", "3e4")
    assert "of 32 768 random programs have a fitness of at least 0.300000" in text and "one in" in text
    record = json.loads(azgen(*given, "--programs", "13e4", "--json"))
    assert record["drawn"] == 131072 and record["low"] <= record["rate"] < record["high"]
    assert json.loads((tmp_path / "count.json").read_text())["drawn"] == 131072
    message = azgen("difficulty", "paper-linear-learn", "--goal", "0.4", "--out", "count.json", status=2)
    assert "count.json counts programs of another search" in message
    assert "no program 'nothing' in the zoo" in azgen(
        "difficulty", "paper-linear-learn", "--goal", "zoo:nothing", status=2
    )


def test_settings_in_which_nothing_varies_are_refused() -> None:
    settings = small()
    fixed = dataclasses.replace(settings, learn=dataclasses.replace(settings.learn, random=False))
    with pytest.raises(AzgenError, match="no function to draw at random"):
        RandomSearch(fixed, 0.5)
