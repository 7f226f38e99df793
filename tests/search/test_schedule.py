"""The schedule alone: which orders are due, whatever comes when. No kernel, no engine, no clock."""

from __future__ import annotations

import dataclasses
import random

import numpy as np
import pytest

from azgen.execution.kernel import INSTRUCTION
from azgen.search import migration
from azgen.search.engines.base import LOOKAHEAD
from azgen.search.engines.migrants import Migrants
from azgen.search.engines.orders import Order, Report
from azgen.search.island_state import COUNTS
from azgen.search.progress import Life, Progression, Suspect
from azgen.search.schedule import Schedule, quarantined
from azgen.settings.settings import Settings
from tests.search.small import LINEAR, changed

FREE = changed(
    LINEAR,
    evolution__population=20,
    stop__max_programs=0,
    stop__max_seconds=1.0,
    stop__round_programs=100,
    stop__restart_programs=0,
    stop__patience=0,
    islands__count=3,
    islands__topology="none",
)
RING = dataclasses.replace(
    FREE, islands=dataclasses.replace(FREE.islands, topology="ring", interval=200, migrants=5)
)
POOL = dataclasses.replace(RING, islands=dataclasses.replace(RING.islands, topology="pool"))


class Run:
    """Carries orders out by counting, and commits what is complete."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.progress = Progression([Life() for _ in range(settings.islands.count)])
        self.schedule = Schedule(settings, self.progress)
        self.given: dict[tuple[int, int], Order] = {}
        self._made: dict[int, int] = {}

    def issue(self) -> list[Order]:
        orders = self.schedule.due(self.progress.quarantine)
        assert not {(order.island, order.round) for order in orders} & self.given.keys()
        self.given |= {(order.island, order.round): order for order in orders}
        return orders

    def report(self, order: Order) -> None:
        made = self.settings.evolution.population if order.birth else order.n_programs
        made += len(order.immigrants) if order.immigrants else 0
        self._made[order.population] = self._made.get(order.population, 0) + made
        counts = (self._made[order.population], *(0 for _ in COUNTS[1:]))
        leaving = None
        if order.n_emigrants:
            sizes = np.full((order.n_emigrants, 3), 0, np.int32)
            sizes[:, 0] = order.island + 1
            leaving = Migrants(sizes, np.zeros(sizes.sum(), INSTRUCTION))
        self.schedule.arrived(
            Report(order.island, order.round, order.population, counts, 0.5, 1, emigrants=leaving)
        )
        while self.schedule.complete:
            done = self.schedule.take()
            lives = [done[island][1] for island in range(len(self.progress.lives))]
            for before, after in zip(self.progress.lives, lives, strict=True):
                known = before.counts[0] if before.population == after.population else 0
                self.progress.counts["programs"] += after.counts[0] - known
            self.progress.lives = lives
            self.progress.round += 1
            self.progress.emigrants = self.schedule.commit(self.progress.counts["programs"])


def carried_out(settings: Settings, seed: int, rounds: int) -> Run:
    """A run of so many rounds whose reports arrive in random order."""
    run, chance, waiting = Run(settings), random.Random(seed), list[Order]()
    while run.progress.round < rounds:
        waiting += run.issue()
        if not waiting:
            break
        run.report(waiting.pop(chance.randrange(len(waiting))))
    return run


def test_no_island_is_further_ahead_than_the_lookahead_and_all_go_on_together() -> None:
    run = Run(FREE)
    first = run.issue()
    assert [(order.island, order.round, order.birth) for order in first] == [(i, 0, True) for i in range(3)]
    order, done = first[0], 0
    while order is not None:
        run.report(order)
        done = order.round
        (order,) = run.issue() or [None]
    assert done == LOOKAHEAD and not run.schedule.complete
    run.report(first[1])
    run.issue()
    run.report(first[2])
    assert run.progress.round == 0
    assert sorted((order.island, order.round) for order in run.issue()) == [(0, LOOKAHEAD + 1), (2, 1)]


@pytest.mark.parametrize("settings", [FREE, RING, POOL], ids=["none", "ring", "pool"])
def test_orders_do_not_depend_on_when_reports_arrive(settings: Settings) -> None:
    runs = [carried_out(settings, seed, 8) for seed in range(5)]
    common = set.intersection(*(set(run.given) for run in runs))
    assert {number for _, number in common} >= set(range(9))
    for at in common:
        assert len({run.given[at].encode() for run in runs}) == 1
    if settings is not FREE:
        assert sum(order.immigrants is not None for order in runs[0].given.values()) >= 6


def test_on_a_ring_an_island_waits_for_its_neighbour_alone() -> None:
    run, waiting = Run(RING), list[Order]()
    every = migration.exchange_rounds(RING)
    waiting = run.issue()
    while any(order.round < every for order in waiting):
        order = min(waiting, key=lambda order: order.round)
        waiting.remove(order)
        run.report(order)
        waiting += run.issue()
    assert all(order.n_emigrants == 5 for order in waiting if order.round == every)
    zero, one, two = sorted((o for o in waiting if o.round == every), key=lambda order: order.island)
    run.report(one)
    assert run.issue() == []  # its neighbour, island 0, has not sent anything yet
    run.report(zero)
    (following,) = run.issue()
    assert following.island == 1 and following.immigrants is not None
    assert following.immigrants.sizes[:, 0].tolist() == [1] * 5
    run.report(two)
    assert sorted(order.island for order in run.issue()) == [0, 2]


def test_with_a_pool_all_wait_until_the_round_is_over() -> None:
    run = Run(POOL)
    every, waiting = migration.exchange_rounds(POOL), run.issue()
    while any(order.round < every for order in waiting):
        order = min(waiting, key=lambda order: order.round)
        waiting.remove(order)
        run.report(order)
        waiting += run.issue()
    for order in waiting[:-1]:
        run.report(order)
        assert run.issue() == []
    run.report(waiting[-1])
    following = run.issue()
    assert sorted(order.island for order in following) == [0, 1, 2]
    assert all(order.immigrants is not None and len(order.immigrants) == 5 for order in following)


@pytest.mark.parametrize("most", [60, 61, 1000, 1003])
def test_a_limit_of_programs_is_met_exactly_and_cuts_the_last_round(most: int) -> None:
    settings = dataclasses.replace(FREE, stop=dataclasses.replace(FREE.stop, max_programs=most))
    for seed in range(3):
        run, chance, waiting = Run(settings), random.Random(seed), list[Order]()
        while run.progress.counts["programs"] < most:
            waiting += run.issue()
            run.report(waiting.pop(chance.randrange(len(waiting))))
        assert run.progress.counts["programs"] == most
        assert run.schedule.cut == (most > 60)
        ends = [order for order in run.given.values() if order.round == run.progress.round]
        sizes = [order.n_programs for order in sorted(ends, key=lambda order: order.island)]
        if most > 60:
            assert max(sizes) - min(sizes) <= 1 and sizes == sorted(sizes, reverse=True)


def test_a_population_that_has_ended_is_followed_by_one_of_its_island() -> None:
    settings = dataclasses.replace(FREE, stop=dataclasses.replace(FREE.stop, restart_programs=200))
    run = carried_out(settings, 0, 6)
    births = sorted((o.round, o.island, o.population) for o in run.given.values() if o.birth)
    assert births[:6] == [(0, 0, 0), (0, 1, 1), (0, 2, 2), (3, 0, 3), (3, 1, 4), (3, 2, 5)]
    assert all(o.n_programs == 0 and o.best_number == 0 for o in run.given.values() if o.birth)


def test_a_run_that_goes_on_gives_the_orders_that_follow() -> None:
    whole = carried_out(RING, 1, 8)
    begun = carried_out(RING, 1, 4)
    begun.schedule = Schedule(RING, begun.progress)
    going_on = {(order.island, order.round): order for order in begun.schedule.due()}
    at = [(island, begun.progress.round + 1) for island in range(3)]
    assert [going_on[each].encode() for each in at] == [whole.given[each].encode() for each in at]


def test_an_island_knows_its_own_bad_programs_at_once_and_others_when_all_can() -> None:
    suspects = [Suspect("a", 0, 3, ""), Suspect("b", 1, 3, ""), Suspect("a", 1, 9, "")]
    assert quarantined(suspects, 0, 3) == ("a",)
    assert quarantined(suspects, 1, 3 + LOOKAHEAD) == ("b", "a")
    assert quarantined(suspects, 2, 3 + LOOKAHEAD) == ()
    assert quarantined(suspects, 2, 4 + LOOKAHEAD) == ("a", "b")
