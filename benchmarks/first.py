"""What is done once on a machine: the first kernel of a search space, the first candidate."""

from __future__ import annotations

from azgen.bench.compiling import WHOLE, candidates, compile_time
from azgen.bench.figures import Figure, figure_of
from azgen.bench.timing import Stopwatch
from azgen.bench.workloads import demo_kernel
from azgen.codegen.cache_folder import fresh_build_directory
from benchmarks.effort import FullEffort
from benchmarks.processes import in_new_process


def first_kernel() -> tuple[float, float]:
    """CPU and wall-clock seconds of building the demo's kernel in a fresh cache."""
    with fresh_build_directory(), Stopwatch() as watch:
        demo_kernel()
    return watch.cpu, watch.wall


def first_candidate() -> tuple[float, float]:
    """CPU and wall-clock seconds of the first candidate in a fresh cache: imports, headers, itself."""
    programs = candidates(1, 0)
    with fresh_build_directory():
        watch = compile_time(programs, demo_kernel())
    return watch.cpu, watch.wall


def measure_first(effort: FullEffort) -> list[Figure]:
    """Seconds of CPU of what is compiled once on a machine."""
    figures = []
    for what, function in (("first kernel of the demo", first_kernel), ("first candidate", first_candidate)):
        found = [in_new_process(function) for _ in range(effort.compile_runs)]
        details = {"wall_s": min(wall for _, wall in found)}
        what += ", in a new process, nothing cached"
        figures.append(figure_of("first", what, WHOLE, "s", [cpu for cpu, _ in found], details=details))
    return figures
