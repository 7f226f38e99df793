"""Which program is the champion: cheap, level with the best, failing nowhere, pruned, known by name."""

import dataclasses
import json

import numpy as np
import pytest

import azgen
from azgen.deadline import Deadline
from azgen.execution.rating import Rating
from azgen.language.program import Program
from azgen.language.zoo import zoo
from azgen.runs.directory import RunDirectory
from azgen.runs.events import Champion, StartsTuned
from azgen.runs.members import member, ranked
from azgen.runs.saved import load_run
from azgen.settings.resolve import resolve_settings
from azgen.settings.settings import ExecutionSettings
from azgen.study.candidates import Candidate, chosen, rated
from azgen.study.champion import known_as
from azgen.study.scores import Interval, is_level, over_rows, row_losses
from azgen.tasks.task import Task

SPREAD = np.array([-0.02, 0.02, -0.01, 0.01, 0.0, 0.0])


def candidate(mean, cost, spread=0.0, origin="", fails=False, lasts=True):
    fitness = mean + spread * SPREAD
    if fails:
        fitness = np.append(fitness[:-1], 0.0)
    champion = Champion(zoo("linear"), 1, 0, mean, float(fitness.mean()), cost, origin=origin)
    return Candidate(fitness, lasts, champion, -fitness)


def test_the_cheapest_within_one_standard_error_of_the_best():
    best, cheap, worse = candidate(0.9, 100), candidate(0.897, 10, 1.0), candidate(0.8, 1)
    assert chosen([cheap, worse, best], "cheapest-within-error") == (cheap, best, 2)
    assert chosen([cheap, worse, best], "best") == (best, best, 2)
    # The same difference on every task is no luck.
    assert chosen([candidate(0.897, 10), best], "cheapest-within-error")[0] is best
    same = candidate(0.9, 100)
    assert chosen([best, candidate(0.9, 50), same], "cheapest-within-error")[0].champion.cost == 50


def test_no_champion_fails_on_a_selection_task_or_when_it_is_trained_longer():
    safe, failing, short = candidate(0.8, 50), candidate(0.99, 1, fails=True), candidate(0.95, 1, lasts=False)
    assert chosen([failing, short, safe], "cheapest-within-error")[0] is safe
    assert chosen([failing, short], "best")[0] is short  # if nothing holds, the best it is


def test_the_champion_is_not_below_its_best_start():
    start, cheap = candidate(0.9, 100, origin="zoo:neural-net"), candidate(0.897, 10, 1.0)
    assert chosen([start, cheap], "cheapest-within-error")[0] is start
    lucky, better = candidate(0.9001, 10, 1.0), candidate(0.92, 200, 1.0)
    assert chosen([start, lucky], "cheapest-within-error")[0] is start, "ahead by less than its interval"
    assert chosen([start, lucky], "cheapest-within-error", 0.90005)[0] is lucky, (
        "but a target that it alone reaches counts"
    )
    assert chosen([start, lucky, better], "cheapest-within-error") == (better, better, 1)
    assert chosen([start, lucky], "best")[0] is lucky
    # Of several starts the cheapest of those that are level, but not below the best.
    level = candidate(0.9, 50, origin="zoo:affine")
    assert chosen([start, level], "cheapest-within-error")[0] is level
    # A start that fails sets no mark.
    assert chosen([candidate(0.99, 9, origin="x", fails=True), cheap], "cheapest-within-error")[0] is cheap


def length(program):
    return sum(len(function) for function in program.functions) / 100


class Ratings:
    """In place of an evolution: its space rates programs of the zoo by their length."""

    def __init__(self):
        self.space = self.select = self

    def rating(self, program):
        return Rating(np.full(6, length(program)), True), (), None


def test_the_best_start_is_compared_even_when_there_is_no_time():
    found = [Champion(zoo(name), 1, 0, 0.0, 0.9, 1) for name in ("evolved-net", "rate-decay")]
    starts = [
        Champion(zoo(name), 0, 0, 0.0, length(zoo(name)), 1, origin=f"zoo:{name}")
        for name in ("linear", "skip-net", "affine")
    ]
    members = [*found, *starts]
    (only,) = rated(Ratings(), members, (), by_row=False, deadline=Deadline(0.0))
    assert only.champion.origin == "zoo:skip-net"
    (only,) = rated(Ratings(), found, (), by_row=False, deadline=Deadline(0.0))
    assert only.champion is found[0]
    assert [c.champion for c in rated(Ratings(), members, (), by_row=False)] == members


