"""Exported modules predict all rows at once where they may, and say the same as row by row."""

import copy
import warnings
from itertools import product

import numpy as np
import pytest

from azgen.exports.columns import lines_for_columns
from azgen.exports.flow import Flow
from azgen.exports.module import render_module
from azgen.language import OPS, Program
from azgen.language.zoo import find_program, zoo, zoo_names
from tests.exports.test_module import load_parts

F = 3

PER_ROW = {"s": "s3", "v": "v0", "m": "m2"}
"""What depends on the features, by kind; `LEARNED` does not."""

LEARNED = {"s": "s4", "v": "v3", "m": "m3"}

AROUND = """
def Setup():
  s4 = uniform(0.5, 0.9)
  v3 = uniform(-0.9, 0.9, n_features)
  m3 = uniform(-0.9, 0.9, (n_features, n_features))
def Predict():
  s3 = mean(v0)
  s3 = cos(s3)
  m2 = outer(v0, v3)
  {line}
  {result}
def Learn():
  s4 = s0 * s4
"""

RESULTS = {"s": "s1 = s9 + s3", "v": "s1 = dot(v9, v3)", "m": "v9 = dot(m9, v3)\n  s1 = norm(v9)"}


def predictions(program: Program, dtype: str = "float64") -> tuple[np.ndarray, np.ndarray]:
    """Of some rows: all at once, and row by row."""
    module = load_parts(render_module(program, dtype=dtype))
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(6, F)), np.arange(6) % 3 + 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kind = next(name for name in ("EvolvedRegressor", "EvolvedClassifier") if hasattr(module, name))
        model = getattr(module, kind)(standardize=False).fit(x, y.round())
        learner = copy.deepcopy(model.learner_)
        rows = np.array([learner.predict(row) for row in x.astype(dtype)])
        return model._predict_all(x), rows


def programs_of_ops():
    """Every op that has operands, with operands that depend on the features and that do not."""
    for op in OPS:
        sides = product(*((PER_ROW, LEARNED) for _ in op.operands))
        for side in sides if op.operands else ():
            operands = [names[kind] for names, kind in zip(side, op.operands, strict=True)]
            right = op.listing.format(**dict(zip("ab", operands, strict=False)))
            line = f"{op.result}9 = {right}"
            yield Program.parse(AROUND.format(line=line, result=RESULTS[op.result]))


def test_every_op_does_the_same_in_columns():
    programs = list(programs_of_ops())
    assert len(programs) > 120
    for program in programs:
        assert lines_for_columns(Flow(program, False))
        columns, rows = predictions(program)
        np.testing.assert_allclose(columns, rows, rtol=1e-9, equal_nan=True, err_msg=str(program))


def chained_program(rng: np.random.Generator) -> Program:
    """Eight ops, each on what the features, memory or those before it give; the last ones decide."""
    known = {"s": ["s2"], "v": ["v0", "v1"], "m": ["m0"]}
    ops = [op for op in OPS if op.operands]
    lines = []
    for number in range(3, 11):
        op = ops[rng.integers(len(ops))]
        operands = [known[kind][-1 - rng.integers(min(3, len(known[kind])))] for kind in op.operands]
        lines.append(f"{op.result}{number} = {op.listing.format(**dict(zip('ab', operands, strict=False)))}")
        known[op.result].append(f"{op.result}{number}")
    s, v, m = (known[kind][-1] for kind in "svm")
    lines += [f"v11 = dot({m}, {v})", "v11 = v11 + v0", "s11 = norm(v11)", f"s1 = s11 + {s}"]
    setup = [
        "s2 = 0.7",
        "v1 = uniform(-0.9, 0.9, n_features)",
        "m0 = uniform(-0.9, 0.9, (n_features, n_features))",
    ]
    return program_of(setup, lines, ["s2 = s0 * s2"])


def program_of(*functions) -> Program:
    names = ("Setup", "Predict", "Learn")
    return Program.parse(
        "".join(f"def {n}():\n  " + "\n  ".join(f) + "\n" for n, f in zip(names, functions, strict=True))
    )


def test_chains_of_ops_and_the_zoo_do_the_same_in_columns():
    rng = np.random.default_rng(11)
    programs = [chained_program(rng) for _ in range(40)]
    assert all(lines_for_columns(Flow(program, False)) for program in programs)
    programs += [zoo(name) for name in zoo_names()]
    differing = []
    for program in programs:
        columns, rows = predictions(program)
        rows = rows[:, : columns.shape[1]] if columns.ndim == 2 else rows
        if not np.allclose(columns, rows, rtol=1e-7, atol=1e-9, equal_nan=True):
            differing.append(str(program))
    assert differing == []


@pytest.mark.parametrize(
    ("predict", "at_once"),
    [
        ("s1 = dot(v1, v0)", True),
        ("s1 = dot(v1, v0); s2 = s1 + s1", True),  # kept for Learn alone
        ("s1 = dot(v1, v0); v1 = v1 + v0", False),
        ("s1 = dot(v1, v0); s1 = s1 + s2; s2 = s1 + s1", False),
        ("v2 = gaussian(0.0, 0.1, n_features); s1 = dot(v2, v0)", False),
        ("v2[0.5] = 1.0; s1 = dot(v2, v0)", False),
    ],
)
def test_what_is_carried_over_decides(predict, at_once):
    learn = "s3 = s0 - s2; v3 = s3 * v0; v1 = v1 + v3"
    module = render_module(program_of(["pass"], predict.split("; "), learn.split("; ")))
    assert ("def predict_columns" in module) is at_once and ("import copy" in module) is not at_once


def test_one_line_says_how_all_rows_are_predicted():
    module = render_module(zoo("neural-net"))
    body = module.split("def predict_columns(learner, features):\n")[1].split("\n\n\n")[0].splitlines()[1:]
    assert [line.strip() for line in body] == [
        "hidden = np.maximum(learner.hidden_weights @ features + learner.hidden_bias[:, None], 0.0)",
        "return learner.output_weights @ hidden + learner.output_bias",
    ]


@pytest.mark.parametrize("name", ["zoo:affine", "zoo:neural-net", "zoo:skip-net"])
def test_a_prediction_does_not_depend_on_the_other_rows(name):
    module = load_parts(render_module(find_program(name), dtype="float32"))
    rng = np.random.default_rng(3)
    x = rng.normal(size=(67, 13))
    model = module.EvolvedRegressor().fit(x, x[:, 0] * 1.7 + x[:, 1])
    found = model.predict(x)
    order = rng.permutation(len(x))
    np.testing.assert_allclose(model.predict(x[order]), found[order], rtol=1e-12)
    np.testing.assert_allclose([model.predict(row[None])[0] for row in x], found, rtol=1e-12)
