"""The run directory: naming, whole files, reading back, damage."""

import dataclasses
import json
import math

import pytest

from azgen.errors import AzgenError
from azgen.language.zoo import zoo
from azgen.runs.directory import RunDirectory
from azgen.runs.events import Champion, NewChampion, Progress
from azgen.runs.saved import load_run
from azgen.settings.settings import Settings
from azgen.tasks.sources import TeacherTasks
from azgen.textual import to_json

CHAMPION = Champion(zoo("linear").normalized(), 17, 2, 0.9, 0.95)
OTHER = Champion(zoo("affine").normalized(), 5, 0, 0.7, math.pi / 4)


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_names_follow_the_run_and_its_seed_and_are_never_used_twice():
    names = []
    for _ in range(3):
        directory = RunDirectory.create("linear", 7)
        directory.write_settings(Settings())
        names.append(str(directory.path))
    assert names == ["runs/linear-7", "runs/linear-7-2", "runs/linear-7-3"]


def test_an_empty_directory_is_used_as_it_is(tmp_path):
    (tmp_path / "runs" / "linear-7").mkdir(parents=True)
    assert str(RunDirectory.create("linear", 7).path) == "runs/linear-7"


@pytest.mark.parametrize(
    "name, expected", [("../etc", "etc-0"), ("my run", "my-run-0"), ("...", "run-0"), ("", "run-0")]
)
def test_names_cannot_leave_the_folder_of_runs(name, expected):
    assert str(RunDirectory.create(name, 0).path) == f"runs/{expected}"


def test_a_place_of_ones_own_must_be_empty(tmp_path):
    place = tmp_path / "some" / "where"
    assert RunDirectory.create("linear", 0, place).path == place
    (place / "thesis.tex").write_text("")
    with pytest.raises(AzgenError, match="not empty"):
        RunDirectory.create("linear", 0, place)
    with pytest.raises(AzgenError, match="is a file"):
        RunDirectory.create("linear", 0, place / "thesis.tex")


def test_settings_are_read_back_exactly():
    settings = Settings(name="mine", seed=3, tasks=TeacherTasks(n_train=(1, 2, 3), noise=0.1))
    directory = written(settings)
    assert load_run(directory.path).settings == settings


def test_champions_are_read_back_exactly():
    run = load_run(written().path)
    assert run.hall_of_fame == (CHAMPION, OTHER)
    assert run.champion == CHAMPION and run.program == CHAMPION.program
    assert run.result is None
    assert (run.path / "champion.az").read_text().startswith("# Found somewhere.\n# By chance.\ndef Setup():")


def test_events_are_one_object_a_line_and_a_cut_last_line_is_left_out():
    directory = written()
    directory.append(NewChampion(1.5, CHAMPION))
    directory.append(Progress(2.0, 100, 0, 0.5, {"programs": 100}))
    with open(directory.path / "events.jsonl", "a") as file:
        file.write('{"event": "Prog')
    events = load_run(directory.path).events()
    assert [event["event"] for event in events] == ["NewChampion", "Progress"]
    assert events[0]["champion"]["program"] == str(CHAMPION.program)
    damaged = (directory.path / "events.jsonl").read_text().replace("}", "", 1)
    (directory.path / "events.jsonl").write_text(damaged)
    with pytest.raises(AzgenError, match="line 1 is damaged"):
        load_run(directory.path).events()


def test_no_file_is_ever_half_written(monkeypatch):
    directory = written()
    before = (directory.path / "hall_of_fame.json").read_text()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("azgen.files.os.fsync", full)
    with pytest.raises(AzgenError, match=r"cannot write .*hall_of_fame\.json: No space left on device"):
        directory.write_champions([OTHER], "")
    assert (directory.path / "hall_of_fame.json").read_text() == before
    assert not list(directory.path.glob(".*"))


def test_json_has_no_numbers_that_json_does_not_have():
    assert json.loads(to_json({"a": math.nan, "b": [math.inf, 1.5]})) == {"a": None, "b": [None, 1.5]}


def test_discarding_takes_back_what_was_written_and_nothing_else(tmp_path):
    directory = written()
    directory.append(Progress(2.0, 100, 0, 0.5, {}))
    for folder, file in (("tensorboard", "events.out.1"), ("checkpoints", ".checkpoint-1.npz.x.part")):
        (directory.path / folder).mkdir()
        (directory.path / folder / file).write_text("")
    assert not directory.has_checkpoint
    (directory.path / "checkpoints" / file).unlink()
    directory.discard()
    assert not directory.path.exists()
    directory = written()
    (directory.path / "thesis.tex").write_text("")
    directory.discard()
    assert [path.name for path in directory.path.iterdir()] == ["thesis.tex"]


def test_what_is_no_run_is_named(tmp_path):
    with pytest.raises(AzgenError, match="no such run directory"):
        load_run(tmp_path / "nowhere")
    with pytest.raises(AzgenError, match="no run directory"):
        load_run(tmp_path)
    directory = RunDirectory.create("linear", 0)
    directory.write_settings(Settings())
    with pytest.raises(AzgenError, match="has not found a program"):
        load_run(directory.path)


@pytest.mark.parametrize(
    "file, text, message",
    [
        ("hall_of_fame.json", "[{", "hall_of_fame.json is damaged"),
        ("hall_of_fame.json", "[]", "must be a list of programs"),
        ("hall_of_fame.json", "[3]", "program 1 is damaged: program is missing"),
        ("hall_of_fame.json", '[{"program": "import os"}]', "number is missing"),
        ("environment.json", "[1]", "environment.json is damaged"),
        ("result.json", "nonsense", "result.json is damaged"),
        ("config.toml", "seed = ", "not valid TOML"),
        ("config.toml", "sead = 3", "Did you mean seed"),
    ],
)
def test_damage_is_named(file, text, message):
    directory = written()
    (directory.path / file).write_text(text)
    with pytest.raises(AzgenError, match=message):
        load_run(directory.path)


def test_a_program_in_a_run_is_parsed_and_never_run():
    directory = written()
    record = [{**dataclasses.asdict(CHAMPION), "program": "import os"}]
    (directory.path / "hall_of_fame.json").write_text(json.dumps(record))
    with pytest.raises(AzgenError, match="program 1, line 1, column 1"):
        load_run(directory.path)


def written(settings: Settings | None = None) -> RunDirectory:
    directory = RunDirectory.create("linear", 0)
    directory.write_settings(settings or Settings())
    directory.write_environment({"azgen": "0"})
    directory.write_champions([CHAMPION, OTHER], "Found somewhere.\nBy chance.")
    return directory
