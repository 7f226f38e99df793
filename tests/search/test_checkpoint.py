"""Checkpoints: what they hold, damage, and runs that go on as if they had never stopped."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import multiprocess
import numpy as np
import pytest
import tomli_w

from azgen.errors import AzgenError
from azgen.runs.checkpoint import CHECKPOINTS, SCHEMA, CheckpointDirectory, DamagedError, read
from azgen.runs.events import Event, Finished, Progress, Restarted, Resumed, Started, Warned, as_record
from azgen.runs.log import Thinning, rewind
from azgen.runs.saved import saved_settings
from azgen.search import snapshot
from azgen.search.engines.inline import InlineEngine
from azgen.search.engines.orders import Order, Report
from azgen.search.engines.runner import Runner
from azgen.search.engines.workers import WorkerEngine
from azgen.search.evolve import Evolution, Outcome
from azgen.search.space import SearchSpace
from azgen.search.world import World
from azgen.settings.evolution import ACTIONS
from azgen.settings.resolve import resolve_settings
from azgen.settings.settings import Settings
from azgen.settings.values import as_mapping
from azgen.study.run import evolve
from tests.search.small import SMALL, changed
from tests.search.test_islands import history

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "data"

EAGER = changed(
    SMALL,
    islands__checkpoint_seconds=1e-9,
    stop__patience=1500,
    tasks__redraw=True,
    evolution__hurdles=(0.5,),
    evolution__selection="lexicase",
    stop__max_programs=26_000,
)
"""A run that keeps a checkpoint of every round, and has everything that a state can have."""

ONE = changed(EAGER, islands__count=1, evolution__selection="tournament", stop__max_programs=8_000)


def run(
    settings: Settings, directory: Path | None = None, stop_at: int | None = None, **options: Any
) -> tuple[Outcome, list[Event]]:
    """A run, in a directory of its own; with stop_at it is interrupted after that round."""
    events: list[Event] = []

    def observe(event: Event) -> None:
        events.append(event)
        if isinstance(event, Progress) and event.round == stop_at:
            os.kill(os.getpid(), signal.SIGINT)

    checkpoints = None
    if directory is not None:
        (directory / "config.toml").write_text(tomli_w.dumps(as_mapping(settings)))
        checkpoints = directory / CHECKPOINTS
    split = settings.tasks.split(settings.seed)
    return Evolution(settings, split, observe, checkpoints=checkpoints, **options).run(), events


def go_on(directory: Path, **changes: Any) -> tuple[Outcome, list[Event]]:
    """The search of a run that goes on, without what `azgen resume` does before and after it."""
    events: list[Event] = []
    settings = resolve_settings(saved_settings(directory), **changes)
    split = settings.tasks.split(settings.seed)
    checkpoints = directory / CHECKPOINTS
    return Evolution(settings, split, events.append, checkpoints=checkpoints, resume=True).run(), events


def result(outcome: Outcome) -> tuple[Any, ...]:
    return outcome.hall_of_fame, outcome.counts, outcome.test_fitness.tolist(), outcome.reason


@pytest.fixture(scope="module", params=["one island", "four islands"])
def undisturbed(request: pytest.FixtureRequest) -> tuple[Settings, Outcome, list[Event]]:
    settings = ONE if request.param == "one island" else EAGER
    return settings, *run(settings)


@pytest.mark.parametrize("stop_at", [0, 3, 8, 11])
def test_an_interrupted_run_goes_on_as_if_it_had_not_been(
    stop_at: int, undisturbed: tuple[Settings, Outcome, list[Event]], tmp_path: Path
) -> None:
    settings, outcome, events = undisturbed
    stopped, before = run(settings, tmp_path, stop_at)
    assert stopped.reason == "interrupted" and stopped.counts["programs"] < outcome.counts["programs"]
    resumed, after = go_on(tmp_path)
    assert result(resumed) == result(outcome)
    (at,) = [e for e in after if isinstance(e, Resumed)]
    assert at.round == stop_at and at.programs == stopped.counts["programs"]
    told = [e for e in before if not isinstance(e, Started | Finished) and e.seconds <= at.seconds] + after
    assert history(told) == history(events)
    seconds = [e.seconds for e in told if isinstance(e, Progress)]
    assert seconds == sorted(seconds)


def test_a_run_goes_on_in_workers_and_back(
    undisturbed: tuple[Settings, Outcome, list[Event]], tmp_path: Path
) -> None:
    settings, outcome, _ = undisturbed
    run(settings, tmp_path, 5, world=World(lambda space: WorkerEngine(space, 2)))
    first, _ = checkpoints_of(tmp_path)
    found, _ = go_on(tmp_path, engine="workers")
    assert result(found) == result(outcome)
    assert first != checkpoints_of(tmp_path)[0]


def test_a_run_whose_limit_is_reached_where_a_population_ends_goes_on_as_if_it_had_not_been(
    tmp_path: Path,
) -> None:
    settings = changed(ONE, stop__patience=0, stop__restart_programs=1100, stop__max_programs=5000)
    outcome, events = run(settings)
    _, before = run(changed(settings, stop__max_programs=2200), tmp_path)
    resumed, after = go_on(tmp_path, max_programs=5000)
    assert result(resumed) == result(outcome) and resumed.ratings == outcome.ratings
    (at,) = [e for e in after if isinstance(e, Resumed)]
    assert at.programs == 2200
    told = [e for e in before if not isinstance(e, Started | Finished) and e.seconds <= at.seconds] + after
    assert history(told) == history(events)


def checkpoints_of(directory: Path) -> list[Path]:
    return sorted((directory / CHECKPOINTS).iterdir(), reverse=True)


def test_more_programs_give_the_run_that_had_them_from_the_start(
    undisturbed: tuple[Settings, Outcome, list[Event]], tmp_path: Path
) -> None:
    settings, outcome, _ = undisturbed
    most = settings.stop.max_programs
    for limit in (most // 3 + 77, most // 2 + 5):
        if limit == most // 3 + 77:
            run(changed(settings, stop__max_programs=limit), tmp_path)
        else:
            go_on(tmp_path, max_programs=limit)
    resumed, _ = go_on(tmp_path, max_programs=most)
    assert result(resumed) == result(outcome)


def test_rounds_that_a_limit_cut_short_are_in_no_checkpoint(tmp_path: Path) -> None:
    outcome, events = run(EAGER)
    # A population of 100 begins in the round that is cut to 400 programs an island: there is one more round.
    at = next(event.programs for event in events if isinstance(event, Restarted))
    _, before = run(changed(EAGER, stop__max_programs=at + 1600), tmp_path)
    counts = [e.programs for e in before if isinstance(e, Progress)]
    assert counts[-1] >= at + 1600 > counts[-2] > at
    assert result(go_on(tmp_path, max_programs=EAGER.stop.max_programs)[0]) == result(outcome)


def test_a_run_that_is_complete_is_concluded_once_more(tmp_path: Path) -> None:
    solved = changed(ONE, seed=4, stop__max_programs=0, stop__target_fitness=0.3)  # after some restarts
    outcome, _ = run(solved, tmp_path)
    assert outcome.reason == "selection fitness above 0.3"
    assert outcome.counts["programs"] > 5000
    again, events = go_on(tmp_path)
    assert result(again) == result(outcome)
    assert not [e for e in events if isinstance(e, Progress)]


@pytest.mark.parametrize("settings", [ONE, EAGER], ids=["one island", "four islands"])
def test_a_round_that_fails_ends_the_run_with_its_message_and_can_be_repeated(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out = Runner.run

    def full(self: Runner, order: Order) -> Report:
        report = carry_out(self, order)
        if (order.island, order.round) == (settings.islands.count - 1, 5):
            self._residents.pop(order.island)  # as in a round that fails half-way
            raise AzgenError("no space left for compiled code")
        return report

    with monkeypatch.context() as disturbed:
        disturbed.setattr(Runner, "run", full)
        with pytest.raises(AzgenError, match="no space left for compiled code"):
            run(settings, tmp_path)
    assert result(go_on(tmp_path)[0]) == result(run(settings)[0])


def test_a_run_is_concluded_that_ended_when_an_island_was_to_begin_again(tmp_path: Path) -> None:
    _, events = run(EAGER)
    restart = next(number for number, event in enumerate(events) if isinstance(event, Restarted))
    round_number = [e.round for e in events[:restart] if isinstance(e, Progress)][-1]
    stopped, _ = run(EAGER, tmp_path, round_number)
    concluded, _ = go_on(tmp_path, max_programs=1)
    assert concluded.hall_of_fame == stopped.hall_of_fame and concluded.reason == "1 programs"


def test_two_checkpoints_are_kept_and_nothing_else(tmp_path: Path) -> None:
    run(ONE, tmp_path)
    names = [path.name for path in checkpoints_of(tmp_path)]
    assert len(names) == 2 and all(name.startswith("checkpoint-") and name.endswith(".npz") for name in names)
    values = read(checkpoints_of(tmp_path)[0]).values
    assert values["progress"]["round"] > 10


@pytest.fixture(scope="module")
def stopped_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was interrupted after its sixth round."""
    directory = tmp_path_factory.mktemp("stopped")
    run(ONE, directory, 6)
    return directory


