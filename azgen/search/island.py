"""One island: a population that evolves inside the kernel; Python sees it between rounds.

All state lies in NumPy arrays, whose layout mirrors templates/kernel/island.pyx.j2, so a snapshot is a
copy of them; the addresses in it are set again when it is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.execution.kernel import Kernel
from azgen.execution.kernel_calls import Sieve, truth_values
from azgen.execution.layout import LaneTasks, first_tasks, probe_of
from azgen.language.instruction import FUNCTIONS, Instruction
from azgen.language.program import Program
from azgen.language.random import mix
from azgen.runs.events import Ancestor
from azgen.search.engines.migrants import Chains
from azgen.search.island_state import COUNTS, QUARANTINE_SETS, new_state, point
from azgen.search.rating.hook import CaptureHook, RatingHook
from azgen.search.state import State, copy_state
from azgen.search.trail import MEMBER, AncestorsTold, Trail
from azgen.settings.settings import Settings


@dataclass(frozen=True)
class Best:
    """The best program that an island has seen: its fitness on the search tasks, and its number, from 1."""

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
        born: False leaves the island without a population, for `load` or `born`.
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
        born: bool = True,
    ):
        self._kernel, self._tasks, self._hook, self._settings = kernel, tasks, hook, settings
        self.arrays = arrays = new_state(settings, kernel.program, mix(seed), cost_limit)
        self.population, self.fitness = arrays["population"], arrays["fitness"]
        self._state, self._known, self._hurdles = arrays["state"], arrays["known"], arrays["hurdles"]
        if kernel.calls.island_size() != self._state.dtype.itemsize:
            raise AssertionError("the kernel lays out an island otherwise than Python")
        self._told = AncestorsTold()
        self.take_tasks(tasks)
        if born:
            self.populate(start)
            self.rate_initial(settings.evolution.population)

    @property
    def _address(self) -> int:
        return int(self._state.ctypes.data)

    def take_tasks(self, tasks: LaneTasks) -> None:
        """Other search tasks, of the same shape or another; what is known of programs is not forgotten."""
        evolution = self._settings.evolution
        self._tasks = tasks
        self._probe = probe_of(tasks, evolution.probe_train, evolution.probe_valid)
        self._state["n_tasks"] = tasks.n_tasks
        self._state["n_cases"] = max(1, round(evolution.lexicase_tasks * tasks.n_tasks))
        self._set_hurdles()
        self._point()

    def renew(self, tasks: LaneTasks, seed: int) -> None:
        """Forgets everything but what has been counted: for a new population on other tasks."""
        state = self._state[0]
        for name in ("known", "probed", "heights"):
            self.arrays[name][...] = 0
        for cache in ("known", "probed"):
            state[cache]["clock"] = 0
        self._hurdles["n"] = self._hurdles["next"] = 0
        state["next"], state["random"], state["best_fitness"] = 0, mix(seed), -1.0
        state["elites"]["n"] = 0
        self.take_tasks(tasks)

    def _set_hurdles(self) -> None:
        evolution, tasks = self._settings.evolution, self._tasks
        n_training = int(tasks.record["n_training"][0])
        shares = evolution.hurdle_tasks or (1.0,) * len(evolution.hurdles)
        self._stages = [
            first_tasks(
                probe_of(tasks, max(1, int(part * n_training)), tasks.n_valid),
                max(1, int(share * tasks.n_tasks)),
            )
            for part, share in zip(evolution.hurdles, shares, strict=True)
        ]
        self._hurdles["n_tasks"] = [stage.n_tasks for stage in self._stages]
        self._hurdles["percentile"] = evolution.hurdle_percentile / 100
        self._hurdles["capacity"] = evolution.population
        self._state["n_hurdles"] = len(self._stages)

    def _point(self) -> None:
        """Sets every address in the state."""
        point(self.arrays, self._stages, self._hook.address if self._hook else 0)

    def load(self, arrays: State) -> None:
        """Takes over a state that `arrays` of an island with the same settings held."""
        copy_state(arrays, self.arrays)
        self._point()

    def populate(self, *starts: Program | None) -> None:
        """Fills the population with initial programs, not rated yet.

        Args:
            starts: programs that the members are, in turn; None: all are random or empty.
        """
        anew = None in starts and "random" in self._settings.starts
        at_random = tuple(anew or getattr(self._settings, name).random for name in FUNCTIONS)
        programs = self._kernel.encode([self._padded(start, at_random) for start in starts])
        self.population[:] = programs[np.arange(len(self.population)) % len(programs)]
        if any(at_random):
            members, state = self.population, self._state[0]
            state["random"] = self._kernel.calls.randomize(
                members.ctypes.data,
                len(members),
                truth_values(at_random),
                self._address,
                int(state["random"]),
            )

    def _padded(self, start: Program | None, at_random: tuple[bool, ...]) -> Program:
        """A program to start from, as long as the settings want it."""
        no_op, functions = Instruction(self._kernel.spec.ops[0]), []
        for place, name in enumerate(FUNCTIONS):
            function = getattr(self._settings, name)
            size = function.initial_size
            if size < 0:
                size = function.max_size if at_random[place] else function.min_size
            given = start.functions[place] if start else ()
            functions.append(given + (no_op,) * max(0, size - len(given)))
        return Program(*functions, form=self._kernel.spec.form)

    def populate_with_mutants(self, program: Any) -> None:
        """Fills the population with a program (the kernel's record) and mutants of it, not rated yet."""
        state = self._state[0]
        self.population[:] = program
        rest, random = self.population[1:], int(state["random"])
        mutate = self._kernel.calls.mutate_programs
        state["random"] = mutate(rest.ctypes.data, len(rest), self._address, random)

    def offers_from(self, fitness: float) -> None:
        """From which fitness on the best program of a cell is kept."""
        self._state["elites"]["least"] = fitness

    def elites(self) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[np.uint64]]:
        """The best program of each cell since the last renewal, best first: normal forms, fitness, cells."""
        n = int(self._state[0]["elites"]["n"])
        order = np.argsort(-self.arrays["elite_fitness"][:n], kind="stable")
        names = ("elite_programs", "elite_fitness", "elite_keys")
        programs, fitness, keys = (self.arrays[name][order] for name in names)
        return programs, fitness, keys

    def count_evaluated(self, n_programs: int) -> None:
        """Counts programs that were evaluated outside of evolution."""
        counts = self._state[0]["counts"]
        counts["programs"] += n_programs
        counts["evaluated"] += n_programs

    def mutants(self, count: int, mutations: int) -> NDArray[Any]:
        """Members of the population, each mutated so many times; the population stays as it is."""
        programs = self.population[np.arange(count) % len(self.population)]
        state = mix(count)
        for _ in range(mutations):
            state = self._kernel.calls.mutate_programs(programs.ctypes.data, count, self._address, state)
        return programs

    def sample(
        self, count: int, functions: Sequence[bool], goal: float, found: NDArray[Any]
    ) -> tuple[int, int, int]:
        """Random search: the population's first member with some functions drawn at random, again and again.

        Those that can learn are rated as children are, without a probe; `counts` tells what became of them.

        Args:
            functions: which are drawn.
            goal: fitness from which on a program is acceptable.
            found: the first acceptable programs are written here (the kernel's records).

        Returns: as `Sieve.sample`.
        """
        sieve = Sieve(self._address, self._tasks.address, goal, found.ctypes.data, len(found))
        return sieve.sample(self._kernel.calls, self.population.ctypes.data, functions, count)

    def rate_initial(self, n_programs: int) -> None:
        """Rates the oldest members, which become the youngest."""
        self._run(n_programs, initial=True)

    def evolve(self, n_programs: int) -> None:
        """Makes and rates that many children, without holding the GIL."""
        self._run(n_programs, initial=False)

    def take_in(self, programs: NDArray[Any], chains: Chains | None = None) -> None:
        """Puts programs (the kernel's records) in the oldest members' places, not rated yet."""
        places = (int(self._state["next"][0]) + np.arange(len(programs))) % len(self.population)
        self.population[places] = programs
        self.trail.settle(places, chains)

    def descent(self, places: NDArray[np.int64]) -> Chains:
        """What the members at these places descend from, for another island."""
        return self.trail.carried(*(self.arrays[name][places] for name in MEMBER))

    def found_in(self, population: int) -> None:
        """The number of this population among those of the run, which its stepping stones bear."""
        self._state["trail"]["population"] = population

    @property
    def trail(self) -> Trail:
        """The stepping stones that members descend from."""
        return Trail(self.arrays)

    def sweep(self) -> None:
        """Forgets stepping stones that no member descends from; to be called at the end of a round."""
        self.trail.sweep()

    def ancestors(self) -> tuple[Ancestor, ...]:
        """What the best program descends from, itself last."""
        best = int(self._state["trail"]["best"][0])
        return self._told.of(self._kernel, self.trail, self.arrays, best)

    def quarantine(self, keys: Sequence[int]) -> None:
        """Gives programs, by their normal forms' keys, fitness 0, as if they were known.

        The entries are not thrown out before they are used; so it must be said again every few hundred
        programs.
        """
        cache = self._state[0]["known"]
        if keys and cache["n_sets"] < QUARANTINE_SETS:
            self._known[...] = 0
            cache["n_sets"], cache["clock"] = QUARANTINE_SETS, 0
        for key in keys:
            at = key >> 8 & (int(cache["n_sets"]) - 1)
            entries = self._known[at]
            same = np.flatnonzero(entries["key"] == np.uint64(key))
            place = int(same[0]) if len(same) else int(entries["used"].argmin())
            entries[place] = (key, np.iinfo(np.uint64).max, 0.0)
            if "known_cases" in self.arrays:
                self.arrays["known_cases"][at, place] = 0

    def preview(self, n_programs: int, *, initial: bool) -> NDArray[Any]:
        """Normal forms of what the next batch will consist of, without running any of them.

        Args:
            n_programs: at most the settings' batch.
        """
        seen: list[NDArray[Any]] = []
        hook = CaptureHook(self._kernel, seen)
        state = self._state.copy()
        # Without tables, hurdles and limits the batch reaches the hook whole; and that gives up.
        state["known"]["n_sets"] = state["probed"]["n_sets"] = state["n_hurdles"] = 0
        state["cost_limit"], state["hook"] = 0, hook.address
        self._kernel.calls.evolve_island(
            state.ctypes.data, n_programs, initial, self._tasks.address, self._probe.address
        )
        return np.concatenate(seen) if seen else np.zeros(0, self._kernel.program)

    def _run(self, n_programs: int, *, initial: bool) -> None:
        self._kernel.calls.evolve_island(
            self._address, n_programs, initial, self._tasks.address, self._probe.address
        )
        if self._hook and self._hook.error:
            raise self._hook.error

    @property
    def best(self) -> Best:
        """The best program ever seen here."""
        state = self._state[0]
        program, fitness = self._kernel.decode(state["best"]), float(state["best_fitness"])
        return Best(program, fitness, int(state["best_number"]))

    @property
    def best_fitness(self) -> float:
        """Its fitness."""
        return float(self._state[0]["best_fitness"])

    @property
    def counts(self) -> dict[str, int]:
        """Programs by what became of them on the ladder."""
        counts = self._state[0]["counts"]
        return {name: int(counts[name]) for name in COUNTS}

    def member(self, place: int) -> Program:
        """A member of the population."""
        return self._kernel.decode(self.population[place])
