"""Worker processes: the same result however many there are and whatever kills them; nothing is left
behind."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import multiprocess
import numpy as np
import pytest

from azgen.confinement import landlock_version
from azgen.errors import AzgenError
from azgen.language.program import Program
from azgen.language.zoo import zoo
from azgen.runs.events import Event, Quarantined, Warned
from azgen.search.engines import worker
from azgen.search.engines import workers as watching
from azgen.search.engines.base import Engine
from azgen.search.engines.channel import Channel
from azgen.search.engines.orders import Order
from azgen.search.engines.process import Processes
from azgen.search.engines.server import Entry
from azgen.search.engines.workers import WorkerEngine
from azgen.search.evolve import Evolution, Outcome
from azgen.search.space import SearchSpace
from azgen.search.world import THIS_MACHINE, World
from azgen.settings.settings import Settings
from tests.search.disturbed import (
    disturbed_worker,
    failing_worker,
    weak_worker,
    worker_that_dies_compiling,
)
from tests.search.small import SMALL, changed
from tests.search.test_islands import history
from tests.thinned import few_of

ROOT = Path(__file__).resolve().parents[2]
Made = Callable[[SearchSpace], Engine]


def run(
    settings: Settings, make_engine: Made | None = None, observe: Callable[[Event], object] = lambda _: None
) -> tuple[Outcome, list[Event]]:
    events: list[Event] = []

    def tell(event: Event) -> None:
        events.append(event)
        observe(event)

    split = settings.tasks.split(settings.seed)
    world = World(make_engine) if make_engine else THIS_MACHINE
    return Evolution(settings, split, tell, world=world).run(), events


def workers(n: int, entry: Entry = worker.main, **options: Any) -> Made:
    return lambda space: WorkerEngine(space, n, Processes(entry), **options)


def same(a: tuple[Outcome, list[Event]], b: tuple[Outcome, list[Event]]) -> bool:
    (one, events), (other, other_events) = a, b
    np.testing.assert_array_equal(one.test_fitness, other.test_fitness)
    return (one.hall_of_fame, one.counts, history(events)) == (
        other.hall_of_fame,
        other.counts,
        history(other_events),
    )


@pytest.fixture(scope="module")
def undisturbed() -> tuple[Outcome, list[Event]]:
    return run(SMALL)


@pytest.mark.parametrize("n", few_of([1, 2, 4], 1))
def test_the_number_of_workers_changes_nothing(n: int, undisturbed: tuple[Outcome, list[Event]]) -> None:
    assert same(run(SMALL, workers(n)), undisturbed)


def test_the_settings_choose_the_engine(undisturbed: tuple[Outcome, list[Event]]) -> None:
    assert same(run(changed(SMALL, islands__workers=2)), undisturbed)
    assert not multiprocess.active_children()


@pytest.mark.parametrize(
    "changes", [{"topology": "pool", "migrants": 0, "emigrants": "random"}, {"topology": "none"}]
)
def test_other_topologies_too(changes: dict[str, Any]) -> None:
    settings = changed(
        SMALL,
        stop__patience=1500,
        tasks__redraw=True,
        evolution__hurdles=(0.5,),
        **{f"islands__{name}": value for name, value in changes.items()},
    )
    assert same(run(settings, workers(2)), run(settings))


def test_native_rating_in_workers() -> None:
    settings = changed(
        SMALL,
        stop__max_programs=300,
        stop__round_programs=60,
        evolution__population=60,
        evolution__batch=60,  # a module for a batch
        islands__count=2,
    )
    assert same(run(changed(settings, backend="native"), workers(2)), run(settings))


class Disturbance:
    """Sends signals to random workers of an engine until the run is over."""

    def __init__(self, signals: list[int], pause: tuple[float, float], most: int, seed: int = 1):
        self.engine: WorkerEngine | None = None
        self.sent = 0
        self._signals, self._pause, self._most = signals, pause, most
        self._random, self._over = random.Random(seed), threading.Event()

    def engine_maker(self, n: int, **options: Any) -> Made:
        def make(space: SearchSpace) -> Engine:
            self.engine = WorkerEngine(space, n, **options)
            return self.engine

        return make

    @contextmanager
    def going_on(self) -> Iterator[None]:
        thread = threading.Thread(target=self._disturb, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _disturb(self) -> None:
        while self.sent < self._most and not self._over.wait(self._random.uniform(*self._pause)):
            # Only workers that are at work: the others would make this a test of starting processes.
            busy = [w for w in list(self.engine._workers) if w.ready] if self.engine else []
            if busy:
                try:
                    os.kill(self._random.choice(busy).body.process.pid, self._random.choice(self._signals))
                    self.sent += 1
                except (ProcessLookupError, ValueError):
                    pass  # gone in the meantime


def test_killed_and_stopped_workers_change_nothing(undisturbed: tuple[Outcome, list[Event]]) -> None:
    disturbance = Disturbance([signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP], (0.0, 0.05), most=6)
    with disturbance.going_on():
        found = run(SMALL, disturbance.engine_maker(2, round_timeout=1.0))
    assert disturbance.sent >= 2
    assert same(found, undisturbed)
    assert any(
        "killed by SIG" in e.message or "no answer" in e.message for e in found[1] if isinstance(e, Warned)
    )
    assert not [e for e in found[1] if isinstance(e, Quarantined)]
    assert not multiprocess.active_children()


@pytest.mark.slow
def test_a_hundred_kills_change_nothing() -> None:
    settings = changed(
        SMALL, stop__max_programs=100_000_000, stop__round_programs=20_000, islands__interval=40_000
    )
    disturbance = Disturbance([signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP], (0.0, 1.0), most=100)
    with disturbance.going_on():
        found = run(settings, disturbance.engine_maker(2, round_timeout=4.0))
    assert disturbance.sent == 100, f"the run was over after {disturbance.sent} kills: {found[0].reason}"
    assert same(found, run(settings))
    assert not multiprocess.active_children()


# -- programs that kill or hang whatever runs them


def key_of(space: SearchSpace, program: Program) -> int:
    given, result = space.kernel.encode([program]), np.zeros(1, space.kernel.program)
    return int(space.kernel.calls.normal_form(given.ctypes.data, result.ctypes.data)) % 2**64


@pytest.mark.parametrize(
    ("what", "cause"),
    few_of([("crash", "killed by SIGSEGV"), ("hang", "no answer for 1 s")], ("crash", "killed by SIGSEGV")),
)
def test_a_program_that_crashes_or_hangs_is_quarantined(
    what: str, cause: str, undisturbed: tuple[Outcome, list[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = undisturbed[0].champion.program
    space = SearchSpace.of(SMALL, SMALL.tasks.split(SMALL.seed))
    monkeypatch.setenv("AZGEN_TEST_INJECTION", f"kernel {what} {key_of(space, bad)}")
    if what == "crash":  # alone at first, so that the disturbed kernel is compiled once
        alone = run(SMALL, workers(1, entry=disturbed_worker, round_timeout=1.0))
    found = run(SMALL, workers(2, entry=disturbed_worker, round_timeout=1.0))
    quarantined = [e for e in found[1] if isinstance(e, Quarantined)]
    assert [(e.program, e.hash) for e in quarantined] == [(str(bad), bad.hash)]
    assert cause in quarantined[0].cause
    assert found[0].quarantined[0].program == str(bad)
    assert found[0].champion.program.hash != bad.hash
    assert found[0].reason == "20000 programs"
    if what == "crash":  # and the result does not depend on the number of workers
        assert same(alone, found)
    assert not multiprocess.active_children()


@pytest.mark.parametrize("what", few_of(["crash", "hang"], "hang"))
def test_a_candidate_that_crashes_or_hangs_when_it_is_compiled_is_quarantined(
    what: str, undisturbed: tuple[Outcome, list[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = undisturbed[0].champion.program
    monkeypatch.setenv("AZGEN_TEST_INJECTION", f"candidate {what} {bad.structure_hash}")
    outcome, events = run(SMALL, workers(2, entry=disturbed_worker, round_timeout=1.0))
    assert [e.hash for e in events if isinstance(e, Quarantined)] == [bad.hash]
    assert outcome.champion.program.hash != bad.hash
    assert not multiprocess.active_children()


# -- workers by themselves


@pytest.mark.parametrize("what, cause", [("slow", "no answer for 1 s (0."), ("no memory", "out of memory")])
def test_weak_workers_are_replaced_and_no_program_is_blamed(
    what: str,
    cause: str,
    undisturbed: tuple[Outcome, list[Event]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AZGEN_TEST_WEAKNESS", f"{what}:{tmp_path / 'flag'}")
    monkeypatch.setenv("AZGEN_CONFINE", "off")  # the flag lies outside of the compile cache
    found = run(SMALL, workers(2, entry=weak_worker, round_timeout=1.0))
    (warning,) = [e.message for e in found[1] if isinstance(e, Warned)]
    assert "a worker was lost in round" in warning and cause in warning
    assert same(found, undisturbed)


def test_a_program_is_not_blamed_for_what_happens_as_it_is_compiled(
    undisturbed: tuple[Outcome, list[Event]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZGEN_TEST_FLAG", str(tmp_path / "flag"))
    monkeypatch.setenv("AZGEN_CONFINE", "off")  # the flag lies outside of the compile cache
    found = run(SMALL, workers(2, entry=worker_that_dies_compiling))
    assert len(list(tmp_path.iterdir())) == sum(isinstance(e, Warned) for e in found[1]) == 3
    assert same(found, undisturbed)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_tasks_are_mapped_and_not_copied() -> None:
    def kilobytes(n_train: int) -> tuple[int, int]:
        """Memory of a worker that has run a round: its own, and what it has mapped."""
        # On the kernel: deciding whether to compile takes memory for compiling.
        settings = changed(SMALL, backend="kernel", tasks__n_search=16, tasks__n_train=(n_train, 20, 20))
        engine = WorkerEngine(SearchSpace.of(settings, settings.tasks.split(0)), 1)
        try:
            engine.submit(Order(0, 0, 0, birth=True))
            while not engine.collect(1.0):
                pass
            smaps = Path(f"/proc/{engine.processes[0]}/smaps").read_text()
            if landlock_version():
                status = Path(f"/proc/{engine.processes[0]}/status").read_text()
                assert "NoNewPrivs:\t1" in status, "workers give up what they do not need"
        finally:
            engine.close()
        mapped = re.search(r"memfd:azgen.*?\nRss: +(\d+) kB", smaps, re.DOTALL)
        assert mapped
        return sum(int(size) for size in re.findall(r"^Anonymous: +(\d+) kB", smaps, re.M)), int(mapped[1])

    (own, mapped), (own_of_large, mapped_of_large) = kilobytes(20), kilobytes(50_000)
    data = 16 * 50_000 * (4 + 1) * 4 / 1024
    assert mapped_of_large - mapped > 0.9 * data
    assert own_of_large - own < 0.1 * data


def test_workers_that_never_start_end_the_run_with_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MOST_FAILED_STARTS", 3)
    with pytest.raises(AzgenError, match=r"3 worker processes in a row .*ended with status 3"):
        run(SMALL, workers(2, entry=failing_worker))
    assert not multiprocess.active_children()


def test_a_channel_takes_messages_in_pieces_and_never_waits() -> None:
    ours, theirs = multiprocess.Pipe()
    channel = Channel(ours)
    assert channel.receive() == []
    theirs.send_bytes(b"one")
    theirs.send_bytes(b"two")
    assert channel.receive() == [b"one", b"two"]
    os.write(theirs.fileno(), b"\0\0\0\4ab")
    assert channel.receive() == []
    os.write(theirs.fileno(), b"cd")
    assert channel.receive() == [b"abcd"]
    large = bytes(10_000_000)
    channel.send(large)  # nobody reads
    assert channel.pending
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(theirs.recv_bytes()))
    reader.start()
    while channel.pending:
        channel.flush()
    reader.join()
    assert received == [large]
    theirs.close()
    with pytest.raises(EOFError):
        channel.receive()
    channel.close()


def test_a_free_worker_that_is_stopped_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    space = SearchSpace.of(SMALL, SMALL.tasks.split(0))
    engine = WorkerEngine(space, 2)
    try:
        fitness = engine.rate(zoo("linear"))  # starts one, which is free after it
        monkeypatch.setattr(watching, "PATIENCE", 2.0)  # not less: a new worker needs time to start
        (stopped,) = engine.processes
        os.kill(stopped, signal.SIGSTOP)
        np.testing.assert_array_equal(engine.rate(zoo("linear")), fitness)
        assert not alive(stopped)
        assert len(engine.processes) == 1
    finally:
        engine.close()


_SCRIPT = """
import sys
from azgen.settings.presets import preset
from tests.search.small import SMALL, changed
from azgen.search.evolve import Evolution
from azgen.search.world import World
from azgen.search.engines import server, workers
from azgen.search.engines.workers import WorkerEngine

