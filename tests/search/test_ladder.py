"""The ladder that spares evaluations, against the same ladder in Python, and with each rung switched off."""

from __future__ import annotations

import dataclasses
from collections import Counter, deque
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from azgen.codegen.kernel_source import DROPPED_BITS
from azgen.errors import AzgenError
from azgen.execution.layout import LaneTasks, first_tasks, probe_of
from azgen.search.island import Island
from azgen.search.island_state import COUNTS
from azgen.search.space import SearchSpace
from azgen.settings.checks import check
from azgen.settings.evolution import EvolutionSettings
from azgen.settings.presets import preset
from azgen.settings.settings import Settings

N_PROGRAMS = 1200

ALL = EvolutionSettings(
    population=100,
    hurdles=(0.2, 0.5),
    hurdle_tasks=(0.6, 1.0),
    hurdle_percentile=40.0,
    max_cost=0.04,
)
OFF: dict[str, dict[str, Any]] = {
    "known": {"known": False},
    "probe": {"probe": False},
    "hurdles": {"hurdles": (), "hurdle_tasks": ()},
    "budget": {"max_cost": 0.0},
}
"""Settings that switch a rung off."""


def settings_of(**changes: Any) -> Settings:
    demo = preset("demo")
    tasks = dataclasses.replace(demo.tasks, n_search=20, n_train=(40, 10, 10), n_valid=(20, 10, 10))
    execution = dataclasses.replace(demo.execution, max_abs_error=2.0)
    # Few ops and short functions: the same programs, and equivalent ones, come again and again.
    small = dataclasses.replace(demo.setup, min_size=2, max_size=3)
    learn = dataclasses.replace(demo.learn, min_size=3, max_size=5)
    evolution = dataclasses.replace(ALL, **changes)
    functions = {"setup": small, "learn": learn}
    return dataclasses.replace(demo, tasks=tasks, execution=execution, evolution=evolution, **functions)


class Ladder:
    """The rungs one by one, as settings describe them: dictionaries for tables, sorting for percentiles."""

    def __init__(self, settings: Settings, island: Island, tasks: LaneTasks, limit: float):
        self.evolution, self.kernel, self.tasks, self.limit = settings.evolution, island._kernel, tasks, limit
        self.counts: Counter[str] = Counter()
        self.known: dict[int, float] = {}
        self.probed: dict[bytes, float] = {}
        self.recent = [deque[float](maxlen=self.evolution.population) for _ in self.evolution.hurdles]
        n_training = int(tasks.record["n_training"][0])
        self.stages = [
            first_tasks(probe_of(tasks, int(part * n_training), tasks.n_valid), int(share * tasks.n_tasks))
            for part, share in zip(self.evolution.hurdles, self.evolution.hurdle_tasks, strict=True)
        ]

    def rate(self, forms: NDArray[Any]) -> list[float]:
        """Fitness of a batch of normal forms."""
        e, fitness, waiting = self.evolution, [0.0] * len(forms), list[int]()
        keys = [self._key(form) for form in forms]
        copies: dict[int, int] = {}
        self.counts["programs"] += len(forms)
        for i, key in enumerate(keys):
            first = next((j for j in waiting if keys[j] == key), None)
            if e.known and (key in self.known or first is not None):
                self.counts["known"] += 1
                if key in self.known:
                    fitness[i] = self.known[key]
                else:
                    copies[i] = first  # type: ignore[assignment]
            elif self.limit and self._cost(forms[i]) > self.limit:
                self.counts["over_budget"] += 1
            else:
                waiting.append(i)
        behaviours = dict[int, bytes]()
        if e.probe:
            found, waiting = self._behaviours(forms, waiting), []
            for i, (behaviour, alive) in found.items():
                first = next((j for j in waiting if behaviours[j] == behaviour), None)
                if not alive:
                    self.counts["failed_probe"] += 1
                    self.known[keys[i]] = 0.0
                elif behaviour in self.probed:
                    self.counts["equivalent"] += 1
                    self.known[keys[i]] = fitness[i] = self.probed[behaviour]
                elif first is not None:
                    self.counts["equivalent"] += 1
                    copies[i] = first
                else:
                    behaviours[i] = behaviour
                    waiting.append(i)
        for stage, recent in zip(self.stages, self.recent, strict=True):
            ordered = sorted(recent)
            least = ordered[int(e.hurdle_percentile / 100 * (len(recent) - 1))] if len(recent) >= 20 else -1.0
            over = []
            for i in waiting:
                fitness[i] = self._evaluate(forms[i], stage)
                if fitness[i] not in recent:
                    recent.append(fitness[i])
                if fitness[i] < least:
                    self.counts["hurdled"] += 1
                    self._remember(keys[i], behaviours.get(i), fitness[i])
                else:
                    over.append(i)
            waiting = over
        for i in waiting:
            self.counts["evaluated"] += 1
            fitness[i] = self._evaluate(forms[i], self.tasks)
            self._remember(keys[i], behaviours.get(i), fitness[i])
        for i, j in sorted(copies.items()):
            while j in copies:
                j = copies[j]
            self.known[keys[i]] = fitness[i] = fitness[j]
        return fitness

    def _remember(self, key: int, behaviour: bytes | None, fitness: float) -> None:
        self.known[key] = fitness
        if behaviour is not None:
            self.probed[behaviour] = fitness

    def _key(self, form: Any) -> int:
        result = np.zeros(1, self.kernel.program)
        return int(self.kernel.calls.normal_form(form.reshape(1).ctypes.data, result.ctypes.data))

    def _cost(self, form: Any) -> float:
        record = self.tasks.record[0]
        setup, predict, learn = self.kernel.decode(form).cost(self.kernel.spec.n_features)
        return float(setup + int(record["n_steps"]) * predict + int(record["n_training"]) * learn)

    def _evaluate(self, form: Any, tasks: LaneTasks) -> float:
        fitness, _ = self.kernel.evaluate(form.reshape(1), tasks)
        return sum(np.nan_to_num(fitness[0], nan=0.0).tolist()) / tasks.n_tasks

    def _behaviours(self, forms: NDArray[Any], which: list[int]) -> dict[int, tuple[bytes, bool]]:
        """Rounded predictions on the probe's examples of all tasks, and whether any task is left.

        A prediction is taken as that of validation after so many training examples.
        """
        if not which:
            return {}
        e, order = self.evolution, self.tasks.arrays["order"]
        limit = float(self.tasks.record["max_abs_error"][0])
        alive = np.ones((len(which), self.tasks.n_tasks), bool)
        parts = []
        for place in range(e.probe_train + e.probe_valid):
            n = min(place, e.probe_train)
            at = probe_of(self.tasks, n, place - n + 1)
            if place < e.probe_train:
                at.arrays["order"][place] = order[place]
            at.record["max_abs_error"] = np.inf
            fitness, predictions = self.kernel.evaluate(forms[which], at, with_predictions=True)
            assert predictions is not None
            # Where no task is left, all predictions being NaN, none is written.
            unwritten = np.isnan(fitness) & (predictions[:, :, -1] == 0)
            predicted = np.where(unwritten, np.float32(np.nan), predictions[:, :, -1])
            bits = predicted.view(np.int32) + np.int32(1 << DROPPED_BITS["float32"] - 1)
            parts.append(np.where(alive, bits >> DROPPED_BITS["float32"], 0))
            if place < e.probe_train:
                label = np.moveaxis(self.tasks.arrays["y"][:, order[place]], -1, 1).reshape(-1)[
                    : self.tasks.n_tasks
                ]
                alive &= np.abs(label - predicted) <= limit
        together = np.stack(parts, axis=1)
        return {i: (together[j].tobytes(), bool(alive[j].any())) for j, i in enumerate(which)}


