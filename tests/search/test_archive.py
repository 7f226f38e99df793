"""The archive: its runs, stages and state; and the mutations that keep to registers in use."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from azgen.execution.execute import execute
from azgen.execution.kernel import build_kernel
from azgen.language.program import Program
from azgen.search.archive_island import ArchiveIsland
from azgen.search.island import Island
from azgen.search.space import SearchSpace
from azgen.search.task_set import kernel_spec
from azgen.settings.evolution import ActionWeights
from azgen.settings.reading import settings_from
from azgen.settings.resolve import resolve_settings
from azgen.settings.settings import Settings
from azgen.settings.values import as_mapping
from azgen.study.resume import resume
from azgen.study.run import evolve

NO_ACTIONS = ActionWeights(*[0.0] * 12)


@cache
def two_layer() -> Settings:
    """The preset, small."""
    settings = resolve_settings("two-layer")
    settings = changed(
        settings, "tasks", n_search=8, n_select=8, n_test=8, n_train=(60, 60, 60), n_valid=(40, 40, 40)
    )
    settings = changed(settings, "evolution", population=100)
    settings = changed(settings, "memory", scalars=6)
    return changed(
        settings, "archive", run_programs=2000, look_programs=500, rating_tasks=16, task_sets=4, entries=24
    )


@cache
def space() -> SearchSpace:
    return SearchSpace.of(two_layer(), two_layer().tasks.split(0))


def changed(settings: Settings, section: str, **values: object) -> Settings:
    """Settings with some values of a section changed."""
    part = dataclasses.replace(getattr(settings, section), **values)
    return dataclasses.replace(settings, **{section: part})


def archive(seed: int = 0, starts: Sequence[Program] = (), settings: Settings | None = None) -> ArchiveIsland:
    return ArchiveIsland(settings or two_layer(), space().stages(0), seed, starts)


LINEAR = Program.parse(
    """
def Setup():
  s2 = 0.05
def Predict():
  s1 = dot(v1, v0)
def Learn():
  s3 = s0 - s1
  s3 = s2 * s3
  v2 = s3 * v0
  v1 = v1 + v2
"""
)


def mutants(action: str, program: Program, count: int = 300, **wiring: float) -> list[Program]:
    """Mutants of a program by one action."""
    settings = two_layer()
    evolution = dataclasses.replace(
        settings.evolution,
        actions=dataclasses.replace(NO_ACTIONS, **{action: 1.0}),
        more_mutations=0.0,
        wiring=dataclasses.replace(settings.evolution.wiring, **wiring),
    )
    settings = dataclasses.replace(settings, evolution=evolution)
    kernel = build_kernel(kernel_spec(settings, 4, "rmse"))
    island = Island(kernel, settings, space().stages(0)[-1].rating, 3, born=False)
    found: list[Program] = []
    while len(found) < count:
        island.populate_with_mutants(kernel.encode([program])[0])
        found += [kernel.decode(record) for record in island.population[1:]]
    return found[:count]


@pytest.mark.parametrize("action", ["grow", "regrow", "interpose", "alter_wired"])
def test_wired_mutations_stay_within_ops_memory_and_sizes(action: str) -> None:
    settings, program = two_layer(), LINEAR
    allowed = [set(f.ops) for f in (settings.setup, settings.predict, settings.learn)]
    most = [f.max_size for f in (settings.setup, settings.predict, settings.learn)]
    changed_programs = 0
    for mutant in mutants(action, program):
        for function, ops, size in zip(mutant.functions, allowed, most, strict=True):
            assert len(function) <= size
            assert {i.op.name for i in function} <= ops
            for instruction in function:
                assert instruction.writes not in mutant.form.reserved
        changed_programs += mutant != program
    assert changed_programs > 100


def test_an_interposed_value_is_what_is_read_later() -> None:
    """After the new expression of x, Predict and Learn read it in x's place."""
    found = 0
    for mutant in mutants("interpose", LINEAR, scale=0.0, forward_only=0.0, declare=0.0, learned=0.0):
        if len(mutant.predict) < 2 or mutant.predict[-1].op.name != "vector_inner_product":
            continue
        new = {a for a in mutant.predict[-1].reads if a.number > 1}
        if not new or "v0" in map(str, mutant.predict[-1].reads):
            continue
        (value,) = new
        assert mutant.predict[-2].writes == value
        # The features took part in the expression, or the weights did: Learn's readers have followed.
        if "v0" in map(str, mutant.predict[-2].reads):
            found += 1
            assert all("v0" not in map(str, i.reads) for i in mutant.learn)
    assert found > 5


