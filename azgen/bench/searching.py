"""How fast a population evolves: with and without the tables of known fitness; the ladder rung by rung."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from azgen.bench import original
from azgen.bench.compiling import fresh_build_directory
from azgen.bench.effort import Effort
from azgen.bench.figures import Figure, figure_of
from azgen.bench.timing import Stopwatch
from azgen.bench.workloads import demo_settings
from azgen.language.random import mix
from azgen.search.evolve import Evolution
from azgen.search.island import Island
from azgen.search.sources import make_tasks
from azgen.search.space import SearchSpace
from azgen.settings.presets import preset
from azgen.settings.settings import Settings

HURDLES = (0.1, 0.3)
"""Fractions of the training examples at which the ladder's hurdles rate programs."""

HURDLE_TASKS = (0.5, 1.0)
"""Fractions of the tasks at these hurdles, where they are stages of tasks too."""

MAX_COST = 2.0
"""The ladder's cost limit, in costs of a two-layer net on the same tasks: the original's."""


@dataclass(frozen=True)
class Rungs:
    """Which rungs of the ladder are switched on."""

    known: bool = False
    probe: bool = False
    cost: bool = False
    hurdles: bool = False
    hurdle_tasks: bool = False


LADDER = {
    "every program evaluated": Rungs(),
    "+ table of known programs": Rungs(known=True),
    "+ probe for equivalent ones": Rungs(known=True, probe=True),
    "+ cost limit": Rungs(known=True, probe=True, cost=True),
    "+ hurdles": Rungs(known=True, probe=True, cost=True, hurdles=True),
    "+ the first over half of the tasks": Rungs(
        known=True, probe=True, cost=True, hurdles=True, hurdle_tasks=True
    ),
}

ALL_COUNTS = ("known", "equivalent", "over_budget", "failed_probe", "hurdled", "evaluated")


def population(settings: Settings, seed: int, rungs: Rungs) -> Island:
    """A new population of a search space, on one island, rated."""
    evolution = replace(
        settings.evolution,
        known=rungs.known,
        probe=rungs.probe,
        max_cost=MAX_COST if rungs.cost else 0.0,
        hurdles=HURDLES if rungs.hurdles else (),
        hurdle_tasks=HURDLE_TASKS if rungs.hurdle_tasks else (),
    )
    settings = replace(settings, seed=seed, evolution=evolution)
    space = SearchSpace.of(settings, make_tasks(settings.tasks, seed))
    tasks = space.task_set(0, 0)
    limit = space.cost_limit(tasks)
    island = Island(tasks.kernel, settings, tasks.lanes, mix(seed), limit, born=False)
    island.populate(*space.start(0))
    island.rate_initial(evolution.population)
    return island


def demo_population(seed: int, cached: bool) -> Island:
    """A new population of the demo, with or without the tables of known fitness."""
    return population(demo_settings(), seed, Rungs(known=cached, probe=cached))


def _rate(settings: Settings, seed: int, rungs: Rungs, n_programs: int) -> tuple[float, dict[str, int]]:
    """Programs per second of CPU of a population after its first, and what became of them."""
    island = population(settings, seed, rungs)
    before = island.counts
    began = time.thread_time()
    island.evolve(n_programs)
    seconds = time.thread_time() - began
    return n_programs / seconds, {name: count - before[name] for name, count in island.counts.items()}


def measure_search(effort: Effort) -> list[Figure]:
    """Programs per second of CPU of the demo search, on one core; each value is one seed's."""
    figures, settings, n = [], demo_settings(), effort.search_programs
    what = f"demo search, a population of {n} programs"
    cases = {
        "with the tables of known fitness": (True, original.SEARCH_CACHED, original.SEARCH_CACHED_GOAL),
        "without them": (False, original.SEARCH_UNCACHED, original.SEARCH_UNCACHED_GOAL),
    }
    for by, (cached, theirs, goal) in cases.items():
        rungs = Rungs(known=cached, probe=cached)
        values, counts = _over_seeds(settings, rungs, n, effort.search_seeds)
        figures.append(
            figure_of(
                "search", what, by, "programs/s", values, original=theirs, goal=goal, typical=True,
                details={"counts": counts},
            )
        )  # fmt: skip
    what = f"demo search, whole runs of {n} programs"
    by = "all that a run does"  # restarts, selection, champions compiled
    values = [whole_run(settings, seed, n) for seed in range(effort.search_seeds)]
    theirs = original.SEARCH_CACHED
    figures.append(figure_of("search", what, by, "programs/s", values, original=theirs, typical=True))
    return figures


