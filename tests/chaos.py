"""What machines do to runs: workers and coordinators die, stop, and find disks full, files cut off and
folders read-only. A run is carried out by the commands `azgen evolve` and `azgen resume`."""

from __future__ import annotations

import json
import os
import queue
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from azgen.search.engines.process import START_SECONDS

ROOT = Path(__file__).resolve().parents[1]
WORKER_SIGNALS = {"kill": signal.SIGKILL, "segmentation fault": signal.SIGSEGV, "stop": signal.SIGSTOP}
KINDS = (*WORKER_SIGNALS, "coordinator killed", "interrupt", "checkpoint cut off", "disk full", "read-only")

_PATIENCE = 2 * START_SECONDS
"""Seconds without a sign of life after which a run is taken to wait for ever; workers that are stopped while
they start are given up after half of it."""


class Chaos:
    """A run that is disturbed.

    Args:
        config: of the run.
        folder: an empty one; the run's directory is `run` in it. Its name is short: workers' server listens
            in a folder below, and a socket's path has no room for more.
        seed: of what happens when.
    """

    def __init__(self, config: Path, folder: Path, seed: int = 1):
        self.run, self.temporary = folder / "run", folder / "tmp"
        self.temporary.mkdir()
        self._config, self._random = config, random.Random(seed)
        self._mark = f"{folder}:{os.getpid()}"
        self.records: list[dict[str, Any]] = []
        self.done: list[str] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._process = self._start("evolve", str(config), "--out", str(self.run))

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        # Root may write to read-only folders, unless it gives that up.
        prefix = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
        environment = {**os.environ, "TMPDIR": str(self.temporary), "AZGEN_TEST_MARK": self._mark}
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "azgen", *arguments, "--json"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,  # as a shell does; the system then wakes what is stopped when its parent dies
        )
        threading.Thread(target=self._read, args=(process.stdout,), daemon=True).start()
        return process

    def _read(self, stream: Any) -> None:
        for line in stream:
            self._lines.put(line)
        self._lines.put(None)

    def disturb(self, kinds: list[str], rounds: int) -> None:
        """Does these things, each after up to so many rounds, and again until it could happen."""
        for kind in kinds:
            happened = False
            while not happened:
                for _ in range(self._random.randrange(1, rounds + 1)):
                    self._next_round()
                time.sleep(self._random.uniform(0.0, 0.05))
                happened = self._do(kind)
            self.done.append(kind)

    def finish(self) -> dict[str, Any]:
        """Lets the run come to its end; its result."""
        while True:
            self._follow(until="")
            if self._process.returncode == 0 and self.records[-1].get("reason") != "interrupted":
                return self.records[-1]
            self._resume()

    def _next_round(self) -> None:
        while not self._follow(until="Progress"):
            assert self._process.returncode != 0 or self.records[-1]["reason"] == "interrupted", (
                f"the run was over after {len(self.done)} disturbances"
            )
            self._resume()

    def _follow(self, until: str) -> bool:
        """Reads events up to one of a kind; False if the process ended before."""
        while True:
            try:
                line = self._lines.get(timeout=_PATIENCE)
            except queue.Empty:
                raise AssertionError(f"the run waits for ever; done: {self.done[-3:]}") from None
            if line is None:
                self._process.wait()
                return False
            with suppress(ValueError):  # a last line may be cut off
                self.records.append(json.loads(line))
                if self.records[-1]["event"] == until:
                    return True

    def _resume(self) -> None:
        assert self._process.stderr is not None
        errors = self._process.stderr.read()
        # A worker that was being started when its coordinator was killed tells that its pipe has ended.
        assert errors.count("Traceback") == errors.count("EOFError: Ran out of input"), errors
        if self._process.returncode == 2:  # a full or read-only disk can end a process, with a message
            assert any(words in errors for words in ("cannot write", "cannot export", "no space")), errors
        self._process = self._start("resume", str(self.run))

    def _do(self, kind: str) -> bool:
        """Does one thing; False if it could not happen."""
        pid = self._process.pid
        if self._process.poll() is not None:
            return False  # an earlier interruption has ended it by now
        if kind in WORKER_SIGNALS:
            workers = _workers(pid)
            if not workers:
                return False
            try:
                os.kill(self._random.choice(workers), WORKER_SIGNALS[kind])
            except ProcessLookupError:
                return False
        elif kind == "interrupt":
            self._process.send_signal(signal.SIGINT)
        elif kind == "disk full":
            limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (2048, limits[1]))
            time.sleep(0.3)
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
        elif kind == "read-only":
            folders = [self.run, self.run / "checkpoints"]
            for folder in folders:
                folder.chmod(0o555)
            time.sleep(0.3)
            for folder in folders:
                folder.chmod(0o755)
        else:
            self._process.kill()
            self._follow(until="")
            checkpoints = sorted((self.run / "checkpoints").glob("*.npz"))
            # With a single one there would be nothing to go back to.
            cut_off = kind == "checkpoint cut off" and len(checkpoints) == 2
            if cut_off:
                size = checkpoints[-1].stat().st_size
                os.truncate(checkpoints[-1], self._random.randrange(size))
            self._resume()
            return cut_off or kind == "coordinator killed"
        return True

    def close(self) -> None:
        """Ends the run, if it has not ended."""
        self._process.kill()
        self._process.wait()

    def left_processes(self) -> list[int]:
        """Processes of the run that still live, a moment after its end."""
        deadline = time.monotonic() + 5.0
        while (left := _marked(self._mark)) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left

    def left_files(self) -> list[Path]:
        """Files that should not be there."""
        inside = [path for path in self.run.rglob("*") if path.name.startswith(".") or path.suffix == ".part"]
        return [*inside, *self.temporary.iterdir()]


def history(records: list[dict[str, Any]]) -> dict[Any, Any]:
    """What happened, by when; what happened twice, before and after a kill, must have been the same.

    Champions are left to the log: an interruption compiles the leader of the moment, which a run that goes on
    takes back.
    """
    found: dict[Any, Any] = {}
    for record in records:
        match record["event"]:
            case "Progress":
                key, value = (
                    ("round", record["round"]),
                    (record["restarts"], record["islands"], record["counts"]),
                )
            case "Restarted":
                key, value = ("population", record["population"]), (record["programs"], record["reason"])
            case _:
                continue
        assert found.setdefault(key, value) == value, f"{key} differs"
    return found


def findings(run: Path) -> dict[str, Any]:
    """What a run's directory says that must not depend on disturbances."""
    result = json.loads((run / "result.json").read_text())
    for name in ("seconds", "cpu_seconds", "search_seconds", "directory", "export"):
        del result[name]
    log = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    return {
        "result": result,
        "hall": json.loads((run / "hall_of_fame.json").read_text()),
        "champion": (run / "champion.az").read_text(),
        "champions in the log": [r["champion"] for r in log if r["event"] == "NewChampion"],
    }


def possible() -> bool:
    """Whether this system has what disturbances need."""
    return sys.platform == "linux" and (os.geteuid() != 0 or shutil.which("setpriv") is not None)


def _workers(pid: int) -> list[int]:
    """Worker processes of a coordinator: what its server has forked."""
    return [worker for child in _children(pid) if _is_server(child) for worker in _children(child)]


def _is_server(pid: int) -> bool:
    with suppress(OSError):
        return b"forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def _children(pid: int) -> list[int]:
    found = list[int]()
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, path.read_text().split())
    return found


def _marked(mark: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"AZGEN_TEST_MARK={mark}".encode() in (path / "environ").read_bytes():
                found.append(int(path.name))
    return found
