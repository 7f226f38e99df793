"""Static warnings: their sentences, and that what they do not mention does not happen."""

from __future__ import annotations

import numpy as np
import pytest

from azgen import Program, Task, execute
from azgen.language import OPS
from azgen.language.instruction import SCALAR, VECTOR
from azgen.language.zoo import zoo
from azgen.study.understanding import warnings as module
from azgen.study.understanding.bounds import bounds_of_operands
from azgen.study.understanding.warnings import warnings_of
from tests.agreement import random_tasks
from tests.reference import predictions
from tests.strategies import lively_program


def program(setup: str = "", predict: str = "s1 = dot(v1, v0)", learn: str = "") -> Program:
    parts = zip(("Setup", "Predict", "Learn"), (setup, predict, learn), strict=True)
    return Program.parse(
        "".join(
            f"def {n}():\n" + "".join(f"  {i.strip()}\n" for i in (t or "pass").split(";")) for n, t in parts
        )
    )


SENTENCES = {
    "Learn never reads the label s0.": program(learn="v1 = v1 + v0"),
    "It learns nothing": program(setup="v1 = gaussian(0.0, 1.0, n_features)"),
    "Predict reads the label s0, which is 0 there": program(predict="s2 = mean(v0); s1 = s0 + s2"),
    "does not depend on its features": program(predict="s1 = s2 + s2", learn="s2 = s0 + s3"),
    "Predict never sets the prediction s1": program(predict="", learn="s1 = s0 - s2"),
    "the order of rows matters": program(predict="v1 = v1 + v0; s1 = mean(v1)"),
    "how many rows were predicted before": program(
        setup="s3 = 1.0", predict="s2 = s2 + s3; s4 = mean(v0); s1 = s4 * s2"),
    "Predict draws random numbers": program(predict="v1 = uniform(0.0, 1.0, n_features); s1 = dot(v1, v0)"),
    "May divide by zero (Learn: s3 = s2 / s1)": program(learn="s2 = 1.0; s3 = s2 / s1; v1 = s3 * v0"),
    "Divides by the label (Learn: s3 = 1 / s0)": program(learn="s3 = 1 / s0; v1 = s3 * v0"),
    "Divides by something made from the label": program(learn="s2 = s0 - s1; s3 = 1 / s2; v1 = s3 * v0"),
    "logarithm of a number that is not positive": program(predict="s2 = mean(v0); s1 = log(s2)"),
    "May leave the range -1 to 1": program(predict="s2 = mean(v0); s1 = arcsin(s2)"),
    "1 of 2 lines have no effect": program(predict="s1 = mean(v0); s3 = s1 + s1"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", SENTENCES)
def test_each_sentence_has_its_program(sentence):
    assert any(sentence in warning for warning in warnings_of(SENTENCES[sentence]))


def test_sound_programs_of_the_zoo_have_none():
    for name in ("linear", "affine", "neural-net", "evolved-net", "rate-decay", "softmax-linear"):
        assert warnings_of(zoo(name)) == ()
    assert [w for w in warnings_of(zoo("best-evolved-raw")) if "may divide" in w.lower()] == [
        "May divide by zero (Learn: s7 = s5 / s2)."
    ]


def test_divisions_that_are_proved_harmless_are_not_mentioned():
    safe = program(predict="s2 = mean(v0); s3 = sin(s2); s4 = 2.0; s5 = s3 + s4; s1 = s2 / s5")
    assert not [w for w in warnings_of(safe) if "zero" in w]
    for text in ("s3 = exp(s2)", "s3 = abs(s2)", "s3 = cos(s2)"):
        assert any("zero" in w for w in warnings_of(program(predict=f"s2 = mean(v0); {text}; s1 = s2 / s3")))


def _sweep(count, seed=3):
    rng = np.random.default_rng(seed)
    for number in range(count):
        form, metric = [(SCALAR, "rmse"), (SCALAR, "accuracy"), (VECTOR, "accuracy")][number % 3]
        yield (
            lively_program(rng, form),
            random_tasks(rng, 4, metric=metric, classes=3 if form == VECTOR else 0),
        )


@pytest.mark.parametrize("count", [150, pytest.param(500, marks=pytest.mark.slow)])
def test_bounds_hold_on_random_programs(count):
    """Every operand of every executed instruction lies within its bounds, and warnings miss nothing."""
    for tested, tasks in _sweep(count):
        live = tested.live()
        known = {id(i): b for _, i, b in bounds_of_operands(live)}
        divided_by_zero = []

        def watched(op, known_bounds, hits=divided_by_zero):
            def call(*inputs):
                for value, bounds in zip(inputs, known_bounds, strict=False):
                    value = np.asarray(value, float)
                    number = value[~np.isnan(value)]
                    assert (number >= bounds.low).all() and (number <= bounds.high).all(), (
                        op.name,
                        bounds,
                        value,
                    )
                if op.name.endswith(("division", "reciprocal")) and (np.asarray(inputs[-1]) == 0).any():
                    hits.append(op.name)
                return op.numpy(*inputs)

            return call

        # Ops of the same name share a meaning here: their bounds are joined.
        joined: dict = {}
        for instruction in live.instructions():
            if instruction.op.operands:
                bounds = known[id(instruction)]
                old = joined.get(instruction.op.name, bounds)
                joined[instruction.op.name] = [a | b for a, b in zip(old, bounds, strict=True)]
        meanings = {name: watched(OPS[name], bounds) for name, bounds in joined.items()}
        task = tasks[0]
        predictions(
            live, task.x_train, task.y_train, task.x_valid, task.metric, dtype="float32", meanings=meanings
        )
        if divided_by_zero:
            assert any("divide by zero" in warning for warning in warnings_of(tested)), str(live)


@pytest.mark.parametrize("count", [150, pytest.param(500, marks=pytest.mark.slow)])
def test_where_no_order_is_warned_of_rows_can_be_exchanged(count):
    seen = {True: 0, False: 0}
    for tested, tasks in _sweep(count, seed=4):
        live = tested.live()
        matters = module.order_matters(live)
        seen[matters] += 1
        if matters or any(i.op.stochastic for i in live.predict):
            continue
        task, kept = tasks[0], module.carried(live)
        order = np.array([1, 0, 2, 3] if kept else [3, 2, 0, 1])
        other = Task(task.x_train, task.y_train, task.x_valid[order], task.y_valid[order], metric=task.metric)
        a, b = (execute(live, t, "oracle").predictions[0] for t in (task, other))
        if np.isnan(a).any() or np.isnan(b).any():
            continue
        if kept:  # which rows came before does not matter, but how many
            assert np.array_equal(a[2:], b[2:]), str(live)
        else:
            assert np.array_equal(a[order], b), str(live)
    assert min(seen.values()) > 5