def test_a_rank_may_be_asked_for():
    first, second = candidate(0.9, 100), candidate(0.8, 10)
    assert chosen([second, first], 2)[0] is second
    assert chosen([second, first], 7)[0] is second, "the last if there are fewer"


def test_a_target_that_was_reached_is_kept():
    best, cheap = candidate(0.9, 100), candidate(0.897, 10, 1.0)
    assert chosen([best, cheap], "cheapest-within-error", 0.898)[0] is best
    assert chosen([best, cheap], "cheapest-within-error", 0.95)[0] is cheap


def test_standard_errors_are_of_paired_differences():
    losses = np.array([1.0, 2.0, 3.0, 4.0])
    assert is_level(losses, losses) and is_level(losses - 0.1, losses)
    assert not is_level(losses + 0.1, losses)
    assert is_level(losses + np.array([0.3, -0.2, 0.1, 0.0]), losses)
    assert is_level(np.array([1.0]), np.array([1.0])) and not is_level(np.array([1.1]), np.array([1.0]))


def test_a_table_is_compared_row_by_row():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(200, 2)), random.normal(size=200)
    tasks = [Task(x[:100], y[:100], x[100:], y[100:])] * 3
    ours, theirs = (np.array([y[100:] + noise * random.normal(size=100)] * 3) for noise in (0.5, 0.6))
    losses = row_losses(tasks, ours)
    np.testing.assert_allclose(losses, (ours[0] - y[100:]) ** 2)
    fitness = [1 - 2 / np.pi * np.arctan(np.sqrt(row_losses(tasks, p).mean())) for p in (ours, theirs)]
    paired = Interval(fitness[0] - fitness[1], 0.0, 3)
    found = over_rows(paired, tasks, ours, theirs)
    assert found.mean == paired.mean and found.n == 100
    # As resampling rows says.
    rows = random.integers(100, size=(4000, 100))
    each = [
        1 - 2 / np.pi * np.arctan(np.sqrt(row_losses(tasks, p)[rows].mean(axis=1))) for p in (ours, theirs)
    ]
    assert found.half_width == pytest.approx(1.98 * (each[0] - each[1]).std(), rel=0.15)
    assert over_rows(paired, tasks, ours, theirs * np.nan) == paired


def test_a_known_program_is_called_by_its_name():
    rate = zoo("linear").with_constants((0.0051,))
    assert known_as(rate, False) == "zoo:linear with learning rate 0.0051"
    net = zoo("neural-net")
    assert known_as(net.with_constants((0.0, 0.2, 0.0, 0.3, 0.02)), False) == (
        "zoo:neural-net with constants of its own"
    )
    odd = "def Setup():\n  pass\ndef Predict():\n  s1 = sin(s2)\ndef Learn():\n  s2 = s0 + s2\n"
    assert known_as(Program.parse(odd), False) == ""


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    random = np.random.default_rng(1)
    x = random.normal(size=(120, 3))
    y = 5 + x @ [1.0, -2.0, 0.5] + 0.3 * random.normal(size=120)
    path = tmp_path_factory.mktemp("table") / "points.csv"
    np.savetxt(path, np.column_stack([x, y]), delimiter=",", header="a,b,c,price", comments="")
    return path


@pytest.fixture(scope="module")
def run(table, tmp_path_factory):
    events = []
    out = tmp_path_factory.mktemp("run") / "points"
    found = azgen.evolve(
        data=table, target="price", max_programs=3000, baselines="few", out=out, observer=events.append
    )
    return found, events


def test_a_run_on_a_table_starts_from_the_tuned_zoo(run):
    found, events = run
    (tuned,) = [event for event in events if isinstance(event, StartsTuned)]
    assert events[0] is tuned and tuned.programs == 21 and tuned.epochs == found.settings.execution.epochs
    records = json.loads((found.directory / "starts.json").read_text())
    linear = {"zoo:linear", "zoo:affine", "zoo:ridge", "zoo:skip-net"}
    assert linear & {record["name"] for record in records}
    best = max(record["select_fitness"] for record in records)
    assert tuned.select_fitness == best
    assert found.champion.select_fitness >= best
    np.testing.assert_array_less(best - 1e-9, found.select.fitness.mean())
    assert found.test_fitness > 0.8
    starts = RunDirectory(found.directory).read_starts(found.settings.user.table)
    assert list(starts) == [record["name"] for record in records]


