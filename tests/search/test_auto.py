"""`--backend auto`: what programs cost to compile and to run, measured here, and what is decided by it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from azgen.codegen.doctor import diagnose
from azgen.codegen.lanes import LaneType, lane_type
from azgen.codegen.measurements import CALIBRATION, all_measured, read_measured, write_measured
from azgen.codegen.store import entries
from azgen.errors import CacheError
from azgen.execution.layout import TASKS as TASKS_RECORD
from azgen.execution.layout import LaneTasks, lay_out
from azgen.language.conditions import Conditions
from azgen.language.program import Program
from azgen.language.zoo import zoo
from azgen.search.engines.orders import Order
from azgen.search.engines.runner import Runner
from azgen.search.evolve import Evolution, Outcome
from azgen.search.rating import cost_model as measuring
from azgen.search.rating import raters
from azgen.search.rating.chooser import Chooser
from azgen.search.rating.cost_model import CostModel, cost_model, may_pay, work_of
from azgen.search.rating.raters import Raters
from azgen.search.space import SearchSpace
from azgen.settings.presets import preset, preset_names
from azgen.settings.tasks import island_tasks

DEMO = preset("demo")
SMALL = dataclasses.replace(
    DEMO,
    evolution=dataclasses.replace(DEMO.evolution, population=40, batch=40),
    stop=dataclasses.replace(
        DEMO.stop, max_programs=120, max_seconds=0.0, round_programs=40, target_fitness=2.0
    ),
)
SPACE = SearchSpace.of(SMALL, SMALL.tasks.split(0))
KERNEL, TASKS = SPACE.select.kernel, SPACE.task_set(0, 0).lanes

MULTIPLICATIONS = CostModel(0.01, 0.001, (0.0, 0.0, 9e-6), (0.0, 0.0, 1e-6))
"""Whatever has many multiplications is worth compiling, some other programs are."""


@pytest.fixture(autouse=True)
def own_build_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AZGEN_BUILD_DIR", str(tmp_path / "build"))
    yield


def always_decide(monkeypatch: pytest.MonkeyPatch, model: CostModel | None = None) -> None:
    monkeypatch.setattr(measuring, "LEAST_WORK", 0.0)
    if model:
        monkeypatch.setattr(raters, "cost_model", lambda *_: model)


def run(backend: str) -> Outcome:
    settings = dataclasses.replace(SMALL, backend=backend)
    return Evolution(settings, settings.tasks.split(settings.seed)).run()


def test_decisions_never_change_what_a_run_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    always_decide(monkeypatch, MULTIPLICATIONS)
    kernel, auto, native = run("kernel"), run("auto"), run("native")
    assert kernel.hall_of_fame == auto.hall_of_fame == native.hall_of_fame
    assert kernel.counts == auto.counts == native.counts
    np.testing.assert_array_equal(kernel.test_fitness, auto.test_fitness)
    evaluated, champions = kernel.counts["evaluated"], kernel.ratings["champions"]
    assert champions > 0
    assert kernel.ratings == {"kernel": evaluated, "native": 0, "compiled": 0, "champions": champions}
    assert native.ratings["kernel"] == 0 and native.ratings["native"] == evaluated
    assert min(auto.ratings["kernel"], auto.ratings["native"]) > 10
    assert auto.ratings["kernel"] + auto.ratings["native"] == evaluated
    assert 0 < auto.ratings["compiled"] <= auto.ratings["native"]
    assert native.ratings["compiled"] > auto.ratings["compiled"]


def evaluation_seconds() -> float:
    """Time of evaluating the linear program on the search tasks by the kernel, among others."""
    records, seconds = KERNEL.encode([zoo("linear")] * 64), []
    for _ in range(5):
        began = time.thread_time()
        KERNEL.evaluate(records, TASKS)
        seconds.append((time.thread_time() - began) / 64)
    return min(seconds)


def measured() -> CostModel:
    model = cost_model(KERNEL, lambda: Raters(SPACE).examples(0, SPACE.task_set(0, 0)), TASKS)
    assert model is not None
    return model


def test_costs_are_measured_once_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    first = measured()
    assert first.module > 0 and first.instruction > 0
    work = work_of(KERNEL, KERNEL.encode([zoo("linear").normalized()]), TASKS)[0]
    assert 0.1 < float(work @ first.kernel) / evaluation_seconds() < 10
    (entry,) = [e for e in entries() if e.kind == CALIBRATION]
    (finding,) = [f for f in diagnose() if f.name == "calibration"]
    assert finding.ok and f"{1e3 * first.module:.0f} ms a module" in finding.detail
    monkeypatch.setattr(measuring, "_measure", None)
    assert measured() == first
    with monkeypatch.context() as patch, pytest.raises(TypeError):
        patch.setattr(measuring, "candidate_flags", lambda: ("-O0",))
        measured()  # what compiling costs depends on the flags
    path = next(entry.directory.iterdir())
    path.write_text(path.read_text().replace('"module": 0', '"module": 9'))
    assert read_measured(CALIBRATION, entry.key) is None, "damaged"
    with pytest.raises(TypeError):
        measured()  # it would be measured again
    path.chmod(0o666)
    with pytest.raises(CacheError, match="can be written by others"):
        measured()


def test_a_full_disk_does_not_end_a_run_that_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise CacheError("no space is left")

    monkeypatch.setattr(measuring, "write_measured", full)
    monkeypatch.setattr(measuring, "_measure", lambda *_: MULTIPLICATIONS)
    assert measured() == MULTIPLICATIONS


def test_a_process_asks_once_for_costs_even_if_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    always_decide(monkeypatch)
    asked: list[object] = []
    monkeypatch.setattr(raters, "cost_model", lambda kernel, *_: asked.append(kernel))
    runner = Runner(SPACE)
    for population in range(3):
        assert runner.run(Order(0, 0, population, birth=True)).native == 0
    assert asked == [KERNEL]


def test_measuring_takes_no_longer_with_many_features(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, float]] = []

    def sample(kernel: object, programs: object, tasks: LaneTasks, most_work: float) -> list[Program]:
        asked.append((int(tasks.record["n_steps"][0]), most_work))
        return []

    monkeypatch.setattr(measuring, "_sample", sample)
    for n_features in (4, 256):
        tasks = dataclasses.replace(DEMO.tasks, n_features=n_features, n_search=1, n_train=(1000, 1, 1))
        lanes = lay_out(tasks.split(0).search, lane_type("float32", n_features, matrices=True))
        kernel: Any = SimpleNamespace(spec=SimpleNamespace(n_features=n_features))
        assert measuring._measure(kernel, np.zeros(0), lanes) is None
    (few, _), (many, most_work) = asked
    assert few == 1100 and many == 22 and most_work < 8 * measuring.LEAST_WORK


def test_programs_to_measure_with_are_not_too_costly() -> None:
    programs = Raters(SPACE).examples(0, SPACE.task_set(0, 0))
    work = [
        work_of(KERNEL, KERNEL.encode(measuring._sample(KERNEL, programs, TASKS, most)), TASKS)[:, 2].max()
        for most in (np.inf, 2000.0)
    ]
    assert work[0] > 2000 >= work[1]


def test_times_are_taken_more_than_once_unless_they_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    measuring._best_seconds(lambda: calls.append(0))
    assert len(calls) > 1
    monkeypatch.setattr(measuring, "_LONG", 1e-6)
    calls.clear()
    measuring._best_seconds(lambda: calls.append(sum(range(100_000))))
    assert len(calls) == 1


def test_a_clock_that_is_too_coarse_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "NativeCode", lambda *_: SimpleNamespace(compile=lambda programs: None))
    monkeypatch.setattr(measuring, "_compile_seconds", lambda native, programs: 0.1 * len(programs))
    monkeypatch.setattr(measuring, "_seconds_of", lambda *_: (0.0, 0.0))
    assert np.isfinite(measured().kernel).all()


def test_what_is_measured_twice_is_there_once() -> None:
    write_measured(CALIBRATION, "a" * 64, {"of": "this"})
    write_measured(CALIBRATION, "a" * 64, {"of": "that"})
    assert all_measured(CALIBRATION) == [{"of": "that"}]
    assert read_measured(CALIBRATION, "b" * 64) is None


def test_presets_are_too_small_to_think_about_compiling() -> None:
    others = {"paper", "ten-digits", "table"}  # the first two are not too small, the last has the user's data
    if lane_type("float32", 1).lanes < 16:  # the same tasks are more lane groups there
        others.add("paper-two-layer")
    for name in set(preset_names()) - others:
        settings = preset(name)
        tasks = settings.tasks.split(0).search
        # As wide as AVX-512's: narrower registers take several times as long, and then it may pay.
        lane, epochs = LaneType("float32", 16), (settings.execution.epochs, 3000)
        lanes = [lay_out(tasks, lane, Conditions(epochs=number)) for number in epochs]
        assert [may_pay(tasks[0].n_features, each) for each in lanes] == [False, True], name
    assert run("auto").ratings["native"] == 0 and all_measured(CALIBRATION) == []


def test_the_paper_s_larger_tasks_are_large_enough() -> None:
    settings, large = preset("paper"), set()
    for island in range(len(settings.islands.tasks)):
        tasks, epochs = (found := island_tasks(settings, island)).source, found.epochs
        lanes = lane_type("float32", tasks.n_features, matrices=True).lanes
        record = np.zeros(1, TASKS_RECORD)
        record["n_groups"] = -(-tasks.n_search // lanes)
        record["n_steps"] = tasks.n_train[0] * epochs + tasks.n_valid[0]
        if may_pay(tasks.n_features, LaneTasks(record, {}, tasks.n_search, lanes)):
            large.add((tasks.n_features, tasks.n_train[0] * epochs))
    assert {(256, 800), (256, 5600), (256, 8000)} <= large and (8, 800) not in large


def test_a_structure_is_compiled_when_that_pays() -> None:
    """Alone after as many evaluations as compiling costs, with others at once; what is rare is forgotten."""
    linear = zoo("linear").normalized()
    (program,) = KERNEL.encode([linear])
    seconds = float(work_of(KERNEL, program.reshape(1), TASKS)[0, 2])
    # An evaluation spares a second, a module costs 7.5, an instruction a tenth.
    model = CostModel(7.5, 0.1, (0.0, 0.0, 2 / seconds), (0.0, 0.0, 1 / seconds))
    length = int(program["size"].sum())
    one, other = program.reshape(1), KERNEL.encode([linear.with_constants((0.5,))])
    chooser, decisions = Chooser(model, KERNEL, TASKS, 1000), []
    for turn in range(20):
        natively, others = chooser.choose((one, other)[turn % 2])
        decisions.append(bool(natively[0]) and not others)
    assert decisions == [n > 7.5 + 0.1 * length for n in range(1, 21)]
    different = KERNEL.encode(
        [
            Program.parse(str(linear).replace("def Learn", "  s1 = s1 - s2\n" * n + "def Learn"))
            for n in range(9)
        ]
    )
    cheaper = dataclasses.replace(model, module=3.0, instruction=0.01)
    assert Chooser(cheaper, KERNEL, TASKS, 1000).choose(different)[0].all(), "together"
    chooser = Chooser(cheaper, KERNEL, TASKS, 1000)
    for new in (different[:2], different[2:4]):  # what has come but once is not expected again
        natively, others = chooser.choose(new)
        assert not natively.any() and not others
    natively, others = chooser.choose(different[:2])
    assert natively.all() and not others, "expected twice"
    chooser = Chooser(cheaper, KERNEL, TASKS, 1000)
    assert not any(chooser.choose(different[:1])[0][0] for _ in range(3))
    natively, others = chooser.choose(different[1:3])
    assert natively.all() and len(others) == 1, "what waits is compiled along"
    forgetful = Chooser(model, KERNEL, TASKS, 4)
    assert not any(forgetful.choose(one)[0][0] for _ in range(100))


def test_with_care_all_is_left_to_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    always_decide(monkeypatch, MULTIPLICATIONS)
    runner = Runner(SPACE)
    assert runner.run(Order(0, 0, 0, birth=True)).native > 0
    assert runner.run(Order(0, 1, 0, n_programs=40)).native > 0
    assert runner.run(Order(0, 2, 0, n_programs=40, careful=True)).native == 0


def test_decisions_are_counted_across_a_resumed_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    always_decide(monkeypatch, MULTIPLICATIONS)
    settings = dataclasses.replace(SMALL, stop=dataclasses.replace(SMALL.stop, max_programs=200))
    split = settings.tasks.split(settings.seed)
    first = Evolution(SMALL, split, checkpoints=tmp_path / "checkpoints").run()
    resumed = Evolution(settings, split, checkpoints=tmp_path / "checkpoints", resume=True).run()
    whole = Evolution(settings, split).run()
    assert resumed.counts == whole.counts
    assert resumed.ratings["native"] + resumed.ratings["kernel"] == whole.counts["evaluated"]
    assert resumed.ratings["native"] > first.ratings["native"] > 0
