"""Stepping stones: what the kernel and archives keep of ancestors, and what is swept away."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azgen.language.program import Program
from azgen.runs.events import Ancestor, Champion, as_record
from azgen.search.evolve import Evolution
from azgen.search.island_state import TRAIL, step_dtype
from azgen.search.space import SearchSpace
from azgen.search.trail import MOST_TOLD, Trail
from azgen.study.lineage import conclusion, lineage
from tests.search.small import SMALL, changed
from tests.search.test_archive import LINEAR, archive

ONE = changed(SMALL, islands__count=1, stop__max_programs=10_000, stop__patience=3000)


def search(settings, **options):
    events = []
    outcome = Evolution(settings, settings.tasks.split(settings.seed), events.append, **options).run()
    return outcome, [as_record(event) for event in events]


@pytest.fixture(scope="module")
def found():
    return search(ONE)


def test_every_ancestor_is_better_than_those_before_it_and_rated_as_it_says(found):
    outcome, _ = found
    space = SearchSpace.of(ONE, ONE.tasks.split(ONE.seed))
    longest = 0
    for champion in outcome.hall_of_fame:
        fitness = [ancestor.fitness for ancestor in champion.ancestors]
        assert fitness == sorted(set(fitness)) and len(fitness) <= MOST_TOLD
        numbers = [ancestor.number for ancestor in champion.ancestors]
        assert numbers == sorted(set(numbers))
        assert {ancestor.population for ancestor in champion.ancestors} <= {champion.population}
        assert champion.ancestors[0].mutations == () and all(a.mutations for a in champion.ancestors[1:])
        tasks = space.task_set(0, champion.population)
        for ancestor in champion.ancestors:
            rated = tasks.evaluate(Program.parse(ancestor.program))
            assert np.nan_to_num(rated).mean() == pytest.approx(ancestor.fitness, abs=1e-6)
        assert champion.ancestors[-1].fitness == champion.search_fitness
        longest = max(longest, len(fitness))
    assert longest > 3


def test_the_last_ancestor_is_what_was_found(found):
    outcome, events = found
    found_as = [c for c in outcome.hall_of_fame if not conclusion(c)]
    assert found_as  # the champion itself may have been shortened since
    for champion in found_as:
        last = Program.parse(champion.ancestors[-1].program)
        assert last.normalized() == champion.program.normalized()
    steps = lineage(outcome.hall_of_fame[0], events)
    seconds = [step.seconds for step in steps]
    assert seconds == sorted(seconds) and None not in seconds
    for step, ancestor in zip(steps, outcome.hall_of_fame[0].ancestors, strict=True):
        assert [line[2:] for line in step.lines if line[0] != "-"] == ancestor.program.splitlines()
        assert all(line[0] != " " or line[2:].startswith("def ") for line in step.changes)
    few = lineage(outcome.hall_of_fame[0], events, 2)
    assert [step.number for step in few] == [steps[0].number, steps[-1].number]
    assert set(few[1].mutations) == {name for step in steps for name in step.mutations}
    assert all("ancestors" not in e["champion"] for e in events if e["event"] == "NewChampion")


def test_an_archives_entries_descend_from_what_their_runs_began_with():
    island = archive(starts=[LINEAR])
    for _ in range(4):
        island.evolve(4000)
        island.sweep()
    ancestors = island.ancestors()
    numbers = [ancestor.number for ancestor in ancestors]
    assert len(ancestors) > 2 and numbers == sorted(numbers)
    assert Program.parse(ancestors[-1].program).normalized() == island.best.program.normalized()
    assert ancestors[-1].fitness == island.best.fitness
    first = Program.parse(ancestors[0].program).normalized()
    assert first.structure_hash == LINEAR.normalized().structure_hash
    entries = island.arrays["entries"][: int(island.arrays["course"]["entries"][0])]
    steps = island.arrays["steps"]
    for entry in entries:  # each has a stone of its own, unless there was no room
        assert steps["fitness"][entry["step"]] == entry["fitness"]


@pytest.mark.parametrize("strategy", ["population", "archive"])
def test_lineages_go_on_across_islands(strategy):
    """Also where islands have other tasks, whose fitness is another number."""
    size, tasks = (100, ({}, {"n_train": 10})) if strategy == "population" else (50, ())
    changes = {
        "islands__count": 4,
        "islands__interval": 500,
        "islands__migrants": 30,
        "islands__tasks": tasks,
    }
    changes |= {"archive__run_programs": 400, "archive__look_programs": 150, "archive__rating_tasks": 8}
    settings = changed(SMALL, evolution__strategy=strategy, evolution__population=size, **changes)
    outcome, events = search(settings)
    space, crossed = SearchSpace.of(settings, settings.tasks.split(settings.seed)), 0
    for champion in outcome.hall_of_fame:
        ancestors = champion.ancestors
        assert len(ancestors) <= MOST_TOLD and ancestors[-1].population == champion.population
        assert ancestors[-1].fitness == champion.search_fitness
        assert all(a.program != b.program for a, b in pairwise(ancestors))
        crossed += len({ancestor.population for ancestor in ancestors}) > 1
        for one, other in pairwise(ancestors):
            assert strategy == "archive" or one.population != other.population or one.fitness < other.fitness
            assert strategy == "archive" or other.mutations or other.population != one.population
        for ancestor in ancestors if strategy == "population" else ():
            rated = space.task_set(ancestor.population % 4, ancestor.population)
            fitness = np.nan_to_num(rated.evaluate(Program.parse(ancestor.program))).mean()
            assert fitness == pytest.approx(ancestor.fitness, abs=1e-6)
    assert crossed
    assert all(step.seconds is not None for step in lineage(outcome.champion, events))


def test_the_room_is_bounded_and_what_it_costs_is_the_least_gains():
    settings = changed(ONE, evolution__constant_step="log-normal", stop__max_programs=40_000, seed=3)
    outcome, _ = search(settings)
    assert all(len(champion.ancestors) <= MOST_TOLD for champion in outcome.hall_of_fame)


@given(st.lists(st.integers(-3, 30), min_size=40, max_size=60), st.data())
def test_sweeping_keeps_every_line_of_descent(parents, data):
    program = np.dtype([("code", "i4")])
    steps, state = np.zeros(64, step_dtype(program)), np.zeros(1, np.dtype([("trail", TRAIL)]))
    n = len(parents)
    for place, back in enumerate(parents):
        parent = place - 1 - back if back >= 0 else -1
        parent = max(parent, -1)
        fitness = (steps["fitness"][parent] if parent >= 0 else 0) + 1 + place % 7
        steps[place] = (parent, place, 0, fitness, 1 << place % 12, (place,))
    state["trail"]["n"] = n
    members = np.array(data.draw(st.lists(st.integers(-1, n - 1), min_size=1, max_size=6)))
    state["trail"]["best"] = data.draw(st.integers(-1, n - 1))
    arrays = {"steps": steps, "state": state, "member_step": members, "member_actions": members}
    trail = Trail(arrays)
    places = [*members.tolist(), int(state["trail"]["best"][0])]
    before = [[int(steps["number"][p]) for p in trail.chain(place)] for place in places]
    bits = [np.bitwise_or.reduce(steps["actions"][trail.chain(p)]) if p >= 0 else 0 for p in places]
    trail.sweep()
    after = [*members.tolist(), int(state["trail"]["best"][0])]
    assert trail.n <= len(steps) // 2
    for place, known, kinds in zip(after, before, bits, strict=True):
        chain = [int(steps["number"][p]) for p in trail.chain(place)]
        assert set(chain) <= set(known) and chain == sorted(chain)
        assert chain[:1] == known[:1] and chain[-1:] == known[-1:]  # whose gains are no matter
        if place >= 0:
            assert np.bitwise_or.reduce(steps["actions"][trail.chain(place)]) == kinds
    assert (steps["parent"][: trail.n] < np.arange(trail.n)).all()
    trail.sweep()
    assert [*members.tolist(), int(state["trail"]["best"][0])] == after


def test_a_champion_that_the_run_started_from_has_no_ancestors():
    program = Program.parse("def Setup():\n  pass\ndef Predict():\n  s1 = mean(v0)\ndef Learn():\n  pass\n")
    assert lineage(Champion(program, 0, 0, 0.5, 0.5, origin="zoo:linear"), []) == ()
    step = Ancestor(str(program), 7, 0, 0.5)
    (only,) = lineage(Champion(program, 7, 0, 0.5, 0.5, ancestors=(step,)), [])
    assert only.seconds is None and all(line[0] == "+" for line in only.lines)
