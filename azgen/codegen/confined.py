"""What a worker process keeps once it has started: what is installed, the compile cache, the compiler.

A worker needs no file of the user's, no network and no program but the C compiler; a candidate that was made
to misbehave has no more.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from azgen.codegen.cache_folder import build_directory
from azgen.codegen.template_folder import template_directory
from azgen.codegen.toolchain import Toolchain, compiler_environment, find_toolchain
from azgen.confinement import Rights, confine
from azgen.errors import CompilerError

VARIABLE = "AZGEN_CONFINE"
"""Environment variable that leaves workers as they are, where it is "off"."""

_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"),
    *("/etc", "/opt", "/nix", "/proc", "/sys", "/dev"),
)
_FOLDERS = ("CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH", "LD_LIBRARY_PATH")
"""Environment variables that name folders of headers and libraries."""

_PARTS = ("cc1", "as", "collect2", "ld", "lto-wrapper")
_FRONTS = {"ccache", "distcc", "icecc", "sccache"}
"""Programs that stand before a compiler and run others."""


def confine_worker() -> int:
    """Gives up all that a worker does not need; see `azgen.confinement.confine`.

    Returns:
        Version of Landlock; 0 where nothing is given up: the kernel has none, the user has switched it off,
        or the compiler is one of which it is not known which programs it runs.
    """
    if os.environ.get(VARIABLE) == "off":
        return 0
    try:
        programs = compiler_programs(find_toolchain())
    except CompilerError:
        programs = []
    if programs is None:
        return 0
    beside = {folder for program in programs for folder in program.parents[1:2]}  # the compiler's headers
    readable = (*_installed(), *(beside - {Path("/"), Path(os.path.expanduser("~"))}))
    return confine(Rights(readable, (build_directory(), Path("/dev/null")), tuple(programs)))


def _installed() -> Iterator[Path]:
    """The system, Python, its packages, what stands among these as a link, what the compiler is told of."""
    told = (folder for name in _FOLDERS for folder in os.environ.get(name, "").split(os.pathsep) if folder)
    for root in dict.fromkeys((*_SYSTEM, sys.prefix, sys.base_prefix, str(template_directory()), *told)):
        yield Path(os.path.realpath(root))
    for root in filter(os.path.isabs, sys.path):
        yield Path(os.path.realpath(root))
        with suppress(OSError), os.scandir(root) as found:
            yield from (Path(os.path.realpath(entry.path)) for entry in found if entry.is_symlink())


def compiler_programs(toolchain: Toolchain) -> list[Path] | None:
    """All programs that compiling runs, loaders included; None where they are not known."""
    driver = os.path.realpath(toolchain.command[0])
    if (len(toolchain.command) > 1 and "ziglang" in toolchain.command) or os.path.basename(driver) in _FRONTS:
        return None
    found = {Path(driver)}
    for part in _PARTS:
        with suppress(OSError, subprocess.SubprocessError):
            answer = _ask(toolchain, f"-print-prog-name={part}")
            if os.path.isabs(answer) or (answer := _on_path(answer)):
                found.add(Path(os.path.realpath(answer)))
    loaders = {loader for program in found if (loader := _loader(program))}
    if any(_loader(program) is None for program in found):
        return None  # a script runs a shell, and what it likes
    return sorted(found | {Path(os.path.realpath(loader)) for loader in loaders if loader != Path()})


def _ask(toolchain: Toolchain, option: str) -> str:
    command = [*toolchain.command, option]
    done = subprocess.run(command, capture_output=True, env=compiler_environment(), text=True, timeout=60)
    return done.stdout.strip()


def _on_path(name: str) -> str:
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return next((path for folder in folders if os.access(path := os.path.join(folder, name), os.X_OK)), "")


def _loader(program: Path) -> Path | None:
    """What the system runs a program by: the interpreter that an ELF file names, `Path()` if it names none;
    None: it is no ELF file of 64 bits."""
    try:
        with program.open("rb") as file:
            head = file.read(64)
            if head[:5] != b"\x7fELF\x02":
                return None
            order = "<" if head[5] == 1 else ">"
            (start,) = struct.unpack_from(f"{order}Q", head, 32)
            size, count = struct.unpack_from(f"{order}HH", head, 54)
            for number in range(count):
                file.seek(start + number * size)
                kind, _, offset, _, _, length = struct.unpack(f"{order}IIQQQQ", file.read(40))
                if kind == 3:  # PT_INTERP
                    file.seek(offset)
                    return Path(os.fsdecode(file.read(length).rstrip(b"\0")))
    except (OSError, struct.error):
        return None
    return Path()