def evolved(settings: Settings, against: bool = False) -> Island:
    """An island that has evolved; if wanted, every batch is rated by the ladder in Python too."""
    space = SearchSpace.of(settings, settings.tasks.split(3))
    tasks = space.task_set(0, 0)
    limit = space.cost_limit(tasks)
    island = Island(tasks.kernel, settings, tasks.lanes, 5, limit, born=False)
    island.populate(None)
    ladder = Ladder(settings, island, tasks.lanes, limit) if against else None
    population, batch = settings.evolution.population, settings.evolution.batch
    with np.errstate(over="ignore", invalid="ignore"):
        for done in range(0, population + N_PROGRAMS, batch if against else population):
            initial = done < population
            n = min(batch, population - done) if initial else batch
            if not against:
                (island.rate_initial if initial else island.evolve)(population)
                continue
            forms, place = island.preview(n, initial=initial), int(island.arrays["state"][0]["next"])
            (island.rate_initial if initial else island.evolve)(n)
            assert ladder is not None
            places = (place + np.arange(n)) % population
            assert ladder.rate(forms) == island.fitness[places].tolist()
            assert dict(ladder.counts) == {name: c for name, c in island.counts.items() if c}
    return island


@pytest.mark.parametrize("off", ["", *OFF])
def test_counts_and_fitness_are_those_of_the_same_ladder_in_python(off: str) -> None:
    counts = evolved(settings_of(**OFF.get(off, {})), against=True).counts
    of_rung = {
        "known": {"known"},
        "probe": {"equivalent", "failed_probe"},
        "hurdles": {"hurdled"},
        "budget": {"over_budget"},
    }
    for name in COUNTS:
        assert (counts[name] == 0) == (name in of_rung.get(off, set())), (name, counts)


def test_without_any_rung_every_program_is_evaluated() -> None:
    nothing = {key: value for changes in OFF.values() for key, value in changes.items()}
    counts = evolved(settings_of(**nothing)).counts
    assert counts["evaluated"] == counts["programs"] > N_PROGRAMS


def test_the_table_of_known_programs_changes_no_fitness_and_no_evolution() -> None:
    exact = {**OFF["probe"], **OFF["hurdles"]}
    islands = [evolved(settings_of(**exact, known=known)) for known in (True, False)]
    assert islands[0].counts["known"] > 100 and islands[1].counts["known"] == 0
    np.testing.assert_array_equal(islands[0].fitness, islands[1].fitness)
    np.testing.assert_array_equal(islands[0].population, islands[1].population)


def test_hurdles_may_be_stages_of_tasks_or_examples_or_both() -> None:
    for hurdles, tasks in (((1.0,), (0.5,)), ((0.5, 0.5), (0.5, 1.0)), ((0.1, 1.0), (0.2, 0.9))):
        settings = settings_of(hurdles=hurdles, hurdle_tasks=tasks)
        check(settings)
        assert evolved(settings).counts["hurdled"] > 0
    for hurdles, tasks in (
        ((1.0,), (1.0,)),
        ((0.5, 0.2), (0.5, 0.9)),
        ((0.5,), (0.0,)),
        ((0.5,), (0.5, 1.0)),
    ):
        with pytest.raises(AzgenError, match="hurdle_tasks"):
            check(settings_of(hurdles=hurdles, hurdle_tasks=tasks))
