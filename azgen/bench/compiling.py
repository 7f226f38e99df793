"""What compiling costs: candidates in batches, stage by stage, and a search space's first kernel."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from azgen.bench import original
from azgen.bench.effort import Effort
from azgen.bench.figures import Figure, figure_of
from azgen.bench.processes import in_new_process
from azgen.bench.random_programs import DEMO_SIZES, random_programs
from azgen.bench.timing import Stopwatch
from azgen.bench.workloads import demo_kernel
from azgen.codegen.candidate_source import render_candidates
from azgen.codegen.compiler import candidate_flags, compile_c, cython_to_c, load_module
from azgen.codegen.store import ENVIRONMENT_VARIABLE, set_build_directory
from azgen.execution.native import NativeCode
from azgen.language.instruction import FEATURES
from azgen.language.program import Program

STAGES = ("render", "Cython", "C compiler", "load")
WHOLE = "all stages and the cache"


@contextmanager
def fresh_build_directory(folder: str | Path) -> Iterator[None]:
    """Nothing is found in the compile cache: it is a folder that is new."""
    before = os.environ.get(ENVIRONMENT_VARIABLE)
    set_build_directory(Path(folder) / "build")
    try:
        yield
    finally:
        set_build_directory(before)


LEAST_ALIVE = 6


def candidates(count: int, seed: int) -> list[Program]:
    """Random programs of the demo's sizes, of different structure, that have earned to be compiled.

    At least six of their instructions are alive, one of which reads the features.
    """
    kernel, found = demo_kernel(), dict[str, Program]()
    for record in random_programs(kernel, DEMO_SIZES, 500 * count, seed):
        program = kernel.decode(record)
        live = list(program.normalized().instructions())
        if len(live) >= LEAST_ALIVE and any(FEATURES in instruction.reads for instruction in live):
            found.setdefault(program.structure_hash, Program(*program.functions))  # no normal form known yet
        if len(found) == count:
            break
    return list(found.values())


def measure_compile(effort: Effort) -> list[Figure]:
    """ms of CPU per candidate, as a whole through the cache and by stage; seconds of what is done once."""
    figures = []
    with tempfile.TemporaryDirectory() as folder, fresh_build_directory(folder):
        _compile(candidates(1, 0))  # what is done once, see below
        for batch in effort.batches:
            figures += _batch(batch, effort)
    once = {
        "first kernel of the demo, in a new process, nothing cached": (
            "first_kernel",
            original.FIRST_KERNEL_GOAL,
        ),
        "first candidate, in a new process, nothing cached": ("first_candidate", None),
    }
    for what, (name, goal) in once.items():
        found = [in_new_process(name) for _ in range(effort.compile_runs)]
        details = {"wall_s": min(wall for _, wall in found)}
        values = [cpu for cpu, _ in found]
        figures.append(figure_of("compile", what, WHOLE, "s", values, goal=goal, details=details))
    return figures


def _batch(batch: int, effort: Effort) -> list[Figure]:
    """Modules of one size; every run compiles other programs."""
    what = "candidate of the demo's sizes, " + ("alone" if batch == 1 else f"{batch} to a module")
    whole, walls, live = [], [], 0
    stages: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for run in range(effort.compile_runs):
        programs = candidates(batch, 1 + run)
        watch = _compile(programs)
        whole.append(1e3 * watch.cpu / batch)
        walls.append(1e3 * watch.wall / batch)
        live += sum(1 for program in programs for _ in program.normalized().instructions())
        for stage, seconds in _stages([Program(*p.functions) for p in programs]).items():
            stages[stage].append(1e3 * seconds / batch)
    goal = original.COMPILE_GOAL if batch == 32 else None
    details = {"batch": batch, "wall_ms": min(walls), "alive": live / batch / effort.compile_runs}
    figures = [figure_of("compile", what, WHOLE, "ms", whole, goal=goal, details=details)]
    for stage, values in stages.items():
        figures.append(figure_of("compile", what, stage, "ms", values, details={"batch": batch}))
    return figures


def _compile(programs: list[Program]) -> Stopwatch:
    """Time of compiling programs as a search does."""
    spec = demo_kernel().spec
    with Stopwatch() as watch:
        NativeCode(spec.target).compile(programs)
    return watch


def _stages(programs: list[Program]) -> dict[str, float]:
    """CPU seconds of each stage of compiling programs into one module, without the cache."""
    spec, watches = demo_kernel().spec, {stage: Stopwatch() for stage in STAGES}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with watches["render"]:
            files = render_candidates(programs, spec.target)
        for file_name, text in files.items():
            (folder / file_name).write_text(text, encoding="utf-8")
        source = folder / next(name for name in files if name.endswith(".pyx"))
        with watches["Cython"]:
            cython_to_c(source)
        library = source.with_suffix(".so")
        with watches["C compiler"]:
            compile_c(source.with_suffix(".c"), library, candidate_flags(), spec.target.libraries)
        with watches["load"]:
            load_module(source.stem, library)
    return {stage: watch.cpu for stage, watch in watches.items()}


def first_kernel() -> tuple[float, float]:
    """CPU and wall-clock seconds of building the demo's kernel in a fresh cache."""
    with tempfile.TemporaryDirectory() as folder, fresh_build_directory(folder), Stopwatch() as watch:
        demo_kernel()
    return watch.cpu, watch.wall


def first_candidate() -> tuple[float, float]:
    """CPU and wall-clock seconds of the first candidate in a fresh cache: imports, headers, itself."""
    programs = candidates(1, 0)
    with tempfile.TemporaryDirectory() as folder, fresh_build_directory(folder):
        watch = _compile(programs)
    return watch.cpu, watch.wall
