"""An archive: the best program of each cell, stage by stage.

Quality and diversity (MAP-Elites, Mouret and Clune 2015) in place of one population's luck; docs/discovery.md
has the measurements that it was designed from. All state lies in the NumPy arrays of an island, that
on which the archive's runs take place (azgen/search/archive_island.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.execution.kernel import Kernel
from azgen.execution.layout import LaneTasks, first_tasks
from azgen.language.random import mix
from azgen.search.island import Best, Island
from azgen.search.polish import Polisher
from azgen.search.stages import Stage, StageTasks, stage_of
from azgen.search.state import State
from azgen.search.trail import Trail
from azgen.settings.settings import Settings

_TRIED = 0.02
"""A cell so far below the best is tried once where the best is tried twice."""

_TUNING_GAIN = 0.02
"""What tuning may add: a program so far below its cell's is tuned before it is compared."""


class Archive:
    """The best program of each cell, and the stages on whose tasks they are rated.

    Args:
        settings: see `Settings`.
        stages: tasks of each stage, the run's own last.
        seed: decides everything that happens.

    Attributes:
        island: where the archive's runs take place; its arrays hold the archive's state too.
        stages: what is done in each.
    """

    def __init__(self, settings: Settings, stages: Sequence[StageTasks], seed: int):
        self._settings, self._seed = settings, seed
        self.stages = [stage_of(settings, number, tasks) for number, tasks in enumerate(stages)]
        self.island = self._island_of(0)
        self.course["random"], self.course["parent"] = mix(seed), -1
        self.course["best_fitness"] = -1.0
        self.course["step"] = -1

    @property
    def trail(self) -> Trail:
        """The stepping stones that entries descend from."""
        arrays = self.island.arrays
        entries = self.entries["step"][: int(self.course["entries"])]
        return Trail(arrays, entries, arrays["course"]["step"])

    @property
    def best(self) -> Best:
        """The best program so far, by the rating tasks of the last stage."""
        course = self.course
        if not course["best_number"]:  # nothing has been harvested yet: what the first run has come to
            return self._best_of_run()
        program = self.kernel.decode(self.island.arrays["leader"][0])
        return Best(program, float(course["best_fitness"]), int(course["best_number"]))

    def _best_of_run(self) -> Best:
        found, last = self.island.best, self.stages[-1].tasks
        if not found.number:
            return Best(found.program, -1.0, 0)
        polisher = self._polisher_of(last.kernel, last.rating)
        fitness = polisher.fitness(last.kernel.encode([found.program]))
        return Best(found.program, float(fitness[0]), found.number)

    @property
    def population(self) -> NDArray[Any]:
        """Programs of the archive, best first."""
        filled = self.entries[: int(self.course["entries"])]
        return np.ascontiguousarray(filled["program"][np.argsort(-filled["fitness"], kind="stable")])

    @property
    def steps(self) -> NDArray[np.int64]:
        """Their stepping stones."""
        filled = self.entries[: int(self.course["entries"])]
        return np.ascontiguousarray(filled["step"][np.argsort(-filled["fitness"], kind="stable")])

    @property
    def fitness(self) -> NDArray[np.float64]:
        """Their fitness on the rating tasks."""
        return -np.sort(-self.entries["fitness"][: int(self.course["entries"])])

    @property
    def spent(self) -> str:
        """Why the archive has given up, in words; "" if it has not."""
        if not self.course["spent"]:
            return ""
        return f"no better archive in {self.stage.give_up_programs} programs"

    @property
    def kernel(self) -> Kernel:
        """Of the stage that the archive is in."""
        return self.stage.tasks.kernel

    @property
    def course(self) -> Any:
        """How far it has come, see `COURSE`; a record of the state."""
        return self.island.arrays["course"][0]

    @property
    def entries(self) -> NDArray[Any]:
        """The cells, filled ones first."""
        return self.island.arrays["entries"]

    @property
    def stage(self) -> Stage:
        """What the archive does now."""
        return self.stages[int(self.course["stage"])]

    @property
    def told(self) -> str:
        """Which stage of several it is in, and what the best entry has there, in words; "" in the last."""
        number, n_stages = int(self.course["stage"]) + 1, len(self.stages)
        return f"stage {number} of {n_stages} at {max(self.top, 0.0):.4f}" if number < n_stages else ""

    @property
    def programs(self) -> int:
        """Programs so far, those of runs too."""
        return self.island.counts["programs"]

    @property
    def top(self) -> float:
        """Fitness of the best entry on the rating tasks; -1: there is none."""
        n = int(self.course["entries"])
        return float(self.entries["fitness"][:n].max()) if n else -1.0

    def draw(self) -> int:
        """The next number of the archive's generator."""
        self.course["random"] = mix(int(self.course["random"]) + 1)
        return int(self.course["random"])

    def load(self, arrays: State) -> None:
        """Takes over a state that `arrays` of an archive with the same settings held."""
        self.island = self._island_of(int(arrays["course"]["stage"][0]), arrays)
        if self.course["run_programs"]:
            self.island.take_tasks(self.stage.tasks.search(int(self.course["run"]) - 1))

    def _island_of(self, stage: int, arrays: State | None = None) -> Island:
        """The island for a stage's runs, with an earlier one's state."""
        tasks = self.stages[stage].tasks
        island = Island(tasks.kernel, self._settings, tasks.search(0), self._seed, born=False)
        if arrays is not None:
            island.load(arrays)
        return island

    def choose(self) -> int:
        """The entry that a run starts from, good and seldom tried ones first; -1: the archive is empty."""
        n = int(self.course["entries"])
        if n == 0:
            return -1
        fitness, tried = self.entries["fitness"][:n], self.entries["tried"][:n]
        best = fitness.max()
        order = np.argsort(-fitness, kind="stable")[: self._settings.archive.parents]
        order = order[fitness[order] >= best - self._settings.archive.within]
        chance = np.array([(self.draw() >> 11) * 2.0**-53 for _ in order])
        return int(order[np.argmin(tried[order] + (best - fitness[order]) / _TRIED + chance)])

    def place(self, key: int) -> int:
        """Where a cell lies; -1: it is empty."""
        found = np.flatnonzero(self.entries["key"][: int(self.course["entries"])] == np.uint64(key))
        return int(found[0]) if len(found) else -1

    def polisher(self, tasks: LaneTasks | None = None) -> Polisher:
        """Rates and shortens programs, on the stage's rating tasks or others."""
        stage = self.stage.tasks
        return self._polisher_of(stage.kernel, stage.rating if tasks is None else tasks)

    def _arrive(self, program: NDArray[Any], step: int) -> None:
        """Enters a program that was found on other tasks: its constants first, or it would look needless."""
        few = self._few()
        few.tune(program, float(few.fitness(program)[0]), self.draw())
        self.island.count_evaluated(few.evaluated)
        self.enter(program, step)

    def _few(self) -> Polisher:
        """Polishes on the first of the stage's rating tasks alone: a quarter of the cost, as good an end."""
        stage = self.stage.tasks
        n_tasks = min(self._settings.archive.polish_tasks or stage.rating.n_tasks, stage.rating.n_tasks)
        return self._polisher_of(stage.kernel, first_tasks(stage.rating, n_tasks))

    def _polisher_of(self, kernel: Kernel, tasks: LaneTasks) -> Polisher:
        return Polisher(kernel, tasks, self._settings.evolution.combine == "median", self._settings.archive)

    def enter(self, program: NDArray[Any], step: int = -1) -> None:
        """Shrinks a program and tunes its constants; it takes its cell if it is the best there.

        Args:
            step: the last stepping stone of its ancestors, or -1.
        """
        polisher, few = self.polisher(), self._few()
        polished = few.shrink(program)
        fitness = float(polisher.fitness(program)[0])
        keys = np.zeros(1, np.uint64)
        self.kernel.calls.cells(program.ctypes.data, 1, keys.ctypes.data)
        key = int(keys[0])
        place = self.place(key)
        worth = fitness >= self.top - self._settings.archive.within and (
            place < 0 or fitness >= self.entries["fitness"][place] - _TUNING_GAIN
        )
        if worth:
            tuned = program.copy()
            few.tune(tuned, polished, self.draw())
            better = float(polisher.fitness(tuned)[0])
            if better > fitness:
                program[:], fitness = tuned, better
        self.island.count_evaluated(polisher.evaluated + few.evaluated)
        if self.stage.fresh and fitness < self.stage.goal:
            self._lead(program, fitness, step)
        elif worth:
            self.course["solved"] += fitness >= self.stage.goal
            self._put(program, key, place, fitness, step)

    def _put(self, program: NDArray[Any], key: int, place: int, fitness: float, step: int) -> None:
        course, n = self.course, int(self.course["entries"])
        tried = 0
        if place >= 0:
            if fitness <= self.entries["fitness"][place]:
                return
            tried = int(self.entries["tried"][place]) // 2
        elif n < len(self.entries):
            place = n
            course["entries"] += 1
        else:
            place = int(self.entries["fitness"].argmin())
            if fitness <= self.entries["fitness"][place]:
                return
        step = self.trail.add(step, self.programs, fitness, program[0])
        self.entries[place] = (key, fitness, tried, step, program[0])
        self._lead(program, fitness, step)

    def _lead(self, program: NDArray[Any], fitness: float, step: int) -> None:
        """Keeps a program that is the best by the last stage's rating tasks."""
        course, last = self.course, self.stages[-1].tasks
        if int(course["stage"]) < len(self.stages) - 1:
            if fitness < self.top:
                return
            fitness = float(self._polisher_of(last.kernel, last.rating).fitness(program)[0])
        if fitness > course["best_fitness"] and last.kernel.succeeds(program, last.rating, last.longer):
            course["best_fitness"], course["best_number"] = fitness, self.programs
            self.island.arrays["leader"][0] = program[0]
            step = step if step >= 0 else self.trail.add(-1, self.programs, fitness, program[0])
            self.island.arrays["state"]["trail"]["best"] = step

    def judge(self) -> None:
        """After a run: on to the next stage at its goal, or the end of an archive that stands still."""
        course, top = self.course, self.top
        if self._is_over:
            self._next_stage()
        elif top > course["mark"] + self._settings.archive.give_up_gain:
            course["mark"], course["mark_programs"] = top, self.programs
        elif not self.stage.fresh and self._stands_still:
            course["spent"] = 1

    @property
    def _is_over(self) -> bool:
        """Whether the stage has come to its goal, often enough."""
        solved = self.top >= self.stage.goal and self.course["solved"] >= self.stage.solutions
        return solved and int(self.course["stage"]) < len(self.stages) - 1

    @property
    def _stands_still(self) -> bool:
        most = self.stage.give_up_programs
        return 0 < most <= self.programs - int(self.course["mark_programs"])

    def _next_stage(self) -> None:
        """The best entries go on to the next stage's tasks; of those found independently, the cheapest."""
        course = self.course
        filled = self.entries[: int(course["entries"])]
        best = filled[np.argsort(-filled["fitness"], kind="stable")].copy()
        if self.stage.fresh:
            best = min(best, key=lambda entry: self._cost(entry["program"])).reshape(1)
        else:
            best = best[: self._settings.archive.offers]
        course["stage"] += 1
        course["entries"] = course["solved"] = 0
        self.island = self._island_of(int(course["stage"]), self.island.arrays)
        for entry in best:
            self._arrive(entry["program"].reshape(1).copy(), int(entry["step"]))
        self.course["mark"], self.course["mark_programs"] = self.top, self.programs
        if self._is_over:
            self._next_stage()

    def _cost(self, program: NDArray[Any]) -> float:
        """Static cost of a training step."""
        _, predict, learn = self.kernel.decode(program).cost(self.kernel.spec.n_features)
        return float(predict + learn)
