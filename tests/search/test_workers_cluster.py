"""Islands on a Dask cluster of this machine; a worker is killed in mid-run, another joins."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tomli_w

from azgen.errors import AzgenError
from azgen.language.zoo import zoo
from azgen.runs.events import Event, Progress
from azgen.search.engines import cluster_node, dask
from azgen.search.engines.base import Lost, ProgramLost
from azgen.search.engines.dask import DaskEngine
from azgen.search.engines.orders import Order, Report
from azgen.search.evolve import Evolution
from azgen.search.space import SearchSpace
from azgen.settings.values import as_mapping
from tests.chaos import findings
from tests.search.small import SMALL, changed
from tests.search.test_islands import history
from tests.search.test_workers import run, same
from tests.study.test_resume import azgen

distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")

SETTINGS = changed(
    SMALL,
    islands__engine="dask",
    islands__count=2,
    stop__max_programs=12_000,
    stop__patience=1500,
    tasks__redraw=True,
)


@pytest.fixture(scope="module")
def local_cluster() -> Any:
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as found:
        yield found


def test_the_same_result_on_a_cluster_whose_workers_come_and_go(
    local_cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask, "CUT_ROUNDS", 4)
    settings = changed(SETTINGS, islands__scheduler=local_cluster.scheduler_address)
    events: list[Event] = []
    killed: list[int] = []

    def observe(event: Event) -> None:
        events.append(event)
        if isinstance(event, Progress) and event.round == 3:
            local_cluster.scale(3)  # one comes
        if isinstance(event, Progress) and event.round == 6:
            with distributed.Client(local_cluster, set_as_default=False) as client:
                pids = client.run(os.getpid)
            killed.append(next(iter(pids.values())))
            os.kill(killed[0], signal.SIGKILL)
        if isinstance(event, Progress) and event.round == 9:
            local_cluster.scale(1)  # two go

    found = Evolution(settings, settings.tasks.split(settings.seed), observe).run()
    assert killed
    assert same((found, events), run(changed(settings, islands__engine="process")))


def test_what_is_lost_on_the_cluster_is_named_and_waits_for_nobody(
    local_cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = SearchSpace.of(SETTINGS, SETTINGS.tasks.split(SETTINGS.seed))
    engine = DaskEngine(space, local_cluster.scheduler_address)
    try:
        failed = engine._client.submit(lambda: 1 / 0, pure=False)
        assert isinstance(failed.exception(), ZeroDivisionError)
        engine._rounds[0, 0] = failed
        with pytest.raises(AzgenError, match="the state of island 0 does not arrive: ZeroDivisionError"):
            engine.state(0, 0)
        with pytest.raises(AzgenError, match="the state of island 0 is lost with the workers that had it"):
            engine.submit(Order(0, 1, 0))
        monkeypatch.setattr(dask, "_ANSWER_SECONDS", 0.05)
        engine._rounds[1, 0] = engine._client.submit(time.sleep, 1.0, pure=False)
        with pytest.raises(AzgenError, match="the state of island 1 does not arrive: TimeoutError"):
            engine.state(1, 0)
        with pytest.raises(ProgramLost, match="TimeoutError"):
            engine.rate(zoo("linear"))
    finally:
        engine.close()


def test_an_answer_that_is_lost_is_not_taken_for_another(
    local_cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = DaskEngine(
        SearchSpace.of(SETTINGS, SETTINGS.tasks.split(SETTINGS.seed)), local_cluster.scheduler_address
    )
    try:
        for island in range(3):
            engine.submit(Order(island, 0, island, birth=True))
        while engine._done.qsize() < 3:
            time.sleep(0.01)
        gather = engine._client.gather

        def without_the_first(futures: Any, errors: str) -> Any:
            """As Dask gathers when the first answer is lost in this moment."""
            if isinstance(futures, list):
                return gather(futures[1:])
            return {**gather(futures), min(futures): None}

        monkeypatch.setattr(engine._client, "gather", without_the_first)
        lost, *reports = engine.collect(1.0)
        assert isinstance(lost, Lost) and all(isinstance(report, Report) for report in reports)
        islands = [lost.order.island, *(report.island for report in reports if isinstance(report, Report))]
        assert sorted(islands) == [0, 1, 2]
    finally:
        monkeypatch.undo()
        engine.close()


def test_a_run_that_ends_leaves_the_processes_of_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []

    def node(name: str) -> Any:
        return SimpleNamespace(name=name, engine=SimpleNamespace(close=lambda: closed.append(name)))

    monkeypatch.setattr(cluster_node, "_nodes", {1: node("one"), 2: node("other"), 3: node("one")})
    cluster_node.close_nodes("one")
    assert closed == ["one", "one"] and list(cluster_node._nodes) == [2]


def test_the_commands_take_a_scheduler(local_cluster: Any, tmp_path: Path) -> None:
    config, run, whole = tmp_path / "config.toml", tmp_path / "dask" / "run", tmp_path / "process" / "run"
    config.write_text(tomli_w.dumps(as_mapping(changed(SMALL, stop__max_programs=8000, islands__count=2))))
    on_dask = ("--engine", "dask", "--scheduler", local_cluster.scheduler_address)
    azgen("evolve", config, *on_dask, "--max-programs", 4000, "--out", run)
    azgen("resume", run, *on_dask, "--max-programs", 8000)
    azgen("evolve", config, "--out", whole)
    assert findings(run) == findings(whole)


def test_a_cluster_of_its_own_and_checkpoints(tmp_path: Path) -> None:
    settings = changed(SETTINGS, stop__max_programs=3000, islands__workers=2)
    split = settings.tasks.split(settings.seed)
    first = Evolution(settings, split, checkpoints=tmp_path / "checkpoints").run()
    more = changed(settings, stop__max_programs=6000, islands__engine="process", islands__workers=1)
    events: list[Event] = []
    found = Evolution(more, split, events.append, checkpoints=tmp_path / "checkpoints", resume=True).run()
    whole, all_events = run(more)
    assert first.counts["programs"] >= 3000
    assert found.hall_of_fame == whole.hall_of_fame and found.counts == whole.counts
    assert history(events) == history(all_events)[-len(history(events)) :]


def test_a_scheduler_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = changed(SETTINGS, islands__scheduler="tcp://127.0.0.1:9")
    with pytest.raises(AzgenError, match=r"the Dask scheduler tcp://127\.0\.0\.1:9 does not answer"):
        run(settings, lambda space: DaskEngine(space, "tcp://127.0.0.1:9", patience=0.5))


def test_without_dask_a_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(AzgenError, match=r"pip install 'azgen\[cluster\]'"):
        run(SETTINGS)
