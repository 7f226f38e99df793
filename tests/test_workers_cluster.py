"""Islands on a Dask cluster of this machine; a worker is killed in mid-run, another joins."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from azgen.errors import AzgenError
from azgen.runs.events import Event, Progress
from azgen.runs.settings import as_mapping
from azgen.search import cluster
from azgen.search.cluster import DaskEngine
from azgen.search.evolve import Evolution
from azgen.search.sources import make_tasks
from tests.chaos import findings
from tests.test_evolution import changed
from tests.test_islands import SMALL, history
from tests.test_resume import azgen
from tests.test_workers import run, same

distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")

SETTINGS = changed(SMALL, islands__engine="dask", stop__patience=1500, tasks__redraw=True)


@pytest.fixture(scope="module")
def local_cluster() -> Any:
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as found:
        yield found


def test_the_same_result_on_a_cluster_whose_workers_come_and_go(
    local_cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CUT_ROUNDS", 4)
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

    found = Evolution(settings, make_tasks(settings.tasks, settings.seed), observe).run()
    assert killed
    assert same((found, events), run(changed(settings, islands__engine="process")))


def test_the_commands_take_a_scheduler(local_cluster: Any, tmp_path: Path) -> None:
    config, run, whole = tmp_path / "config.toml", tmp_path / "dask" / "run", tmp_path / "process" / "run"
    config.write_text(tomli_w.dumps(as_mapping(changed(SMALL, stop__max_programs=8000, islands__count=2))))
    dask = ("--engine", "dask", "--scheduler", local_cluster.scheduler_address)
    azgen("evolve", config, *dask, "--max-programs", 4000, "--out", run)
    azgen("resume", run, *dask, "--max-programs", 8000)
    azgen("evolve", config, "--out", whole)
    assert findings(run) == findings(whole)


def test_a_cluster_of_its_own_and_checkpoints(tmp_path: Path) -> None:
    settings = changed(SETTINGS, stop__max_programs=6000, islands__workers=2)
    split = make_tasks(settings.tasks, settings.seed)
    first = Evolution(settings, split, checkpoints=tmp_path / "checkpoints").run()
    more = changed(settings, stop__max_programs=12_000, islands__engine="process", islands__workers=1)
    events: list[Event] = []
    found = Evolution(more, split, events.append, checkpoints=tmp_path / "checkpoints", resume=True).run()
    whole, all_events = run(more)
    assert first.counts["programs"] >= 6000
    assert found.hall_of_fame == whole.hall_of_fame and found.counts == whole.counts
    assert history(events) == history(all_events)[-len(history(events)) :]


def test_a_scheduler_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = changed(SETTINGS, islands__scheduler="tcp://127.0.0.1:9")
    with pytest.raises(AzgenError, match=r"the Dask scheduler tcp://127\.0\.0\.1:9 does not answer"):
        run(settings, lambda space: DaskEngine(space, "tcp://127.0.0.1:9", patience=0.5))


def test_without_dask_a_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(AzgenError, match=r"pip install \"azgen\[cluster\]\""):
        run(SETTINGS)
