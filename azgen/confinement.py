"""What a process gives up for good: Linux's Landlock and no_new_privs, through system calls.

Numbers and structures are those of the kernel's user interface (linux/landlock.h, the same on every processor
that azgen runs on). What a process has given up its children have given up too.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH, _NO_NEW_PRIVS = 1, 1, 38

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_FILE = 1 << 4, 1 << 5, 1 << 7, 1 << 8
_MAKE_SYMLINK, _REFER, _TRUNCATE = 1 << 12, 1 << 13, 1 << 14
_READ = _READ_FILE | _READ_DIR
_WRITE = (
    _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_FILE | _MAKE_SYMLINK | _REFER | _TRUNCATE
)
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
"""Rights that a rule about one file may grant; the others are about what is in a folder."""

_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
"""Rights to files that there are, by the interface's first version that has so many."""

_TCP = 0b11
"""To bind and to connect; from version 4 on."""

_SCOPES = 0b11
"""Abstract sockets and signals of processes outside; from version 6 on."""


@dataclass(frozen=True)
class Rights:
    """What a process keeps.

    Attributes:
        read: files and folders that it may read, with all that is in them.
        write: those that it may read, write, make and delete files in.
        execute: programs that it may run, and read.
    """

    read: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()
    execute: tuple[Path, ...] = ()


def landlock_version() -> int:
    """Version of the running kernel's Landlock; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    return max(0, _call(_CREATE_RULESET, None, 0, _VERSION_FLAG))


def confine(rights: Rights) -> int:
    """Gives up everything but these rights, for this thread, those that it starts, and child processes.

    From version 4 of Landlock on TCP connections are given up too; from version 6 on signals to processes
    other than its own children.

    Returns:
        The version of Landlock that holds it; 0: nothing is given up, as the kernel has none or refuses.
    """
    version = landlock_version()
    if not version:
        return 0
    handled = (1 << max(count for first, count in _RIGHTS.items() if first <= version)) - 1
    words = [handled, *([_TCP] if version >= 4 else []), *([_SCOPES] if version >= 6 else [])]
    attributes = (ctypes.c_uint64 * len(words))(*words)
    ruleset = _call(_CREATE_RULESET, attributes, ctypes.sizeof(attributes), 0)
    if ruleset < 0:
        return 0
    try:
        _allow(ruleset, rights.read, _READ & handled)
        _allow(ruleset, rights.write, (_READ | _WRITE) & handled)
        _allow(ruleset, rights.execute, _EXECUTE | _READ_FILE)
        if ctypes.CDLL(None).prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) or _call(_RESTRICT_SELF, ruleset, 0) < 0:
            return 0
    finally:
        os.close(ruleset)
    return version


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def _allow(ruleset: int, paths: Iterable[Path], access: int) -> None:
    """Grants rights beneath paths; those that are not there, or cannot be opened, need none."""
    for path in paths:
        with suppress(OSError):
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
                rule = _PathBeneath(access if folder else access & _OF_FILES, descriptor)
                _call(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
            finally:
                os.close(descriptor)


def _call(number: int, *arguments: object) -> int:
    values = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    system_call = ctypes.CDLL(None).syscall
    system_call.restype = ctypes.c_long
    return int(system_call(ctypes.c_long(number), *values))
