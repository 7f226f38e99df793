"""Several islands: exchange, restarts, mixed tasks, hall of fame, messages; all in this process."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from azgen.errors import AzgenError
from azgen.execution.kernel import INSTRUCTION
from azgen.execution.native import NativeCode
from azgen.language.program import Program
from azgen.language.zoo import zoo
from azgen.runs.events import Champion, Event, Progress, Restarted
from azgen.search import migration
from azgen.search.engines.messages import MessageError, decode, encode
from azgen.search.engines.migrants import Migrants
from azgen.search.engines.orders import Order, Report
from azgen.search.engines.runner import Runner
from azgen.search.evolve import Evolution, Outcome
from azgen.search.hall import FRONT_SIZE, HALL_SIZE, Bar, HallOfFame
from azgen.search.space import SearchSpace
from azgen.search.task_set import population_tasks
from azgen.search.trail import MOST_CARRIED
from azgen.settings.reading import settings_from
from azgen.settings.settings import Settings
from tests.search.small import SMALL, changed


def run(settings: Settings) -> tuple[Outcome, list[Event]]:
    events: list[Event] = []
    return Evolution(settings, settings.tasks.split(settings.seed), events.append).run(), events


def history(events: list[Event]) -> list[object]:
    """What must not depend on how a run was carried out: everything but times and warnings."""
    kept: list[object] = []
    for event in events:
        if isinstance(event, Progress):
            kept.append((event.round, event.restarts, event.islands, event.counts))
        elif isinstance(event, Restarted):
            kept.append((event.programs, event.population, event.reason, event.island))
        elif type(event).__name__ == "NewChampion":
            kept.append(event.champion)  # type: ignore[union-attr]
    return kept


@pytest.mark.parametrize("topology", ["ring", "pool", "none"])
def test_a_run_of_several_islands_is_reproducible_and_its_limit_is_kept(topology: str) -> None:
    settings = changed(SMALL, islands__topology=topology)
    (first, events), (again, events_again) = run(settings), run(settings)
    assert first.hall_of_fame == again.hall_of_fame and first.counts == again.counts
    assert history(events) == history(events_again)
    assert 20_000 <= first.counts["programs"] <= 20_000 + 4 * 10
    assert first.reason == "20000 programs"


def test_topologies_and_numbers_of_islands_differ_in_result() -> None:
    found = [run(changed(SMALL, islands__topology=t))[0] for t in ("ring", "pool", "none")]
    found += [run(changed(SMALL, islands__count=3))[0]]
    assert len({str(outcome.hall_of_fame) for outcome in found}) == 4


def test_islands_begin_with_different_populations() -> None:
    space = SearchSpace.of(SMALL, SMALL.tasks.split(0))
    runner = Runner(space)
    for island in range(2):
        runner.run(Order(island, 0, island, birth=True))
    assert (runner.state(0, 0)["population"] != runner.state(1, 0)["population"]).any()


def test_immigrants_take_the_oldest_places_and_are_rated_there() -> None:
    space = SearchSpace.of(SMALL, SMALL.tasks.split(0))
    runner = Runner(space)
    for island in range(2):
        runner.run(Order(island, 0, island, birth=True))
    report = runner.run(Order(0, 1, 0, n_programs=300, n_emigrants=10))
    assert report.emigrants is not None and len(report.emigrants) == 10
    before = runner.state(1, 0)
    after = runner.run(Order(1, 1, 1, n_programs=0, immigrants=report.emigrants))
    state = runner.state(1, 1)
    assert after.counts[0] == 110, "immigrants are rated, and counted, like children"
    np.testing.assert_array_equal(state["population"][10:], before["population"][10:])
    sent = report.emigrants.records(space.kernel.program)
    best = sorted(runner.state(0, 1)["fitness"])[::-1][:10]
    for place in range(10):
        assert space.kernel.decode(state["population"][place]) == space.kernel.decode(sent[place])
        # The islands share their tasks, so their ratings agree within what the probe's rounding may mix up.
        assert abs(state["fitness"][place] - best[place]) < 1e-3


def test_who_sends_to_whom() -> None:
    ring = changed(SMALL, islands__topology="ring")
    assert [list(migration.sources(ring, i)) for i in range(4)] == [[3], [0], [1], [2]]
    assert migration.exchange_rounds(ring) == 2
    assert migration.exchange_rounds(changed(ring, islands__interval=1001)) == 3
    assert migration.round_programs(changed(ring, islands__interval=100)) == 100
    alone = changed(ring, islands__count=1)
    assert migration.exchange_rounds(alone) == 0 and migration.round_programs(alone) == 500
    # The paper's exchange: half of the population, drawn from what all have sent.
    paper = changed(SMALL, islands__topology="pool", islands__migrants=0, islands__emigrants="random")
    assert migration.n_migrants(paper) == 50
    pool = Migrants(np.arange(600).reshape(200, 3) % 2, np.zeros(300, INSTRUCTION))
    pool.code["op"] = np.arange(300)
    first, second = (migration.immigrants(paper, island, 4, pool) for island in (0, 1))
    assert len(first) == len(second) == 50
    assert not np.array_equal(first.code, second.code)
    assert set(first.code["op"].tolist()) <= set(range(300))
    np.testing.assert_array_equal(first.code, migration.immigrants(paper, 0, 4, pool).code)


def test_random_emigrants_are_distinct_and_the_best_are_the_best() -> None:
    fitness = np.linspace(0, 1, 20)
    assert migration.leaving(SMALL, fitness, 1, 3).tolist() == [19, 18, 17]
    random = changed(SMALL, islands__emigrants="random")
    chosen = [migration.leaving(random, fitness, seed, 10) for seed in range(3)]
    assert all(len(set(places.tolist())) == 10 for places in chosen)
    assert len({tuple(places) for places in chosen}) == 3


def test_stagnating_islands_begin_again_each_by_itself() -> None:
    _, events = run(changed(SMALL, stop__patience=1500, stop__max_programs=60_000))
    restarts = [e for e in events if isinstance(e, Restarted)]
    assert len({e.island for e in restarts}) > 1
    assert all(e.reason.startswith("no better program in") for e in restarts)
    populations = [e.population for e in restarts]
    assert len(set(populations)) == len(populations)
    assert all(e.population % 4 == e.island for e in restarts)
    progress = [e for e in events if isinstance(e, Progress)]
    assert progress[-1].restarts == len(restarts)
    assert len(progress[-1].islands) == 4 and max(progress[-1].islands) == progress[-1].island_fitness


def test_islands_may_have_tasks_of_their_own() -> None:
    settings = settings_from(
        {
            **_plain(SMALL),
            "islands": {
                "count": 4,
                "interval": 1000,
                "tasks": [
                    {},
                    {"n_search": 3},
                    {"n_features": 7},
                    {"n_train": 40, "epochs": 3, "teacher": "affine"},
                ],
            },
        }
    )
    split = settings.tasks.split(settings.seed)
    tasks = [population_tasks(settings, split, island) for island in range(4)]
    assert [len(t) for t in tasks] == [10, 3, 10, 10]
    assert [t[0].n_features for t in tasks] == [4, 4, 7, 4]
    assert [t[0].n_train for t in tasks] == [20, 20, 20, 40]
    scored = {t.x_valid.tobytes() for t in (*split.select, *split.test)}
    assert not scored & {t.x_valid.tobytes() for set_ in tasks for t in set_}
    outcome, _ = run(settings)
    assert outcome.counts["programs"] >= 20_000
    champion = outcome.champion
    space = SearchSpace.of(settings, split)
    rated = np.nan_to_num(space.select.evaluate(champion.program)).mean()
    assert rated == champion.select_fitness


@pytest.mark.parametrize("changes", [{"n_features": 7}, {"n_features": 12, "teacher": "affine", "epochs": 2}])
def test_programs_travel_between_islands_of_different_dimension(changes: dict[str, object]) -> None:
    settings = settings_from({**_plain(SMALL), "islands": {"count": 2, "tasks": [{}, changes]}})
    space = SearchSpace.of(settings, settings.tasks.split(settings.seed))
    runner = Runner(space)
    for island in range(2):
        runner.run(Order(island, 0, island, birth=True))
    sent = runner.run(Order(0, 1, 0, n_programs=2000, n_emigrants=50)).emigrants
    assert sent is not None
    runner.run(Order(1, 1, 1, n_programs=0, immigrants=sent))
    here, there = space.task_set(1, 1), space.task_set(0, 0)
    assert here.kernel.spec.n_features == changes["n_features"] != there.kernel.spec.n_features
    source, state = runner.state(0, 1), runner.state(1, 1)
    arrived = [here.kernel.decode(record) for record in state["population"][:50]]
    assert arrived == [
        there.kernel.decode(record)
        for record in source["population"][np.argsort(-source["fitness"], kind="stable")[:50]]
    ]
    own = [np.nan_to_num(here.evaluate(program)).mean() for program in arrived]
    np.testing.assert_allclose(state["fitness"][:50], own, atol=1e-3)  # what the probe's rounding may mix up
    elsewhere = [np.nan_to_num(there.evaluate(program)).mean() for program in arrived]
    assert np.abs(np.array(own) - elsewhere).max() > 0.01, "they are rated on tasks of the island"


def _plain(settings: Settings) -> dict[str, object]:
    plain = dataclasses.asdict(settings)
    del plain["islands"]
    return plain


@pytest.mark.parametrize(
    "islands, message",
    [
        ({"workers": 2}, "islands.workers is 2, but there is work for 1 only"),
        ({"count": 0}, "islands.count is 0; it must be at least 1"),
        ({"topology": "star"}, "islands.topology is 'star'; it must be one of"),
        ({"migrants": 5000}, "islands.migrants is 5000"),
        ({"count": 2, "workers": 2, "engine": "process"}, "runs in this process alone"),
        ({"tasks": [{"n_serch": 1}]}, "Did you mean islands.tasks.1.n_search?"),
        ({"tasks": [{"n_select": 1}]}, "n_select is the same for all islands"),
        ({"tasks": [{"source": "table"}]}, "islands.tasks, number 1"),
        ({"checkpoint_seconds": 0}, "islands.checkpoint_seconds is 0.0; it must be above 0"),
    ],
)
def test_mistakes_in_the_settings_of_islands_are_named(islands: dict[str, object], message: str) -> None:
    with pytest.raises(AzgenError) as caught:
        settings_from({"islands": islands})
    assert message in str(caught.value)


def champion(name: str, fitness: float, cost: float, number: int = 1) -> Champion:
    return Champion(zoo(name).normalized(), number, 0, fitness, fitness, cost)


def test_the_hall_keeps_the_best_of_each_structure_and_the_front() -> None:
    hall = HallOfFame()
    hall.consider(champion("neural-net", 0.9, 100.0))
    hall.consider(champion("linear", 0.5, 10.0))
    hall.consider(champion("linear", 0.4, 10.0, number=2))
    hall.consider(champion("affine", 0.4, 50.0))
    assert [c.select_fitness for c in hall.members] == [0.9, 0.5, 0.4]
    listing = hall.listing()
    assert [(c.select_fitness, c.on_front) for c in listing] == [(0.9, True), (0.5, True), (0.4, False)]
    assert not hall.wants(0.3, 200.0) or len(hall.members) < HALL_SIZE
    hall.remove(zoo("neural-net").hash)
    assert [c.select_fitness for c in hall.listing()] == [0.5, 0.4]


def test_a_cheap_program_stays_on_the_front_when_it_has_left_the_ten_best() -> None:
    hall = HallOfFame()
    base = "def Setup():\n  pass\ndef Predict():\n  s1 = dot(v0, v0)\n%sdef Learn():\n  pass\n"
    for n in range(30):
        program = Program.parse(base % "".join("  s1 = s1 + s0\n" for _ in range(n))).normalized()
        hall.consider(Champion(program, n, 0, 0.1 + 0.01 * n, 0.1 + 0.01 * n, 4.0 + n))
    listing = hall.listing()
    assert len(hall.members) == HALL_SIZE and len(hall.front) == FRONT_SIZE
    assert len(listing) == 20 and all(c.on_front for c in listing)
    assert [c.select_fitness for c in listing] == sorted((c.select_fitness for c in listing), reverse=True)


def test_programs_that_behave_alike_count_once() -> None:
    hall = HallOfFame()
    for name, fitness, cost in (("neural-net", 0.9, 100.0), ("affine", 0.8, 50.0), ("linear", 0.7, 10.0)):
        alike = "same" if name != "affine" else "other"
        hall.consider(dataclasses.replace(champion(name, fitness, cost), behaviour=alike))
    # Of the two that behave alike the cheaper; the dearer is on the front, but listed no more.
    assert [(c.select_fitness, c.on_front) for c in hall.listing()] == [(0.8, True), (0.7, True)]


def test_a_run_marks_its_front() -> None:
    outcome, _ = run(SMALL)
    front = [c for c in outcome.hall_of_fame if c.on_front]
    assert outcome.hall_of_fame[0] == outcome.champion
    for a in front:
        assert a.cost == sum(a.program.cost(4)[1:])
        assert not any(b.select_fitness > a.select_fitness and b.cost < a.cost for b in outcome.hall_of_fame)


def test_messages_come_back_as_they_were() -> None:
    migrants = Migrants(np.array([[1, 0, 1], [0, 1, 0]], np.int32), np.zeros(3, INSTRUCTION))
    migrants.code["constant"][0, 1] = np.pi
    order = Order(
        3, 7, 11, False, 500, 42, 10, ("def Setup():\n  pass",), migrants, True, Bar(0.5, ((0.25, 8.0),))
    )
    header, arrays = decode(order.encode())
    assert header.pop("kind") == "order"
    back = Order.decode(header, arrays)
    assert dataclasses.replace(back, immigrants=None) == dataclasses.replace(order, immigrants=None)
    assert back.immigrants is not None
    np.testing.assert_array_equal(back.immigrants.code, migrants.code)
    report = Report(3, 7, 11, tuple(range(7)), 0.1 + 0.2, 5, "text", 1 / 3, 8.0, None, 0.5, 3)
    header, arrays = decode(report.encode())
    assert header.pop("kind") == "report" and Report.decode(header, arrays) == report
    with pytest.raises(TypeError):
        encode({}, {"objects": np.array([None])})


def test_what_migrants_descend_from_travels_with_them() -> None:
    space = SearchSpace.of(SMALL, SMALL.tasks.split(0))
    runner = Runner(space)
    runner.run(Order(0, 0, 0, birth=True))
    sent = runner.run(Order(0, 1, 0, n_programs=3000, n_emigrants=10)).emigrants
    assert sent is not None and sent.chains is not None
    assert sent.chains.n.max() > 1 and len(sent.chains.number) <= MOST_CARRIED
    header, arrays = decode(Order(1, 1, 1, immigrants=sent).encode())
    header.pop("kind")
    back = Order.decode(header, arrays).immigrants
    assert back is not None and back.arrays().keys() == sent.arrays().keys()
    for name, array in sent.arrays().items():
        np.testing.assert_array_equal(back.arrays()[name], array)
    # In any order, joined and repeated, each keeps its own.
    places = np.array([7, 0, 7])
    twice = Migrants.joined([sent, sent]).taken(places + 10)
    assert twice.chains is not None and twice.chains.n.tolist() == sent.chains.n[places].tolist()
    first = sent.chains.ends[0]
    np.testing.assert_array_equal(
        twice.chains.stones.records(space.kernel.program)[twice.chains.n[0] :][:first],
        sent.chains.stones.records(space.kernel.program)[:first],
    )
    for name, wrong in (
        ("chains.n", sent.chains.n + 1),
        ("chains.fitness", sent.chains.fitness * np.nan),
        ("chains.since", sent.chains.since[1:]),
        ("chains.sizes", sent.chains.stones.sizes[0]),
    ):
        with pytest.raises(MessageError, match="of another"):
            Order.decode(header, arrays | {name: wrong})
    with pytest.raises(MessageError, match=r"chains\.actions"):
        Order.decode(header, {name: a for name, a in arrays.items() if name != "chains.actions"})


@pytest.mark.parametrize("cache_size", [0, 1024])
def test_programs_in_quarantine_score_zero_wherever_they_turn_up(cache_size: int) -> None:
    settings = changed(SMALL, evolution__cache_size=cache_size)
    space = SearchSpace.of(settings, settings.tasks.split(0))
    free = Runner(space)
    free.run(Order(0, 0, 0, birth=True))
    found = free.run(Order(0, 1, 0, n_programs=3000))
    runner = Runner(space)
    runner.run(Order(0, 0, 0, birth=True, quarantined=(found.program,)))
    report = runner.run(Order(0, 1, 0, n_programs=3000, quarantined=(found.program,)))
    assert report.program and report.program != found.program
    bad, state = Program.parse(found.program), runner.state(0, 1)
    members = [space.kernel.decode(record) for record in state["population"]]
    fitness = [f for member, f in zip(members, state["fitness"], strict=True) if member.normalized() == bad]
    assert all(f == 0 for f in fitness)
    # Going through programs one by one, as is done to find one that kills, changes nothing.
    careful = Runner(space)
    careful.run(Order(0, 0, 0, birth=True, careful=True, quarantined=(found.program,)))
    careful.run(Order(0, 1, 0, n_programs=3000, careful=True, quarantined=(found.program,)))
    for name, array in careful.state(0, 1).items():
        if name not in ("state", "hurdles"):  # these hold addresses
            np.testing.assert_array_equal(array, state[name], err_msg=name)


def test_a_program_that_would_end_the_run_is_compiled_before_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a slow compiler costs is no program's fault, nor what drawing fresh tasks does."""
    settings = changed(SMALL, tasks__n_fresh=3, stop__target_fitness=0.0)
    space = SearchSpace.of(settings, settings.tasks.split(0))
    named: list[Any] = []
    runner = Runner(space, trace=named.append)
    prepare, fresh, seen = NativeCode.prepare, type(settings.tasks).fresh, []

    def compiled(self: NativeCode, program: Program) -> Any:
        seen.append(("compiled", named[-1]))
        return prepare(self, program)

    def drawn(*arguments: Any) -> Any:
        seen.append(("drawn", named[-1]))
        return fresh(*arguments)

    monkeypatch.setattr(NativeCode, "prepare", compiled)
    monkeypatch.setattr(type(settings.tasks), "fresh", drawn)
    report = runner.run(Order(0, 0, 0, birth=True))
    assert report.holds and seen == [("drawn", None), ("compiled", None)]
    assert report.compiled == 1
    on_kernel, natively = named[0], named[2]
    np.testing.assert_array_equal(natively, on_kernel)
    assert [record is None for record in named] == [False, True, False, True]
    best = runner.parse(report.program)
    runner.rate(best)
    assert runner._raters.compiled == 1, "the champion's module is that which has been loaded already"
