"""Explanations: the ideas that are in known programs, and that no idea is named which is not there."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from azgen import Program, Task, execute, load
from azgen.language import OPS, Instruction
from azgen.language.conditions import Conditions
from azgen.language.instruction import SCALAR, VECTOR
from azgen.language.zoo import zoo, zoo_names
from azgen.settings.resolve import resolve_settings
from azgen.study.understanding.edits import Place
from azgen.study.understanding.evidence import Evidence
from azgen.study.understanding.explain import Explanation, explain
from azgen.study.understanding.nearest import nearest
from azgen.study.understanding.pruning import prune
from azgen.study.understanding.warnings import carried
from azgen.tasks.synthetic import two_layer_tasks
from tests.strategies import lively_program, random_instruction

FOUND = sorted((Path(__file__).parents[2] / "data" / "found").glob("*.az"))


def names(found: Explanation) -> list[str]:
    return [idea.name for idea in found.ideas]


def lines(found: Explanation, name: str) -> set[str]:
    return {line for idea in found.named(name) for line in found.lines_of(idea)}


def with_rate(name: str, rate: float) -> Program:
    program = zoo(name)
    return program.with_constants((*program.constants[:-1], rate))


def test_a_program_of_the_zoo_is_recognised_with_its_constants():
    found = explain(with_rate("linear", 0.0051))
    assert str(found.nearest) == "zoo:linear with learning rate 0.0051"
    assert [(i.name, i.proof) for i in found.ideas] == [
        ("linear model", "symbolically"),
        ("error", "numerically"),
        ("gradient step", "symbolically"),
    ]
    assert lines(found, "linear model") == {"Predict: s1 = dot(v1, v0)"}
    assert "v1 moves by 0.0051 times error times d prediction / d v1" in found.ideas[-1].summary
    for name in zoo_names():
        assert str(nearest(Evidence(zoo(name).live()))).startswith(f"zoo:{name}")


def test_constants_of_the_zoo_have_names():
    for name in zoo_names():
        program = zoo(name).normalized()
        other = program.with_constants([value + 0.01 for value in program.constants])
        known = nearest(Evidence(other.live()))
        assert known is not None and len(known.constants) == len(program.constants)
        assert name == "best-evolved-raw" or "`" not in str(known), str(known)


def test_ridge_regression_and_its_networks_line_by_line():
    ridge = explain(zoo("ridge"))
    assert lines(ridge, "weight decay") == {
        "Learn: s2 = s2 + s5", "Learn: s7 = s6 / s2", "Learn: v2 = s7 * v1", "Learn: v1 = v1 - v2"
    }  # fmt: skip
    assert lines(ridge, "rate decay") == {"Learn: s2 = s2 + s5"}
    (decay,) = ridge.named("weight decay")
    assert "v1 shrinks by 0.001 * 1 / (s2 + s5) of itself" in decay.summary
    (step,) = [idea for idea in ridge.named("gradient step") if idea.summary.startswith("v1 moves")]
    assert step.proof == "symbolically" and "1 / (s2 + s5) times error" in step.summary
    assert "its weights decay" in step.summary
    for name, decaying in (("additive-net", {"v1", "v4", "v9"}), ("softmax-ridge-net", {"m0", "m1"})):
        found = explain(zoo(name))
        assert {idea.summary.split()[0] for idea in found.named("weight decay")} == decaying
        stepping = {idea.summary.split()[0] for idea in found.named("gradient step")}
        assert stepping > decaying and len(found.named("rate decay")) == 1
        unnamed = [i for n, i in enumerate(found.program.learn) if not found.notes(Place(2, n))]
        assert {i.op.name for i in unnamed} <= {"scalar_reciprocal", "matrix_transpose"}
    # Weights that grow by a share of themselves, or whose entries shrink by shares of their own.
    grown = str(zoo("ridge")).replace("v1 = v1 - v2", "v1 = v1 + v2")
    assert not explain(Program.parse(grown)).named("weight decay")
    own = str(zoo("ridge")).replace("v2 = s7 * v1", "v2 = v0 * v1")
    assert not explain(Program.parse(own)).named("weight decay")


def test_other_lines_with_the_same_predictions_are_recognised():
    other = Program.parse(
        "def Setup():\n  pass\ndef Predict():\n  s2 = dot(v1, v0)\n  s1 = s2 * s3\n"
        "def Learn():\n  s5 = s0 - s1\n  v2 = s5 * v0\n  v1 = v1 + v2\n  s3 = 0.05\n"
    )
    found = explain(other)
    assert str(found.nearest) == "zoo:linear with learning rate 0.05: other lines, the same predictions"
    (task,) = two_layer_tasks(1, 5, 100, 50)
    predicted = [execute(p, task, dtype="float64").predictions for p in (other, with_rate("linear", 0.05))]
    assert np.allclose(*predicted)


def test_the_papers_best_program_in_its_raw_form():
    """The parts of its cleaned form (Real et al. 2020, section 4.2) by name, with their lines."""
    found = explain(zoo("best-evolved-raw"), classifier=True)
    assert lines(found, "input noise") == {
        "Predict: v1 = v0 - v9",
        "Predict: v5 = v0 + v9",
        "Learn: v9 = uniform(0.002, 0.7, n_features)",
    }
    bilinear = {"Predict: v6 = dot(m1, v5)", "Predict: s1 = dot(v6, v1)"}
    assert bilinear < lines(found, "multiplicative interaction")
    assert found.named("multiplicative interaction")[0].proof == "symbolically"
    assert lines(found, "gradient normalisation") == {
        "Learn: m1 = outer(v1, v0)",
        "Learn: s2 = norm(m1)",
        "Learn: s7 = s5 / s2",
    }
    assert lines(found, "weight averaging") == {"Learn: m2 = m2 + m0", "Predict: m1 = s2 * m2"}
    (step,) = found.named("gradient step")
    assert step.summary.startswith("m1 moves by sin(s4) * 1 / norm(outer(v1, v0)) times d prediction / d m1")
    assert step.proof == "symbolically" and "summed up in m0" in step.summary
    assert lines(found, "clipping") == {"Learn: s5 = sin(s4)"}
    assert all(found.notes(idea_line) for idea in found.ideas for idea_line in idea.lines)
    carrying = {line for idea in found.ideas for line in found.lines_of(idea)}
    assert len(carrying) == sum(map(len, found.program.functions))  # every line has its part


def test_pruning_the_unpruned_form_leaves_the_parts_of_the_cleaned_form():
    """With the lines that the paper's supplement (S1a) has besides, on digits seen through projections."""
    raw = str(zoo("best-evolved-raw"))
    raw = raw.replace(
        "  pass\n",
        "  s4 = uniform(0.6, 0.2)\n  v3 = gaussian(0.7, 0.4, n_features)\n"
        "  v12 = gaussian(0.2, 0.6, n_features)\n  s1 = uniform(-0.1, -0.2)\n",
        1,
    )
    raw = raw.replace("  s1 = dot(v6, v1)\n", "  s1 = dot(v6, v1)\n  s6 = cos(s4)\n")
    extra = "  s3 = abs(s1)\n  s4 = s4 + s6\n  m1 = heaviside(m2, 0.0)\n"
    raw = raw.replace("  s4 = s0 - s1\n", extra + "  s4 = s0 - s1\n")
    raw += "  s7 = log(s0)\n"
    # The tasks on which averaging was seen to pay: whether it does depends on their number.
    source = dataclasses.replace(resolve_settings("digits").tasks, n_select=64, n_test=90)
    pruned = prune(Program.parse(raw), source.split(0).select, Conditions(epochs=4))
    parts = {"input noise", "multiplicative interaction", "gradient step", "gradient normalisation"}
    assert parts | {"weight averaging"} <= set(names(explain(pruned.program, classifier=True)))
    assert len(list(pruned.program.instructions())) <= 17
    assert pruned.fitness.mean() > 0.95


