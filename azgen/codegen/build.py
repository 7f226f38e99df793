"""Source in, loaded module out, compiled at most once for each key.

The key is a hash of everything that decides the machine code. What has the key in the store is verified and
loaded; else Cython and the C compiler run, and the store publishes what they made. A damaged entry is moved
away and built again.
"""

from __future__ import annotations

import errno
import json
import os
import re
import sysconfig
import threading
import time
import weakref
from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from azgen.codegen import cache_folder, compiler, cutting, store, translation
from azgen.errors import CacheError, CompilerError

_LIBRARY_SUFFIX: str = sysconfig.get_config_var("EXT_SUFFIX")  # also tells the Python version and its ABI
_STAGES = ("cython", "compile", "load")
_EDITED = "edited"  # the kind of sources that people may have written anything into
_ATTEMPTS = 5  # how often other processes may delete an entry under our hands


@dataclass(frozen=True)
class Recipe:
    """What is to be compiled, and with what."""

    kind: str
    files: Mapping[str, str]
    flags: tuple[str, ...]
    libraries: tuple[str, ...]
    toolchain: compiler.Toolchain
    functions_alone: bool

    @classmethod
    def of(
        cls,
        kind: str,
        files: Mapping[str, str],
        flags: Sequence[str],
        libraries: Sequence[str],
        functions_alone: bool = False,
    ) -> Recipe:
        """Check the parts and add this machine's compiler. Raises ValueError, CompilerError."""
        if not re.fullmatch(r"[a-z][a-z0-9_]*", kind):
            raise ValueError(f"kind must be a lower-case word, not {kind!r}")
        if any(Path(name).name != name or name == store.MANIFEST for name in files):
            raise ValueError(f"file names must be without folders and not {store.MANIFEST}: {sorted(files)}")
        if sum(name.endswith(".pyx") for name in files) != 1:
            raise ValueError(f"exactly one .pyx file is needed, not {sorted(files)}")
        toolchain = compiler.find_toolchain()
        return cls(kind, dict(files), tuple(flags), tuple(libraries), toolchain, functions_alone)

    @cached_property
    def ingredients(self) -> dict[str, Any]:
        """Everything that decides the machine code, ready for JSON."""
        return {
            "format": store.FORMAT,
            "kind": self.kind,
            # The .pyx is called like the module, so like the key: its given name cannot be part of the key.
            "sources": {
                ".pyx" if name.endswith(".pyx") else name: store.sha256(text.encode())
                for name, text in sorted(self.files.items())
            },
            "flags": [*self.flags, *compiler.added_flags()],
            "libraries": list(self.libraries),
            "directives": translation.CYTHON_DIRECTIVES,
            "functions_alone": self.functions_alone and [*cutting.lean_link(self.toolchain)],
            "cython": _cython_version(),
            "python": _LIBRARY_SUFFIX,
            "compiler": [self.toolchain.version, *self.toolchain.command[1:]],
            "target": self.toolchain.target,
            "cpu_features": self.toolchain.cpu_features,
        }

    @cached_property
    def key(self) -> str:
        """SHA-256 of the ingredients: 64 hexadecimal digits."""
        return store.sha256(json.dumps(self.ingredients, sort_keys=True, separators=(",", ":")).encode())

    @property
    def module_name(self) -> str:
        """Name of the compiled module, known before it is compiled."""
        return f"azgen_{self.kind}_{self.key[:24]}"

    @property
    def library(self) -> str:
        """Name of the compiled file."""
        return self.module_name + _LIBRARY_SUFFIX


@dataclass(frozen=True)
class Built:
    """A compiled and loaded module, or library of C functions."""

    module: Any  # what Python imported, or a cutting.Library
    key: str  # 64 hexadecimal digits
    directory: Path  # holds the generated source and the compiled file
    cached: bool  # True when nothing had to be compiled
    seconds: dict[str, float]  # wall-clock time of "cython", "compile" and "load"; 0.0 for what was not done


@dataclass
class Statistics:
    """What the cache did in this process."""

    builds: int = 0  # modules compiled
    hits: int = 0  # modules asked for and found, in this process or on disk
    loads: int = 0  # modules and libraries mapped into this process
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


# By the entry's folder. A module is loaded once in a process and never leaves it; a library leaves it with
# its last user.
_modules: dict[Path, Any] = {}
_libraries: weakref.WeakValueDictionary[Path, cutting.Library] = weakref.WeakValueDictionary()
# Threads that want the same entry wait for the first.
_locks: weakref.WeakValueDictionary[Path, threading.Lock] = weakref.WeakValueDictionary()
_locking = threading.Lock()


