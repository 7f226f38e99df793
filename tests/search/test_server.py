"""The server that workers are forked from: what a worker has of its coordinator, and what ends with whom."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from azgen import deadline
from azgen.search.engines import server
from azgen.search.engines.server import start
from tests.search.disturbed import busy, where_it_is
from tests.search.small import SMALL, changed
from tests.search.test_workers import alive, run, same, workers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere workers are new interpreters")


@contextmanager
def started(entry: Any) -> Iterator[Any]:
    """The pipe to a worker, which then ends by itself."""
    process, connection = start(entry)
    yield connection
    process.join()
    connection.close()


def test_a_worker_is_where_its_coordinator_is_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jinja2.py").write_text("raise SystemExit('a file of the user is imported')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AZGEN_TEST_PLACE", "here")
    monkeypatch.delenv("PATH")
    server._end_server()  # a new one starts in this folder
    with started(where_it_is) as connection:
        found = connection.recv()
    assert found == {"folder": str(tmp_path), "environment": dict(os.environ), "preloaded": True}
    assert "PYTHONSAFEPATH" not in os.environ


def test_a_server_that_is_killed_takes_its_workers_along_and_changes_nothing() -> None:
    settings = changed(SMALL, islands__count=2, stop__max_programs=4000)
    pids: list[int] = []

    def kill_once(event: object) -> None:
        if type(event).__name__ == "Progress" and not pids:
            pids.append(server._server._forkserver_pid)
            os.kill(pids[0], signal.SIGKILL)

    found = run(settings, workers(2), kill_once)
    assert pids and not alive(pids[0])
    assert same(found, run(settings))


def test_time_of_workers_counts() -> None:
    with started(busy):
        before = deadline.cpu_seconds()
    assert deadline.cpu_seconds() - before > 0.2


def test_where_there_can_be_no_server_a_worker_is_a_new_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("long" * 30)  # no socket can have such a name
    long.mkdir()
    server._end_server()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with started(where_it_is) as connection:
        assert connection.recv()["preloaded"] is False
