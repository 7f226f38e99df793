"""The folder of the compile cache: where it is, and that only its owner can have written what is in it.

Code from this folder is loaded into the process, so nobody else may be able to write there.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

from azgen.errors import CacheError
from azgen.textual import is_utf8

ENVIRONMENT_VARIABLE = "AZGEN_BUILD_DIR"

_ADVICE = f"Choose another folder with --build-dir or {ENVIRONMENT_VARIABLE}."
_TEMPORARY_PREFIX = ".tmp-"
_STALE_SECONDS = 24 * 3600.0  # no compilation takes this long: whoever wrote it is dead


def set_build_directory(path: str | os.PathLike[str] | None) -> None:
    """Choose the folder of the compile cache for this process and those it starts; None undoes the choice."""
    # Through the environment, so that worker processes have it without being told.
    if path is None:
        os.environ.pop(ENVIRONMENT_VARIABLE, None)
    else:
        os.environ[ENVIRONMENT_VARIABLE] = os.path.abspath(os.path.expanduser(path))


@contextmanager
def fresh_build_directory() -> Iterator[None]:
    """Have a `with` block find nothing compiled: in it the folder is a new one, which ends with it."""
    before = os.environ.get(ENVIRONMENT_VARIABLE)
    with tempfile.TemporaryDirectory() as folder:
        set_build_directory(Path(folder) / "build")
        try:
            yield
        finally:
            set_build_directory(before)


def build_directory() -> Path:
    """Return the folder of the compile cache, created (mode 0700) if it is not there.

    It is the one set by `set_build_directory` or the environment variable AZGEN_BUILD_DIR; else `build/` of
    the checkout that azgen runs from; else azgen's folder in the user's cache folder. Raises CacheError when
    it cannot be created, belongs to someone else, or can be written by others.
    """
    folder = _chosen_directory()
    if not is_utf8(str(folder)):
        raise CacheError(f"the compile cache {str(folder)!r} is no UTF-8, which Cython needs. {_ADVICE}")
    make_private(folder, parents=True)
    return folder


def _chosen_directory() -> Path:
    chosen = os.environ.get(ENVIRONMENT_VARIABLE)
    if chosen:
        return Path(os.path.abspath(os.path.expanduser(chosen)))
    root = Path(__file__).resolve().parents[2]
    if (root / "templates").is_dir() and (root / "pyproject.toml").is_file():
        return root / "build"
    try:
        return platformdirs.user_cache_path("azgen")
    except RuntimeError:  # no HOME, and nobody knows this user
        raise CacheError(f"there is no home folder to keep compiled code in. {_ADVICE}") from None


def make_private(folder: Path, *, parents: bool = False) -> None:
    """Make a folder that only its owner can use, or check that the one that is there can be trusted."""
    with disk_errors(folder):
        if parents:
            folder.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.mkdir(folder, mode=0o700)
        found = (
            os.stat(folder) if parents else os.lstat(folder)
        )  # the user's own choice may be a link, nothing else
        if not stat.S_ISDIR(found.st_mode):
            raise CacheError(
                f"the compile cache needs a folder at {folder}, and there is something else. {_ADVICE}"
            )
    check_trusted(folder, found)


def check_trusted(path: Path, found: os.stat_result) -> None:
    """Raise CacheError when a file or folder belongs to someone else or can be written by others."""
    if found.st_uid != os.geteuid():
        raise CacheError(
            f"{path} in the compile cache belongs to user {found.st_uid}, not to you (user {os.geteuid()}), "
            f"and code from there would run as you. {_ADVICE}"
        )
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise CacheError(
            f"{path} in the compile cache can be written by others (mode {stat.S_IMODE(found.st_mode):04o}), "
            f"and code from there would run as you. If you trust what is in it: chmod go-w {path}. {_ADVICE}"
        )


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn a full disk, a read-only folder and the like into a CacheError that names the folder."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(folder) from error
        raise CacheError(
            f"the compile cache cannot use {folder}: {error.strerror or error}. {_ADVICE}"
        ) from error


def disk_full(folder: Path) -> CacheError:
    """Make the error for a disk without space, wherever that was noticed."""
    return CacheError(
        f"no space is left for the compile cache in {folder}. Empty the cache (`azgen cache --clear`), or "
        f"free some space. {_ADVICE}"
    )


def temporary_name(folder: Path) -> Path:
    """Make up a name in a folder that no other process or thread uses and that no listing counts."""
    return folder / f"{_TEMPORARY_PREFIX}{os.getpid()}-{uuid.uuid4().hex}"


@contextmanager
def temporary_folder(folder: Path) -> Iterator[Path]:
    """Make a private folder under a unique name, deleted after the `with` block unless renamed before."""
    temporary = temporary_name(folder)
    os.mkdir(temporary, mode=0o700)
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_stale_temporaries(folder: Path) -> None:
    """Delete what killed processes left in a folder: temporaries that are older than a day."""
    with suppress(OSError), os.scandir(folder) as found:
        for item in found:
            if item.name.startswith(_TEMPORARY_PREFIX) and _is_stale(item):
                shutil.rmtree(item.path, ignore_errors=True)


def _is_stale(item: os.DirEntry[str]) -> bool:
    try:
        return time.time() - item.stat(follow_symlinks=False).st_mtime > _STALE_SECONDS
    except OSError:
        return False  # gone in the meantime
