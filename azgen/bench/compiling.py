"""What compiling candidates costs, in batches."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from azgen.bench.effort import Effort
from azgen.bench.figures import Figure, figure_of
from azgen.bench.timing import Stopwatch
from azgen.bench.workloads import DEMO_SIZES, demo_kernel, random_programs
from azgen.codegen.cache_folder import ENVIRONMENT_VARIABLE, set_build_directory
from azgen.execution.native import NativeCode
from azgen.language.instruction import FEATURES
from azgen.language.program import Program

WHOLE = "all stages and the cache"
LEAST_ALIVE = 6


@contextmanager
def fresh_build_directory() -> Iterator[None]:
    """Nothing is found in the compile cache: it is a folder that is new."""
    before = os.environ.get(ENVIRONMENT_VARIABLE)
    with tempfile.TemporaryDirectory() as folder:
        set_build_directory(Path(folder) / "build")
        try:
            yield
        finally:
            set_build_directory(before)


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
    """ms of CPU per candidate, as a whole through the cache."""
    with fresh_build_directory():
        compile_time(candidates(1, 0))  # what is done once on a machine
        return [_batch(batch, effort) for batch in effort.batches]


def _batch(batch: int, effort: Effort) -> Figure:
    """Modules of one size; every run compiles other programs."""
    what = "candidate of the demo's sizes, " + ("alone" if batch == 1 else f"{batch} to a module")
    whole, walls, live = [], [], 0
    for run in range(effort.compile_runs):
        programs = candidates(batch, 1 + run)
        watch = compile_time(programs)
        whole.append(1e3 * watch.cpu / batch)
        walls.append(1e3 * watch.wall / batch)
        live += sum(1 for program in programs for _ in program.normalized().instructions())
    details = {"batch": batch, "wall_ms": min(walls), "alive": live / batch / effort.compile_runs}
    return figure_of("compile", what, WHOLE, "ms", whole, details=details)


def compile_time(programs: list[Program]) -> Stopwatch:
    """Time of compiling programs as a search does."""
    code = NativeCode(demo_kernel().spec.target)
    with Stopwatch() as watch:
        code.compile(programs)
    return watch
