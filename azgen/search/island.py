"""One island: a population that evolves inside the kernel; Python sees it between rounds.

All state lies in NumPy arrays, whose layout mirrors templates/kernel/evolution.pyx.j2, so a snapshot is a copy.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.codegen.render import CACHE_WAYS
from azgen.execution.kernel import Kernel
from azgen.execution.layout import LaneTasks, probe_of
from azgen.language.program import FUNCTIONS, Instruction, Program
from azgen.language.random import mix
from azgen.runs.settings import Settings
from azgen.search.native_rating import RatingHook

ENTRY = np.dtype([("key", "u8"), ("used", "u8"), ("fitness", "f8")], align=True)
CACHE = np.dtype([("entries", "u8"), ("n_sets", "i8"), ("clock", "u8")], align=True)
COUNTS = (
    "programs",
    "known",
    "equivalent",
    "over_budget",
    "failed_probe",
    "hurdled",
    "evaluated",
    "steps",
)
MUTATION = np.dtype(
    [
        ("probability", "f8"),
        ("action", "f8", (8,)),
        *((name, "f8") for name in ("sign_flip", "fresh", "factor_low", "factor_high")),
        ("min_size", "i4", (3,)),
        ("max_size", "i4", (3,)),
    ],
    align=True,
)


HURDLE = np.dtype(
    [
        ("tasks", "u8"),
        ("percentile", "f8"),
        *((name, "u8") for name in ("ordered", "recent")),
        *((name, "i8") for name in ("n", "next", "capacity")),
    ],
    align=True,
)


def island_dtype(program: np.dtype[Any]) -> np.dtype[Any]:
    """The kernel's island structure."""
    return np.dtype(
        [
            ("population", "u8"),
            ("fitness", "u8"),
            *((name, "i8") for name in ("population_size", "next", "tournament_size", "batch")),
            ("random", "u8"),
            ("mutation", MUTATION),
            ("cost_limit", "f8"),
            ("median", "i8"),
            ("n_tasks", "i8"),
            ("known", CACHE),
            ("probed", CACHE),
            ("counts", np.dtype([(name, "i8") for name in COUNTS])),
            ("best", program),
            ("best_fitness", "f8"),
            ("best_number", "i8"),
            ("hook", "u8"),
            ("hurdles", "u8"),
            ("n_hurdles", "i8"),
        ],
        align=True,
    )


@dataclass(frozen=True)
class Best:
    """The best program that an island has seen: its fitness on the search tasks, and which program it was, from 1."""

    program: Program
    fitness: float
    number: int


