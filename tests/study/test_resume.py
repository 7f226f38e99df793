"""`azgen resume`, and runs that are killed, starved and cut off on the way: nothing is lost, nothing
differs."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from azgen.errors import AzgenError
from azgen.runs.checkpoint import CheckpointDirectory
from azgen.runs.directory import RunDirectory
from azgen.runs.events import Event, Finished
from azgen.runs.saved import load_run
from azgen.settings.values import as_mapping
from tests.chaos import KINDS, Chaos, findings, history, possible
from tests.commands import azgen
from tests.search.small import SMALL, changed

EAGER = changed(
    SMALL,
    name="eager",
    islands__workers=2,
    islands__checkpoint_seconds=1e-9,
    islands__round_timeout=2.0,
    stop__patience=1500,
    stop__max_programs=100_000,
    stop__round_programs=1000,
)


def records_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def written(settings: Any, folder: Path) -> Path:
    path = folder / "config.toml"
    path.write_text(tomli_w.dumps(as_mapping(settings)))
    return path


def disturbed(settings: Any, folder: Path, kinds: list[str], rounds: int) -> Chaos:
    """A run to which all this has happened, compared with one to which nothing has."""
    config, whole = written(settings, folder), folder / "undisturbed" / "run"
    (folder / "disturbed").mkdir()
    chaos = Chaos(config, folder / "disturbed")
    try:
        chaos.disturb(kinds, rounds)
        result = chaos.finish()
    finally:
        chaos.close()
    undisturbed = records_of(azgen("evolve", config, "--out", whole, "--json"))
    assert chaos.done == kinds and result["event"] == "Result"
    assert findings(chaos.run) == findings(whole)
    assert history(chaos.records) == history(undisturbed)
    assert chaos.left_processes() == [] and chaos.left_files() == []
    assert {path.name for path in chaos.run.iterdir()} == {path.name for path in whole.iterdir()}
    return chaos


LINEAR = changed(EAGER, islands__count=1, islands__workers=1, islands__checkpoint_seconds=60.0)


def test_a_run_that_has_ended_gets_more_programs(tmp_path: Path) -> None:
    config, run, whole = written(LINEAR, tmp_path), tmp_path / "run", tmp_path / "whole" / "run"
    azgen("evolve", config, "--max-programs", 4000, "--out", run)
    before = findings(run)
    message = azgen("resume", run, status=2)
    assert f"{run} has ended (4 000 programs) after 4 000 programs in " in message
    assert "--max-programs or --max-time" in message
    assert "has ended" in azgen("resume", run, "--max-programs", 3000, status=2)
    assert findings(run) == before
    told = records_of(azgen("resume", run, "--max-programs", 9000, "--json"))
    azgen("evolve", config, "--max-programs", 9000, "--out", whole)
    assert findings(run) == findings(whole)
    events = [record["event"] for record in told]
    assert (events[0], *events[-2:]) == ("Resumed", "Finished", "Result")
    assert {path.name for path in run.iterdir()} == {path.name for path in whole.iterdir()}
    saved = load_run(run)
    assert saved.settings == load_run(whole).settings and saved.settings.stop.max_programs == 9000
    log = [record["event"] for record in saved.events()]
    assert log.count("Resumed") == 1 and log.count("Finished") == 1 and log[0] == "Started"
    # A limit replaces the others, as it does for evolve.
    best = saved.champion.select_fitness
    text = azgen("resume", run, "--max-time", "1h", "--target-fitness", best, "--full")
    assert "because of: selection fitness above" in text and "Champion: program" in text
    assert load_run(run).champion.select_fitness > best


def test_a_limit_of_time_counts_from_where_the_search_ended(tmp_path: Path) -> None:
    config, run = written(LINEAR, tmp_path), tmp_path / "run"
    azgen("evolve", config, "--max-programs", 4000, "--out", run)
    result = json.loads((run / "result.json").read_text())
    assert 0 < result["search_seconds"] < result["seconds"]
    assert "has ended" in azgen("resume", run, "--max-time", result["search_seconds"] / 2, status=2)
    more = 10 + 2 * result["seconds"]  # what comes after the search has its share of it
    told = records_of(azgen("resume", run, "--max-time", more, "--target-fitness", 0.3, "--json"))
    assert [record for record in told if record["event"] == "Progress"]


def test_ctrl_c_waits_for_the_round_and_loses_nothing(tmp_path: Path) -> None:
    config, run = written(changed(LINEAR, stop__max_programs=10**9), tmp_path), tmp_path / "run"
    command = [sys.executable, "-m", "azgen", "evolve", str(config), "--out", str(run), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = []
        for line in process.stdout:
            told.append(json.loads(line))
            if told[-1].get("round", 0) == 20:
                process.send_signal(signal.SIGINT)
    assert process.returncode == 0 and told[-1]["reason"] == "interrupted"
    last = [record for record in told if record["event"] == "Progress"][-1]
    more = records_of(azgen("resume", run, "--max-programs", last["programs"] + 1000, "--json"))
    assert (more[0]["event"], more[0]["round"]) == ("Resumed", last["round"])


def test_a_run_whose_results_could_not_be_written_is_concluded_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, run, whole = written(LINEAR, tmp_path), tmp_path / "run", tmp_path / "whole" / "run"
    with monkeypatch.context() as disturbed:

        def full(self: RunDirectory, result: object) -> None:
            raise AzgenError("cannot write result.json: No space left on device")

        disturbed.setattr(RunDirectory, "write_result", full)
        message = azgen("evolve", config, "--max-programs", 4000, "--out", run, status=2)
    assert "No space left on device" in message and f"The run can go on: azgen resume {run}" in message
    azgen("resume", run)
    azgen("evolve", config, "--max-programs", 4000, "--out", whole)
    assert findings(run) == findings(whole)


def test_no_other_process_takes_a_run_that_is_being_concluded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, run = written(LINEAR, tmp_path), tmp_path / "run"
    write, refused = RunDirectory.write_result, []

    def meanwhile(self: RunDirectory, result: Any) -> None:
        refused.append(azgen("resume", run, "--max-programs", 9000, status=2))
        write(self, result)

    monkeypatch.setattr(RunDirectory, "write_result", meanwhile)
    azgen("evolve", config, "--max-programs", 4000, "--out", run)
    (message,) = refused
    assert "another process is carrying out right now" in message


def test_what_was_found_is_kept_when_neither_checkpoint_nor_result_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise AzgenError("cannot write it: No space left on device")

    monkeypatch.setattr(RunDirectory, "write_result", full)
    monkeypatch.setattr(CheckpointDirectory, "write", full)
    run = tmp_path / "run"
    message = azgen("evolve", written(LINEAR, tmp_path), "--max-programs", 4000, "--out", run, status=2)
    assert "No space left on device" in message and "can go on" not in message
    assert load_run(run).champion.select_fitness > 0


def test_the_log_is_whole_when_the_disk_was_full_at_the_end_of_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, write_source, logs = RunDirectory.append, RunDirectory.write_source, list[Any]()

    def fills(self: RunDirectory, *events: Event) -> None:
        if any(isinstance(event, Finished) for event in events):
            logs.append(self._events)
            self._events = open("/dev/full", "ab", buffering=0)  # noqa: SIM115
        append(self, *events)

    def empties(self: RunDirectory, text: str) -> None:
        self._events = logs.pop()
        write_source(self, text)

    monkeypatch.setattr(RunDirectory, "append", fills)
    monkeypatch.setattr(RunDirectory, "write_source", empties)
    azgen("evolve", written(LINEAR, tmp_path), "--max-programs", 4000, "--out", tmp_path / "run")
    told = [record["event"] for record in load_run(tmp_path / "run").events()]
    assert told[-2:] == ["Finished", "Warned"]


def test_what_cannot_be_resumed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, run = written(LINEAR, tmp_path), tmp_path / "run"
    more = ("--max-programs", 9000)
    assert "no such run directory" in azgen("resume", tmp_path / "nowhere", status=2)
    (tmp_path / "empty").mkdir()
    assert "is no run directory: there is no config.toml" in azgen("resume", tmp_path / "empty", status=2)
    azgen("evolve", config, "--max-programs", 3000, "--out", run)
    assert "--workers is 2" in azgen("resume", run, *more, "--workers", 2, status=2)
    assert "must be one of 'auto'" in azgen("resume", run, *more, "--engine", "slurm", status=2)
    message = azgen("resume", run, *more, "--scheduler", "tcp://here:1", status=2)
    assert "tcp://here:1 is for the engine dask: add --engine dask" in message
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "pip install 'azgen[cluster]'" in azgen("resume", run, *more, "--engine", "dask", status=2)
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    assert "pip install 'azgen[tensorboard]'" in azgen("resume", run, *more, "--tensorboard", status=2)
    before = findings(run)
    checkpoints = list((run / "checkpoints").iterdir())
    whole = [path.read_bytes() for path in checkpoints]
    for path in checkpoints:
        path.write_bytes(path.read_bytes()[:1000])
    assert ".npz is damaged" in azgen("resume", run, *more, status=2)
    for path in checkpoints:
        path.unlink()
    assert "there is no checkpoint in" in azgen("resume", run, *more, status=2)
    assert findings(run) == before, "what cannot go on stays as it was"
    for path, data in zip(checkpoints, whole, strict=True):
        path.write_bytes(data)
    text = (run / "config.toml").read_text()
    (run / "config.toml").write_text(text.replace("tournament = 10", "tournament = 9"))
    assert "evolution.tournament is 9, but the run began with 10" in azgen("resume", run, *more, status=2)


@pytest.mark.skipif(not possible(), reason="needs Linux, and setpriv if the user is root")
def test_whatever_happens_to_a_run_it_finds_the_same(tmp_path_factory: pytest.TempPathFactory) -> None:
    # Each once. An interruption is slow; a cut-off checkpoint comes with a killed coordinator.
    kinds = [kind for kind in KINDS if kind not in ("interrupt", "coordinator killed")]
    chaos = disturbed(EAGER, tmp_path_factory.mktemp("run"), kinds, rounds=4)
    told = [record["event"] for record in chaos.records]
    assert "Resumed" in told and "Warned" in told and "Quarantined" not in told


@pytest.mark.slow
@pytest.mark.skipif(not possible(), reason="needs Linux, and setpriv if the user is root")
def test_a_hundred_disturbances_change_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    chosen = random.Random(5)
    kinds = [chosen.choice(KINDS) for _ in range(100)]
    settings = changed(EAGER, stop__max_programs=5_000_000, stop__round_programs=5000)
    disturbed(settings, tmp_path_factory.mktemp("run"), kinds, rounds=3)
    print({kind: kinds.count(kind) for kind in KINDS})
