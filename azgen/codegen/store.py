"""A folder that only its owner can have written: entries are published whole, verified, set aside, pruned.

    <build>/<kind>/<key>/    one entry: files that never change, and manifest.json with their checksums
    <build>/<kind>/.tmp-*    being written, or being deleted, by some process

Code from this folder is loaded into the process, so nobody else may be able to write there. What the files
are, and how they come about, is no concern of this module: it knows no compiler. An entry is written under a
temporary name and published by one rename, so that any number of processes can use one folder without locks:
whoever publishes the same key second finds the name taken and uses what is there.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import stat
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from azgen.errors import CacheError
from azgen.version import azgen_version

ENVIRONMENT_VARIABLE = "AZGEN_BUILD_DIR"
MANIFEST = "manifest.json"
FORMAT = 2
"""Of keys, entries and manifests: raise it when any of them changes."""

_TEMPORARY_PREFIX = ".tmp-"
_STALE_SECONDS = 24 * 3600.0  # no compilation takes this long: whoever wrote it is dead
_KEY = re.compile(r"[0-9a-f]{64}")


class Absent(Exception):
    """There is no such entry."""


class Damaged(Exception):
    """The entry is not what was written."""


@dataclass(frozen=True)
class Entry:
    """One entry on disk."""

    kind: str  # what it is: "kernel", "candidate"
    key: str  # 64 hexadecimal digits
    directory: Path
    size: int  # bytes of all its files
    last_used: float  # seconds since the epoch


def set_build_directory(path: str | os.PathLike[str] | None) -> None:
    """Choose the folder of the compile cache for this process and those it starts; None undoes the choice."""
    # Through the environment, so that worker processes have it without being told.
    if path is None:
        os.environ.pop(ENVIRONMENT_VARIABLE, None)
    else:
        os.environ[ENVIRONMENT_VARIABLE] = os.path.abspath(os.path.expanduser(path))


def build_directory() -> Path:
    """Return the folder of the compile cache, created (mode 0700) if it is not there.

    It is the one set by `set_build_directory` or the environment variable AZGEN_BUILD_DIR; else `build/` of
    the checkout that azgen runs from; else azgen's folder in the user's cache folder. Raises CacheError when
    it cannot be created, belongs to someone else, or can be written by others.
    """
    folder = _chosen_directory()
    make_private(folder, parents=True)
    return folder


def _chosen_directory() -> Path:
    chosen = os.environ.get(ENVIRONMENT_VARIABLE)
    if chosen:
        return Path(os.path.abspath(os.path.expanduser(chosen)))
    root = Path(__file__).resolve().parents[2]
    if (root / "templates").is_dir() and (root / "pyproject.toml").is_file():
        return root / "build"
    return platformdirs.user_cache_path("azgen")


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


_ADVICE = f"Choose another folder with --build-dir or {ENVIRONMENT_VARIABLE}."


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


def kind_directory(kind: str) -> Path:
    """Return the folder of entries of a kind, created if it is not there. Raises CacheError."""
    folder = build_directory() / kind
    make_private(folder)
    return folder


@contextmanager
def publishing(entry: Path, ingredients: Mapping[str, Any], *, program: str = "") -> Iterator[Path]:
    """Give a temporary folder to be filled, and publish it as the entry when the `with` block ends.

    An entry that another process published in the meantime stays, and after an exception nothing is left.

    Args:
        entry: folder that the entry will be.
        ingredients: plain values of what the files were made from, kept in the manifest for `verify`.
        program: name of the one file that is code.

    Raises OSError for the disk's troubles.
    """
    with temporary_folder(entry.parent) as temporary:
        yield temporary
        files = {}
        for path in sorted(temporary.iterdir()):
            path.chmod(0o700 if path.name == program else 0o600)  # whatever the umask let others write
            content = path.read_bytes()
            files[path.name] = {"bytes": len(content), "sha256": sha256(content)}
        manifest = {
            "azgen": azgen_version(),
            "created": time.time(),  # seconds since the epoch
            "files": files,
            "ingredients": ingredients,
        }
        path = temporary / MANIFEST
        path.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        path.chmod(0o600)
        try:
            os.rename(temporary, entry)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            # Another process was first: what is there is used, and ours goes with the temporary folder.


def verify(entry: Path, ingredients: Mapping[str, Any]) -> frozenset[str]:
    """Check that all files of an entry are what was written, and return their names.

    Raises Absent, Damaged, or CacheError when somebody else could have written them.
    """
    try:
        found = os.lstat(entry)
    except FileNotFoundError:
        raise Absent from None
    if not stat.S_ISDIR(found.st_mode):
        raise Damaged
    check_trusted(entry, found)
    try:
        check_trusted(entry / MANIFEST, os.lstat(entry / MANIFEST))
        manifest = json.loads((entry / MANIFEST).read_bytes())
        if manifest["ingredients"] != ingredients:
            raise Damaged
        files: dict[str, dict[str, Any]] = manifest["files"]
        for name, expected in files.items():
            path = entry / name
            check_trusted(path, os.lstat(path))
            if sha256(path.read_bytes()) != expected["sha256"]:
                raise Damaged
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, AttributeError):
        raise Damaged from None
    return frozenset(files)


def set_aside(entry: Path, ingredients: Mapping[str, Any]) -> None:
    """Move a damaged entry away and delete it; a process that has its library loaded keeps what it loaded."""
    aside = temporary_name(entry.parent)
    try:
        os.rename(entry, aside)
    except FileNotFoundError:
        return  # another process was faster
    with suppress(Damaged, OSError):
        # If another process has repaired it since we looked, we hold its good copy: put it back.
        verify(aside, ingredients)
        os.rename(aside, entry)
        return
    if aside.is_dir() and not aside.is_symlink():
        shutil.rmtree(aside, ignore_errors=True)
    else:
        aside.unlink(missing_ok=True)


def sha256(content: bytes) -> str:
    """Checksum of a file: 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def entries() -> list[Entry]:
    """List the entries on disk, the most recently used first. Unfinished ones are left out."""
    found = []
    for kind in _kinds(build_directory()):
        for directory in sorted(kind.iterdir()):
            if not _KEY.fullmatch(directory.name):
                continue
            with suppress(OSError):  # another process may be deleting it
                used = directory.stat().st_mtime
                taken = sum(item.stat().st_size for item in directory.iterdir())
                found.append(Entry(kind.name, directory.name, directory, taken, used))
    return sorted(found, key=lambda entry: entry.last_used, reverse=True)


def size() -> int:
    """Return how many bytes the entries on disk take."""
    return sum(entry.size for entry in entries())


def prune(max_bytes: int) -> int:
    """Delete the entries that were not used for longest until the rest takes at most `max_bytes`.

    Returns the number of bytes freed. Modules that some process has loaded go on working there.
    """
    freed = kept = 0
    for entry in entries():
        if kept + entry.size <= max_bytes:
            kept += entry.size
        elif remove_entry(entry.directory):
            freed += entry.size
    for kind in _kinds(build_directory()):
        remove_stale_temporaries(kind)
    return freed


def clear() -> int:
    """Delete all entries; return the number of bytes freed."""
    return prune(max_bytes=-1)


def remove_entry(directory: Path) -> bool:
    """Delete an entry, seen by other processes whole or not at all; False when another process was faster."""
    aside = temporary_name(directory.parent)
    with disk_errors(directory):
        try:
            os.rename(directory, aside)
        except FileNotFoundError:
            return False
    shutil.rmtree(aside, ignore_errors=True)
    return True


def _kinds(folder: Path) -> list[Path]:
    return sorted(item for item in folder.iterdir() if item.is_dir() and not item.name.startswith("."))
