"""An island that is an archive: the best program of each cell, and short runs of evolution from its members.

Quality and diversity (MAP-Elites, Mouret and Clune 2015) in place of one population's luck; docs/discovery.md
has the measurements that it was designed from. All state lies in NumPy arrays, as that of any island, so
that rounds may be of any length and a snapshot is a copy of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.execution.kernel import Kernel
from azgen.execution.layout import LaneTasks
from azgen.language.program import Program
from azgen.language.random import mix
from azgen.search.island import Best, Island
from azgen.search.polish import Polisher
from azgen.search.stages import StageTasks
from azgen.search.state import State
from azgen.settings.settings import ArchiveSettings, Settings, StageSettings

_TRIED = 0.02
"""A cell so far below the best is tried once where the best is tried twice."""

_TUNING_GAIN = 0.02
"""What tuning may add: a program so far below its cell's is tuned before it is compared."""


@dataclass(frozen=True)
class _Stage:
    """What an archive does in a stage."""

    tasks: StageTasks
    goal: float
    fresh: bool
    run_programs: int
    patience: int


class ArchiveIsland:
    """An archive, and the island on which its runs take place.

    Args:
        settings: see `Settings`.
        stages: tasks of each stage, the run's own last.
        seed: decides everything that happens.
        starts: programs that the archive starts from; none: runs start from random or empty programs.
        born: False leaves the archive without a beginning, for `load`.
    """

    def __init__(
        self,
        settings: Settings,
        stages: Sequence[StageTasks],
        seed: int,
        starts: Sequence[Program] = (),
        born: bool = True,
    ):
        self._settings, self._archive, self._seed = settings, settings.archive, seed
        self._stages = [_stage(settings, number, tasks) for number, tasks in enumerate(stages)]
        self._starts = starts
        self._island = self._island_of(0)
        self._course["random"], self._course["parent"] = mix(seed), -1
        self._course["best_fitness"] = -1.0
        self._quarantined: tuple[int, ...] = ()
        if born:
            self._take_starts()

    # -- what every island has

    @property
    def best(self) -> Best:
        """The best program so far, by the rating tasks of the last stage."""
        course = self._course
        if not course["best_number"]:  # nothing has been harvested yet: what the first run has come to
            return self._best_of_run()
        program = self._kernel.decode(self.arrays["leader"][0])
        return Best(program, float(course["best_fitness"]), int(course["best_number"]))

    def _best_of_run(self) -> Best:
        found, last = self._island.best, self._stages[-1].tasks
        if not found.number:
            return Best(found.program, -1.0, 0)
        polisher = self._polisher_of(last.kernel, last.rating)
        fitness = polisher.fitness(last.kernel.encode([found.program]))
        return Best(found.program, float(fitness[0]), found.number)

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """The whole state."""
        return self._island.arrays

    @property
    def counts(self) -> dict[str, int]:
        """Programs by what became of them on the ladder; those of shrinking and tuning are evaluated."""
        return self._island.counts

    @property
    def population(self) -> NDArray[Any]:
        """Programs of the archive, best first."""
        filled = self._entries[: int(self._course["entries"])]
        return np.ascontiguousarray(filled["program"][np.argsort(-filled["fitness"], kind="stable")])

    @property
    def fitness(self) -> NDArray[np.float64]:
        """Their fitness on the rating tasks."""
        return -np.sort(-self._entries["fitness"][: int(self._course["entries"])])

    @property
    def spent(self) -> str:
        """Why the archive has given up, in words; "" if it has not."""
        if not self._course["spent"]:
            return ""
        return f"no better archive in {self._archive.give_up_programs} programs"

    def load(self, arrays: State) -> None:
        """Takes over a state that `arrays` of an archive with the same settings held."""
        self._island = self._island_of(int(arrays["course"]["stage"][0]), arrays)
        if self._course["run_programs"]:
            self._island.take_tasks(self._stage.tasks.search(int(self._course["run"]) - 1))

    def evolve(self, n_programs: int) -> None:
        """Goes on for about that many programs."""
        end = self._programs + n_programs
        while self._programs < end and not self._course["spent"]:
            self._advance(end - self._programs)

    def rate_initial(self, n_programs: int) -> None:
        """Nothing: what arrives is rated as it is taken in."""

    def preview(self, n_programs: int, *, initial: bool) -> NDArray[Any]:
        """Normal forms of what the run's next batch will consist of, as far as that is decided."""
        done = int(self._course["run_programs"])
        if not done or initial:
            return np.zeros(0, self._kernel.program)
        return self._island.preview(n_programs, initial=done < self._settings.evolution.population)

    def take_in(self, programs: NDArray[Any]) -> None:
        """Offers programs (the kernel's records) to the archive."""
        for program in programs:
            self._enter(program.reshape(1).copy())

    def quarantine(self, keys: Sequence[int]) -> None:
        """Gives programs, by their normal forms' keys, fitness 0."""
        self._quarantined = tuple(keys)
        self._island.quarantine(keys)

    # -- stages and runs

    @property
    def _kernel(self) -> Kernel:
        return self._stage.tasks.kernel

    @property
    def _course(self) -> Any:
        return self._island.arrays["course"][0]

    @property
    def _entries(self) -> NDArray[Any]:
        return self._island.arrays["entries"]

    @property
    def _stage(self) -> _Stage:
        return self._stages[int(self._course["stage"])]

    @property
    def _programs(self) -> int:
        return self._island.counts["programs"]

    def _draw(self) -> int:
        """The next number of the archive's generator."""
        self._course["random"] = mix(int(self._course["random"]) + 1)
        return int(self._course["random"])

    def _island_of(self, stage: int, arrays: State | None = None) -> Island:
        """The island for a stage's runs, with an earlier one's state."""
        tasks = self._stages[stage].tasks
        island = Island(tasks.kernel, self._settings, tasks.search(0), self._seed, born=False)
        if arrays is not None:
            island.load(arrays)
        return island

    def _advance(self, room: int) -> None:
        """A part of a run: to its next look, or as far as there is room; after the last look, the harvest."""
        course, size = self._course, self._settings.evolution.population
        if not course["run_programs"]:
            self._begin()
        done = int(course["run_programs"])
        if done < size:
            n = min(size - done, room)
            self._island.rate_initial(n)
        else:
            n = min(int(course["looked"]) + self._archive.look_programs - done, room)
            self._island.evolve(n)
        course["run_programs"] += n
        done += n
        if done == size:
            course["looked"], course["run_best"] = done, self._island.best_fitness
        elif done - course["looked"] >= self._archive.look_programs:
            self._look(done)

    def _look(self, done: int) -> None:
        course, stage = self._course, self._stage
        course["looked"] = done
        if self._island.best_fitness > course["run_best"] + self._archive.gain:
            course["run_best"], course["stalled"] = self._island.best_fitness, 0
        else:
            course["stalled"] += 1
        if course["stalled"] >= stage.patience or done >= stage.run_programs:
            self._harvest()
            course["run_programs"] = 0
            self._judge()

    def _begin(self) -> None:
        """Starts a run from an entry, or from new programs where there is none."""
        course = self._course
        tasks = self._stage.tasks.search(int(course["run"]))
        course["run"] += 1
        course["stalled"] = course["looked"] = 0
        course["parent"] = -1 if self._stage.fresh else self._choose()
        self._island.renew(tasks, self._draw())
        self._island.quarantine(self._quarantined)
        if course["parent"] < 0:
            course["base"] = -1.0
            self._island.populate(None)
            self._island.offers_from(-1.0)
            return
        entry = self._entries[int(course["parent"])]
        entry["tried"] += 1
        course["base"] = self._polisher(tasks).fitness(entry["program"].reshape(1).copy())[0]
        self._island.populate_with_mutants(entry["program"])
        self._island.offers_from(float(course["base"]) - self._archive.margin)

    def _choose(self) -> int:
        """The entry that a run starts from, good and seldom tried ones first; -1: the archive is empty."""
        n = int(self._course["entries"])
        if n == 0:
            return -1
        fitness, tried = self._entries["fitness"][:n], self._entries["tried"][:n]
        best = fitness.max()
        order = np.argsort(-fitness, kind="stable")[: self._archive.parents]
        order = order[fitness[order] >= best - self._archive.within]
        chance = np.array([(self._draw() >> 11) * 2.0**-53 for _ in order])
        return int(order[np.argmin(tried[order] + (best - fitness[order]) / _TRIED + chance)])

    def _harvest(self) -> None:
        """Offers what the run has found: new cells, and better programs by the gain over the parent."""
        course = self._course
        programs, fitness, keys = self._island.elites()
        if course["parent"] < 0:
            if len(programs):
                self._enter(programs[:1].copy())
            return
        parent = float(self._entries["fitness"][int(course["parent"])])
        offers = 0
        for program, found, key in zip(programs, fitness, keys, strict=True):
            expected = parent + float(found) - float(course["base"])
            if expected < self._top - self._archive.within or offers == self._archive.offers:
                break
            place = self._place(int(key))
            if place >= 0 and expected < self._entries["fitness"][place] + self._archive.shrink_tolerance:
                continue
            offers += 1
            self._enter(program.reshape(1).copy())

    @property
    def _top(self) -> float:
        n = int(self._course["entries"])
        return float(self._entries["fitness"][:n].max()) if n else -1.0

    def _place(self, key: int) -> int:
        """Where a cell lies; -1: it is empty."""
        found = np.flatnonzero(self._entries["key"][: int(self._course["entries"])] == np.uint64(key))
        return int(found[0]) if len(found) else -1

    def _polisher(self, tasks: LaneTasks | None = None) -> Polisher:
        stage = self._stage.tasks
        return self._polisher_of(stage.kernel, stage.rating if tasks is None else tasks)

    def _polisher_of(self, kernel: Kernel, tasks: LaneTasks) -> Polisher:
        return Polisher(kernel, tasks, self._settings.evolution.combine == "median", self._archive)

    def _enter(self, program: NDArray[Any]) -> None:
        """Shrinks a program and tunes its constants; it takes its cell if it is the best there."""
        polisher = self._polisher()
        fitness = polisher.shrink(program)
        keys = np.zeros(1, np.uint64)
        self._kernel.module.cells(program.ctypes.data, 1, keys.ctypes.data)
        key = int(keys[0])
        place = self._place(key)
        worth = fitness >= self._top - self._archive.within and (
            place < 0 or fitness >= self._entries["fitness"][place] - _TUNING_GAIN
        )
        if worth:
            fitness = polisher.tune(program, fitness, self._draw())
        self._island.count_evaluated(polisher.evaluated)
        if self._stage.fresh and fitness < self._stage.goal:
            self._lead(program, fitness)
        elif worth:
            self._put(program, key, place, fitness)

    def _put(self, program: NDArray[Any], key: int, place: int, fitness: float) -> None:
        course, n = self._course, int(self._course["entries"])
        tried = 0
        if place >= 0:
            if fitness <= self._entries["fitness"][place]:
                return
            tried = int(self._entries["tried"][place]) // 2
        elif n < len(self._entries):
            place = n
            course["entries"] += 1
        else:
            place = int(self._entries["fitness"].argmin())
            if fitness <= self._entries["fitness"][place]:
                return
        self._entries[place] = (key, fitness, tried, program[0])
        self._lead(program, fitness)

    def _lead(self, program: NDArray[Any], fitness: float) -> None:
        """Keeps a program that is the best by the last stage's rating tasks."""
        course, last = self._course, self._stages[-1].tasks
        if int(course["stage"]) < len(self._stages) - 1:
            if fitness < self._top:
                return
            fitness = float(self._polisher_of(last.kernel, last.rating).fitness(program)[0])
        if fitness > course["best_fitness"]:
            course["best_fitness"], course["best_number"] = fitness, self._programs
            self.arrays["leader"][0] = program[0]

    def _judge(self) -> None:
        """After a run: on to the next stage at its goal, or the end of an archive that stands still."""
        course, top = self._course, self._top
        if top >= self._stage.goal and int(course["stage"]) < len(self._stages) - 1:
            self._next_stage()
        elif top > course["mark"] + self._archive.give_up_gain:
            course["mark"], course["mark_programs"] = top, self._programs
        elif not self._stage.fresh and self._stands_still:
            course["spent"] = 1

    @property
    def _stands_still(self) -> bool:
        most = self._archive.give_up_programs
        return 0 < most <= self._programs - int(self._course["mark_programs"])

    def _next_stage(self) -> None:
        """The best entries go on to the next stage's tasks."""
        course = self._course
        programs = self.population[: self._archive.offers]
        course["stage"] += 1
        course["entries"] = 0
        self._island = self._island_of(int(course["stage"]), self._island.arrays)
        for program in programs:
            self._enter(program.reshape(1).copy())
        self._course["mark"], self._course["mark_programs"] = self._top, self._programs
        if self._top >= self._stage.goal and int(course["stage"]) < len(self._stages) - 1:
            self._next_stage()

    def _take_starts(self) -> None:
        """The programs that the archive starts from; a stage whose goal they reach is over."""
        for program in self._starts:
            self._enter(self._kernel.encode([program]))
        if self._starts:
            self._judge()


def _stage(settings: Settings, number: int, tasks: StageTasks) -> _Stage:
    archive: ArchiveSettings = settings.archive
    if number == len(settings.stages):
        return _Stage(tasks, 2.0, False, archive.run_programs, archive.patience)
    stage: StageSettings = settings.stages[number]
    return _Stage(
        tasks,
        stage.goal,
        stage.fresh,
        stage.run_programs or archive.run_programs,
        stage.patience or archive.patience,
    )