def test_a_scale_changes_no_prediction() -> None:
    tasks = two_layer().tasks.split(0).select
    before = execute(LINEAR, tasks).predictions
    made = mutants("interpose", LINEAR, count=200, scale=1.0, forward_only=1.0)
    scaled = [m for m in made if any(i.constants == (1.0,) for i in m.setup)]
    assert len(scaled) > 20
    for mutant in scaled:
        assert np.array_equal(execute(mutant, tasks).predictions, before)


def test_an_expression_that_accumulates_adds_to_a_register() -> None:
    found = [
        m for m in mutants("grow", LINEAR, accumulate=1.0, declare=0.0) if len(m.learn) > len(LINEAR.learn)
    ]
    assert found
    for mutant in found:
        assert sum(i.writes in i.reads and i.op.name.endswith("sum") for i in mutant.learn) >= 2


def test_what_predict_comes_to_read_is_learned() -> None:
    """A new register of Predict's is added to in Learn, by something that the label reaches."""

    def learned(mutant: Program) -> set[str]:
        before = {str(address) for i in LINEAR.instructions() for address in (*i.reads, i.writes)}
        new = {str(a) for i in mutant.predict for a in i.reads} - before
        adding = [i for i in mutant.learn if i.writes in i.reads and i.op.name.endswith("sum")]
        return new & {str(i.writes) for i in adding}

    always = mutants("interpose", LINEAR, scale=0.0, declare=0.0, learned=1.0)
    assert sum(bool(learned(mutant)) for mutant in always) > 30
    # With what is added it is another program than without, so the error reaches it.
    assert sum(bool(learned(m)) and m.live().hash != LINEAR.live().hash for m in always) > 30
    never = mutants("interpose", LINEAR, scale=0.0, declare=0.0, learned=0.0)
    assert not any(learned(mutant) for mutant in never)


def test_first_constants_are_log_uniform_with_either_sign() -> None:
    values = [
        i.constants[0]
        for m in mutants("regrow", LINEAR, 2000)
        for i in m.setup
        if i.op.name == "scalar_const_set"
    ]
    drawn = np.array([v for v in values if v != 0.05])
    assert len(drawn) > 100
    assert ((np.abs(drawn) >= 0.003) & (np.abs(drawn) <= 1)).all()
    assert 0.3 < (drawn > 0).mean() < 0.7
    assert 0.35 < (np.abs(drawn) < np.sqrt(0.003)).mean() < 0.65


def test_the_archive_goes_from_linear_tasks_to_the_runs_own() -> None:
    island = archive(starts=[LINEAR])
    assert island.arrays["course"]["stage"][0] == 1
    assert island.best.fitness > 0.3
    before = island.best.fitness
    island.evolve(12_000)
    assert island.best.fitness >= before
    entries = island.arrays["entries"][: island.arrays["course"]["entries"][0]]
    assert len(entries) > 1
    assert len(set(entries["key"].tolist())) == len(entries)
    # What an entry claims is what its program has on the rating tasks.
    stage = space().stages(0)[-1]
    fitness, _ = stage.kernel.evaluate(np.ascontiguousarray(entries["program"]), stage.rating)
    assert np.allclose(np.nan_to_num(fitness, nan=0.0).mean(axis=1), entries["fitness"], atol=1e-12)


def test_of_several_solutions_of_a_fresh_stage_the_cheapest_goes_on() -> None:
    stage = dataclasses.replace(two_layer().stages[0], solutions=3, goal=0.8)
    settings = dataclasses.replace(two_layer(), stages=(stage,))
    island, seen = archive(3, settings=settings), list[Program]()
    while island.arrays["course"]["stage"][0] == 0:
        solved = int(island.arrays["course"]["solved"][0])
        assert solved < 3 and island.stage.startswith("stage 1 of 2 at ")
        decode = space().kernel.decode
        seen = [decode(record) for record in island.population] if solved else seen
        island.evolve(500)
    assert island.stage == ""
    cheapest = min(sum(program.cost(4)[1:]) for program in seen)
    assert sum(island.best.program.cost(4)[1:]) <= cheapest


def test_the_stages_of_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "own-stages.md").read_text(encoding="utf-8")
    preset, own = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    settings, printed = (
        settings_from({**as_mapping(two_layer()), "stages": tomllib.loads(text)["stages"]})
        for text in (own, preset)
    )
    assert printed.stages == resolve_settings("two-layer").stages
    stages = SearchSpace.of(settings, settings.tasks.split(0)).stages(0)
    assert len(stages) == 3
    island = ArchiveIsland(settings, stages, 0, [LINEAR])
    assert island.arrays["course"]["stage"][0] == 1  # the first is over: it has the goal there
    island.evolve(2_000)


