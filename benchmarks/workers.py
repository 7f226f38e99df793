"""How throughput grows with worker processes."""

from __future__ import annotations

from dataclasses import replace

from azgen.bench.figures import Figure, figure_of
from azgen.bench.timing import Stopwatch
from azgen.bench.workloads import demo_settings
from azgen.search.evolve import Evolution
from benchmarks.effort import FullEffort


def measure_workers(effort: FullEffort) -> list[Figure]:
    """Programs per second of wall clock of the demo search, by number of worker processes."""
    figures, n_islands, n_programs = [], max(effort.workers), effort.worker_programs
    what = f"demo search, {n_islands} island{'s' if n_islands > 1 else ''}, {n_programs} programs"
    settings = demo_settings()
    stop = replace(settings.stop, target_fitness=2.0, max_seconds=0.0, max_programs=n_programs)
    for workers in effort.workers:
        islands = replace(settings.islands, count=n_islands, workers=workers)
        run = replace(settings, stop=stop, islands=islands)
        split, values, cpu = run.tasks.split(run.seed), [], []
        for _ in range(effort.worker_runs):
            with Stopwatch() as watch:
                outcome = Evolution(run, split).run()
            values.append(outcome.counts["programs"] / watch.wall)
            cpu.append(watch.cpu)
        details = {"workers": workers, "cpu_seconds": min(cpu)}
        by = f"{workers} worker{'s' if workers > 1 else ' (in the process itself)'}"
        figures.append(figure_of("workers", what, by, "programs/s", values, details=details))
    return figures
