"""Files that are written whole: others see the old one or the new one, never half of it."""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from azgen.errors import AzgenError

MODE = 0o644
"""Of every file written: meant to be passed on, while a temporary file is private."""


Content = str | bytes | Callable[[BinaryIO], object]


class Disk:
    """What files that are written whole need of a disk: this system's, each operation as the system has it.

    All of them raise OSError. The simulation of faults has a disk of its own (`azgen.simulation.disk`).
    """

    def create(self, path: Path) -> tuple[Path, BinaryIO]:
        """A new, private, hidden file beside a path, which stands for that until it takes its place."""
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        return Path(temporary), os.fdopen(descriptor, "wb")

    def sync(self, file: BinaryIO) -> None:
        """Brings what was written to an open file to the disk."""
        file.flush()
        os.fsync(file.fileno())

    def replace(self, path: Path, other: Path) -> None:
        """Gives a file the name of another, which is gone then, and the mode of what is passed on."""
        os.chmod(path, MODE)
        os.replace(path, other)

    def remove(self, path: Path) -> None:
        """Removes a file."""
        os.unlink(path)

    def sync_folder(self, folder: Path) -> None:
        """Brings names to the disk, where folders can be opened."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def open(self, path: Path) -> BinaryIO:
        """A file to be read."""
        return open(path, "rb")

    def names(self, folder: Path) -> list[str]:
        """Names of what is in a folder."""
        return os.listdir(folder)

    def lock(self, folder: Path) -> Callable[[], None]:
        """Makes a folder if need be, and keeps other processes out of it; what is returned lets them in.

        The system lets go of the lock when the process ends, however it ends.

        Raises:
            BlockingIOError: another process has it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise
        except OSError:
            pass  # a file system without locks
        return lambda: os.close(descriptor)


SYSTEM_DISK = Disk()


def write_whole(path: Path, content: Content, disk: Disk = SYSTEM_DISK) -> None:
    """Writes a file to a temporary one in the same folder, brings that to the disk, and renames it.

    A process that is killed meanwhile leaves a hidden `.NAME.*.part` (see `remove_parts`) and the old file.

    Args:
        path: the file; one that is there is replaced, but a device or a pipe is written to as it is.
        content: text (UTF-8, lines end as given), bytes, or what writes them to an open file.
        disk: where.

    Raises:
        OSError: it cannot be written; nothing of it is left then.
    """
    if disk is SYSTEM_DISK and path.exists() and not path.is_file():
        with open(path, "wb") as device:
            _write(device, content)
        return
    temporary, file = disk.create(path)
    try:
        with file:
            _write(file, content)
            disk.sync(file)
        disk.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            disk.remove(temporary)
        raise
    with suppress(OSError):  # the file is whole in any case
        disk.sync_folder(path.parent)


def trouble(error: OSError) -> str:
    """What the system says of a file or folder, and what to do where that is known."""
    said = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{said}; free some space, or name a place on another disk"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"{said}; name a place that you may write to"
    return said


def path_of(value: Any, what: str) -> Path:
    """A path that was given.

    Raises:
        AzgenError: it is none; `what` says what it is for.
    """
    if isinstance(value, str | os.PathLike):
        return Path(value)
    raise AzgenError(f"{what} is a path as text; this is {type(value).__name__}")


def read_text(path: Path) -> str:
    """The text of a file (UTF-8).

    Raises:
        FileNotFoundError: there is no such file.
        AzgenError: it cannot be read, or is no text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise AzgenError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise AzgenError(f"{path} is damaged: it is no text ({error.reason})") from None


def check_file_place(path: Path) -> None:
    """Checks that a file can go there, before the work whose result it takes.

    Raises:
        AzgenError: no such folder, or a folder is in its place.
    """
    if path.is_dir() or not path.parent.is_dir():
        raise AzgenError(f"cannot write {path}: name a file in a folder that exists")


def write_file(path: Path, content: Content, disk: Disk = SYSTEM_DISK) -> None:
    """`write_whole`, with an error that can be shown.

    Raises:
        AzgenError: it cannot be written; nothing of it is left then.
    """
    try:
        write_whole(path, content, disk)
    except OSError as error:
        raise AzgenError(f"cannot write {path}: {trouble(error)}") from None


def remove_parts(folder: Path, disk: Disk = SYSTEM_DISK) -> None:
    """Removes what killed processes have left half written in a folder, as far as that can be removed."""
    with suppress(OSError):
        for name in disk.names(folder):
            if name.startswith(".") and name.endswith(".part"):
                with suppress(OSError):
                    disk.remove(folder / name)


def _write(file: BinaryIO, content: Content) -> None:
    if callable(content):
        content(file)
    else:
        # A path that is no UTF-8 may be named in a text; the text is to be read all the same.
        file.write(content.encode(errors="replace") if isinstance(content, str) else content)
