"""The ladder rung by rung."""

from __future__ import annotations

from typing import Any

from azgen.bench.figures import Figure, figure_of
from azgen.settings.presets import preset
from benchmarks.effort import FullEffort
from benchmarks.populations import plain_ladder, search_rates

KNOWN: dict[str, Any] = {"known": True}
PROBE = KNOWN | {"probe": True}
COST = PROBE | {"max_cost": 2.0}  # costs of a two-layer net on the same tasks: the original's limit
HURDLES = COST | {"hurdles": (0.1, 0.3)}  # fractions of the training examples at which programs are rated
HURDLE_TASKS = HURDLES | {"hurdle_tasks": (0.5, 1.0)}  # fractions of the tasks at these hurdles

LADDER = {
    "every program evaluated": {},
    "+ table of known programs": KNOWN,
    "+ probe for equivalent ones": PROBE,
    "+ cost limit": COST,
    "+ hurdles": HURDLES,
    "+ the first over half of the tasks": HURDLE_TASKS,
}
"""Settings of the rungs that are switched on."""

ALL_COUNTS = ("known", "equivalent", "over_budget", "failed_probe", "hurdled", "evaluated")


def measure_ladder(effort: FullEffort) -> list[Figure]:
    """Programs per second with one rung of the ladder after the other switched on, and the rungs' counts."""
    figures = []
    for name in effort.ladder_presets:
        settings = preset(name)
        n = effort.ladder_programs if name == effort.ladder_presets[0] else effort.ladder_programs // 10
        for by, rungs in LADDER.items():
            values, counts = search_rates(plain_ladder(settings, **rungs), n, effort.ladder_seeds)
            details = {"counts": counts, "preset": name}
            what = f"preset {name}, {n} programs"
            figures.append(figure_of("ladder", what, by, "programs/s", values, typical=True, details=details))
    return figures
