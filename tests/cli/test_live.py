"""What others see of a run while it goes on: the log that tools follow, TensorBoard, the terminal."""

from __future__ import annotations

import dataclasses
import io
import re
import struct
import sys
import typing
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import azgen
from azgen.cli.report import print_ladder
from azgen.cli.view import LineView, LiveView
from azgen.language.zoo import zoo
from azgen.runs.directory import RunDirectory
from azgen.runs.events import Champion, Event, NewChampion, Progress, Quarantined, Resumed, Started, Warned
from azgen.runs.log import Thinning
from azgen.runs.saved import load_run
from azgen.settings.presets import preset
from azgen.study.recorder import Recorder
from tests.search.small import SMALL, changed

ROOT = Path(__file__).resolve().parents[2]
CHAMPION = Champion(zoo("linear").normalized(), 4321, 1, 0.91, 0.87654321)


def progress(seconds: float, programs: int, **more: Any) -> Progress:
    return Progress(seconds, programs, 0, 0.9, {"programs": programs, "evaluated": programs}, **more)


# -- the log


def test_the_documentation_names_every_event_and_field() -> None:
    text = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    kinds = (*typing.get_args(Event), Champion)
    sections = dict(re.findall(r"^## `?(\w+)`?\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    for kind in kinds:
        documented = set(re.findall(r"^\| `(\w+)`", sections[kind.__name__], re.MULTILINE))
        fields = {field.name for field in dataclasses.fields(kind)}
        assert documented == fields | ({"hash", "structure_hash"} if kind is Champion else set()), kind


def test_a_full_disk_delays_the_log_and_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory, seen = RunDirectory(tmp_path), list[Event]()
    recorder = Recorder(directory, SMALL, [seen.append])
    recorder.observe(Started("a", "b", "c", 0.1, True))
    written = (tmp_path / "events.jsonl").read_text()
    assert written.count("\n") == 1
    events, temporaries = directory._events, sys.modules["tempfile"].mkstemp
    directory._events = open("/dev/full", "ab", buffering=0)  # noqa: SIM115

    def full(*args: Any, **options: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("azgen.files.tempfile.mkstemp", full)
    recorder.observe(NewChampion(1.0, CHAMPION))
    recorder.observe(progress(2.0, 200))
    recorder.observe(progress(2.1, 210))
    (warning,) = [event for event in seen if isinstance(event, Warned)]
    assert warning.message == (
        f"cannot write {tmp_path}/events.jsonl: No space left on device; free some space, or name a place on "
        "another disk; it is tried again"
    )
    assert (tmp_path / "events.jsonl").read_text() == written and not (tmp_path / "champion.az").exists()
    directory._events = events
    monkeypatch.setattr("azgen.files.tempfile.mkstemp", temporaries)
    recorder.observe(progress(2.2, 220))  # which the log does not keep
    directory.close()
    log = [line.split('"')[3] for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert log == ["Started", "NewChampion", "Warned", "Progress"]
    assert "program 4321" in (tmp_path / "champion.az").read_text()


def test_a_run_that_goes_on_lists_no_champion_twice_and_has_no_module_of_an_earlier_end(
    tmp_path: Path,
) -> None:
    for name in ("champion.py", "champion.pyx", "result.json"):
        (tmp_path / name).write_text("")
    older = dataclasses.replace(CHAMPION, number=17, select_fitness=0.5)
    recorder = Recorder(RunDirectory(tmp_path), SMALL, [], [CHAMPION, older])
    recorder.observe(Resumed(10.0, 5000, 4, "here.npz"))
    recorder.observe(NewChampion(11.0, CHAMPION))
    hall = load_run(tmp_path).hall_of_fame
    assert [champion.number for champion in hall] == [4321, 17]
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"config.toml", "events.jsonl", "hall_of_fame.json", "champion.az"}


def test_the_log_of_many_islands_and_many_warnings_stays_small() -> None:
    thinning, size = Thinning(), 0
    for n in range(86_400):
        event = progress(float(n), n, islands=(0.9,) * 1000)
        size += 20_000 * thinning.keeps(event)
        size += 200 * thinning.keeps(Warned(float(n), "a worker was lost"))
    assert size < 20e6


# -- TensorBoard


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Curves in TensorBoard's files: records of length, checksum, data, checksum."""
    from tensorboardX.proto.event_pb2 import Event as Record

    found: dict[str, list[tuple[int, float]]] = {}
    for path in sorted(folder.iterdir()):
        data, at = path.read_bytes(), 0
        while at < len(data):
            (length,) = struct.unpack_from("<Q", data, at)
            record = Record.FromString(data[at + 12 : at + 12 + length])
            at += 16 + length
            for value in record.summary.value:
                if value.HasField("simple_value"):
                    found.setdefault(value.tag, []).append((record.step, value.simple_value))
    return found


def test_tensorboard_gets_the_course_of_the_run(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX", reason="the extra `tensorboard` is not installed")
    run = azgen.evolve(changed(SMALL, stop__max_programs=8000), out=tmp_path / "run", tensorboard=True)
    curves = scalars(tmp_path / "run" / "tensorboard")
    champions = curves["fitness/selection"]
    assert champions[-1] == (run.champion.number, pytest.approx(run.champion.select_fitness))
    assert {"fitness/best_island", "fitness/median_island", "islands/workers", "ladder/evaluated"} <= set(
        curves
    )
    assert all(0 <= value <= 1 for _, value in curves["ladder/evaluated"])


def test_a_full_disk_ends_tensorboards_curves_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = pytest.importorskip("tensorboardX.record_writer", reason="no extra `tensorboard`")
    monkeypatch.setattr(files, "open_file", lambda path: open("/dev/full", "wb"))  # noqa: SIM115
    events: list[Event] = []
    settings = changed(SMALL, stop__max_programs=8000)
    run = azgen.evolve(settings, out=tmp_path / "run", tensorboard=True, observer=events.append)
    assert run.reason == "8000 programs"
    (warning,) = [event for event in events if isinstance(event, Warned)]
    assert "No space left on device; TensorBoard's curves end here" in warning.message
    assert "curves end here" in (tmp_path / "run" / "events.jsonl").read_text()


# -- the terminal


def picture(view: LiveView) -> str:
    to = Console(file=io.StringIO(), force_terminal=True, width=140, color_system=None)
    to.print(view.render())
    return to.file.getvalue()  # type: ignore[attr-defined]


def test_the_live_view_tells_of_all_islands() -> None:
    view = LiveView(changed(preset("linear"), stop__max_programs=100_000, stop__max_seconds=0.0))
    view.observe(Resumed(10.0, 10_000, 4, "run/checkpoints/checkpoint-000007.npz"))
    view.observe(progress(10.0, 10_000, round=5, islands=(0.5, 0.75, 0.25), workers=2))
    text = picture(view)
    assert "goes on from run/checkpoints/checkpoint-000007.npz: 10 000 programs, round 5" in text
    assert "1 000 a second)" in text and "3 islands, 0 restarts, 2 workers, round 6" in text
    assert "0.5000 0.7500 0.2500" in text
    view.observe(progress(20.0, 40_000, round=9, islands=(0.5,) * 39 + (0.875,), workers=2))
    view.observe(Warned(21.0, "a worker was lost"))
    view.observe(Quarantined(22.0, "text", "abcdef", "killed by SIGSEGV"))
    text = picture(view)
    assert "3 000 a second, 2 000 over the whole run" in text
    assert re.search(r"\(\d+\.\d s left\)", text), text
    assert "0.8750 at most, 0.5000 in the median, 0.5000 at least" in text
    assert "warning: a worker was lost" in text
    assert "program abcdef is in quarantine: killed by SIGSEGV" in text


def test_lines_tell_the_same() -> None:
    to = Console(file=io.StringIO(), width=200)
    view = LineView(preset("linear"), to)
    view.observe(Resumed(10.0, 10_000, 4, "here.npz"))
    view.observe(progress(20.0, 40_000, islands=(0.5, 0.9)))
    view.observe(Warned(21.0, "a worker was lost"))
    view.observe(progress(40.0, 50_000, islands=(0.5,), stages=("stage 1 of 2 at 0.4321",)))
    view.observe(progress(60.0, 60_000, islands=(0.9,), stages=("",)))
    lines = to.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [line.partition(" s  ")[2] for line in lines] == [
        "goes on from here.npz: 10 000 programs, round 5",
        "40 000 programs, 2 islands, 0 restarts, best on its search tasks 0.9000",
        "warning: a worker was lost",
        "50 000 programs, population 1, stage 1 of 2 at 0.4321",
        "60 000 programs, population 1, best on its search tasks 0.9000",
    ]


def test_the_report_names_programs_in_quarantine() -> None:
    to = Console(file=io.StringIO(), width=200, color_system=None)
    suspect = {"program": "def Setup():\n  s2 = 1.5\n", "cause": "killed by SIGSEGV", "island": 0, "round": 3}
    result = {
        "counts": {"programs": 10, "evaluated": 10},
        "seconds": 1.0,
        "cpu_seconds": 1.0,
        "reason": "over",
    }
    print_ladder(to, {**result, "quarantined": [suspect, {**suspect, "island": 1}]})
    text = to.file.getvalue()  # type: ignore[attr-defined]
    assert text.count("killed by SIGSEGV:") == text.count("s2 = 1.5") == 1
