"""Which C compiler there is, and what the machine can do: vector width, vector maths, CPU features."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from importlib.util import find_spec
from pathlib import Path

from azgen.errors import CompilerError

FLAGS_VARIABLE = "AZGEN_CFLAGS"

_NO_COMPILER = """no C compiler was found, and azgen compiles what it runs. Install one:
  Debian, Ubuntu:  apt install gcc libc6-dev
  Fedora:          dnf install gcc
  macOS:           xcode-select --install
  anywhere:        pip install 'azgen[zig]'   (a compiler as a Python wheel)
or name one in the environment variable CC. Then `azgen doctor` tells whether everything is there."""

# The maths functions that glibc may offer for whole vectors; which of them it has depends on its version.
_VECTOR_FUNCTIONS = (
    "acos", "acosh", "asin", "asinh", "atan", "atanh", "cbrt", "cos", "cosh", "erf", "erfc", "exp", "exp10",
    "exp2", "expm1", "log", "log10", "log1p", "log2", "sin", "sinh", "tan", "tanh",
)  # fmt: skip
_VECTOR_FUNCTIONS_OF_TWO = ("atan2", "hypot", "pow")


@dataclass(frozen=True)
class Toolchain:
    """A C compiler on this machine, with everything about the two that decides the machine code."""

    command: tuple[str, ...]  # full path first, then arguments that always go along
    version: str  # the first line of `--version`
    target: str  # such as "x86_64-linux-gnu"
    cpu_features: str  # a digest: equal on two machines that `-march=native` treats alike

    def vector_bits(self) -> int:
        """Width in bits of the vector registers that `-march=native` may use: 512, 256 or 128."""
        macros = _predefined_macros(self.command)
        if macros >= {"__AVX512F__", "__AVX512DQ__", "__AVX512BW__", "__AVX512VL__"}:
            return 512
        return 256 if "__AVX2__" in macros else 128

    def vector_math(self) -> frozenset[str]:
        """Names of the libmvec functions that can be linked and run here, such as "_ZGVeN16v_sinf".

        The letters and number are the vector ABI's: register kind (b, d, e: SSE, AVX2, AVX-512; n: NEON),
        lanes, then one "v" per argument. Empty where there is no glibc with vector maths; then scalar
        functions serve, lane by lane.
        """
        return _vector_math(self.command, self.vector_bits())


def find_toolchain() -> Toolchain:
    """Find the C compiler: environment variable CC, then cc, gcc, clang, then the ziglang wheel.

    Raises CompilerError that says what to install when there is none, or that CC names something unusable.
    """
    return _find_toolchain(os.environ.get("CC", "").strip(), os.environ.get("PATH", ""))


def added_flags() -> tuple[str, ...]:
    """Options for the C compiler that the environment variable AZGEN_CFLAGS adds after azgen's own.

    -Og, say, compiles a kernel in half the time; -g names lines of generated source to a profiler.

    Raises CompilerError when they cannot be split into words.
    """
    given = os.environ.get(FLAGS_VARIABLE, "")
    try:
        return tuple(shlex.split(given))
    except ValueError as error:
        raise CompilerError(
            f"the environment variable {FLAGS_VARIABLE} is {given!r}, which cannot be split into words "
            f"({error}). Correct it, or unset it."
        ) from None


def compiler_environment(temporary: Path | None = None) -> dict[str, str]:
    """Environment variables for calling the compiler: ours, but with messages that no locale changes.

    Args:
        temporary: folder of its temporary files, as a worker may write in the compile cache alone.
    """
    folder = {} if temporary is None else {"TMPDIR": str(temporary)}
    return {**os.environ, "LC_ALL": "C", **folder}


@lru_cache(maxsize=8)
def _find_toolchain(cc: str, path: str) -> Toolchain:
    if cc:
        words = _words(cc)
        executable = shutil.which(words[0], path=path)
        version = _version((executable, *words[1:])) if executable else None
        if executable is None or version is None:
            reason = "is not found" if executable is None else "does not answer `--version`"
            raise CompilerError(
                f"the environment variable CC is {cc!r}, but that {reason}. Correct it, or unset it so that "
                "azgen looks for a compiler itself."
            )
        return _describe((executable, *words[1:]), version)
    for name in ("cc", "gcc", "clang"):
        executable = shutil.which(name, path=path)
        # On macOS cc may be there and only say that the command line tools must be installed: look further.
        version = _version((executable,)) if executable else None
        if executable is not None and version is not None:
            return _describe((executable,), version)
    if find_spec("ziglang") is not None:
        command = (sys.executable, "-m", "ziglang", "cc")
        version = _version(command)
        if version is not None:
            with suppress(PackageNotFoundError):  # then it runs all the same; only its packaging is odd
                version = f"zig {package_version('ziglang')}, {version}"
            return _describe(command, version)
    raise CompilerError(_NO_COMPILER)


def _words(cc: str) -> list[str]:
    try:
        return shlex.split(cc) or [cc]
    except ValueError as error:
        raise CompilerError(
            f"the environment variable CC is {cc!r}, which cannot be split into words ({error}). Correct it, "
            "or unset it so that azgen looks for a compiler itself."
        ) from None


def _describe(command: tuple[str, ...], version: str) -> Toolchain:
    target = _output((*command, "-dumpmachine")) or f"{platform.machine()}-{sys.platform}"
    return Toolchain(command=command, version=version, target=target.strip(), cpu_features=_cpu_features())


def _version(command: tuple[str, ...]) -> str | None:
    lines = (_output((*command, "--version")) or "").strip().splitlines()
    return lines[0].strip() if lines else None


def _output(command: tuple[str, ...]) -> str | None:
    try:
        finished = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=compiler_environment(),
            text=True,
            errors="replace",
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return finished.stdout if finished.returncode == 0 else None


@lru_cache(maxsize=8)
def _predefined_macros(command: tuple[str, ...]) -> frozenset[str]:
    text = _output((*command, "-march=native", "-dM", "-E", "-x", "c", "-")) or ""
    return frozenset(line.split()[1] for line in text.splitlines() if line.startswith("#define "))


@lru_cache(maxsize=8)
def _vector_math(command: tuple[str, ...], bits: int) -> frozenset[str]:
    # The compiler must find the library as well, not only the loader: one for musl, say, does not.
    linkable = (_output((*command, "-print-file-name=libmvec.so")) or "").strip()
    if not os.path.isabs(linkable):
        return frozenset()
    try:
        library = ctypes.CDLL("libmvec.so.1")
    except OSError:
        return frozenset()
    kinds = {"n": 128} if platform.machine() in ("aarch64", "arm64") else {"b": 128, "d": 256, "e": 512}
    names = set()
    for kind, width in kinds.items():
        if width > bits:
            continue  # the library has it, this processor has not
        for function in (*_VECTOR_FUNCTIONS, *_VECTOR_FUNCTIONS_OF_TWO):
            arguments = "vv" if function in _VECTOR_FUNCTIONS_OF_TWO else "v"
            names.add(f"_ZGV{kind}N{width // 32}{arguments}_{function}f")
            names.add(f"_ZGV{kind}N{width // 64}{arguments}_{function}")
    return frozenset(name for name in names if hasattr(library, name))


@lru_cache(maxsize=1)
def _cpu_features() -> str:
    # The model counts too: -march=native also tunes for it, down to cache sizes.
    described = {platform.machine(), platform.processor()}
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("flags", "Features"):
                described.update(value.split())
            elif name.strip() in (
                "vendor_id",
                "cpu family",
                "model",
                "model name",
                "CPU implementer",
                "CPU part",
            ):
                described.add(f"{name.strip()}={value.strip()}")
    except OSError:
        pass  # no Linux; machine and processor are what there is
    return hashlib.sha256("\n".join(sorted(described)).encode()).hexdigest()[:32]