workers.PATIENCE = 1.0  # with the stopped worker, when the last champion is to be rated
engines, told = [], []

def make(space):
    engines.append(WorkerEngine(space, 2))
    return engines[0]

def tell(event):
    # Both at work: one that is stopped before it has asked to end with the server ends only when it goes on.
    at_work = [w.body.process.pid for w in engines[0]._workers if w.ready]
    if type(event).__name__ == "Progress" and len(at_work) == 2 and not told:
        told.append(event)
        print(*at_work, *filter(None, [server._server._forkserver_pid]), flush=True)

settings = changed(SMALL, stop__max_programs=10**9)
outcome = Evolution(settings, settings.tasks.split(0), tell, world=World(make)).run()
print(outcome.reason, flush=True)
"""


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize(
    "how", few_of([signal.SIGKILL, signal.SIGINT, signal.SIGTERM], signal.SIGKILL, signal.SIGINT)
)
def test_workers_end_with_their_coordinator(how: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("of")
    # The script has no guard, on purpose: workers must not import it.
    coordinator = subprocess.Popen(
        [sys.executable, "-c", _SCRIPT],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert coordinator.stdout is not None
    pids = [int(word) for word in coordinator.stdout.readline().split()]
    assert len(pids) == 3 and all(alive(pid) for pid in pids)  # two workers, and what they are forked from
    os.kill(pids[0], signal.SIGSTOP)  # not even a stopped one stays
    coordinator.send_signal(how)
    out, errors = coordinator.communicate(timeout=100)  # below the 120 s that a silent worker once cost
    if how == signal.SIGINT:
        assert out == "interrupted\n" and errors == ""
    else:
        assert coordinator.returncode == -how
    deadline = time.monotonic() + 10
    while (any(alive(pid) for pid in pids) or any(folder.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in pids)
    assert not list(folder.iterdir())
