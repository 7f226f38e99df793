"""Crossover, populations without two equal structures, and weights that adapt: each a switch."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from azgen.language.instruction import Instruction
from azgen.search.island import Island
from azgen.search.island_state import N_ACTIONS
from azgen.search.space import SearchSpace
from azgen.settings.evolution import ActionWeights
from azgen.settings.presets import preset
from azgen.settings.settings import Settings

NOTHING = ActionWeights(*[0.0] * N_ACTIONS)


@cache
def space() -> SearchSpace:
    settings = preset("linear")
    tasks = dataclasses.replace(settings.tasks, n_train=(50, 10, 10), n_valid=(20, 10, 10), n_select=4)
    evolution = dataclasses.replace(settings.evolution, selection="tournament")
    settings = dataclasses.replace(settings, tasks=tasks, evolution=evolution)
    return SearchSpace.of(settings, settings.tasks.split(0))


def with_changes(**changes: object) -> Settings:
    settings = space().settings
    return dataclasses.replace(settings, evolution=dataclasses.replace(settings.evolution, **changes))  # type: ignore[arg-type]


def island(seed: int = 1, **changes: object) -> Island:
    return Island(space().kernel, with_changes(**changes), space().search[0].lanes, seed)


def programs(mine: Island) -> list[str]:
    return [mine.member(place).hash for place in range(len(mine.population))]


def structures(mine: Island) -> list[str]:
    return [mine.member(place).normalized().structure_hash for place in range(len(mine.population))]


def test_by_crossover_alone_children_have_the_functions_of_two_parents() -> None:
    changes = {"crossover": 1.0, "actions": dataclasses.replace(NOTHING, identity=1.0), "live_only": False}
    mine = island(population=40, batch=20, **changes)
    before = [mine.member(place).functions for place in range(40)]
    mine.evolve(20)
    known = [{functions[f] for functions in before} for f in range(3)]
    mixed = 0
    for place in range(20):  # the oldest, which the children have replaced
        child = mine.member(place).functions
        assert all(child[f] in known[f] for f in range(3))
        mixed += child not in before
    assert mixed > 3


def test_by_moves_alone_programs_keep_their_instructions_in_another_order() -> None:
    changes = {"actions": dataclasses.replace(NOTHING, move_instruction=1.0), "live_only": False}
    mine = island(population=40, batch=20, **changes)
    before = [mine.member(place).functions for place in range(40)]
    mine.evolve(3000)
    after = [mine.member(place).functions for place in range(40)]
    assert {in_any_order(member) for member in after} <= {in_any_order(member) for member in before}
    assert sum(member not in before for member in after) > 20


def in_any_order(functions: Sequence[Sequence[Instruction]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(sorted(map(str, function))) for function in functions)


@pytest.mark.parametrize("distinct", [False, True])
def test_a_distinct_population_has_no_two_equal_structures(distinct: bool) -> None:
    mine = island(population=100, distinct=distinct)
    mine.evolve(5000)
    found = structures(mine)
    # Initial members may be equal; after 5000 children none of them is left.
    assert (len(set(found)) == len(found)) == distinct


def test_a_better_child_of_the_same_structure_takes_its_members_place() -> None:
    mine = island(population=100, distinct=True)
    best = []
    for _ in range(5):
        mine.evolve(500)
        best.append(max(mine.fitness))
    assert best == sorted(best)  # the best leaves only with age; here nobody grows that old
    assert mine.best_fitness >= best[-1]


def test_weights_adapt_to_what_makes_children_better() -> None:
    mine = island(population=200, adaptive=True)
    mine.evolve(4000)
    tried, gained = mine.arrays["credit"]
    used = np.array(dataclasses.astuple(space().settings.evolution.actions)) > 0
    assert (tried[used] > 0).all() and (tried[~used] == 0).all()
    assert (gained <= tried).all() and gained.sum() > 0
    plain = island(population=200)
    plain.evolve(4000)
    assert programs(plain) != programs(mine)


def test_a_switch_that_is_off_changes_nothing_and_each_is_decided_by_the_seed() -> None:
    moves = {"actions": dataclasses.replace(NOTHING, move_instruction=1.0, alter_wired=1.0)}
    for changes in ({}, {"crossover": 0.3}, {"distinct": True}, {"adaptive": True}, moves):
        one, other = island(**changes), island(**changes)
        for mine in (one, other):
            mine.evolve(1500)
        assert programs(one) == programs(other)
    assert "credit" not in island().arrays


def test_a_state_is_taken_over_with_what_actions_gained() -> None:
    one = island(adaptive=True)
    one.evolve(1000)
    other = island(seed=5, adaptive=True)
    other.load(one.arrays)
    for mine in (one, other):
        mine.evolve(1000)
    assert programs(one) == programs(other)
    assert np.array_equal(one.arrays["credit"], other.arrays["credit"])
