"""From C to a loaded module: compile, load.

The C compiler is called directly; going through setuptools costs three times as much. Every failure that the
user can do something about is a CompilerError that says what.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from azgen.codegen.toolchain import Toolchain, added_flags, compiler_environment, find_toolchain
from azgen.errors import CompilerError

__all__ = [
    "DEFAULT_FLAGS",
    "Toolchain",
    "added_flags",
    "candidate_flags",
    "compile_c",
    "find_toolchain",
    "load_module",
    "python_headers",
]

# IEEE arithmetic as written: no contraction to fused multiply-adds, no reordering, signed zeros kept.
# -fno-math-errno and -fno-trapping-math change no value: nobody reads errno, nobody traps.
# -Wno-psabi: lane vectors are passed by value, which draws a warning about other compilers.
DEFAULT_FLAGS = (
    "-O2",
    "-march=native",
    "-fPIC",
    "-shared",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fwrapv",
    "-DNDEBUG",
    "-Wno-psabi",
)

# For candidates, which are compiled by the thousand and are straight lines of SIMD arithmetic: half of gcc's
# time at -O2 goes into passes that find nothing there (docs/performance.md). -fexpensive-optimizations brings
# vzeroupper, without which whatever runs next is slow; -fpeel-loops writes short loops out, so that vectors
# and matrices can stay in registers.
_CANDIDATE_FLAGS_OF_GCC = (
    "-O1",
    "-fexpensive-optimizations",
    "-fschedule-insns2",
    "-fpeel-loops",
    "--param=max-completely-peeled-insns=400",
    "-fno-combine-stack-adjustments",
    "-fno-compare-elim",
    "-fno-cprop-registers",
    "-fno-defer-pop",
    "-fno-dse",
    "-fno-if-conversion",
    "-fno-if-conversion2",
    "-fno-ipa-modref",
    "-fno-ipa-profile",
    "-fno-ipa-pure-const",
    "-fno-ipa-reference",
    "-fno-ipa-reference-addressable",
    "-fno-ssa-phiopt",
    "-fno-tree-dominator-opts",
    "-fno-tree-sink",
    "-fno-tree-slsr",
)


def candidate_flags(toolchain: Toolchain | None = None) -> tuple[str, ...]:
    """Return the flags for candidates: DEFAULT_FLAGS, but for gcc only those passes that pay."""
    toolchain = toolchain or find_toolchain()
    if "clang" in toolchain.version:  # knows few of these by name
        return DEFAULT_FLAGS
    return (*_CANDIDATE_FLAGS_OF_GCC, *DEFAULT_FLAGS[1:])


def compile_c(
    c_path: Path,
    so_path: Path,
    flags: Sequence[str] = DEFAULT_FLAGS,
    libraries: Sequence[str] = (),
    *,
    toolchain: Toolchain | None = None,
) -> float:
    """Compile one C file into an extension module and return the wall-clock seconds that it took.

    `libraries` are names for the linker ("m", "mvec"). The user's own flags (`added_flags`) go last. Raises
    CompilerError with the compiler's own message.
    """
    toolchain = toolchain or find_toolchain()
    folders = dict.fromkeys((python_headers(), Path(sysconfig.get_path("platinclude"))))
    options = [*_flags_of_platform(flags), *(f"-I{folder}" for folder in folders), *added_flags()]
    rest = [str(c_path), "-o", str(so_path), *(f"-l{library}" for library in libraries)]
    started = time.perf_counter()
    finished = _run(toolchain, [*options, *rest], so_path.parent)
    if finished.returncode == 0 and not so_path.is_file():
        raise CompilerError(
            f"{toolchain.command[0]} says that it has compiled {c_path}, but there is no {so_path.name}. "
            "Is it a C compiler? Correct the environment variable CC, or unset it: azgen looks for one then."
        )
    if finished.returncode != 0:
        so_path.unlink(missing_ok=True)
        raise CompilerError(_compiler_failure(toolchain, c_path, finished.returncode, finished.stderr))
    return time.perf_counter() - started


def _run(toolchain: Toolchain, arguments: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Calls the compiler, whose temporary files go to a folder: a worker may write in no other."""
    try:
        return subprocess.run(
            [*toolchain.command, *arguments],
            capture_output=True,
            env=compiler_environment(folder),
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise CompilerError(f"the C compiler {toolchain.command[0]} cannot be started: {error}") from error


def load_module(name: str, so_path: Path) -> ModuleType:
    """Map an extension module into this process. Raises CompilerError when the system's loader refuses it.

    The module does not enter `sys.modules`: it is the caller's, and it can never be unloaded.
    """
    spec = spec_from_file_location(name, so_path, loader=ExtensionFileLoader(name, str(so_path)))
    assert spec is not None and spec.loader is not None
    try:
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
    except ImportError as error:
        raise CompilerError(
            f"the compiled module {so_path} cannot be loaded: {error}\n"
            "If its folder is on a file system mounted noexec, choose another with --build-dir or "
            "AZGEN_BUILD_DIR. If not, the C compiler does not do what it says: `azgen doctor` tells which it "
            "is, the environment variable CC names another."
        ) from error
    return module


def python_headers() -> Path:
    """Return the folder that holds Python.h. Raises CompilerError that says which package to install."""
    folder = Path(sysconfig.get_path("include"))
    if not (folder / "Python.h").is_file():
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise CompilerError(
            f"Python's C headers are missing: there is no {folder / 'Python.h'}.\n"
            f"  Debian, Ubuntu:  apt install python{version}-dev\n"
            f"  Fedora:          dnf install python3-devel\n"
            "  elsewhere:       use a Python that comes with them (python.org, pyenv, uv, conda)\n"
            "Then `azgen doctor` tells whether everything is there."
        )
    return folder


def _flags_of_platform(flags: Sequence[str]) -> list[str]:
    # macOS tells libraries from bundles, and Python's own symbols are found only when the module is loaded.
    bundle = ["-bundle", "-undefined", "dynamic_lookup"]
    shared = bundle if platform.system() == "Darwin" else ["-shared"]
    return [part for flag in flags for part in (shared if flag == "-shared" else [flag])]


def _compiler_failure(toolchain: Toolchain, c_path: Path, status: int, messages: str) -> str:
    if status < 0:  # killed by a signal, nearly always for lack of memory
        return (
            f"the C compiler ({toolchain.version}) was killed by signal {-status} while compiling {c_path}; "
            "probably memory ran out. Free some, or compile with fewer workers at a time."
        )
    lines = messages.strip().splitlines()
    errors = [index for index, line in enumerate(lines) if "error" in line or "cannot find" in line]
    first = errors[0] if errors else 0  # the first error matters, what follows is often its echo
    shown = "\n".join(lines[first : first + 12]) or "(the compiler gave no message)"
    return (
        f"the C compiler ({toolchain.version}) fails with status {status} on {os.fspath(c_path)}:\n{shown}\n"
        "`azgen doctor` tells whether the compiler works at all."
    )
