"""How long the demo takes until it is solved."""

from __future__ import annotations

from dataclasses import replace

from azgen.bench.figures import Figure, figure_of
from azgen.bench.timing import Stopwatch
from azgen.bench.workloads import demo_settings
from azgen.codegen.cache_folder import fresh_build_directory
from azgen.search.evolve import Evolution
from azgen.search.space import SearchSpace
from benchmarks.effort import FullEffort


def measure_solve(effort: FullEffort) -> list[Figure]:
    """CPU seconds and programs until the demo is solved: a fitness above 0.9999 on the selection tasks."""
    seconds, programs, solved = [], [], 0
    settings = demo_settings()
    for seed in range(1, effort.solve_seeds + 1):
        stop = replace(settings.stop, max_seconds=effort.solve_limit, max_programs=0)
        run = replace(settings, seed=seed, stop=stop)
        split = run.tasks.split(seed)
        SearchSpace.of(run, split)
        with fresh_build_directory(), Stopwatch() as watch:
            outcome = Evolution(run, split).run()
        solved += outcome.champion.select_fitness > stop.target_fitness
        seconds.append(watch.cpu)
        programs.append(float(outcome.counts["programs"]))
    what, by = f"demo until solved, seeds 1 to {effort.solve_seeds}", "one island"
    cpu = {"per_seed": seconds, "limit": effort.solve_limit}
    needed = {"per_seed": programs}
    return [
        figure_of("solve", what, f"{by}: CPU", "s", seconds, typical=True, details=cpu),
        figure_of("solve", what, f"{by}: programs", "programs", programs, typical=True, details=needed),
        figure_of("solve", what, f"{by}: seeds solved", "solved", [float(solved)]),
    ]
