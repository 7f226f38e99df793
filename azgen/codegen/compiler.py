"""From Cython source to a loaded module: find the C compiler, translate, compile, load.

Cython runs in this process and the C compiler is called directly; going through setuptools costs three times
as much. Every failure that the user can do something about is a CompilerError that says what.
"""

from __future__ import annotations

import contextlib
import gc
import os
import platform
import re
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Iterator, Sequence
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from azgen.codegen.toolchain import Toolchain, added_flags, compiler_environment, find_toolchain
from azgen.errors import CompilerError

__all__ = [
    "CYTHON_DIRECTIVES",
    "DEFAULT_FLAGS",
    "Toolchain",
    "added_flags",
    "candidate_flags",
    "compile_c",
    "cython_to_c",
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

# Generated source is checked before it is rendered, so nothing is checked again at run time.
CYTHON_DIRECTIVES: dict[str, bool | str] = {
    "language_level": "3",
    "autotestdict": False,
    "binding": False,
    "boundscheck": False,
    "cdivision": True,
    "embedsignature": False,
    "emit_code_comments": False,
    "initializedcheck": False,
    "wraparound": False,
}

# Cython's compiler keeps state in module globals, so one translation at a time per process.
_cython_lock = threading.Lock()


def candidate_flags(toolchain: Toolchain | None = None) -> tuple[str, ...]:
    """Return the flags for candidates: DEFAULT_FLAGS, but for gcc only those passes that pay."""
    toolchain = toolchain or find_toolchain()
    if "clang" in toolchain.version:  # knows few of these by name
        return DEFAULT_FLAGS
    return (*_CANDIDATE_FLAGS_OF_GCC, *DEFAULT_FLAGS[1:])


def cython_to_c(pyx_path: Path, c_path: Path | None = None, *, module_name: str | None = None) -> float:
    """Translate a .pyx file to C and return the wall-clock seconds that it took.

    The C file is written beside the source unless `c_path` says otherwise; the module is called like the file
    unless `module_name` says otherwise. Prints nothing. Raises CompilerError with Cython's message for bad
    source.
    """
    pyx_path = pyx_path.absolute()
    c_path = pyx_path.with_suffix(".c") if c_path is None else c_path.absolute()
    listing = pyx_path.with_suffix(
        ".lis"
    )  # where Cython puts its messages when they are not to go to the terminal
    started = time.perf_counter()
    try:
        with _cython_lock, _no_garbage_collection():
            Main, Options = _cython()
            options = Options.CompilationOptions(
                compiler_directives=CYTHON_DIRECTIVES,
                output_file=str(c_path),
                errors_to_stderr=False,
                use_listing_file=True,
                c_line_in_traceback=False,
            )
            result = Main.compile_single(str(pyx_path), options, module_name or pyx_path.stem)
        if result.num_errors or result.c_file is None:
            c_path.unlink(missing_ok=True)
            raise CompilerError(f"Cython cannot translate {pyx_path}:\n{_read_listing(listing)}")
    finally:
        listing.unlink(missing_ok=True)
    # Cython's header for C code that calls public functions: ours are looked up by name.
    c_path.with_suffix(".h").unlink(missing_ok=True)
    _name_source_without_folder(c_path, pyx_path.name)
    return time.perf_counter() - started


def _cython() -> tuple[Any, Any]:
    """Cython's modules Main and Options; imported late, as a run that finds all in the cache needs neither.

    Cython's scanner is a table of states for every character that names may contain, in all scripts: 163 MB,
    and 0.3 s to make. Generated source is in ASCII, so the scanner is made for that.
    """
    from Cython.Compiler import Lexicon

    for name in ("unicode_start_ch", "unicode_continuation_ch"):
        single, ranges = getattr(Lexicon, f"{name}_any", ""), getattr(Lexicon, f"{name}_range", "")
        pairs = zip(ranges[::2], ranges[1::2], strict=True)  # first and last character of each range
        setattr(Lexicon, f"{name}_any", "".join(filter(str.isascii, single)))
        setattr(Lexicon, f"{name}_range", "".join(a + z for a, z in pairs if z.isascii()))
    from Cython.Compiler import Main, Options

    return Main, Options


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


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    # Cython makes a hundred thousand objects and drops them all at the end: collecting before is in vain.
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _flags_of_platform(flags: Sequence[str]) -> list[str]:
    # macOS tells libraries from bundles, and Python's own symbols are found only when the module is loaded.
    bundle = ["-bundle", "-undefined", "dynamic_lookup"]
    shared = bundle if platform.system() == "Darwin" else ["-shared"]
    return [part for flag in flags for part in (shared if flag == "-shared" else [flag])]


def _name_source_without_folder(c_path: Path, source_name: str) -> None:
    # Cython writes the path of the source into the C file. Ours is a temporary folder that is renamed later:
    # with the bare name, the same source gives the same C file everywhere.
    text = c_path.read_text(encoding="utf-8")
    c_path.write_text(
        re.sub(rf'"[^"\n]*{re.escape(source_name)}"', f'"{source_name}"', text), encoding="utf-8"
    )


def _read_listing(listing: Path) -> str:
    with contextlib.suppress(OSError):
        text = listing.read_text(encoding="utf-8", errors="replace").strip()
        if text:
            return text
    return "(Cython gave no message)"


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
