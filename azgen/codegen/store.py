"""Entries of the compile cache: published whole, verified, set aside, pruned.

    <build>/<kind>/<key>/    one entry: files that never change, and manifest.json with their checksums
    <build>/<kind>/.tmp-*    being written, or being deleted, by some process

What the files are, and how they come about, is no concern of this module: it knows no compiler. An entry is
written under a temporary name and published by one rename, so that any number of processes can use one folder
without locks: whoever publishes the same key second finds the name taken and uses what is there.
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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azgen.codegen.cache_folder import (
    build_directory,
    check_trusted,
    disk_errors,
    make_private,
    remove_stale_temporaries,
    temporary_folder,
    temporary_name,
)
from azgen.plain import PlainError, read
from azgen.version import azgen_version

MANIFEST = "manifest.json"
FORMAT = 2
"""Of keys, entries and manifests: raise it when any of them changes."""

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
        manifest = read(_Manifest, json.loads((entry / MANIFEST).read_bytes()), "manifest", extra=True)
        if manifest.ingredients != ingredients:
            raise Damaged
        for name, expected in manifest.files.items():
            path = entry / name
            if path.parent != entry or path.name != name:
                raise Damaged
            check_trusted(path, os.lstat(path))
            if sha256(path.read_bytes()) != expected.sha256:
                raise Damaged
    except (OSError, ValueError, RecursionError, PlainError):
        raise Damaged from None
    return frozenset(manifest.files)


@dataclass(frozen=True)
class _File:
    """A file of an entry, in its manifest."""

    sha256: str


@dataclass(frozen=True)
class _Manifest:
    """What an entry's manifest.json must hold."""

    files: dict[str, _File]
    ingredients: Mapping[str, Any]


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