def test_pruning_the_papers_raw_program_keeps_the_parts_of_the_cleaned_form():
    tasks = [_quadratic(seed) for seed in range(12)]
    pruned = prune(zoo("best-evolved-raw"), tasks, tolerance=0.05)
    assert "sin" not in str(pruned.program)
    kept = set(names(explain(pruned.program, classifier=True)))
    assert {"multiplicative interaction", "gradient step"} <= kept


def _quadratic(seed: int) -> Task:
    """Classes by a quadratic rule, which takes an interaction of features."""
    rng = np.random.default_rng(seed)
    x, form = rng.normal(size=(1200, 6)), rng.normal(size=(6, 6))
    y = (np.einsum("ni,ij,nj->n", x, form, x) > 0).astype(float)
    return Task(x[:1000], y[:1000], x[1000:], y[1000:], metric="accuracy")


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_a_discovered_network_is_named_as_one_with_its_backward_pass(path):
    found = explain(load(path))
    assert {"two-layer network", "hidden layer", "ReLU", "error", "gate"} <= set(names(found))
    assert {"back-propagated error", "gradient step"} <= set(names(found))
    (hidden,) = {str(idea.summary).split()[1] for idea in found.named("hidden layer")}
    steps = {idea.summary.split()[0]: idea for idea in found.named("gradient step")}
    assert hidden in steps and len(steps) == 2  # both layers are trained
    by_gate = [idea for idea in steps.values() if "gate stands in place of" in idea.summary]
    assert len(by_gate) == 1
    learn = [place for idea in found.ideas for place in idea.lines if place.function == 2]
    assert len(set(learn)) == len(found.program.learn)  # every line of Learn has its part