def test_constants_are_tuned_when_the_search_has_ended(tmp_path):
    found = []
    for tune in (False, True):
        settings = dataclasses.replace(resolve_settings("linear", seed=2), tune=tune)
        out = tmp_path / str(tune)
        found.append(azgen.evolve(settings, max_programs=3_000, baselines="few", out=out))
    plain, tuned = found
    assert tuned.choice.tuned and not plain.choice.tuned
    assert tuned.champion.program.structure_hash == plain.champion.program.structure_hash
    assert tuned.champion.search_fitness > plain.champion.search_fitness
    assert tuned.champion.select_fitness >= plain.champion.select_fitness
    assert tuned.test_fitness == pytest.approx(tuned.champion.select_fitness, abs=0.05)
    assert load_run(tuned.directory).result["choice"]["tuned"] is True


def test_the_result_says_why(run):
    found, _ = run
    record = json.loads((found.directory / "result.json").read_text())
    choice = record["choice"]
    assert choice["considered"] >= choice["level"] >= 1 and choice["failing"] >= 0
    assert record["epochs"] == found.settings.execution.epochs
    assert record["target"]["name"] == "price" and record["target"]["scale"] == pytest.approx(2.3, rel=0.3)
    assert 0.9 < record["test"]["r2"] < 1
    saved = load_run(found.directory)
    assert saved.champion.program.hash == found.champion.program.hash
    evolved = [c for c in found.hall_of_fame if not c.picked_by]
    assert len({c.program.structure_hash for c in evolved}) == len(evolved)
    behaviours = [c.behaviour for c in evolved]
    assert len(set(behaviours)) == len(behaviours)


def test_the_hall_of_fame_says_what_each_rule_picks(run):
    found, _ = run
    hall = load_run(found.directory).hall_of_fame
    picked = {rule: member(load_run(found.directory), rule) for rule in ("best", "best-start")}
    assert hall == found.hall_of_fame and "cheapest-within-error" in hall[0].picked_by
    assert [c.program.hash for c in ranked(hall)[1:]] != [], "others are to be had"
    assert picked["best"].select_fitness == pytest.approx(found.choice.best.select_fitness)
    records = json.loads((found.directory / "starts.json").read_text())
    assert picked["best-start"].origin in {record["name"] for record in records}
    starts = {str(Program.parse(record["program"]).normalized()) for record in records}
    assert str(picked["best-start"].program) in starts, "with the constants that were tuned"
    front = sorted((c for c in hall if c.on_front), key=lambda c: c.cost)
    assert [c.select_fitness for c in front] == sorted(c.select_fitness for c in front)
    for other in hall:
        beaten = any(
            c.select_fitness >= other.select_fitness and c.cost <= other.cost and c != other for c in hall
        )
        assert not (other.on_front and beaten)


def test_the_same_again_and_resumed(run, table, tmp_path):
    found, _ = run
    again = azgen.evolve(found.directory / "config.toml", out=tmp_path / "again")
    assert again.champion.program == found.champion.program and again.settings == found.settings
    short = azgen.evolve(
        data=table, target="price", max_programs=1000, baselines="few", out=tmp_path / "short"
    )
    resumed = azgen.resume(short.directory, max_programs=3000)
    assert resumed.champion.program == found.champion.program


def test_starts_and_passes_may_be_given(table, tmp_path):
    given = resolve_settings(data=table, target="price", start=["zoo:linear", "random"], epochs=3)
    assert given.starts == ("zoo:linear", "random") and given.execution == ExecutionSettings(epochs=3)
    assert resolve_settings(data=table, target="price").starts == ("auto",)
    assert resolve_settings("digits", start="empty").starts == ("empty",)
    assert resolve_settings("affine").starts == ("random",)
    mapping = {
        "tasks": {"source": "table", "data": str(table), "target": "price"},
        "stop": {"max_seconds": 1},
    }
    assert resolve_settings(mapping).starts == ("auto",)
    found = azgen.evolve(given, max_programs=500, baselines="few", out=tmp_path / "run")
    # On tables what is named is tuned, and nothing else.
    tried = json.loads((found.directory / "starts.json").read_text())
    assert "zoo:linear" in json.dumps(tried) and "zoo:ridge" not in json.dumps(tried)
    starts = [member for member in found.hall_of_fame if member.origin]
    assert {member.origin for member in starts} <= {"zoo:linear", "zoo:linear, tuned"} and starts
    assert load_run(found.directory).settings.starts == ("zoo:linear", "random")


def test_the_best_may_be_asked_for_and_left_as_it_is(table, tmp_path):
    settings = resolve_settings(data=table, target="price", max_programs=1000, baselines="few", epochs=2)
    found = azgen.evolve(dataclasses.replace(settings, pick="best", prune=False), out=tmp_path / "run")
    assert found.choice.pruned == () and found.champion.program == found.choice.best.program
    assert found.champion.select_fitness == max(c.select_fitness for c in found.hall_of_fame)
