"""How fast a search is as a whole: with its restarts, and with its champions compiled."""

from __future__ import annotations

from dataclasses import replace

from azgen.bench.effort import Effort
from azgen.bench.figures import Figure, figure_of
from azgen.bench.timing import Stopwatch
from azgen.bench.workloads import demo_settings
from azgen.codegen.cache_folder import fresh_build_directory
from azgen.search.evolve import Evolution
from azgen.search.space import SearchSpace
from azgen.settings.settings import Settings


def measure_search(effort: Effort) -> list[Figure]:
    """Programs per second of CPU of the demo search, on one core; each value is one seed's."""
    n = effort.search_programs
    what, by = f"demo search, whole runs of {n} programs", "all that a run does"
    values = [whole_run(demo_settings(), seed, n) for seed in range(effort.search_seeds)]
    return [figure_of("search", what, by, "programs/s", values, typical=True)]


def whole_run(settings: Settings, seed: int, n_programs: int) -> float:
    """Programs per second of CPU of a run that does not stop when it has solved its tasks."""
    stop = replace(settings.stop, target_fitness=2.0, max_seconds=0.0, max_programs=n_programs)
    settings = replace(settings, seed=seed, stop=stop)
    split = settings.tasks.split(seed)
    SearchSpace.of(settings, split)  # the kernel; the benchmark "compile" counts it
    with fresh_build_directory(), Stopwatch() as watch:
        outcome = Evolution(settings, split).run()
    return outcome.counts["programs"] / watch.cpu