def test_a_discovered_networks_lines_are_the_right_ones():
    found = explain(load(next(path for path in FOUND if path.stem == "F4-B-seed2")))
    assert lines(found, "hidden layer") == {"Predict: v1 = dot(m0, v0)"}
    assert lines(found, "ReLU") == {"Predict: v3 = maximum(v1, v2)"}
    assert lines(found, "gate") == {"Learn: v5 = heaviside(v1, 0.0)"}
    assert lines(found, "back-propagated error") == {"Learn: v1 = v4 * v5", "Learn: v1 = s3 * v1"}
    assert {"Learn: m1 = outer(v1, v0)", "Learn: m0 = m0 + m1"} < lines(found, "gradient step")


def test_networks_of_the_zoo():
    found = explain(zoo("neural-net"))
    assert {i.summary.split()[0] for i in found.named("gradient step")} == {"m0", "s2", "v1", "v2"}
    assert "with v2 already updated" in found.named("back-propagated error")[0].summary
    assert lines(explain(zoo("rate-decay")), "rate decay") == {"Learn: s3 = arctan(s3)"}
    assert "noise on the hidden layer" in names(explain(zoo("noisy-relu")))
    assert "sin(s5)" in explain(zoo("mean-weight-rate")).named("gradient step")[0].summary


def test_running_statistics_and_clipping():
    program = Program.parse(
        "def Setup():\n  s2 = 0.01\n  s4 = 0.9\n  s5 = 0.1\n  s8 = 1.5\ndef Predict():\n  v4 = v0 - v3\n"
        "  s1 = dot(v1, v4)\ndef Learn():\n  s3 = s0 - s1\n  s3 = minimum(s3, s8)\n  s3 = s2 * s3\n"
        "  v2 = s3 * v4\n  v1 = v1 + v2\n  v5 = s4 * v3\n  v6 = s5 * v0\n  v3 = v5 + v6\n"
    )
    found = explain(program)
    (statistics,) = found.named("running statistics")
    assert statistics.summary == "v3 is a running mean of the features over the examples"
    assert statistics.checked == "new v3 = 0.9 * old v3 + 0.1 * the features in every step"
    assert lines(found, "clipping") == {"Learn: s3 = minimum(s3, s8)"}


