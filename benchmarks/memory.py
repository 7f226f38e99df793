"""Peak memory of the demo search, in a process of its own, and of the processes that a run starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from azgen.bench.figures import Figure, figure_of
from azgen.bench.searching import whole_run
from azgen.bench.workloads import demo_settings
from azgen.codegen.cache_folder import fresh_build_directory
from azgen.search.engines.workers import WorkerEngine
from azgen.search.evolve import Evolution
from azgen.search.world import World
from benchmarks.effort import FullEffort
from benchmarks.populations import plain_ladder, population
from benchmarks.processes import in_new_process, peak_memory


def idle_memory() -> float:
    """MB of a process that has everything imported and has done nothing."""
    return peak_memory()


def search_memory(cached: bool, n_programs: int) -> float:
    """MB at the peak of a process that evolves a population of the demo."""
    island = population(plain_ladder(demo_settings(), known=cached, probe=cached), seed=0)
    island.evolve(n_programs)
    return peak_memory()


def run_memory(n_programs: int) -> float:
    """MB at the peak of a process that does a whole run and finds nothing compiled: kernel and champions."""
    with fresh_build_directory():
        whole_run(demo_settings(), 0, n_programs)
    return peak_memory()


class _PeakEngine(WorkerEngine):
    """Two workers, and the largest peak of theirs."""

    peak = 0.0

    def close(self) -> None:
        """Looks at the workers before they end."""
        _PeakEngine.peak = max(map(peak_memory, self.processes), default=0.0)
        super().close()


def worker_memory(n_programs: int) -> float:
    """MB at the peak of the larger of two worker processes of a whole run that finds no champion compiled."""
    settings = demo_settings()
    stop = replace(settings.stop, target_fitness=2.0, max_seconds=0.0, max_programs=n_programs)
    settings = replace(settings, stop=stop, islands=replace(settings.islands, count=2, workers=2))
    with fresh_build_directory():
        Evolution(settings, settings.tasks.split(0), world=World(_PeakEngine)).run()
    return _PeakEngine.peak


def measure_memory(effort: FullEffort) -> list[Figure]:
    """MB at the peak of a worker's process, and how much of it Python and its packages take."""
    figures, n = [], effort.search_programs
    what = f"demo search, {n} programs"
    cases: tuple[tuple[str, Callable[..., float], dict[str, bool]], ...] = (
        ("with the tables of known fitness", search_memory, {"cached": True}),
        ("without them", search_memory, {"cached": False}),
        ("all that a run does, all compiled anew", run_memory, {}),
        ("the larger of two worker processes", worker_memory, {}),
    )
    for by, function, options in cases:
        values = [in_new_process(function, n_programs=n, **options)]
        figures.append(figure_of("memory", what, by, "MB", values))
    values = [in_new_process(idle_memory)]
    return [*figures, figure_of("memory", "no search", "Python and its packages alone", "MB", values)]
