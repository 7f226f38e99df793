"""Pruning and ablation: what they say is what native code gives."""

from __future__ import annotations

import numpy as np
import pytest

from azgen import AzgenError, Program, execute
from azgen.execution.execute import compile_together
from azgen.language.conditions import Conditions
from azgen.language.instruction import SCALAR, VECTOR
from azgen.language.zoo import zoo
from azgen.study.understanding import rating
from azgen.study.understanding.ablation import ablate
from azgen.study.understanding.edits import Place, at, bypasses, places, without, zeroed
from azgen.study.understanding.pruning import prune
from azgen.study.understanding.rating import Rater
from azgen.tasks.synthetic import linear_tasks, two_layer_tasks
from tests.agreement import TOLERANCE, random_tasks
from tests.strategies import lively_program

LINEAR = zoo("linear")
PADDED = """
def Setup():
  s2 = 0.01
  v5 = gaussian(0.0, 1.0, n_features)
  m0 = gaussian(0.0, 1e-9, (n_features, n_features))
def Predict():
  v3 = dot(m0, v0)
  v4 = v1 + v3
  s1 = dot(v4, v0)
  s5 = sin(s1)
def Learn():
  s3 = s0 - s1
  s4 = sin(s3)
  s3 = s2 * s3
  s6 = abs(s6)
  v2 = s3 * v0
  v1 = v1 + v2
"""


def test_pruning_finds_the_linear_model_in_a_padded_one():
    tasks = linear_tasks(8, 4, 500, 100)
    pruned = prune(Program.parse(PADDED), tasks)
    assert pruned.program.hash == LINEAR.hash
    assert [line for cut in pruned.cuts for line in cut.lines] == [
        "Setup: m0 = gaussian(0.0, 1e-09, (n_features, n_features))",
        "Predict: v3 = dot(m0, v0)",
        "Predict: v4 = v1 + v3",
    ]
    assert pruned.difference.mean >= -pruned.tolerance[1]
    assert np.array_equal(pruned.fitness, execute(pruned.program, tasks).fitness)
    assert np.array_equal(pruned.fitness_before, execute(pruned.before, tasks).fitness)


def test_nothing_of_the_linear_model_can_go():
    pruned = prune(LINEAR, linear_tasks(8, 4, 300, 50))
    assert pruned.program == LINEAR.live() and not pruned.cuts


def test_pruned_programs_need_every_line_and_stay_within_the_tolerance():
    tasks = two_layer_tasks(12, 4, 400, 100)
    for name in ("neural-net", "rate-decay", "best-evolved-raw"):
        pruned = prune(zoo(name), tasks, tolerance=0.05)
        mean = execute(zoo(name), tasks).fitness.mean()
        assert execute(pruned.program, tasks).fitness.mean() >= mean - 0.05 * (1 - mean)
        rate = Rater(pruned.program, tasks)
        shorter = [without(pruned.program, place).live() for place in places(pruned.program)]
        assert all(r.fitness.mean() < mean - pruned.tolerance[1] or r.failed.any() for r in rate(shorter))


def test_ablation_is_the_paired_difference_that_execution_gives():
    tasks = linear_tasks(6, 3, 200, 50)
    for program in (LINEAR, zoo("noisy-relu"), Program.parse(PADDED)):
        found = ablate(program, tasks)
        changes = [change(found.program, line.place) for line in found.lines for change in (without, zeroed)]
        compile_together(changes, tasks[0], Conditions())
        base = execute(program, tasks).fitness
        assert np.array_equal(found.fitness, base)
        for line in found.lines:
            assert line.line == str(at(found.program, line.place))
            for loss, version in ((line.removed, without), (line.zeroed, zeroed)):
                result = execute(version(found.program, line.place), tasks)
                assert np.array_equal(loss.fitness, result.fitness)
                assert loss.difference.mean == pytest.approx(float((base - result.fitness).mean()), abs=1e-15)
                assert loss.failed == int(result.failed.sum())
    with pytest.raises(AzgenError, match="tolerance"):
        prune(LINEAR, tasks, tolerance=-1.0)


def test_versions_that_cost_more_than_compiling_run_natively_with_the_same_result(monkeypatch):
    tasks = linear_tasks(5, 4, 100, 30)
    kernel = ablate(Program.parse(PADDED), tasks)
    monkeypatch.setattr(rating, "_COMPILING_PAYS", 0.0)
    assert Rater(LINEAR, tasks).native
    assert ablate(Program.parse(PADDED), tasks).as_record() == kernel.as_record()


