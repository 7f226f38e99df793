"""Is everything there that azgen needs to compile and run? What `azgen doctor` prints."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

from azgen.codegen import cache_folder, compiler, confined, store
from azgen.codegen.build import build, build_key
from azgen.codegen.measurements import CALIBRATION, all_measured, read_measured, write_measured
from azgen.confinement import landlock_version
from azgen.errors import AzgenError, CacheError, CompilerError

_MINIMUM_CYTHON = (3, 1)
_MINIMUM_FREE_BYTES = 200 * 2**20  # a run of some hours compiles about this much


_TWICE = "def twice(double x):\n    return x + x\n"
_CONFINED = "confinement"
"""Kind of what is kept of a compiler that worked in a confined process."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `advice` is what to do about it: empty when there is nothing to do."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


def diagnose() -> list[Finding]:
    """Look at everything that compiling needs, up to compiling and loading a real module.

    Raises no AzgenError: what does not work is a finding that is not ok.
    """
    findings: dict[str, Finding] = {}
    for name, check, needs in _CHECKS:
        missing = [other for other in needs if not findings[other].ok]
        if missing:  # its message would only repeat theirs
            findings[name] = Finding(name, False, f"not checked, because this failed: {', '.join(missing)}")
            continue
        try:
            detail, advice = check()
            findings[name] = Finding(name, True, detail, advice)
        except AzgenError as error:
            detail, _, advice = str(error).partition("\n")
            findings[name] = Finding(name, False, detail, advice)
    return list(findings.values())


def _compiler() -> tuple[str, str]:
    toolchain = compiler.find_toolchain()
    return f"{toolchain.version}, for {toolchain.target} ({' '.join(toolchain.command)})", ""


def _headers() -> tuple[str, str]:
    return str(compiler.python_headers()), ""


def _vector_width() -> tuple[str, str]:
    bits = compiler.find_toolchain().vector_bits()
    return f"{bits} bits: {bits // 32} lanes of float32, {bits // 64} of float64", ""


def _vector_math() -> tuple[str, str]:
    toolchain = compiler.find_toolchain()
    count = sum(f"N{toolchain.vector_bits() // 32}v" in name for name in toolchain.vector_math())
    if count:
        return f"glibc's libmvec has {count} functions for a whole float32 vector", ""
    return (
        "no libmvec: sin, exp, log and the like are computed lane by lane: correct, but slower",
        "on Linux, glibc 2.35 or newer has it for x86-64, 2.40 for AArch64; elsewhere there is nothing to do",
    )


def _cython() -> tuple[str, str]:
    found = version("cython")
    if tuple(int(part) for part in found.split(".")[:2]) < _MINIMUM_CYTHON:
        raise CompilerError(f"{found} is too old\npip install --upgrade 'cython>=3.1'")
    return found, ""


def _build_directory() -> tuple[str, str]:
    folder = cache_folder.build_directory()
    found = store.entries()
    free = shutil.disk_usage(folder).free
    size = sum(entry.size for entry in found)
    detail = f"{folder}: {len(found)} modules, {size / 2**20:.1f} MiB; {free / 2**30:.1f} GiB free"
    if free < _MINIMUM_FREE_BYTES:
        raise CacheError(f"{detail}\nfree some space, or choose another folder with --build-dir")
    return detail, ""


def _calibration() -> tuple[str, str]:
    found = all_measured(CALIBRATION)
    if not found:
        return "nothing measured yet; `--backend auto` measures when evaluations take long enough", ""
    last = found[0]
    fixed, more = 1e3 * last["module"], 1e3 * last["instruction"]
    plural = "" if len(found) == 1 else "s"
    return (
        f"{len(found)} search space{plural} measured for `--backend auto`; the last ({last['of']}): "
        f"compiling takes {fixed:.0f} ms a module and {more:.1f} ms an instruction"
    ), ""


def _compile_and_load() -> tuple[str, str]:
    # In the build directory and not in /tmp: a file system mounted noexec must show here. It is kept there
    # under a key of compiler, flags, Cython and Python: while these stay it is only loaded.
    built = build("doctor", {"doctor.pyx": _TWICE})
    if built.module.twice(21.0) != 42.0:
        raise CompilerError("the compiled module computes wrong values\nset CC to another compiler")
    if built.cached:
        return "a two-line module, compiled before by the same compiler, can be loaded", ""
    return f"a two-line module in {sum(built.seconds.values()):.1f} s", ""


def _confinement() -> tuple[str, str]:
    version = landlock_version()
    if not version:
        return "this system has no Landlock (Linux 5.13 or newer has): workers may do what you may", ""
    key = _confinement_key(version)
    known = read_measured(_CONFINED, key)
    if known is None:
        known = {"landlock": _landlock_of_a_worker()}
        write_measured(_CONFINED, key, known)
    if known["landlock"] == "0":
        return f"off, by {confined.VARIABLE} or because it is not known which programs the compiler runs", ""
    keeps = ["write in the compile cache alone", "read what is installed", "run the compiler alone"]
    keeps += ["open no TCP connection"] if version >= 4 else []
    keeps += ["signal no other process"] if version >= 6 else []
    alone = "a run without workers (--engine workers: with one) is not confined"
    return f"Landlock {version}: workers {', '.join(keeps)}; {alone}", ""


def _confinement_key(version: int) -> str:
    """Under which it is kept that compiling works in a confined process: for this compiler and system."""
    told = [build_key("doctor", {"doctor.pyx": _TWICE}), str(version), os.environ.get(confined.VARIABLE, "")]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _landlock_of_a_worker() -> str:
    """Landlock's version in a process that gives up what workers do and compiles; "0" if it does not."""
    code = f"import sys; sys.path[:] = {sys.path!r}; from azgen.codegen import doctor; doctor.try_confined()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise CompilerError(
            f"the compiler does not work where only it may run: {done.stderr.strip().splitlines()[-1]}\n"
            f"set {confined.VARIABLE}=off, and workers may do what you may"
        )
    return done.stdout.strip()


def try_confined() -> None:
    """Compiles in a process that gives up what workers do; prints Landlock's version.

    Raises CompilerError where that does not work.
    """
    version = confined.confine_worker()
    with cache_folder.temporary_folder(cache_folder.build_directory()) as folder:
        (folder / "twice.c").write_text("int twice(int x) { return x + x; }\n", encoding="utf-8")
        compiler.compile_c(folder / "twice.c", folder / "twice.so")
    print(version)


# name, the check (what it found and advice; or an AzgenError), the checks that it builds on
_CHECKS: tuple[tuple[str, Callable[[], tuple[str, str]], tuple[str, ...]], ...] = (
    ("C compiler", _compiler, ()),
    ("Python headers", _headers, ()),
    ("vector width", _vector_width, ("C compiler",)),
    ("vector maths", _vector_math, ("C compiler",)),
    ("Cython", _cython, ()),
    ("build directory", _build_directory, ()),
    ("calibration", _calibration, ("build directory",)),
    ("compile and load", _compile_and_load, ("C compiler", "Python headers", "Cython", "build directory")),
    ("confinement", _confinement, ("compile and load",)),
)
