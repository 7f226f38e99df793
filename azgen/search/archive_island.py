"""An island that is an archive: short runs of evolution start from its members and give it what they find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.language.program import Program
from azgen.runs.events import Ancestor
from azgen.search.archive import Archive
from azgen.search.engines.migrants import Chains
from azgen.search.island import Best
from azgen.search.stages import StageTasks
from azgen.search.state import State
from azgen.search.trail import AncestorsTold, live_text
from azgen.settings.settings import Settings


class ArchiveIsland:
    """An archive, and the island on which its runs take place. Rounds may be of any length.

    Args:
        settings: see `Settings`.
        stages: tasks of each stage, the run's own last.
        seed: decides everything that happens.
        starts: programs that the archive starts from; none: runs start from random or empty programs.
        born: False leaves the archive without a beginning, for `load`.
        population: its number among those of the run, which its stepping stones bear.
    """

    def __init__(
        self,
        settings: Settings,
        stages: Sequence[StageTasks],
        seed: int,
        starts: Sequence[Program] = (),
        born: bool = True,
        population: int = 0,
    ):
        self._settings, self._starts = settings, starts
        self._archive = Archive(settings, stages, seed)
        self._quarantined: tuple[int, ...] = ()
        self._told = AncestorsTold()
        self._archive.island.found_in(population)
        if born:
            self._take_starts()

    # -- what every island has

    @property
    def best(self) -> Best:
        """The best program so far, by the rating tasks of the last stage."""
        return self._archive.best

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """The whole state."""
        return self._archive.island.arrays

    @property
    def population(self) -> NDArray[Any]:
        """Programs of the archive, best first."""
        return self._archive.population

    @property
    def fitness(self) -> NDArray[np.float64]:
        """Their fitness on the rating tasks."""
        return self._archive.fitness

    @property
    def stage(self) -> str:
        """Which stage the archive is in, in words; "" in the last."""
        return self._archive.told

    @property
    def spent(self) -> str:
        """Why the archive has given up, in words; "" if it has not."""
        return self._archive.spent

    def load(self, arrays: State) -> None:
        """Takes over a state that `arrays` of an archive with the same settings held."""
        self._archive.load(arrays)

    @property
    def counts(self) -> dict[str, int]:
        """Programs by what became of them on the ladder; those of shrinking and tuning are evaluated."""
        return self._archive.island.counts

    def evolve(self, n_programs: int, look: Callable[[], None] = lambda: None) -> None:
        """Goes on for about that many programs.

        Args:
            look: called now and then between two parts of a run; what it raises ends this.
        """
        end = self._archive.programs + n_programs
        while self._archive.programs < end and not self._archive.course["spent"]:
            look()
            self._advance(end - self._archive.programs)

    def rate_initial(self, n_programs: int) -> None:
        """Nothing: what arrives is rated as it is taken in."""

    def preview(self, n_programs: int, *, initial: bool) -> NDArray[Any]:
        """Normal forms of what the run's next batch will consist of, as far as that is decided."""
        done = int(self._archive.course["run_programs"])
        if not done or initial:
            return np.zeros(0, self._archive.kernel.program)
        return self._archive.island.preview(n_programs, initial=done < self._settings.evolution.population)

    def take_in(self, programs: NDArray[Any], chains: Chains | None = None) -> None:
        """Offers programs (the kernel's records) to the archive.

        Args:
            chains: what they descend from; None: their lineages begin here.
        """
        steps = [-1] * len(programs) if chains is None else self._archive.trail.graft(chains).tolist()
        for program, step in zip(programs, steps, strict=True):
            self._archive.enter(program.reshape(1).copy(), step)

    def descent(self, places: NDArray[np.int64]) -> Chains:
        """What the programs at these places of `population` descend from, for another island."""
        steps = self._archive.steps[places]
        return self._archive.trail.carried(steps, np.zeros(len(steps), np.uint64))

    def sweep(self) -> None:
        """Forgets stepping stones that no entry descends from; to be called at the end of a round."""
        self._archive.trail.sweep()

    def ancestors(self) -> tuple[Ancestor, ...]:
        """What the best program descends from, itself last."""
        archive, trail = self._archive, self.arrays["state"]["trail"]
        if trail["best"][0] < 0:  # what the first run has come to, which has not been harvested yet
            best = archive.best
            text, population = live_text(best.program), int(trail["population"][0])
            return (Ancestor(text, best.number, population, best.fitness),) if best.number else ()
        return self._told.of(archive.kernel, archive.trail, self.arrays, int(trail["best"][0]))

    def quarantine(self, keys: Sequence[int]) -> None:
        """Gives programs, by their normal forms' keys, fitness 0."""
        self._quarantined = tuple(keys)
        self._archive.island.quarantine(keys)

    # -- runs

    def _advance(self, room: int) -> None:
        """A part of a run: to its next look, or as far as there is room; after the last look, the harvest."""
        archive, island, rules = self._archive, self._archive.island, self._settings.archive
        course, size = archive.course, self._settings.evolution.population
        if not course["run_programs"]:
            self._begin()
        done = int(course["run_programs"])
        if done < size:
            n = min(size - done, room)
            island.rate_initial(n)
        else:
            n = min(int(course["looked"]) + rules.look_programs - done, room)
            island.evolve(n)
        course["run_programs"] += n
        done += n
        if done == size:
            course["looked"], course["run_best"] = done, island.best_fitness
        elif done - course["looked"] >= rules.look_programs:
            self._look(done)

    def _look(self, done: int) -> None:
        archive, island, rules = self._archive, self._archive.island, self._settings.archive
        course, stage = archive.course, archive.stage
        course["looked"] = done
        if island.best_fitness > course["run_best"] + rules.gain:
            course["run_best"], course["stalled"] = island.best_fitness, 0
        else:
            course["stalled"] += 1
        if course["stalled"] >= stage.patience or done >= stage.run_programs:
            self._harvest()
            course["run_programs"] = 0
            archive.judge()

    def _begin(self) -> None:
        """Starts a run from an entry, or from new programs where there is none."""
        archive, island, rules = self._archive, self._archive.island, self._settings.archive
        course = archive.course
        tasks = archive.stage.tasks.search(int(course["run"]))
        course["run"] += 1
        course["stalled"] = course["looked"] = 0
        course["parent"] = -1 if archive.stage.fresh else archive.choose()
        island.renew(tasks, archive.draw())
        island.quarantine(self._quarantined)
        course["step"] = -1
        if course["parent"] < 0:
            course["base"] = -1.0
            island.populate(None)
            island.offers_from(-1.0)
            return
        entry = archive.entries[int(course["parent"])]
        entry["tried"] += 1
        course["step"] = entry["step"]
        course["base"] = archive.polisher(tasks).fitness(entry["program"].reshape(1).copy())[0]
        island.populate_with_mutants(entry["program"])
        island.offers_from(float(course["base"]) - rules.margin)

    def _harvest(self) -> None:
        """Offers what the run has found: new cells, and better programs by the gain over the parent."""
        archive, island, rules = self._archive, self._archive.island, self._settings.archive
        course = archive.course
        programs, fitness, keys = island.elites()
        if course["parent"] < 0:
            if len(programs):
                archive.enter(programs[:1].copy())
            return
        parent = float(archive.entries["fitness"][int(course["parent"])])
        offers = 0
        for program, found, key in zip(programs, fitness, keys, strict=True):
            expected = parent + float(found) - float(course["base"])
            if expected < archive.top - rules.within or offers == rules.offers:
                break
            place = archive.place(int(key))
            if place >= 0 and expected < archive.entries["fitness"][place] + rules.shrink_tolerance:
                continue
            offers += 1
            archive.enter(program.reshape(1).copy(), int(course["step"]))

    def _take_starts(self) -> None:
        """The programs that the archive starts from; a stage whose goal they reach is over."""
        for program in self._starts:
            self._archive.enter(self._archive.kernel.encode([program]))
        if self._starts:
            # One is enough: others are looked for only where the first that comes along may be a poor one.
            self._archive.course["solved"] *= self._archive.stage.solutions
            self._archive.judge()
