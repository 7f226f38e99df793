"""Selection task by task: whom it selects, and what it knows of every member's fitness on every task."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from azgen.settings.presets import preset
from azgen.settings.settings import Settings
from azgen.settings.tasks import most_searched_on
from tests.search.test_variation import NOTHING, island, programs, space

UNCHANGED = {
    "selection": "lexicase",
    "actions": dataclasses.replace(NOTHING, identity=1.0),
    "more_mutations": 0.0,
    "live_only": False,
}
"""Children are copies of the members that are selected."""


def selected(cases: dict[int, list[float]], **changes: Any) -> dict[int, int]:
    """How often members are selected in 600 selections, by their number.

    Args:
        cases: fitness of some members on the ten search tasks; the others have 0.1 on each.
    """
    mine = island(population=60, batch=60, **{**UNCHANGED, **changes})
    names, counts = programs(mine), dict.fromkeys(cases, 0)
    assert len(set(names)) == len(names)
    for seed in range(10):
        again = island(population=60, batch=60, **{**UNCHANGED, **changes})
        again.arrays["state"]["random"] = seed + 1
        again.arrays["member_cases"][...] = 0.1
        for member, fitness in cases.items():
            again.arrays["member_cases"][:, member] = fitness
        again.evolve(60)
        for name in programs(again):
            if (member := names.index(name)) in counts:
                counts[member] += 1
    return counts


SPECIALISTS = {
    3: [0.9] + [0.0] * 9,
    7: [0.0] * 9 + [0.9],
    11: [0.8] * 10,  # the best by the mean; behind the specialists at one task each
    19: [0.6] * 10,  # behind 11 at each
}


def test_specialists_are_selected_and_who_is_behind_at_each_task_is_not() -> None:
    counts = selected(SPECIALISTS)
    assert sum(counts.values()) == 600 and counts[19] == 0
    # The first task decides: one in ten each for the specialists.
    assert 30 <= counts[3] <= 95 and 30 <= counts[7] <= 95
    by_tournaments = selected_by_tournaments()
    assert by_tournaments[11] > by_tournaments[3]


def selected_by_tournaments() -> dict[int, int]:
    """The same members in tournaments, by the mean over the tasks."""
    mine = island(population=60, batch=60, **{**UNCHANGED, "selection": "tournament"})
    names = programs(mine)
    mine.fitness[...] = 0.1
    for member, fitness in SPECIALISTS.items():
        mine.fitness[member] = np.mean(fitness)
    mine.evolve(60)
    return {member: programs(mine).count(names[member]) for member in SPECIALISTS}


def test_who_is_near_the_best_stays_and_all_that_stay_are_alike() -> None:
    counts = selected(SPECIALISTS, lexicase_within=0.15)
    assert counts[11] > 250 and counts[19] == 0
    counts = selected(SPECIALISTS, lexicase_within=1.0)
    assert sum(counts.values()) < 120  # of 60 members each is as good as another


def test_a_share_of_the_tasks_leaves_more() -> None:
    level = {3: [0.5] * 5 + [0.9] * 5, 7: [0.5] * 5 + [0.6] * 5}
    assert selected(level)[7] == 0
    few = selected(level, lexicase_tasks=0.1)
    assert few[7] > 100  # one task, and at half of the tasks the two are level


@pytest.mark.parametrize("parsimony", [0.0, 0.01])
def test_cases_are_the_fitness_on_every_task(parsimony: float) -> None:
    """From whichever rung of the ladder it came; less what a program's length costs."""
    mine = island(population=120, selection="lexicase", parsimony=parsimony)
    mine.evolve(3000)
    counts = mine.counts
    assert counts["known"] and counts["equivalent"] and counts["failed_probe"]
    lengths = np.array([len(tuple(mine.member(place).instructions())) for place in range(120)])
    cases = mine.arrays["member_cases"] + parsimony * lengths
    np.testing.assert_allclose(cases.mean(axis=0), mine.fitness, atol=1e-6)
    tasks = space().search[0].lanes
    found, _ = space().kernel.evaluate(mine.population, tasks)
    found = np.nan_to_num(found)
    # All but programs that took the fitness of one whose predictions, rounded, are the same.
    same = np.isclose(found.mean(axis=1), mine.fitness, atol=1e-6)
    assert same.mean() > 0.5
    np.testing.assert_allclose(cases.T[same], found[same], atol=1e-6)


def test_the_seed_decides_and_a_state_is_taken_over() -> None:
    one, other = island(selection="lexicase"), island(seed=5, selection="lexicase")
    one.evolve(1000)
    other.load(one.arrays)
    for mine in (one, other):
        mine.evolve(1000)
    assert programs(one) == programs(other)
    for name in ("member_cases", "known_cases", "probed_cases"):
        assert np.array_equal(one.arrays[name], other.arrays[name])
    plain = island()
    plain.evolve(2000)
    assert programs(plain) != programs(one)
    assert not {"member_cases", "known_cases"} & plain.arrays.keys()


def test_what_is_in_quarantine_has_0_on_every_task() -> None:
    mine = island(population=40, selection="lexicase")
    mine.evolve(200)
    keys = mine.arrays["known"]["key"]
    at = tuple(np.argwhere(keys)[0])
    mine.arrays["known_cases"][at] = 0.5
    mine.quarantine([int(keys[at])])
    assert mine.arrays["known"]["fitness"][at] == 0 and (mine.arrays["known_cases"][at] == 0).all()


def with_tasks(settings: Settings, **changes: Any) -> Settings:
    return dataclasses.replace(settings, tasks=dataclasses.replace(settings.tasks, **changes))


def test_there_is_room_for_the_tasks_of_every_island_and_stage() -> None:
    settings = with_tasks(preset("two-layer"), n_search=7)
    assert most_searched_on(settings) == 7
    islands = dataclasses.replace(settings.islands, count=2, tasks=({}, {"n_search": 30}))
    assert most_searched_on(dataclasses.replace(settings, islands=islands)) == 30
    stages = tuple(dataclasses.replace(stage, tasks={"n_search": 12}) for stage in settings.stages)
    assert most_searched_on(dataclasses.replace(settings, stages=stages)) == 12