@pytest.fixture
def stopped(stopped_once: Path, tmp_path: Path) -> Path:
    """That run, for a test to change."""
    return Path(shutil.copytree(stopped_once, tmp_path / "stopped"))


@pytest.fixture(scope="module")
def whole() -> Outcome:
    """The run that was not."""
    return run(ONE)[0]


@pytest.mark.parametrize("damage", ["truncated", "empty", "changed", "no archive"])
def test_a_damaged_checkpoint_is_passed_over(damage: str, stopped: Path, whole: Outcome) -> None:
    newest, older = checkpoints_of(stopped)
    data = newest.read_bytes()
    if damage == "truncated":
        newest.write_bytes(data[: len(data) // 2])
    elif damage == "empty":
        newest.write_bytes(b"")
    elif damage == "changed":
        at = len(data) // 3
        newest.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    else:
        newest.write_bytes(b"not an archive at all")
    resumed, events = go_on(stopped)
    assert result(resumed) == result(whole)
    (warning,) = [e for e in events if isinstance(e, Warned)]
    assert "is damaged" in warning.message and older.name in warning.message


def test_when_all_are_damaged_the_run_ends_with_a_message(stopped: Path) -> None:
    for path in checkpoints_of(stopped):
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(AzgenError, match=r"checkpoint-\d+\.npz is damaged"):
        go_on(stopped)
    shutil.rmtree(stopped / CHECKPOINTS)
    with pytest.raises(AzgenError, match="there is no checkpoint in"):
        go_on(stopped)


def rewritten(directory: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
    """Changes the newest checkpoint, checksums and all."""
    newest, *older = checkpoints_of(directory)
    for path in older:
        path.unlink()
    found = read(newest)
    values, arrays = found.values, {name: array.copy() for name, array in found.arrays.items()}
    newest.unlink()
    change(values, arrays)
    kept = CheckpointDirectory(directory / CHECKPOINTS)
    kept.write(values, arrays)
    kept.close()


def setting(name: str, *keys: Any, to: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    def change(values: dict[str, Any], arrays: dict[str, Any]) -> None:
        target: Any = arrays if name in arrays else values
        for key in (name, *keys)[:-1]:
            target = target[key]
        target[(name, *keys)[-1]] = to

    return change


@pytest.mark.parametrize(
    "change",
    [
        setting("code", "op", 3, to=99),
        setting("code", "op", 3, to=-1),
        setting("code", "out", slice(None), to=0),
        setting("code", "a", 5, to=1000),
        setting("code", "b", 5, to=-3),
        setting("sizes", (0, 0), to=5000),
        setting("sizes", (0, 0), to=-1),
        setting("fitness", (0, 3), to=float("nan")),
        setting("known.place", 0, to=10**6),
        setting("known.place", 0, to=-1),
        setting("known.n", 0, to=3),
        setting("heights", (0, 0, 0, 5), to=-5.0),
        setting("islands", 0, "next", to=100),
        setting("islands", 0, "next", to="1"),
        setting("islands", 0, "random", to=2**64),
        setting("islands", 0, "known", to=[3, 1]),
        setting("islands", 0, "hurdles", to=[[101, 0]]),
        setting("islands", to=[]),
        setting("progress", "lives", to=[]),
        setting("progress", "round", to=-4),
        setting(
            "progress", "quarantine", to=[{"program": "import os", "island": 0, "round": 0, "cause": ""}]
        ),
        setting("hall", 0, "program", to="def Setup():\n  s99 = 1\n"),
        lambda values, arrays: arrays.pop("code"),
        lambda values, arrays: arrays.update(sizes=arrays["sizes"].astype(np.float64)),
    ],
)
def test_values_out_of_bounds_are_refused(change: Any, stopped: Path) -> None:
    rewritten(stopped, change)
    with pytest.raises(AzgenError):
        go_on(stopped)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    run(ONE, tmp_path, 3)
    newest, _ = checkpoints_of(tmp_path)

    class Trap:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "sprung"),)

    with np.load(newest) as archive:
        arrays = dict(archive)
    arrays["code"] = np.array([Trap()], dtype=object)
    with newest.open("wb") as file:
        np.savez(file, **arrays)
    with pytest.raises(DamagedError):
        read(newest)
    assert not (tmp_path / "sprung").exists()


def test_other_settings_data_or_schema_are_refused(tmp_path: Path) -> None:
    run(ONE, tmp_path, 4)
    config = tmp_path / "config.toml"
    text = config.read_text()
    config.write_text(text.replace("tournament = 10", "tournament = 9"))
    with pytest.raises(AzgenError, match=r"evolution.tournament is 9, but the run began with 10"):
        go_on(tmp_path)
    config.write_text(text)
    settings = resolve_settings(config)
    with pytest.raises(AzgenError, match="the tasks are not those that the run began with"):
        Evolution(settings, settings.tasks.split(5), checkpoints=tmp_path / CHECKPOINTS, resume=True).run()

    def later(values: dict[str, Any], arrays: dict[str, Any]) -> None:
        values["schema"] = SCHEMA + 1

    rewritten(tmp_path, later)
    with pytest.raises(AzgenError, match=r"written by a later azgen \(schema 3\)"):
        go_on(tmp_path)


def test_a_checkpoint_of_another_version_is_named(tmp_path: Path) -> None:
    run(ONE, tmp_path, 4)
    rewritten(tmp_path, setting("azgen", to="0.0.1"))
    _, events = go_on(tmp_path)
    (warning,) = [e for e in events if isinstance(e, Warned)]
    assert "is by azgen 0.0.1; " in warning.message


def test_a_run_is_carried_out_once_at_a_time(tmp_path: Path) -> None:
    run(ONE, tmp_path, 2)
    held = CheckpointDirectory(tmp_path / CHECKPOINTS)
    with pytest.raises(AzgenError, match="another process is carrying out right now"):
        go_on(tmp_path)
    held.close()
    assert go_on(tmp_path)[0].reason == "8000 programs"


# -- disks


def test_a_full_disk_costs_checkpoints_but_not_the_run(tmp_path: Path) -> None:
    outcome, _ = run(ONE)
    (tmp_path / "config.toml").write_text(tomli_w.dumps(as_mapping(ONE)))
    events: list[Event] = []
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def observe(event: Event) -> None:
        events.append(event)
        if isinstance(event, Progress) and event.round == 5:  # from here no file may grow beyond 4 kB
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
        if isinstance(event, Progress) and event.round == 8:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            names = sorted(os.listdir(tmp_path / CHECKPOINTS))
            assert len(names) == 2 and not any(name.endswith(".part") for name in names), names

    try:
        found = Evolution(ONE, ONE.tasks.split(ONE.seed), observe, checkpoints=tmp_path / CHECKPOINTS).run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert result(found) == result(outcome)
    (warning,) = [e for e in events if isinstance(e, Warned)]
    assert (
        "no checkpoint was written: cannot write" in warning.message and "File too large" in warning.message
    )
    assert len(checkpoints_of(tmp_path)) == 2


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(AzgenError, match="cannot keep checkpoints in"):
        Evolution(ONE, ONE.tasks.split(0), checkpoints=blocked / CHECKPOINTS).run()

    def read_only(*args: Any, **options: Any) -> Any:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("azgen.files.tempfile.mkstemp", read_only)
    outcome, events = run(changed(ONE, stop__max_programs=3000), tmp_path)
    assert outcome.reason == "3000 programs"
    assert [e.message for e in events if isinstance(e, Warned)] == [
        f"no checkpoint was written: cannot write {tmp_path}/checkpoints/checkpoint-000001.npz: "
        "Read-only file system; name a place that you may write to"
    ]


# -- bookkeeping over many rounds


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def resident_bytes() -> int:
    """Memory of this process and its workers."""
    pids = [os.getpid(), *(child.pid for child in multiprocess.active_children())]
    pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return sum(pages) * resource.getpagesize()


def rounds_of_bookkeeping(n_rounds: int, directory: Path, n_workers: int) -> str:
    """A run of tiny rounds, checkpoint after checkpoint; memory, handles and files are looked at on the
    way."""
    settings = changed(
        SMALL,
        tasks__n_search=1,
        evolution__population=10,
        evolution__cache_size=64,
        stop__round_programs=4,
        stop__max_programs=(n_rounds - 1) * 2 * 4 + 20,
        stop__patience=4000,
        islands__count=2,
        islands__workers=n_workers,
        islands__interval=8,
        islands__migrants=1,
        islands__checkpoint_seconds=0.05,
    )
    seen: list[tuple[int, int, int]] = []

    def observe(event: Event) -> None:
        if isinstance(event, Progress) and event.round % (n_rounds // 10) == 0:
            size = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
            seen.append((resident_bytes(), open_files(), size))

    began = time.perf_counter()
    run = evolve(settings, out=directory, observer=observe)
    assert run.counts["programs"] >= settings.stop.max_programs
    memory, handles, sizes = zip(*seen[2:], strict=True)
    assert max(handles) <= min(handles) + 1
    settled = memory[len(memory) // 2 :]  # a worker grows when it compiles its first program
    assert max(settled) - settled[0] < 2_000_000, f"memory grows: {memory}"
    assert max(sizes) < 1_000_000 and len(list((directory / CHECKPOINTS).iterdir())) == 2
    return (
        f"{n_rounds} rounds of two islands, {n_workers} workers, {time.perf_counter() - began:.0f} s: memory "
        f"{memory[0] / 1e6:.1f} to {memory[-1] / 1e6:.1f} MB, {handles[0]} to {handles[-1]} open files, "
        f"run directory {sizes[0] / 1e3:.0f} to {sizes[-1] / 1e3:.0f} kB"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_bookkeeping_does_not_pile_up(tmp_path: Path) -> None:
    rounds_of_bookkeeping(400, tmp_path, 1)


@pytest.mark.slow
@pytest.mark.parametrize("n_workers", [1, 2])
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_fifty_thousand_rounds_of_bookkeeping(n_workers: int, tmp_path: Path) -> None:
    print(rounds_of_bookkeeping(50_000, tmp_path, n_workers))


# -- old schemas


@pytest.mark.filterwarnings("error::azgen.errors.FormerName")
@pytest.mark.parametrize("schema", range(1, SCHEMA + 1))
def test_checkpoints_of_every_released_schema_can_be_read(schema: int, tmp_path: Path) -> None:
    fixture = FIXTURES / f"checkpoint-{schema}"
    shutil.copytree(fixture, tmp_path / "run")
    outcome, events = go_on(tmp_path / "run")
    expected = json.loads((fixture / "expected.json").read_text())
    assert [e.round for e in events if isinstance(e, Resumed)] == [expected["round"]]
    assert outcome.reason == expected["reason"]
    assert outcome.counts["programs"] == expected["programs"]


def test_a_checkpoint_that_knew_fewer_actions_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    settings = changed(EAGER, evolution__adaptive=True, evolution__crossover=0.3)
    n_before = len(ACTIONS) - 1
    carried = ("trail.actions", "trail.member_actions", "emigrants.chains.actions", "emigrants.chains.since")

    def former(values: dict[str, Any], arrays: dict[str, Any]) -> None:
        """As it was when the last action was not there, whose bit was that of crossover."""
        assert values["settings"]["evolution"]["actions"].pop(ACTIONS[-1]) == 0
        assert not arrays["credit"][..., -1].any() and arrays["credit"].any()
        arrays["credit"] = arrays["credit"][..., :n_before].copy()
        crossover = np.uint64(1 << len(ACTIONS))
        for name in carried:
            crossed = arrays[name] & crossover
            assert crossed.any()
            arrays[name] = arrays[name] ^ crossed | crossed >> np.uint64(1)

    run(settings, tmp_path, 8)  # an exchange is under way
    rewritten(tmp_path, former)
    resumed, _ = go_on(tmp_path)
    whole, _ = run(settings)
    assert result(resumed) == result(whole)
    told = [[step.mutations for step in champion.ancestors] for champion in whole.hall_of_fame]
    assert any("crossover" in mutations for steps in told for mutations in steps)


def test_what_is_restored_is_what_was_taken(tmp_path: Path) -> None:
    """Field by field, so that a new field of the state cannot be forgotten."""
    run(EAGER, tmp_path, 7)
    space = SearchSpace.of(EAGER, EAGER.tasks.split(EAGER.seed))
    newest = read(checkpoints_of(tmp_path)[0])
    engine = InlineEngine(space)
    progress = snapshot.restore(space, newest, engine)
    values, arrays = snapshot.take(space, progress, engine)
    for key in ("progress", "hall", "front", "islands", "ops", "fingerprint"):
        assert json.loads(json.dumps(values[key])) == newest.values[key]
    assert arrays.keys() == newest.arrays.keys()
    for name, array in arrays.items():
        assert array.tobytes() == newest.arrays[name].tobytes(), name


# -- the log


def test_the_log_goes_back_to_the_checkpoint_and_stays_small(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    rewind(log, 1.0)
    events = [Started("a", "b", "c", 1.0, True), *(Restarted(s, 1, 1, "") for s in (0.5, 1.0, 1.5, 2.0))]
    lines = [json.dumps(as_record(event)) + "\n" for event in events]
    log.write_text("".join(lines) + '{"event": "Restar')
    rewind(log, 1.5)
    assert log.read_text() == "".join(lines[:4])
    rewind(log, 0.1)
    assert log.read_text() == lines[0]
    log.write_text(lines[0] + "5\n" + lines[3])
    rewind(log, 0.1)
    assert log.read_text() == lines[0] + "5\n"
    thinning = Thinning()
    kept = [thinning.keeps(Progress(0.5 * n, n, 0, 0.0, {})) for n in range(2 * 86_400)]
    assert sum(kept[:20]) == 10 and 4000 < sum(kept) < 7000
    assert thinning.keeps(Warned(1.0, "always"))
