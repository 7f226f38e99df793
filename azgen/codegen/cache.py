"""The compile cache: source in, loaded module out, compiled at most once for each key.

The key is a hash of everything that decides the machine code. An entry is written under a temporary name,
published by one rename and never changed afterwards, so that any number of processes can use one cache
without locks: whoever builds the same key second finds the name taken and uses what is there. Before a module
is loaded its files are compared with the checksums in its manifest; a damaged entry is moved away and built
again.

This file is the front; cache_entry.py knows what one entry consists of, cache_directory.py knows the folder.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

from azgen.codegen import cache_entry, compiler
from azgen.codegen.cache_directory import (
    CacheEntry,
    build_directory,
    cache_entries,
    cache_size,
    clear,
    disk_errors,
    make_private,
    prune,
    remove_stale_temporaries,
    set_build_directory,
)
from azgen.codegen.cache_entry import Absent, Damaged, Recipe
from azgen.errors import CacheError, CompilerError

__all__ = [
    "Built",
    "CacheEntry",
    "Statistics",
    "build",
    "build_directory",
    "cache_entries",
    "cache_key",
    "cache_size",
    "clear",
    "prune",
    "set_build_directory",
    "statistics",
]

_STAGES = ("cython", "compile", "load")
_ATTEMPTS = 5  # how often other processes may delete an entry under our hands


@dataclass(frozen=True)
class Built:
    """A compiled and loaded module."""

    module: ModuleType
    key: str  # 64 hexadecimal digits
    directory: Path  # holds the generated source and the compiled file
    cached: bool  # True when nothing had to be compiled
    seconds: dict[str, float]  # wall-clock time of "cython", "compile" and "load"; 0.0 for what was not done


@dataclass
class Statistics:
    """What the cache did in this process."""

    builds: int = 0  # modules compiled
    hits: int = 0  # modules asked for and found, in this process or on disk
    loads: int = 0  # modules mapped into this process, which never leave it again
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_STAGES, 0.0))  # wall clock
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def count(self, built: Built, *, loaded: bool) -> None:
        """Add one answer of `build`."""
        with self._lock:
            self.builds += not built.cached
            self.hits += built.cached
            self.loads += loaded
            for stage, seconds in built.seconds.items():
                self.seconds[stage] += seconds

    def reset(self) -> None:
        """Start again from zero."""
        with self._lock:
            self.builds = self.hits = self.loads = 0
            self.seconds = dict.fromkeys(_STAGES, 0.0)


statistics = Statistics()

_loaded: dict[Path, Built] = {}  # by the entry's folder; a module is loaded once in a process
_locks: dict[Path, threading.Lock] = {}  # threads that want the same entry wait for the first


def build(
    kind: str,
    files: Mapping[str, str],
    *,
    flags: Sequence[str] = compiler.DEFAULT_FLAGS,
    libraries: Sequence[str] = (),
) -> Built:
    """Return the module that these sources compile to, from the cache when it is there.

    `kind` is a lower-case word and names the folder and the module ("kernel", "candidate"). `files` maps
    names to texts: exactly one "*.pyx", and the headers that it includes. The .pyx is written as
    `azgen_<kind>_<first 24 digits of the key>.pyx`, whatever its given name; headers keep theirs. `flags` and
    `libraries` are as for `compiler.compile_c`.

    Raises CompilerError when there is no compiler or the source is rejected (nothing is left behind then),
    and CacheError when the cache folder cannot be used.
    """
    recipe = Recipe.of(kind, files, flags, libraries)
    kind_folder = build_directory() / kind
    make_private(kind_folder)
    entry = kind_folder / recipe.key
    with _locks.setdefault(entry, threading.Lock()):
        known = _loaded.get(entry)
        if known is None:
            built = _loaded[entry] = _load_or_compile(entry, recipe)
        else:
            built = replace(known, cached=True, seconds=dict.fromkeys(_STAGES, 0.0))
        statistics.count(built, loaded=known is None)
    return built


def cache_key(
    kind: str,
    files: Mapping[str, str],
    *,
    flags: Sequence[str] = compiler.DEFAULT_FLAGS,
    libraries: Sequence[str] = (),
) -> str:
    """Return the key (64 hexadecimal digits) under which `build` keeps these sources on this machine."""
    return Recipe.of(kind, files, flags, libraries).key


def _load_or_compile(entry: Path, recipe: Recipe) -> Built:
    seconds = dict.fromkeys(_STAGES, 0.0)
    compiled = False
    for _ in range(_ATTEMPTS):
        try:
            with disk_errors(entry):
                started = time.perf_counter()
                module = _load(entry, recipe)
                seconds["load"] = time.perf_counter() - started
        except Absent:
            remove_stale_temporaries(entry.parent)
            with disk_errors(entry.parent):
                seconds |= cache_entry.write(entry, recipe)
            compiled = True
        except Damaged:
            with disk_errors(entry):
                cache_entry.set_aside(entry, recipe)
        else:
            with suppress(OSError):  # its time is when it was last used, for `prune`; not worth failing for
                os.utime(entry)
            return Built(module, recipe.key, entry, cached=not compiled, seconds=seconds)
    raise CacheError(
        f"the compile cache entry {entry} is deleted or damaged again and again. Is another program writing "
        "there? Choose another folder with --build-dir or AZGEN_BUILD_DIR."
    )


def _load(entry: Path, recipe: Recipe) -> ModuleType:
    library = cache_entry.verify(entry, recipe)
    try:
        return compiler.load_module(recipe.module_name, library)
    except CompilerError:
        if not library.exists():  # deleted by another process since it was verified
            raise (Damaged if entry.exists() else Absent) from None
        raise