def measure_ladder(effort: Effort) -> list[Figure]:
    """Programs per second with one rung of the ladder after the other switched on, and the rungs' counts."""
    figures = []
    for name in effort.ladder_presets:
        settings = preset(name)
        n = effort.ladder_programs if name == effort.ladder_presets[0] else effort.ladder_programs // 10
        for by, rungs in LADDER.items():
            values, counts = _over_seeds(settings, rungs, n, effort.ladder_seeds)
            details = {"counts": counts, "preset": name}
            what = f"preset {name}, {n} programs"
            figures.append(figure_of("ladder", what, by, "programs/s", values, typical=True, details=details))
    return figures


def _over_seeds(
    settings: Settings, rungs: Rungs, n_programs: int, seeds: int
) -> tuple[list[float], dict[str, int]]:
    """Programs per second of each seed, and the counts of all together."""
    values: list[float] = []
    total: dict[str, int] = {}
    for seed in range(seeds):
        rate, counts = _rate(settings, seed, rungs, n_programs)
        values.append(rate)
        total = _sum(total, counts.items())
    return values, total


def _sum(total: dict[str, int], more: Iterable[tuple[str, int]]) -> dict[str, int]:
    return {name: total.get(name, 0) + count for name, count in more}


def whole_run(settings: Settings, seed: int, n_programs: int) -> float:
    """Programs per second of CPU of a run that does not stop when it has solved its tasks."""
    stop = replace(settings.stop, target_fitness=2.0, max_seconds=0.0, max_programs=n_programs)
    settings = replace(settings, seed=seed, stop=stop)
    split = make_tasks(settings.tasks, seed)
    SearchSpace.of(settings, split)  # the kernel; the benchmark "compile" counts it
    with tempfile.TemporaryDirectory() as folder, fresh_build_directory(folder), Stopwatch() as watch:
        outcome = Evolution(settings, split).run()
    return outcome.counts["programs"] / watch.cpu


def measure_solve(effort: Effort) -> list[Figure]:
    """CPU seconds and programs until the demo is solved: a fitness above 0.9999 on the selection tasks."""
    seconds, programs, solved = [], [], 0
    settings = demo_settings()
    for seed in range(1, effort.solve_seeds + 1):
        stop = replace(settings.stop, max_seconds=effort.solve_limit, max_programs=0)
        run = replace(settings, seed=seed, stop=stop)
        split = make_tasks(run.tasks, seed)
        SearchSpace.of(run, split)
        with tempfile.TemporaryDirectory() as folder, fresh_build_directory(folder), Stopwatch() as watch:
            outcome = Evolution(run, split).run()
        solved += outcome.champion.select_fitness > stop.target_fitness
        seconds.append(watch.cpu)
        programs.append(float(outcome.counts["programs"]))
    what, by = f"demo until solved, seeds 1 to {effort.solve_seeds}", "one island"
    cpu = figure_of(
        "solve",
        what,
        f"{by}: CPU",
        "s",
        seconds,
        original=original.SOLVE_SECONDS,
        goal=original.SOLVE_GOAL,
        typical=True,
        details={"per_seed": seconds, "limit": effort.solve_limit},
    )
    details = {"per_seed": programs}
    needed = figure_of("solve", what, f"{by}: programs", "programs", programs, typical=True, details=details)
    goal = float(effort.solve_seeds)
    return [
        cpu,
        needed,
        figure_of("solve", what, f"{by}: seeds solved", "solved", [float(solved)], goal=goal),
    ]
