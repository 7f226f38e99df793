"""The run directory: everything that a run leaves on disk; `azgen.runs.saved` reads it back.

    runs/<name>-<seed>/
      config.toml        all settings; `azgen evolve config.toml` repeats the run
      data.npz, data.csv examples that were given in memory
      ops.py             the user's own ops and metrics, if the run has some
      environment.json   versions, compiler, processor, data
      started_from/      program files that populations start from, if some were named
      starts.json        programs that the run started from, if it has tuned them
      events.jsonl       what happened, one JSON object a line
      hall_of_fame.json  the best programs, best first
      champion.az        the best of all, as program text
      champion.pyx       its generated source
      champion.py        the same as a Python module of its own
      result.json        fitness on search, selection and test tasks, baselines, counts, times
      checkpoints/       the last two, from which `azgen resume` goes on (azgen/runs/checkpoint.py)
      overrides/         edited sources that were run (azgen/runs/edited.py)
      tensorboard/       the same events for TensorBoard, if asked for

All files but the log are written whole: to a temporary file in the same folder, synchronised with the disk,
renamed.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import tomli_w

from azgen.errors import AzgenError
from azgen.files import path_of, remove_parts, trouble, write_file
from azgen.language.op import OpTable
from azgen.language.program import Program
from azgen.runs.checkpoint import CHECKPOINTS
from azgen.runs.events import Champion, Event, as_record, champion_record
from azgen.runs.figures import Started, check
from azgen.runs.log import rewind
from azgen.settings.settings import Settings
from azgen.settings.values import as_mapping
from azgen.textual import read_json, to_json

ROOT = Path("runs")
"""Where runs lie, seen from the folder that azgen is called in."""

CONFIG = "config.toml"
OPS_FILE = "ops.py"
ENVIRONMENT = "environment.json"
EVENTS = "events.jsonl"
HALL_OF_FAME = "hall_of_fame.json"
CHAMPION = "champion.az"
SOURCE = "champion.pyx"
EXPORT = "champion.py"
RESULT = "result.json"
STARTS = "starts.json"
TENSORBOARD = "tensorboard"
STARTED_FROM = "started_from"
GIVEN = "data"
"""What examples that were given in memory are called, and a run on them."""

_FILES = (CONFIG, OPS_FILE, ENVIRONMENT, STARTS, EVENTS, HALL_OF_FAME, CHAMPION, SOURCE, EXPORT, RESULT)
_GIVEN_FILES = (f"{GIVEN}.npz", f"{GIVEN}.csv")


class RunDirectory:
    """The directory of a run that is going on; `create` makes one."""

    def __init__(self, path: Path):
        self.path = path
        self._events: BinaryIO | None = None
        self._unwritten = bytearray()  # of the log

    @staticmethod
    def create(name: str, seed: int, out: str | Path | None = None) -> RunDirectory:
        """A new run directory.

        Args:
            name: the run's name; with the seed it gives runs/<name>-<seed>, with -2, -3 ... if that is taken.
            seed: the run's seed.
            out: another place, used as given.

        Raises:
            AzgenError: `out` has something in it, or no directory can be made.
        """
        path = path_of(out, "where a run is kept (out)") if out is not None else None
        try:
            if path is not None:
                path.mkdir(parents=True, exist_ok=True)
                if any(path.iterdir()):
                    raise AzgenError(f"{path} is not empty; name another folder, or empty it first")
                return RunDirectory(path)
            ROOT.mkdir(exist_ok=True)
            stem = (re.sub(r"[^\w.-]+", "-", name).strip("-.") or "run") + f"-{seed}"
            number = 1
            while True:
                path = ROOT / (stem if number == 1 else f"{stem}-{number}")
                with suppress(FileExistsError):
                    path.mkdir()
                    return RunDirectory(path)
                if path.is_dir() and not any(path.iterdir()):
                    return RunDirectory(path)
                number += 1
        except FileExistsError:
            raise AzgenError(f"{path} is a file; a run needs a folder") from None
        except OSError as error:
            raise AzgenError(f"cannot write a run to {path or ROOT}: {trouble(error)}") from None

    @property
    def name(self) -> str:
        """The run's name: that of its directory."""
        return self.path.absolute().name

    @property
    def export_path(self) -> Path:
        """Where the champion's Python module goes."""
        return self.path / EXPORT

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.path / CHECKPOINTS

    @property
    def has_checkpoint(self) -> bool:
        """Whether the run can go on when this process has ended."""
        return any(self.checkpoints.glob("checkpoint-*.npz"))

    @property
    def has_champion(self) -> bool:
        """Whether the run has found something."""
        return (self.path / HALL_OF_FAME).is_file()

    def take_up(self, settings: Settings, seconds: float) -> None:
        """Makes the directory that of a run which goes on: what a killed process has left half written is
        removed, and what was written after the checkpoint, as it will be again.

        Args:
            settings: the new ones, which may have other limits.
            seconds: of search at the checkpoint.
        """
        with self._named_errors(""):
            remove_parts(self.path)
            for name in (RESULT, EXPORT, SOURCE):
                (self.path / name).unlink(missing_ok=True)
        rewind(self.path / EVENTS, seconds)
        self.write_settings(settings)

    def write_settings(self, settings: Settings) -> None:
        """config.toml: all settings, also those at their defaults; beside it ops.py, and start programs.

        The run can go on from any folder: a table has its whole path.
        """
        if settings.ops_text:
            self._write(OPS_FILE, settings.ops_text)
            settings = replace(settings, ops_file=OPS_FILE)
        values = as_mapping(settings)
        del values["ops_text"]
        data, initial = values["tasks"].get("data", ""), values["evolution"]["initial"]
        if data and Path(data).is_file():
            values["tasks"]["data"] = os.path.abspath(data)
        if initial:
            single = isinstance(initial, str)
            kept = [self._keep_start(name) for name in ([initial] if single else initial)]
            values["evolution"]["initial"] = kept[0] if single else kept
        self._write(CONFIG, tomli_w.dumps(values))

    def _keep_start(self, name: str) -> str:
        """Copies a program file that populations start from into the run; anything else stays as it is."""
        given = Path(name)
        if name.startswith("zoo:") or not given.is_file():
            return name
        folder, kept = self.path / STARTED_FROM, given
        if folder.resolve() != given.parent.resolve():
            text, number = given.read_text(encoding="utf-8"), 1
            kept = folder / given.name
            while kept.is_file() and kept.read_text(encoding="utf-8") != text:
                number += 1
                kept = folder / f"{given.stem}-{number}{given.suffix}"
            with self._named_errors(STARTED_FROM):
                folder.mkdir(exist_ok=True)
            write_file(kept, text)
        return f"{STARTED_FROM}/{kept.name}"

    def write_environment(self, environment: Mapping[str, Any]) -> None:
        """environment.json: what the run ran on."""
        self._write_json(ENVIRONMENT, environment)

    def write_starts(self, starts: Sequence[Mapping[str, Any]]) -> None:
        """starts.json: programs that the run starts from, best first, each with "name" and "program"."""
        self._write_json(STARTS, starts)

    def read_starts(self, ops: OpTable) -> dict[str, Program]:
        """Programs by name, as `write_starts` was given them; none if nothing was.

        Raises:
            AzgenError: the file is damaged.
        """
        path = self.path / STARTS
        if not path.is_file():
            return {}
        records = read_json(path)
        if not isinstance(records, list):
            raise AzgenError(f"{path} is damaged: it must be a list of programs")
        for number, record in enumerate(records, 1):
            check(Started, record, path, str(number))
        return {record["name"]: Program.parse(record["program"], str(path), ops) for record in records}

    def append(self, *events: Event) -> None:
        """A line more in events.jsonl for each; after an error, the next call writes what is missing."""
        for event in events:
            self._unwritten += (to_json(as_record(event)) + "\n").encode()
        if not self._unwritten:
            return
        with self._named_errors(EVENTS):
            if self._events is None:
                self._events = open(self.path / EVENTS, "ab", buffering=0)  # noqa: SIM115 (closed by `close`)
            while self._unwritten:
                del self._unwritten[: self._events.write(bytes(self._unwritten))]

    def write_champions(self, hall_of_fame: Sequence[Champion], origin: str) -> None:
        """hall_of_fame.json (best first) and champion.az.

        Args:
            origin: where the champion comes from, for the header of its text.
        """
        self._write_json(HALL_OF_FAME, [champion_record(champion) for champion in hall_of_fame])
        self._write(
            CHAMPION, "".join(f"# {line}\n" for line in origin.splitlines()) + str(hall_of_fame[0].program)
        )

    def write_source(self, text: str) -> None:
        """champion.pyx: the champion's generated source."""
        self._write(SOURCE, text)

    def write_result(self, result: Mapping[str, Any]) -> None:
        """result.json."""
        self._write_json(RESULT, result)

    def close(self) -> None:
        """Closes the log."""
        if self._events is not None:
            self._events.close()
            self._events = None

    def discard(self) -> None:
        """Takes back what was written, for a run that ended before it had found anything."""
        self.close()
        for name in (*_FILES, *_GIVEN_FILES):
            (self.path / name).unlink(missing_ok=True)
        for part in (TENSORBOARD, STARTED_FROM):
            shutil.rmtree(self.path / part, ignore_errors=True)
        for folder in (self.checkpoints, self.path):
            with suppress(OSError):  # not empty: something in there is not ours
                folder.rmdir()

    def _write_json(self, name: str, value: Any) -> None:
        self._write(name, to_json(value, indent=2) + "\n")

    def _write(self, name: str, text: str) -> None:
        write_file(self.path / name, text)

    @contextmanager
    def _named_errors(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise AzgenError(f"cannot write {self.path / name}: {trouble(error)}") from None
