"""A simulated disk: files and names reach it when they are synced, and a power cut takes what has not been.

After a power cut a file holds what was synced last, or a torn part of what was written since; of the changes
to names (new, replaced, removed) since the folder was synced only the first so many have happened.
"""

from __future__ import annotations

import errno
import io
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from azgen.files import Disk
from azgen.simulation.machine import Machine

_SECTOR = 512
_FULL_SECONDS = 20.0
"""How long a full disk stays full."""


class _Node:
    """A file, whatever its names.

    Attributes:
        content: as processes see it.
        durable: as a power cut leaves it at the least.
    """

    def __init__(self) -> None:
        self.content, self.durable = b"", b""


class _File(io.BytesIO):
    """An open file that is being written; what is written goes on to the system by the buffer."""

    def __init__(self, disk: SimulatedDisk, node: _Node):
        super().__init__()
        self.disk, self.node = disk, node
        self._buffered = 0

    def write(self, data: object) -> int:
        """Writes, unless the disk is full."""
        written = super().write(data)  # type: ignore[arg-type]
        self._buffered += written
        if self._buffered >= io.DEFAULT_BUFFER_SIZE:
            self.flush()
        return written

    def flush(self) -> None:
        """Gives the buffer to the system: as much of it as there is room for."""
        lacking = self._buffered - self.disk.room(self._buffered) if self._buffered else 0
        self._buffered = 0
        if lacking:
            self.truncate(max(0, len(self.getbuffer()) - lacking))
            raise OSError(errno.ENOSPC, "No space left on device")

    def close(self) -> None:
        """Closes it: other processes see what was written."""
        if self.closed:
            return
        try:
            self.flush()
        finally:
            self.node.content = self.getvalue()
            super().close()


class SimulatedDisk(Disk):
    """One folder on a simulated disk.

    Args:
        machine: what it belongs to.

    Attributes:
        files: by name, as processes see them.
        acknowledged: number of the newest checkpoint whose name was synced.
    """

    def __init__(self, machine: Machine):
        self._machine = machine
        self.files: dict[str, _Node] = {}
        self._durable: dict[str, _Node] = {}
        self._pending: list[Callable[[dict[str, _Node]], object]] = []
        self._locked, self._full_until, self._temporaries = False, 0.0, 0
        self.acknowledged = 0

    def _operation(self, name: str) -> None:
        """Any operation: it may take long, or fail."""
        machine = self._machine
        machine.step()
        machine.now += 0.002
        if machine.happens("slow disk"):
            machine.now += machine.random.uniform(1.0, 40.0)
        if machine.happens("disk error"):
            machine.say(f"{name} fails")
            raise OSError(errno.EIO, "Input/output error")

    def _change(self, change: Callable[[dict[str, _Node]], object]) -> None:
        change(self.files)
        self._pending.append(change)

    def room(self, wanted: int) -> int:
        """Of so many bytes those that there is room for."""
        if self._machine.happens("disk full", 0.1):
            self._full_until = self._machine.now + self._machine.random.uniform(0.0, _FULL_SECONDS)
        return wanted if self._machine.now >= self._full_until else self._machine.random.randrange(wanted + 1)

    # -- what azgen.files.Disk has

    def create(self, path: Path) -> tuple[Path, BinaryIO]:
        """A new file beside a path."""
        self._operation("creating a file")
        self._temporaries += 1
        temporary, node = path.with_name(f".{path.name}.{self._temporaries}.part"), _Node()
        self._change(lambda names: names.__setitem__(temporary.name, node))
        return temporary, cast(BinaryIO, _File(self, node))

    def sync(self, file: BinaryIO) -> None:
        """Brings a file to the disk."""
        self._operation("syncing a file")
        written = cast(_File, file)
        written.flush()
        written.node.durable = written.getvalue()

    def replace(self, path: Path, other: Path) -> None:
        """Gives a file another name."""
        self._operation("renaming")

        def rename(names: dict[str, _Node]) -> None:
            if path.name in names:
                names[other.name] = names.pop(path.name)

        self._change(rename)

    def remove(self, path: Path) -> None:
        """Removes a file."""
        self._operation("removing a file")
        if path.name not in self.files:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        self._change(lambda names: names.pop(path.name, None))

    def sync_folder(self, folder: Path) -> None:
        """Brings names to the disk."""
        self._operation("syncing the folder")
        self._durable, self._pending = dict(self.files), []
        numbers = [int(name[11:17]) for name in self.files if name.startswith("checkpoint-")]
        self.acknowledged = max(self.acknowledged, *numbers, 0)

    def open(self, path: Path) -> BinaryIO:
        """A file to be read."""
        self._operation("opening a file")
        return io.BytesIO(self.files[path.name].content)

    def names(self, folder: Path) -> list[str]:
        """Names of all files, in no order."""
        self._operation("listing the folder")
        found = list(self.files)
        self._machine.random.shuffle(found)
        return found

    def lock(self, folder: Path) -> Callable[[], None]:
        """Keeps others out."""
        self._operation("locking the folder")
        assert not self._locked
        self._locked = True

        def unlock() -> None:
            self._locked = False

        return unlock

    # -- crashes

    def killed(self) -> None:
        """The process that had files open is gone; the system is not."""
        self._locked = False

    def power_cut(self) -> None:
        """The system is gone, with all that was on its way to the disk."""
        self._locked, self._full_until = False, 0.0
        dice = self._machine.random
        for change in self._pending[: dice.randint(0, len(self._pending))]:
            change(self._durable)
        self._pending, self.files = [], dict(self._durable)
        for node in self.files.values():
            if node.content != node.durable:
                node.content = node.durable = self._torn(node)

    def _torn(self, node: _Node) -> bytes:
        dice = self._machine.random
        if dice.random() < 0.3:
            return node.durable
        sectors = -(-len(node.content) // _SECTOR)
        part = node.content[: dice.randint(0, sectors) * _SECTOR]
        return part + bytes(len(node.content) - len(part)) if dice.random() < 0.5 else part

    def damage(self, name: str) -> None:
        """Cuts a file off, or changes a byte of it."""
        node, dice = self.files[name], self._machine.random
        content = bytearray(node.content)
        if dice.random() < 0.5:
            del content[dice.randrange(max(1, len(content))) :]
        elif content:
            content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        node.content = node.durable = bytes(content)
