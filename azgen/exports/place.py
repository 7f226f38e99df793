"""Where an export goes: checked before anything is rendered, written as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from azgen.errors import AzgenError
from azgen.files import trouble, write_whole


def check_place(path: Path) -> None:
    """Checks that a file can go there.

    Raises:
        AzgenError: no such folder, or a folder is in its place.
    """
    if not path.parent.is_dir():
        raise AzgenError(f"cannot export to {path}: there is no folder {path.parent}; create it first")
    if path.is_dir():
        raise AzgenError(
            f"cannot export to {path}: that is a folder; name a file, such as {path / 'winner.py'}"
        )


def write_export(path: Path, text: str) -> None:
    """Writes a file, which takes the place of one that is there.

    Raises:
        AzgenError: it cannot be written.
    """
    try:
        write_whole(path, text)
    except OSError as error:
        raise AzgenError(f"cannot export to {path}: {trouble(error)}") from None


def check_folder(path: Path) -> None:
    """Checks that a new folder can go there.

    Raises:
        AzgenError: there is no folder to put it into, or something is in its place already.
    """
    if not path.parent.is_dir():
        raise AzgenError(f"cannot export to {path}: there is no folder {path.parent}; create it first")
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise AzgenError(f"cannot export to {path}: something is there already; name a new folder")


def write_folder(path: Path, files: Mapping[str, str]) -> None:
    """Writes files into a new folder.

    Args:
        files: text by path in the folder.

    Raises:
        AzgenError: it cannot be written.
    """
    try:
        for name, text in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            write_whole(path / name, text)
    except OSError as error:
        raise AzgenError(f"cannot export to {path}: {trouble(error)}") from None