@pytest.mark.parametrize("damage", ["s3 = s0 + s1", "v2 = s3 * v1", "v1 = v1 - v2", "s1 = norm(v0)"])
def test_a_damaged_linear_model_is_no_longer_called_one(damage):
    """One line is replaced: what it breaks is not named."""
    target = damage.split(" = ")[0]
    text = str(zoo("linear"))
    line = {"s3": "s3 = s0 - s1", "v2": "v2 = s3 * v0", "v1": "v1 = v1 + v2", "s1": "s1 = dot(v1, v0)"}[
        target
    ]
    found = explain(Program.parse(text.replace(line, damage)))
    good = [i for i in found.named("gradient step") if "moves by 0.01 times error" in i.summary]
    assert not good
    if target == "s1":
        assert "linear model" not in names(found)


def mutated(rng: np.random.Generator, program: Program) -> Program:
    """A program with one to three instructions taken out, replaced or given other operands."""
    functions = [list(f) for f in program.functions]
    memory = program.memory
    usable = [op for op in OPS if all(memory.of(k) for k in (*op.operands, *op.result))]
    for _ in range(int(rng.integers(1, 4))):
        function = functions[int(rng.integers(1, 3))]
        if not function:
            continue
        at = int(rng.integers(len(function)))
        old, kind = function[at], rng.integers(3)
        if kind == 0:
            del function[at]
        elif kind == 1:
            function[at] = random_instruction(rng, usable, memory, program.form)
        else:
            operands = [int(rng.integers(memory.of(k))) for k in old.op.operands]
            function[at] = Instruction.of(old.op, old.out, operands, old.constants)
    return Program(*map(tuple, functions), form=program.form)


@pytest.mark.parametrize("count", [12, pytest.param(500, marks=pytest.mark.slow)])
def test_on_random_programs_and_champions(count):
    """Explaining never raises, and native code confirms what is said of the prediction."""
    zoos = [p for n in zoo_names() if (p := zoo(n)).form == SCALAR]
    for number in range(count):
        rng = np.random.default_rng([number, 3])
        if number % 4 == 0:
            program = lively_program(rng, (SCALAR, VECTOR)[number // 4 % 2])
        else:
            parents = [*zoos, *map(load, FOUND)]
            program = mutated(rng, parents[int(rng.integers(len(parents)))])
        found = explain(program, classifier=bool(number % 2))
        assert found.as_record()["program"] == str(program.live())
        if program.form == SCALAR and not carried(program):
            confirm(rng, program, found)


def confirm(rng: np.random.Generator, program: Program, found: Explanation) -> None:
    """Compares what is said of the prediction with native predictions along lines of features."""
    x, y = rng.normal(size=(8, 4)), rng.normal(size=8)
    start, along = rng.normal(size=(2, 4))
    task = Task(x, y, start + np.arange(-2.0, 4.0)[:, None] * along, np.zeros(6))
    result = execute(program, task, "native", dtype="float64", max_abs_error=1e9)
    p = result.predictions[0]
    if result.failed[0] or any(i.op.stochastic for i in program.live().predict):
        return
    size = max(np.abs(p).max(), 1e-12)
    if "linear model" in names(found):
        assert np.abs(np.diff(p, 2)).max() <= 1e-9 * size, str(program)
    last = max((n for n, i in enumerate(found.program.predict) if str(i).startswith("s1 =")), default=-1)
    if any(Place(1, last) == idea.lines[-1] for idea in found.named("multiplicative interaction")):
        assert np.abs(np.diff(p, 3)).max() <= 1e-8 * size, str(program)
    near = found.nearest
    if near is not None and near.kind == "predictions":
        rate = dict(near.constants)["learning rate"]
        other = execute(
            with_rate(near.name.removeprefix("zoo:"), rate), task, dtype="float64", max_abs_error=1e9
        )
        assert np.allclose(p, other.predictions[0], rtol=1e-5, atol=1e-8 * size), str(program)