def test_entries_are_short_and_live() -> None:
    padded = Program.parse(str(LINEAR).replace("  s3 = s0 - s1\n", "  s3 = s0 - s1\n  v4 = s3 * v3\n", 1))
    island = archive(starts=[padded])
    assert len(island.best.program.learn) <= len(LINEAR.learn)


def test_rounds_of_the_same_length_give_the_same_archive_after_loading() -> None:
    whole, parts = archive(5, [LINEAR]), archive(5, [LINEAR])
    for _ in range(6):
        whole.evolve(1000)
    for _ in range(3):
        parts.evolve(1000)
    other = ArchiveIsland(two_layer(), space().stages(0), 99, born=False)
    other.load({name: array.copy() for name, array in parts.arrays.items()})
    for _ in range(3):
        other.evolve(1000)
    assert str(other.best.program) == str(whole.best.program)
    for name in ("course", "elite_keys", "elite_fitness", "fitness"):
        assert np.array_equal(other.arrays[name], whole.arrays[name]), name
    decode = space().kernel.decode
    assert list(map(decode, other.population)) == list(map(decode, whole.population))


def test_an_archive_that_stands_still_gives_up() -> None:
    settings = changed(two_layer(), "archive", give_up_programs=3000, give_up_gain=1.0)
    island = archive(0, [LINEAR], settings)
    island.evolve(20_000)
    assert "no better archive" in island.spent
    counts = island.counts
    island.evolve(1000)
    assert island.counts == counts


def test_a_stage_may_give_up_sooner() -> None:
    stage = dataclasses.replace(two_layer().stages[0], goal=1.1, fresh=False, give_up_programs=3000)
    settings = changed(two_layer(), "archive", give_up_programs=10**6, give_up_gain=1.0)
    island = archive(0, [LINEAR], dataclasses.replace(settings, stages=(stage,)))
    island.evolve(20_000)
    assert island.spent == "no better archive in 3000 programs"


def test_immigrants_take_their_cells() -> None:
    island = archive(1, [LINEAR])
    net = Program.parse(
        str(LINEAR)
        .replace("s1 = dot(v1, v0)", "v3 = maximum(v0, v4)\n  s1 = dot(v1, v3)")
        .replace("s3 * v0", "s3 * v3")
    )
    n = len(island.population)
    island.take_in(space().kernel.encode([net]))
    assert len(island.population) == n + 1
    assert (np.diff(island.fitness) <= 0).all()


def test_a_search_with_archives_is_decided_by_seed_and_settings_alone(tmp_path: Path) -> None:
    """One worker, two workers and a run that stopped on the way and went on: the same champion and hall."""
    settings = changed(two_layer(), "islands", count=2, interval=3000, migrants=3, checkpoint_seconds=1e-9)
    settings = changed(settings, "stop", max_programs=24_000, max_seconds=0, round_programs=1500)
    settings = dataclasses.replace(settings, baselines="few")
    found = {
        "one": evolve(settings, out=tmp_path / "one"),
        "two": evolve(settings, out=tmp_path / "two", workers=2),
    }
    evolve(settings, out=tmp_path / "resumed", max_programs=10_000)
    found["resumed"] = resume(tmp_path / "resumed", max_programs=24_000)
    halls = {name: [str(c.program) for c in run.hall_of_fame] for name, run in found.items()}
    assert halls["two"] == halls["one"]
    assert halls["resumed"] == halls["one"]
    assert found["two"].counts == found["one"].counts == found["resumed"].counts


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_a_network_with_its_backward_pass_is_discovered(seed: int, tmp_path: Path) -> None:
    """From empty programs, above the tuned hand-designed network on tasks that the search never saw."""
    run = evolve("two-layer", seed=seed, out=tmp_path / "run", max_programs=40_000_000, baselines="few")
    assert run.test_fitness > 0.87
    ops = {i.op.name for i in run.champion.program.instructions()}
    assert {"matrix_vector_product", "vector_max", "vector_outer_product"} <= ops


def test_a_variant_changes_six_tenths_of_the_constants_by_log_normal_factors() -> None:
    kernel = space().stages(0)[-1].kernel
    program = Program.parse(
        "def Setup():\n  s1 = 0.5\n  s2 = 2.0\n  s3 = -0.1\ndef Predict():\n  pass\ndef Learn():\n  pass\n"
    )
    variants = np.repeat(kernel.encode([program]), 4000)
    kernel.calls.vary_programs(variants.ctypes.data, len(variants), 0.25, 7)
    factors = np.array([kernel.decode(variant).constants for variant in variants]) / [0.5, 2.0, -0.1]
    changed = factors != 1.0
    np.testing.assert_allclose(changed.mean(axis=0), 0.6, atol=0.04)
    logs = np.log(factors[changed])
    assert abs(logs.mean()) < 0.02 and logs.std() == pytest.approx(0.25, abs=0.02)