class Island:
    """A population on a kernel, with its tasks.

    Args:
        kernel: built for the settings' search space.
        settings: see `Settings`.
        tasks: search tasks in the kernel's lanes.
        seed: decides everything that happens on the island.
        cost_limit: static cost above which a program scores 0; 0: none.
        start: program that every member starts from, or None for random or empty ones.
        hook: rates programs in place of the kernel's interpreter.
    """

    def __init__(
        self,
        kernel: Kernel,
        settings: Settings,
        tasks: LaneTasks,
        seed: int,
        cost_limit: float = 0.0,
        start: Program | None = None,
        hook: RatingHook | None = None,
    ):
        evolution = settings.evolution
        self._kernel, self._tasks, self._hook = kernel, tasks, hook
        self._probe = probe_of(tasks, evolution.probe_train, evolution.probe_valid)
        self.population = np.zeros(evolution.population, kernel.program)
        self.fitness = np.zeros(evolution.population)
        n_sets = _sets(evolution.cache_size)
        self._known, self._probed = (np.zeros((n_sets, CACHE_WAYS), ENTRY) for _ in range(2))
        self._state = np.zeros(1, island_dtype(kernel.program))
        if kernel.module.sizes()["island"] != self._state.dtype.itemsize:
            raise AssertionError("the kernel lays out an island otherwise than Python")
        state = self._state[0]
        state["population"], state["fitness"] = self.population.ctypes.data, self.fitness.ctypes.data
        state["population_size"], state["tournament_size"] = evolution.population, evolution.tournament
        state["batch"] = min(evolution.batch, evolution.population)
        state["random"] = mix(seed)
        self._set_mutation(state["mutation"], settings)
        state["cost_limit"], state["median"] = cost_limit, evolution.combine == "median"
        state["n_tasks"] = tasks.n_tasks
        for cache, entries in (("known", self._known), ("probed", self._probed)):
            state[cache]["entries"], state[cache]["n_sets"] = entries.ctypes.data, n_sets
        state["best_fitness"] = -1.0
        state["hook"] = hook.address if hook else 0
        self._set_hurdles(settings)
        self._populate(settings, start)
        self._run(evolution.population, initial=True)

    @property
    def _address(self) -> int:
        return int(self._state.ctypes.data)

    def _set_mutation(self, to: Any, settings: Settings) -> None:
        evolution = settings.evolution
        to["probability"] = evolution.mutation_probability
        to["action"] = np.cumsum(dataclasses.astuple(evolution.actions))
        to["sign_flip"], to["fresh"] = evolution.sign_flip, evolution.fresh_constant
        if evolution.constant_step == "factor":
            to["factor_low"], to["factor_high"] = 0.5, 2.0
        for place, name in enumerate(FUNCTIONS):
            function = getattr(settings, name)
            to["min_size"][place], to["max_size"][place] = function.min_size, function.max_size

    def _set_hurdles(self, settings: Settings) -> None:
        evolution, n_valid = settings.evolution, self._tasks.n_valid
        n_training = int(self._tasks.record["n_training"][0])
        self._stages = [probe_of(self._tasks, max(1, int(part * n_training)), n_valid) for part in evolution.hurdles]
        self._heights = np.zeros((len(self._stages), 2, evolution.population))
        self._hurdles = np.zeros(len(self._stages), HURDLE)
        for hurdle, stage, (ordered, recent) in zip(self._hurdles, self._stages, self._heights, strict=True):
            hurdle["tasks"], hurdle["percentile"] = stage.address, evolution.hurdle_percentile / 100
            hurdle["ordered"], hurdle["recent"] = ordered.ctypes.data, recent.ctypes.data
            hurdle["capacity"] = evolution.population
        self._state["hurdles"], self._state["n_hurdles"] = self._hurdles.ctypes.data, len(self._stages)

    def _populate(self, settings: Settings, start: Program | None) -> None:
        no_op = Instruction(self._kernel.spec.ops[0])
        functions = []
        for place, name in enumerate(FUNCTIONS):
            function = getattr(settings, name)
            size = function.initial_size
            if size < 0:
                size = function.max_size if settings.evolution.initial == "random" else function.min_size
            given = start.functions[place] if start else ()
            functions.append(given + (no_op,) * max(0, size - len(given)))
        self.population[:] = self._kernel.encode([Program(*functions)])[0]
        if start is None and settings.evolution.initial == "random":
            state = self._state[0]
            state["random"] = self._kernel.module.randomize(
                self.population.ctypes.data, len(self.population), int(state["random"])
            )

    def evolve(self, n_programs: int) -> None:
        """Makes and rates that many children, without holding the GIL."""
        self._run(n_programs, initial=False)

    def _run(self, n_programs: int, *, initial: bool) -> None:
        self._kernel.module.evolve_island(
            self._address, n_programs, initial, self._tasks.address, self._probe.address
        )
        if self._hook and self._hook.error:
            raise self._hook.error

    @property
    def best(self) -> Best:
        """The best program ever seen here."""
        state = self._state[0]
        return Best(
            self._kernel.decode(state["best"]), float(state["best_fitness"]), int(state["best_number"])
        )

    @property
    def counts(self) -> dict[str, int]:
        """Programs by what became of them on the ladder."""
        counts = self._state[0]["counts"]
        return {name: int(counts[name]) for name in COUNTS}

    def member(self, place: int) -> Program:
        """A member of the population."""
        return self._kernel.decode(self.population[place])


def _sets(cache_size: int) -> int:
    """Number of sets, a power of two, of a cache of about this many entries."""
    if cache_size == 0:
        return 0
    return 1 << max(0, round(math.log2(cache_size / CACHE_WAYS)))
