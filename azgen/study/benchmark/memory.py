"""Peak memory of the demo search, in a process of its own."""

from __future__ import annotations

from azgen.study.benchmark import original
from azgen.study.benchmark.effort import Effort
from azgen.study.benchmark.figures import Figure, figure_of
from azgen.study.benchmark.processes import in_new_process, peak_memory
from azgen.study.benchmark.searching import demo_population, whole_run
from azgen.study.benchmark.workloads import demo_settings


def idle_memory() -> float:
    """MB of a process that has everything imported and has done nothing."""
    return peak_memory()


def search_memory(cached: bool, n_programs: int) -> float:
    """MB at the peak of a process that evolves a population of the demo."""
    population = demo_population(seed=0, cached=cached)
    population.evolve(n_programs)
    return peak_memory()


def run_memory(n_programs: int) -> float:
    """MB at the peak of a process that does a whole run, translation of its champions by Cython included."""
    whole_run(demo_settings(), 0, n_programs)
    return peak_memory()


def measure_memory(effort: Effort) -> list[Figure]:
    """MB at the peak of a worker's process, and how much of it Python and its packages take."""
    figures, n = [], effort.search_programs
    cases = {
        "with the tables of known fitness": (True, original.MEMORY_CACHED),
        "without them": (False, original.MEMORY_UNCACHED),
    }
    what, goal = f"demo search, {n} programs", original.MEMORY_GOAL
    for by, (cached, theirs) in cases.items():
        values = [in_new_process("search_memory", cached=cached, n_programs=n)]
        figures.append(figure_of("memory", what, by, "MB", values, original=theirs, goal=goal))
    values = [in_new_process("run_memory", n_programs=n)]
    figures.append(figure_of("memory", what, "all that a run does, Cython included", "MB", values, goal=goal))
    values = [in_new_process("idle_memory")]
    return [*figures, figure_of("memory", "no search", "Python and its packages alone", "MB", values)]
