"""What compiling costs: candidates in batches, and what is done once on a machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from azgen.bench.effort import Effort
from azgen.bench.figures import Figure, figure_of
from azgen.bench.timing import Stopwatch
from azgen.bench.workloads import DEMO_SIZES, demo_kernel, random_programs
from azgen.codegen.store import ENVIRONMENT_VARIABLE, set_build_directory
from azgen.errors import AzgenError
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
    """ms of CPU per candidate, as a whole through the cache; seconds of what is done once."""
    with fresh_build_directory():
        _compile(candidates(1, 0))  # what is done once, see below
        figures = [_batch(batch, effort) for batch in effort.batches]
    for what, name in (("first kernel of the demo", "first_kernel"), ("first candidate", "first_candidate")):
        found = [_in_new_process(name) for _ in range(effort.compile_runs)]
        details = {"wall_s": min(wall for _, wall in found)}
        what += ", in a new process, nothing cached"
        figures.append(figure_of("compile", what, WHOLE, "s", [cpu for cpu, _ in found], details=details))
    return figures


def _batch(batch: int, effort: Effort) -> Figure:
    """Modules of one size; every run compiles other programs."""
    what = "candidate of the demo's sizes, " + ("alone" if batch == 1 else f"{batch} to a module")
    whole, walls, live = [], [], 0
    for run in range(effort.compile_runs):
        programs = candidates(batch, 1 + run)
        watch = _compile(programs)
        whole.append(1e3 * watch.cpu / batch)
        walls.append(1e3 * watch.wall / batch)
        live += sum(1 for program in programs for _ in program.normalized().instructions())
    details = {"batch": batch, "wall_ms": min(walls), "alive": live / batch / effort.compile_runs}
    return figure_of("compile", what, WHOLE, "ms", whole, details=details)


def _compile(programs: list[Program]) -> Stopwatch:
    """Time of compiling programs as a search does."""
    code = NativeCode(demo_kernel().spec.target)
    with Stopwatch() as watch:
        code.compile(programs)
    return watch


def first_kernel() -> Stopwatch:
    """Time of building the demo's kernel in a fresh cache."""
    with fresh_build_directory(), Stopwatch() as watch:
        demo_kernel()
    return watch


def first_candidate() -> Stopwatch:
    """Time of the first candidate in a fresh cache: imports, headers, itself."""
    programs = candidates(1, 0)
    with fresh_build_directory():
        return _compile(programs)


def _in_new_process(name: str) -> tuple[float, float]:
    """CPU and wall-clock seconds that a function of this module finds in a fresh Python process."""
    program = f"from azgen.bench.compiling import {name} as f; w = f(); print([w.cpu, w.wall])"
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    if finished.returncode != 0:
        raise AzgenError(f"the benchmark's process for {name} failed:\n{finished.stderr.strip()}")
    cpu, wall = json.loads(finished.stdout.splitlines()[-1])
    return cpu, wall
