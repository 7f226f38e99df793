"""How fast a population evolves, with and without rungs of the ladder."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from azgen.bench.figures import Figure, figure_of
from azgen.bench.searching import measure_search
from azgen.bench.workloads import demo_settings
from azgen.language.random import mix
from azgen.search.island import Island
from azgen.search.space import SearchSpace
from azgen.settings.settings import Settings
from benchmarks.effort import FullEffort


def population(settings: Settings, seed: int) -> Island:
    """A new population of a search space, on one island, rated."""
    settings = replace(settings, seed=seed)
    space = SearchSpace.of(settings, settings.tasks.split(seed))
    tasks = space.task_set(0, 0)
    limit = space.cost_limit(tasks)
    island = Island(tasks.kernel, settings, tasks.lanes, mix(seed), limit, born=False)
    island.populate(*space.start(0))
    island.rate_initial(settings.evolution.population)
    return island


def plain_ladder(settings: Settings, **rungs: Any) -> Settings:
    """Settings with no rung of the ladder but those named."""
    none: dict[str, Any] = {
        "known": False,
        "probe": False,
        "max_cost": 0.0,
        "hurdles": (),
        "hurdle_tasks": (),
    }
    return replace(settings, evolution=replace(settings.evolution, **(none | rungs)))


def search_rates(settings: Settings, n_programs: int, seeds: int) -> tuple[list[float], dict[str, int]]:
    """Programs per second of CPU of each seed's population after its first, and what became of all."""
    values, total = list[float](), dict[str, int]()
    for seed in range(seeds):
        island = population(settings, seed)
        before = island.counts
        began = time.thread_time()
        island.evolve(n_programs)
        values.append(n_programs / (time.thread_time() - began))
        total = {name: total.get(name, 0) + n - before[name] for name, n in island.counts.items()}
    return values, total


def measure_populations(effort: FullEffort) -> list[Figure]:
    """Programs per second of CPU of the demo search, on one core; each value is one seed's."""
    figures, n = [], effort.search_programs
    what = f"demo search, a population of {n} programs"
    for by, cached in (("with the tables of known fitness", True), ("without them", False)):
        settings = plain_ladder(demo_settings(), known=cached, probe=cached)
        values, counts = search_rates(settings, n, effort.search_seeds)
        details = {"counts": counts}
        figures.append(figure_of("search", what, by, "programs/s", values, typical=True, details=details))
    return figures + measure_search(effort)
