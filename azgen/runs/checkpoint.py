"""Checkpoints of a run: numbered files in its checkpoints/ folder, each written whole, the last two kept.

A file is a NumPy archive (.npz) of plain arrays; one of them, `header`, is JSON: the schema's number, the
checksum of every other array, and all that is no array. Nothing in it is ever run or unpickled. What the
values mean is the search's business (azgen/search/snapshot.py).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen import plain
from azgen.bounds import Bounded, Positive
from azgen.errors import AzgenError
from azgen.files import SYSTEM_DISK, Disk, remove_parts, trouble, write_file
from azgen.plain import PlainError

CHECKPOINTS = "checkpoints"
"""Folder in the run directory."""

SCHEMA = 2
KEPT = 2

_NAME = re.compile(r"checkpoint-(\d+)\.npz")


class DamagedError(AzgenError):
    """A checkpoint that was cut off, changed, or holds what no run can hold."""


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds, its checksums verified.

    Attributes:
        path: the file.
        schema: number of the schema that it was written in.
        values: plain values.
        arrays: by name.
    """

    path: Path
    schema: int
    values: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


class _LaterError(AzgenError):
    """A checkpoint of a schema that this azgen does not know."""


class CheckpointDirectory:
    """The checkpoints of one run, open for one process at a time.

    Args:
        path: the folder; it is made if need be.
        disk: on which it is.

    Attributes:
        damaged: files of it that could not be read; they count for none of those that are kept.

    Raises:
        AzgenError: it cannot be made, or another process has it open.
    """

    def __init__(self, path: Path, disk: Disk = SYSTEM_DISK):
        self.path, self._disk = path, disk
        self.damaged = set[Path]()
        try:
            self._unlock = disk.lock(path)
        except BlockingIOError:
            raise AzgenError(
                f"{path.parent} is a run that another process is carrying out right now"
            ) from None
        except OSError as error:
            raise AzgenError(f"cannot keep checkpoints in {path}: {trouble(error)}") from None
        remove_parts(path, disk)  # of a process that was killed

    def close(self) -> None:
        """Lets another process have the folder."""
        self._unlock()

    def write(self, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Path:
        """Writes a checkpoint, and removes all but the last two.

        Raises:
            AzgenError: it cannot be written; nothing of it is left then.
        """
        # With a folder that cannot be listed no number is known to be the next.
        path = self.path / f"checkpoint-{max((number for number, _ in self._files()), default=0) + 1:06d}.npz"
        sums = {name: _checksum(array) for name, array in arrays.items()}
        header = json.dumps({"schema": SCHEMA, "sha256": sums, **values}, allow_nan=False).encode()
        everything = {"header": np.frombuffer(header, np.uint8), **arrays}
        write_file(path, lambda file: np.savez(file, allow_pickle=False, **everything), self._disk)
        with suppress(AzgenError):
            self._make_room([file for _, file in self._files()])
        return path

    def _make_room(self, files: list[Path]) -> None:
        """Removes all but the last two that are whole."""
        kept = [file for file in files if file not in self.damaged][-KEPT:]
        for old in files:
            # What is damaged goes when there is enough that is whole: reading it may have failed by chance.
            if old not in kept and (old not in self.damaged or len(kept) == KEPT):
                with suppress(OSError):
                    self._disk.remove(old)

    def candidates(self) -> list[Path]:
        """Files that are there, the newest first.

        Raises:
            AzgenError: the folder cannot be read.
        """
        return [path for _, path in reversed(self._files())]

    def _files(self) -> list[tuple[int, Path]]:
        try:
            names = self._disk.names(self.path)
        except OSError as error:
            raise AzgenError(f"cannot look into {self.path}: {trouble(error)}") from None
        matches = (_NAME.fullmatch(name) for name in names)
        return sorted((int(match[1]), self.path / match[0]) for match in matches if match)


def read(path: Path, disk: Disk = SYSTEM_DISK) -> Checkpoint:
    """Reads a checkpoint.

    Raises:
        DamagedError: it cannot be read, or is not as it was written.
        AzgenError: it is of a later schema.
    """
    try:
        with disk.open(path) as file, np.load(file, allow_pickle=False) as archive:
            values = json.loads(archive["header"].tobytes().decode())
            header = plain.read(_Header, values, "its header", extra=True)
            if header.schema > SCHEMA:
                raise _LaterError(
                    f"{path} was written by a later azgen (schema {header.schema}); update azgen to read it"
                )
            arrays = {name: archive[name] for name in header.sha256}
        for name, array in arrays.items():
            if _checksum(array) != header.sha256[name]:
                raise PlainError(f"the checksum of {name} is another")
    except _LaterError:
        raise
    except Exception as error:  # NumPy and zipfile let a damaged archive raise nearly anything
        raise DamagedError(f"{path} is damaged: {error or type(error).__name__}") from None
    rest = {name: value for name, value in values.items() if name not in ("schema", "sha256")}
    return Checkpoint(path, header.schema, rest, arrays)


@dataclass(frozen=True)
class _Header(Bounded):
    """What every schema's header has.

    Attributes:
        schema: its number.
        sha256: checksums of the arrays, by name.
    """

    schema: Positive
    sha256: dict[str, str]


def _checksum(array: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
