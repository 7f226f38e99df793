"""Searching for programs of the vector form: mutation, normal form, probe, islands, checkpoints, settings."""

from __future__ import annotations

import json
import os
import signal
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from azgen.codegen.kernel_source import KernelSpec
from azgen.errors import AzgenError
from azgen.execution.kernel import Kernel, build_kernel
from azgen.execution.layout import lay_out
from azgen.language import OPS, Memory, Program
from azgen.language.instruction import VECTOR
from azgen.language.zoo import zoo
from azgen.runs.events import Event, Progress
from azgen.runs.saved import load_run
from azgen.search.evolve import Evolution, Outcome
from azgen.search.island import Island
from azgen.search.space import SearchSpace
from azgen.search.starts import start_program
from azgen.search.task_set import kernel_spec
from azgen.settings.evolution import EvolutionSettings
from azgen.settings.presets import preset
from azgen.settings.resolve import resolve_settings
from azgen.settings.settings import FunctionSettings, MemorySettings, Settings
from tests.agreement import random_tasks
from tests.commands import azgen
from tests.search.small import changed
from tests.strategies import programs

NAMES = (
    *("no_op", "scalar_sum", "scalar_diff", "scalar_const_set", "scalar_vector_product", "vector_sum"),
    *("vector_diff", "vector_inner_product", "vector_const_set", "vector_gaussian_set"),
    *("vector_outer_product", "matrix_vector_product", "matrix_sum", "matrix_const_set"),
)
USED = tuple(OPS[name] for name in NAMES)
MEMORY = Memory(4, 5, 3)
SMALL = changed(
    resolve_settings(data="wine"),
    tasks__n_search=4,
    tasks__n_select=2,
    tasks__n_test=2,
    execution__epochs=1,
    evolution__population=40,
    evolution__initial="random",
    islands__count=2,
    islands__interval=200,
    islands__migrants=5,
    islands__checkpoint_seconds=1e-9,
    stop__max_seconds=0.0,
    stop__max_programs=3000,
    stop__round_programs=200,
    stop__patience=1000,
)


@lru_cache
def kernel() -> Kernel:
    return build_kernel(
        KernelSpec(4, MEMORY, "accuracy", "float32", (NAMES, NAMES, NAMES), capacity=64, classes=3)
    )


def island(population: int = 50) -> Island:
    function = FunctionSettings(NAMES, min_size=2, max_size=6)
    chosen = Settings(
        memory=MemorySettings(4, 5, 3),
        setup=function,
        predict=function,
        learn=function,
        evolution=EvolutionSettings(population=population, mutation_probability=1.0, initial="random"),
    )
    tasks = random_tasks(np.random.default_rng(0), 4, metric="accuracy", n_train=20, n_valid=10, classes=3)
    return Island(kernel(), chosen, lay_out(tasks, kernel().spec.lane), seed=5)


@settings(max_examples=200, deadline=None)
@given(programs(USED, memory=MEMORY, form=VECTOR))
def test_encoding_and_normal_form_are_pythons(program: Program) -> None:
    assert kernel().decode(kernel().encode([program])[0]) == program
    assert kernel().normal_form(program) == program.normalized()


def test_programs_of_the_scalar_form_are_refused() -> None:
    with pytest.raises(AzgenError, match="label s0, prediction s1 in a search for programs with label v1"):
        kernel().encode([zoo("linear")])


def test_mutation_writes_every_address_but_label_and_features() -> None:
    home = island()
    members = np.resize(home.population, 2000)
    kernel().calls.mutate_programs(members.ctypes.data, len(members), home._address, 7)
    written = {i.writes for m in members for i in kernel().decode(m).instructions() if i.writes}
    assert {str(a) for a in written} == {
        *("s0", "s1", "s2", "s3"),
        *("v2", "v3", "v4"),
        *("m0", "m1", "m2"),
    }


def test_the_probe_looks_at_every_class() -> None:
    """The second program gives the first class the same probability as the first one, and others to the
    others; the third gives the first one's, and the last differs in an entry beyond the classes alone."""
    text = "label, prediction = v1, v2\ndef Setup():\n  v3[{}] = {}\ndef Predict():\n  v2 = v3 + {}\n"
    texts = [
        text.format(0.3, 1.0, "v4"),
        text.format(0.6, 1.0, "v4"),
        text.format(0.3, 0.5, "v3"),
        text.format(0.3, 1.0, "v4").replace("def Predict", "  v3[0.8] = 7.0\ndef Predict"),
    ]
    home = island(population=4)
    home.population[:] = kernel().encode([Program.parse(t + "def Learn():\n  pass\n") for t in texts])
    before = home.counts
    home.rate_initial(4)
    assert home.counts["evaluated"] - before["evaluated"] == 2
    assert home.counts["equivalent"] - before["equivalent"] == 2
    assert home.fitness[0] == home.fitness[2] == home.fitness[3]


def run(
    settings: Settings, directory: Path | None = None, stop_at: int | None = None, *, resume: bool = False
) -> Outcome:
    def observe(event: Event) -> None:
        if isinstance(event, Progress) and event.round == stop_at:
            os.kill(os.getpid(), signal.SIGINT)

    split = settings.tasks.split(settings.seed)
    return Evolution(settings, split, observe, checkpoints=directory, resume=resume).run()