def build(
    kind: str,
    files: Mapping[str, str],
    *,
    flags: Sequence[str] = compiler.DEFAULT_FLAGS,
    libraries: Sequence[str] = (),
    functions_alone: bool = False,
) -> Built:
    """Return the module that these sources compile to, from the cache when it is there.

    `kind` is a lower-case word and names the folder and the module ("kernel", "candidate"). `files` maps
    names to texts: exactly one "*.pyx", and the headers that it includes. The .pyx is written as
    `azgen_<kind>_<first 24 digits of the key>.pyx`, whatever its given name; headers keep theirs. `flags` and
    `libraries` are as for `compiler.compile_c`. With `functions_alone` it is no module that Python imports
    but a library of C functions, which costs less to compile and leaves the process when nobody uses it any
    more (azgen.codegen.cutting).

    Raises CompilerError when there is no compiler or the source is rejected (nothing is left behind then),
    and CacheError when the cache folder cannot be used.
    """
    recipe = Recipe.of(kind, files, flags, libraries, functions_alone)
    entry = store.kind_directory(kind) / recipe.key
    with _locking:
        mine = _locks.setdefault(entry, threading.Lock())
    with mine:
        loaded: MutableMapping[Path, Any] = _libraries if functions_alone else _modules
        known = loaded.get(entry)
        if known is None:
            built = _load_or_compile(entry, recipe)
            loaded[entry] = built.module
        else:
            built = Built(known, recipe.key, entry, cached=True, seconds=dict.fromkeys(_STAGES, 0.0))
        statistics.count(built, loaded=known is None)
    return built


def build_key(
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
            with cache_folder.disk_errors(entry):
                started = time.perf_counter()
                module = _load(entry, recipe)
                seconds["load"] = time.perf_counter() - started
        except store.Absent:
            cache_folder.remove_stale_temporaries(entry.parent)
            with (
                cache_folder.disk_errors(entry.parent),
                store.publishing(entry, recipe.ingredients, program=recipe.library) as folder,
            ):
                seconds |= _compile(folder, recipe)
            compiled = True
        except store.Damaged:
            with cache_folder.disk_errors(entry):
                store.set_aside(entry, recipe.ingredients)
        except CompilerError:
            # What cannot be loaded may be another compiler's fault: it is not to stay.
            with cache_folder.disk_errors(entry):
                store.remove_entry(entry)
            if compiled:
                raise
        else:
            with suppress(OSError):  # its time is when it was last used, for `prune`; not worth failing for
                os.utime(entry)
            return Built(module, recipe.key, entry, cached=not compiled, seconds=seconds)
    raise CacheError(
        f"the compile cache entry {entry} is deleted or damaged again and again. Is another program writing "
        "there? Choose another folder with --build-dir or AZGEN_BUILD_DIR."
    )


def _compile(folder: Path, recipe: Recipe) -> dict[str, float]:
    """Put source and compiled module into a folder; return wall-clock seconds for "cython" and "compile"."""
    name = recipe.module_name
    for file_name, text in recipe.files.items():
        target = folder / (f"{name}.pyx" if file_name.endswith(".pyx") else file_name)
        target.write_text(text, encoding="utf-8", newline="")
    source, c_file = (folder / f"{name}{end}" for end in (".pyx", ".c"))
    try:
        generated = recipe.functions_alone and recipe.kind != _EDITED
        seconds = {"cython": translation.cython_to_c(source, c_file, functions_alone=generated)}
        compile_c = cutting.compile_functions if recipe.functions_alone else compiler.compile_c
        seconds["compile"] = compile_c(
            c_file, folder / recipe.library, recipe.flags, recipe.libraries, toolchain=recipe.toolchain
        )
    except CompilerError as error:
        if os.strerror(errno.ENOSPC) in str(error):  # Cython or the C compiler was the one to notice
            raise cache_folder.disk_full(folder.parent) from error
        raise
    if os.environ.get("AZGEN_KEEP_C") != "1":
        c_file.unlink()
    return seconds


def _load(entry: Path, recipe: Recipe) -> Any:
    if recipe.library not in store.verify(entry, recipe.ingredients):
        raise store.Damaged
    library = entry / recipe.library
    try:
        if recipe.functions_alone:
            return cutting.load_library(library)
        return compiler.load_module(recipe.module_name, library)
    except CompilerError:
        if not library.exists():  # deleted by another process since it was verified
            raise (store.Damaged if entry.exists() else store.Absent) from None
        raise


@lru_cache(maxsize=1)
def _cython_version() -> str:
    return version("cython")
