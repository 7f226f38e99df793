"""One entry of the compile cache: what decides its key, how it is written, checked and put away."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import stat
import sysconfig
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from azgen.codegen import compiler
from azgen.codegen.cache_directory import check_trusted, disk_full, temporary_folder, temporary_name
from azgen.errors import CompilerError

MANIFEST = "manifest.json"
_FORMAT = 1  # of keys, entries and manifests: raise it when any of them changes
_LIBRARY_SUFFIX: str = sysconfig.get_config_var("EXT_SUFFIX")  # also tells the Python version and its ABI


class Absent(Exception):
    """There is no such entry."""


class Damaged(Exception):
    """The entry is not what was written."""


@dataclass(frozen=True)
class Recipe:
    """What is to be compiled, and with what."""

    kind: str
    files: Mapping[str, str]
    flags: tuple[str, ...]
    libraries: tuple[str, ...]
    toolchain: compiler.Toolchain

    @classmethod
    def of(
        cls, kind: str, files: Mapping[str, str], flags: Sequence[str], libraries: Sequence[str]
    ) -> Recipe:
        """Check the parts and add this machine's compiler. Raises ValueError, CompilerError."""
        if not re.fullmatch(r"[a-z][a-z0-9_]*", kind):
            raise ValueError(f"kind must be a lower-case word, not {kind!r}")
        if any(Path(name).name != name or name == MANIFEST for name in files):
            raise ValueError(f"file names must be without folders and not {MANIFEST}: {sorted(files)}")
        if sum(name.endswith(".pyx") for name in files) != 1:
            raise ValueError(f"exactly one .pyx file is needed, not {sorted(files)}")
        return cls(kind, dict(files), tuple(flags), tuple(libraries), compiler.find_toolchain())

    @cached_property
    def ingredients(self) -> dict[str, Any]:
        """Everything that decides the machine code, ready for JSON."""
        return {
            "format": _FORMAT,
            "kind": self.kind,
            # The .pyx is called like the module, so like the key: its given name cannot be part of the key.
            "sources": {
                ".pyx" if name.endswith(".pyx") else name: _sha256(text.encode())
                for name, text in sorted(self.files.items())
            },
            "flags": list(self.flags),
            "libraries": list(self.libraries),
            "directives": compiler.CYTHON_DIRECTIVES,
            "cython": _cython_version(),
            "python": _LIBRARY_SUFFIX,
            "compiler": [self.toolchain.version, *self.toolchain.command[1:]],
            "target": self.toolchain.target,
            "cpu_features": self.toolchain.cpu_features,
        }

    @cached_property
    def key(self) -> str:
        """SHA-256 of the ingredients: 64 hexadecimal digits."""
        return _sha256(json.dumps(self.ingredients, sort_keys=True, separators=(",", ":")).encode())

    @property
    def module_name(self) -> str:
        """Name of the compiled module, known before it is compiled."""
        return f"azgen_{self.kind}_{self.key[:24]}"


def write(entry: Path, recipe: Recipe) -> dict[str, float]:
    """Compile into a temporary folder beside the entry and publish it by a rename.

    An entry that another process published in the meantime stays. Returns wall-clock seconds for "cython" and
    "compile". Raises CompilerError, CacheError for a full disk, OSError for the disk's other troubles.
    """
    name = recipe.module_name
    with temporary_folder(entry.parent) as temporary:
        for file_name, text in recipe.files.items():
            target = temporary / (f"{name}.pyx" if file_name.endswith(".pyx") else file_name)
            target.write_text(text, encoding="utf-8", newline="")
        source, c_file, library = (temporary / f"{name}{end}" for end in (".pyx", ".c", _LIBRARY_SUFFIX))
        try:
            seconds = {"cython": compiler.cython_to_c(source, c_file)}
            seconds["compile"] = compiler.compile_c(
                c_file, library, recipe.flags, recipe.libraries, toolchain=recipe.toolchain
            )
        except CompilerError as error:
            if os.strerror(errno.ENOSPC) in str(error):  # Cython or the C compiler was the one to notice
                raise disk_full(entry.parent) from error
            raise
        if os.environ.get("AZGEN_KEEP_C") != "1":
            c_file.unlink()
        _write_manifest(temporary, library.name, recipe, seconds)
        try:
            os.rename(temporary, entry)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            # Another process was first: what is there is used, and ours goes with the temporary folder.
    return seconds


def _write_manifest(folder: Path, library: str, recipe: Recipe, seconds: dict[str, float]) -> None:
    files = {}
    for path in sorted(folder.iterdir()):
        path.chmod(0o700 if path.name == library else 0o600)  # whatever the umask let the compiler write
        content = path.read_bytes()
        files[path.name] = {"bytes": len(content), "sha256": _sha256(content)}
    try:
        azgen_version = version("azgen")
    except PackageNotFoundError:  # run from a checkout that is not installed
        azgen_version = "unknown"
    manifest = {
        "azgen": azgen_version,
        "created": time.time(),  # seconds since the epoch
        "seconds": seconds,
        "library": library,
        "files": files,
        "ingredients": recipe.ingredients,
    }
    path = folder / MANIFEST
    path.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    path.chmod(0o600)


def verify(directory: Path, recipe: Recipe) -> Path:
    """Return the compiled file of an entry after checking that all its files are what was written.

    Raises Absent, Damaged, or CacheError when somebody else could have written them.
    """
    try:
        found = os.lstat(directory)
    except FileNotFoundError:
        raise Absent from None
    if not stat.S_ISDIR(found.st_mode):
        raise Damaged
    check_trusted(directory, found)
    try:
        manifest = json.loads((directory / MANIFEST).read_bytes())
        if manifest["ingredients"] != recipe.ingredients:
            raise Damaged
        files: dict[str, dict[str, Any]] = manifest["files"]
        library = f"{recipe.module_name}{_LIBRARY_SUFFIX}"
        if library not in files:
            raise Damaged
        for name, expected in files.items():
            path = directory / name
            check_trusted(path, os.lstat(path))
            if _sha256(path.read_bytes()) != expected["sha256"]:
                raise Damaged
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, AttributeError):
        raise Damaged from None
    return directory / library


def set_aside(entry: Path, recipe: Recipe) -> None:
    """Move a damaged entry away and delete it; a process that has its library loaded keeps what it loaded."""
    aside = temporary_name(entry.parent)
    try:
        os.rename(entry, aside)
    except FileNotFoundError:
        return  # another process was faster
    with suppress(Damaged, OSError):
        # If another process has repaired it since we looked, we hold its good copy: put it back.
        verify(aside, recipe)
        os.rename(aside, entry)
        return
    if aside.is_dir() and not aside.is_symlink():
        shutil.rmtree(aside, ignore_errors=True)
    else:
        aside.unlink(missing_ok=True)


@lru_cache(maxsize=1)
def _cython_version() -> str:
    return version("cython")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