def test_a_zeroed_line_leaves_zeros_and_draws_nothing():
    program = Program.parse(
        "def Setup():\n  v2[0.5] = 3.0\n  m1 = uniform(1.0, 2.0, (n_features, n_features))\n"
        "def Predict():\n  v3 = dot(m1, v0)\n  s1 = dot(v3, v2)\ndef Learn():\n  s2 = s0 / s1\n"
    )
    texts = [str(at(zeroed(program, place), place)) for place in places(program)]
    assert texts == ["v2[0.5] = 0.0", "m1 = m2 + m2", "v3 = v4 + v4", "s1 = 0.0", "s2 = 0.0"]


def test_a_bypassed_line_gives_its_readers_its_operand():
    program = Program.parse(
        "def Setup():\n  pass\ndef Predict():\n  s2 = mean(v0)\n  s3 = sin(s2)\n  s4 = s3 * s3\n  s2 = 0.5\n"
        "  s1 = s4 + s2\ndef Learn():\n  pass\n"
    )
    spots = list(places(program))
    (version,) = bypasses(program, spots[1])
    assert "s4 = s2 * s2" in str(version) and "sin" not in str(version)
    assert not list(bypasses(program, spots[0]))  # no operand of its type
    late = Program.parse(
        "def Setup():\n  pass\ndef Predict():\n  s2 = mean(v0)\n  s3 = sin(s2)\n  s2 = 0.5\n  s1 = s3 + s2\n"
        "def Learn():\n  pass\n"
    )
    assert not list(bypasses(late, list(places(late))[1]))  # the operand is gone when it would be read


def test_a_bypass_reaches_from_predict_into_learn():
    text = (
        "def Setup():\n  pass\ndef Predict():\n  v2 = v0 - v9\n  s1 = dot(v1, v2)\n"
        "def Learn():\n  s3 = s0 - s1\n  v3 = s3 * v2\n  v1 = v1 + v3\n"
    )
    (with_features, with_zero) = bypasses(Program.parse(text), Place(1, 0))
    assert "s1 = dot(v1, v0)" in str(with_features) and "v3 = s3 * v0" in str(with_features)
    assert "v3 = s3 * v9" in str(with_zero)
    tasks = linear_tasks(3, 4, 50, 20)
    assert np.array_equal(*(execute(p, tasks).fitness for p in (with_features, Program.parse(text))))
    # Not where the next Predict reads it, or Learn has changed the operand before.
    kept = text.replace("s1 = dot(v1, v2)", "s1 = dot(v1, v4)\n  v4 = v2 + v9")
    assert list(bypasses(Program.parse(kept), Place(1, 0)))
    state = text.replace("  v2 = v0 - v9\n  s1 = dot(v1, v2)\n", "  s1 = dot(v1, v2)\n  v2 = v0 - v9\n")
    assert not list(bypasses(Program.parse(state), Place(1, 1)))


@pytest.mark.parametrize("count", [6, pytest.param(170, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("form", "metric", "dtype"),
    [(SCALAR, "rmse", "float32"), (SCALAR, "accuracy", "float64"), (VECTOR, "accuracy", "float32")],
)
def test_on_random_programs_of_different_spaces(form, metric, dtype, count):
    """Pruning and ablation never raise, and their fitness is native code's."""
    rng = np.random.default_rng(5)
    classes = 3 if form == VECTOR else 0
    tasks = random_tasks(rng, 5 if dtype == "float64" else 4, metric=metric, classes=classes)
    programs = [lively_program(rng, form) for _ in range(count)]
    found = [ablate(program, tasks, Conditions(dtype=dtype)) for program in programs]
    pruned = [prune(program, tasks, Conditions(dtype=dtype)) for program in programs]
    versions = [(p, f.fitness) for p, f in zip(programs, found, strict=True)]
    versions += [(p.program, p.fitness) for p in pruned]
    compile_together([p for p, _ in versions], tasks[0], Conditions(dtype=dtype), len(tasks))
    for version, fitness in versions:
        native = execute(version, tasks, dtype=dtype).fitness
        assert np.allclose(fitness, native, atol=TOLERANCE[dtype]), str(version)
    assert all(p.difference.mean >= -p.tolerance[1] - 1e-12 for p in pruned)
    assert all(len(f.lines) == sum(map(len, f.program.functions)) for f in found)
