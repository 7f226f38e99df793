"""Files that are written whole: others see the old one or the new one, never half of it."""

from __future__ import annotations

import errno
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


def write_whole(path: Path, content: Content) -> None:
    """Writes a file to a temporary one in the same folder, brings that to the disk, and renames it.

    A process that is killed meanwhile leaves a hidden `.NAME.*.part` (see `remove_parts`) and the old file.

    Args:
        path: the file; one that is there is replaced, but a device or a pipe is written to as it is.
        content: text (UTF-8, lines end as given), bytes, or what writes them to an open file.

    Raises:
        OSError: it cannot be written; nothing of it is left then.
    """
    if path.exists() and not path.is_file():
        with open(path, "wb") as file:
            _write(file, content)
        return
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            _write(file, content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, MODE)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(path.parent)


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


def write_file(path: Path, content: Content) -> None:
    """`write_whole`, with an error that can be shown.

    Raises:
        AzgenError: it cannot be written; nothing of it is left then.
    """
    try:
        write_whole(path, content)
    except OSError as error:
        raise AzgenError(f"cannot write {path}: {trouble(error)}") from None


def remove_parts(folder: Path) -> None:
    """Removes what killed processes have left half written in a folder, as far as that can be removed."""
    for left in folder.glob(".*.part"):
        with suppress(OSError):
            left.unlink()


def _write(file: BinaryIO, content: Content) -> None:
    if callable(content):
        content(file)
    else:
        # A path that is no UTF-8 may be named in a text; the text is to be read all the same.
        file.write(content.encode(errors="replace") if isinstance(content, str) else content)


def _sync_folder(folder: Path) -> None:
    """Brings a rename to the disk, where folders can be opened; the file is whole in any case."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