def test_backends_workers_and_interruptions_do_not_change_a_run(tmp_path: Path) -> None:
    outcome = run(SMALL)
    assert outcome.champion.program.form == VECTOR and outcome.champion.select_fitness > 0.4
    others = [
        run(changed(SMALL, islands__workers=2)),
        run(changed(SMALL, backend="kernel")),
    ]
    assert run(SMALL, tmp_path, stop_at=4).reason == "interrupted"
    others.append(run(SMALL, tmp_path, resume=True))
    for other in others:
        assert other.hall_of_fame == outcome.hall_of_fame and other.counts == outcome.counts
        np.testing.assert_array_equal(other.test_fitness, outcome.test_fitness)


def test_tasks_are_the_same_in_other_processes_and_lanes() -> None:
    space = SearchSpace.of(SMALL, SMALL.tasks.split(0))
    header, arrays = space.describe()
    again = SearchSpace.described(SMALL, json.loads(json.dumps(header)), arrays)
    assert again.fingerprint == space.fingerprint and again.kernel.spec == space.kernel.spec
    program = zoo("softmax-linear")
    np.testing.assert_array_equal(again.select.evaluate(program), space.select.evaluate(program))


def test_the_initial_program_and_the_cost_limit_follow_the_form() -> None:
    table = preset("table")
    assert table.starts == ("auto",)
    scalar, vector = (
        changed(table, tasks__data=name).tasks.split(0).search for name in ("breast-cancer", "wine")
    )
    assert start_program("zoo:linear", table, scalar) == zoo("linear")
    assert start_program("zoo:linear", table, vector) == zoo("softmax-linear")
    with pytest.raises(AzgenError, match=r"one number, but the tasks have 3 classes"):
        start_program("zoo:rate-decay", table, vector)
    space = SearchSpace.of(
        changed(SMALL, evolution__max_cost=2.0),
        SMALL.tasks.split(0),
    )
    tasks, net = space.search[0], zoo("softmax-neural-net")
    setup, predict, learn = net.cost(13)
    steps = [int(tasks.lanes.record[name][0]) for name in ("n_steps", "n_training")]
    assert space.cost_limit(tasks) == 2 * (setup + steps[0] * predict + steps[1] * learn)


def test_islands_exchange_programs_of_one_form_only() -> None:
    changes = {"source": "images", "data": "digits", "n_train": 0, "n_valid": 0}
    pairs = changed(SMALL, islands__tasks=({}, changes))
    with pytest.raises(AzgenError, match=r"islands\.tasks: some tasks have several classes"):
        SearchSpace.of(pairs, pairs.tasks.split(0))


def test_memory_must_hold_label_and_prediction() -> None:
    with pytest.raises(AzgenError, match=r"memory.vectors is 2; for several classes at least 3"):
        kernel_spec(changed(SMALL, memory__vectors=2), 4, "accuracy", classes=3)


# ---- the command line


@pytest.fixture
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("in_empty_folder")
def test_a_run_is_shown_exported_executed_and_tuned() -> None:
    azgen("evolve", "--data", "wine", "--max-programs", 1500, "--baselines", "few", "--out", "mine")
    result = load_run("mine").result
    assert result["test"]["fitness"]["mean"] > 0.9
    assert [b["name"].split(" (")[0] for b in result["baselines"]] == [
        "most frequent class",
        "zoo:softmax-linear",
        "scikit-learn LogisticRegression",
    ]
    assert "label, prediction = v1, v2" in azgen("show", "mine")
    assert "3 classes. Constants arrive" in azgen("show", "mine", "--source")
    azgen("export", "mine", "-o", "mine.py")
    assert "softmax(" in Path("mine.py").read_text()
    record = json.loads(azgen("run", "mine", "--set", "test", "--json"))
    assert record["sets"]["test"]["mean"] == result["test"]["fitness"]["mean"]
    options = ("--trials", 40, "--metric", "log-loss", "-o", "tuned.az", "--export", "tuned.py", "--json")
    tuned = json.loads(azgen("tune", "zoo:softmax-linear", "--data", "wine", *options))
    select = tuned["sets"]["select"]
    assert tuned["metric"] == "log-loss"
    assert select["tuned"]["fitness"]["mean"] > select["before"]["fitness"]["mean"]
    assert Program.parse(Path("tuned.az").read_text()).form == VECTOR
    assert "softmax(" in Path("tuned.py").read_text()


@pytest.mark.usefixtures("in_empty_folder")
def test_programs_say_what_they_are_for() -> None:
    assert "several classes" in azgen("show", "zoo:softmax-linear")
    assert "vector_softmax(v2)" in azgen("show", "zoo:softmax-linear", "--source", "--features", 5)
    azgen("export", "zoo:softmax-linear", "-o", "winner.py")
    assert "class EvolvedClassifier" in Path("winner.py").read_text()
    assert "take accuracy" in azgen("export", "zoo:softmax-linear", "--metric", "rmse", status=2)
    assert "tells classes apart" in azgen(
        "show", "zoo:softmax-linear", "--source", "--metric", "rmse", status=2
    )
    assert "for programs of several classes" in azgen(
        "show", "zoo:linear", "--source", "--classes", 3, status=2
    )
    record = json.loads(azgen("run", "zoo:softmax-linear", "--data", "digits", "--set", "select", "--json"))
    assert record["sets"]["select"]["mean"] > 0.5
    text = azgen("data", "digits", "--draw", "--classes", "all", "--rows", 2)
    assert "10 classes at once" in text and "class " in text
