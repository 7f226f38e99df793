"""From Cython source to C: Cython runs in this process, which costs a third of going through setuptools."""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from azgen.errors import CompilerError

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

# What Cython goes through a source for, though C functions as azgen renders them have none of it; a quarter
# of its time. By module of Cython.Compiler. The check that nothing needs Python's lock (GilCheck) stays, as
# users' own ops stand in such functions.
_FOR_PYTHON_ALONE = {
    "AnalysedTreeTransforms": ("AutoTestDictTransform",),
    "AutoDocTransforms": ("EmbedSignature",),
    "Buffer": ("IntroduceBufferAuxiliaryVars",),
    "Optimize": (
        "ConsolidateOverflowCheck",
        "DropRefcountingTransform",
        "FinalOptimizePhase",
        "FlattenInListTransform",
        "InlineDefNodeCalls",
    ),
    "ParseTreeTransforms": (
        "AdjustDefByDirectives",
        "AutoCpdefFunctionDefinitions",
        "CalculateQualifiedNamesTransform",
        "CoerceCppTemps",
        "CreateClosureClasses",
        "DecoratorTransform",
        "FindInvalidUseOfFusedTypes",
        "MarkClosureVisitor",
        "ParallelRangeTransform",
        "TrackNumpyAttributes",
        "TransformBuiltinMethods",
        "WithTransform",
    ),
    "TypeInference": ("MarkOverflowingArithmetic", "MarkParallelAssignments"),
}

# Cython's compiler keeps state in module globals, so one translation at a time per process.
_cython_lock = threading.Lock()


def cython_to_c(
    pyx_path: Path,
    c_path: Path | None = None,
    *,
    module_name: str | None = None,
    functions_alone: bool = False,
) -> float:
    """Translate a .pyx file to C and return the wall-clock seconds that it took.

    The C file is written beside the source unless `c_path` says otherwise; the module is called like the file
    unless `module_name` says otherwise. With `functions_alone` the source holds C types and functions as
    azgen renders them and nothing of Python, so that Cython need not look for it; the C is the same. Prints
    nothing. Raises CompilerError with Cython's message for bad source.
    """
    pyx_path = pyx_path.absolute()
    c_path = pyx_path.with_suffix(".c") if c_path is None else c_path.absolute()
    # Where Cython puts its messages when they are not to go to the terminal.
    listing = pyx_path.with_suffix(".lis")
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
            with _nothing_of_python() if functions_alone else contextlib.nullcontext():
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


@contextlib.contextmanager
def _nothing_of_python() -> Iterator[None]:
    """Meanwhile Cython leaves out its steps that are for Python's objects alone."""
    from Cython.Compiler import Pipeline

    whole = Pipeline.create_pyx_pipeline
    Pipeline.create_pyx_pipeline = functools.partial(whole, exclude_classes=_steps_for_python_alone())
    try:
        yield
    finally:
        Pipeline.create_pyx_pipeline = whole


@functools.lru_cache(maxsize=1)
def _steps_for_python_alone() -> tuple[type, ...]:
    modules = {name: importlib.import_module(f"Cython.Compiler.{name}") for name in _FOR_PYTHON_ALONE}
    return tuple(
        getattr(modules[module], name)
        for module, names in _FOR_PYTHON_ALONE.items()
        for name in names
        if hasattr(modules[module], name)
    )


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
