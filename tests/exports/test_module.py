"""Exported modules mean what their programs mean, and read as if a person had written them."""

from __future__ import annotations

import math
import sys
import types
import warnings
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from azgen.errors import AzgenError
from azgen.exports.module import export, render_module
from azgen.exports.provenance import Provenance
from azgen.language import Memory, Program
from azgen.language.zoo import zoo
from tests.reference import NUMPY_SUMS, examples, predictions
from tests.strategies import programs, random_program

LINEAR = """
def Setup():
  s2 = 0.01
def Predict():
  s1 = dot(v1, v0)
def Learn():
  s3 = s0 - s1
  s3 = s2 * s3
  v2 = s3 * v0
  v1 = v1 + v2
"""

NEURAL_NET = """
def Setup():
  v2 = gaussian(0.0, 0.1, n_features)
  m0 = gaussian(0.0, 0.1, (n_features, n_features))
  s3 = 0.01
def Predict():
  v3 = dot(m0, v0)
  v3 = v3 + v1
  v4 = maximum(v3, v5)
  s1 = dot(v4, v2)
  s1 = s1 + s2
def Learn():
  s4 = s0 - s1
  s4 = s3 * s4
  s2 = s2 + s4
  v6 = s4 * v4
  v2 = v2 + v6
  v7 = s4 * v2
  v8 = heaviside(v3, 0.0)
  v7 = v8 * v7
  v1 = v1 + v7
  m1 = outer(v7, v0)
  m0 = m0 + m1
"""

# The best evolved program of the paper (figure 6), cleaned.
EVOLVED = """
def Setup():
  s4 = 0.0018
def Predict():
  v2 = v0 + v1
  v3 = v0 - v1
  v4 = dot(m0, v2)
  s1 = dot(v3, v4)
  m0 = s2 * m2
def Learn():
  s3 = s0 - s1
  m0 = outer(v3, v0)
  s2 = norm(m0)
  s5 = s3 / s2
  v5 = s5 * v3
  m0 = outer(v5, v2)
  m1 = m1 + m0
  m2 = m2 + m1
  m0 = s4 * m1
  v1 = uniform(0.0024, 0.67, n_features)
"""

# The same as evolution left it (supplement S1a), with code that has no effect.
EVOLVED_RAW = """
def Setup():
  s4 = uniform(0.6, 0.2)
  v3 = gaussian(0.7, 0.4, n_features)
  v12 = gaussian(0.2, 0.6, n_features)
  s1 = uniform(-0.1, -0.2)
def Predict():
  v1 = v0 - v9
  v5 = v0 + v9
  v6 = dot(m1, v5)
  m1 = s2 * m2
  s1 = dot(v6, v1)
  s6 = cos(s4)
def Learn():
  s4 = s0 - s1
  s3 = abs(s1)
  m1 = outer(v1, v0)
  s5 = sin(s4)
  s2 = norm(m1)
  s7 = s5 / s2
  s4 = s4 + s6
  v11 = s7 * v1
  m1 = heaviside(m2, 0.0)
  m1 = outer(v11, v5)
  m0 = m1 + m0
  v9 = uniform(0.002, 0.7, n_features)
  s7 = log(s0)
  s4 = std(m0)
  m2 = m2 + m0
  m1 = s4 * m0
"""


def load_text(text: str) -> types.ModuleType:
    module = types.ModuleType("winner")
    exec(compile(text, "winner.py", "exec", dont_inherit=True), module.__dict__)
    return module


def load_parts(text: str) -> types.ModuleType:
    """The same, for sweeps over hundreds of modules: what stands in all of them is compiled once."""
    assert "__future__" not in text  # it would hold for its own part only
    module = types.ModuleType("winner")
    for part in text.split("\n\n\n"):
        exec(compiled(part), module.__dict__)
    return module


@lru_cache(1000)
def compiled(part: str) -> types.CodeType:
    return compile(part, "winner.py", "exec", dont_inherit=True)


def learner(text: str) -> str:
    """The class Learner of a module, without docstrings and registers."""
    start = text.index("class Learner:")
    lines = text[start : text.index("\n\n\n", start)].splitlines()
    return "\n".join(line.split("  # ")[0].strip() for line in lines if '"""' not in line)


def exported_predictions(program, x_train, y_train, x_valid, metric, dtype, seed=0):
    module = load_parts(render_module(program, metric=metric, dtype=dtype))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if metric == "rmse":
            model = module.EvolvedRegressor(standardize=False, random_state=seed).fit(x_train, y_train)
            return model.predict(x_valid)
        model = module.EvolvedClassifier(standardize=False, random_state=seed).fit(x_train, y_train)
        return model.predict_proba(x_valid)[:, 1]


def compare(program: Program, F: int, metric: str, seed: int) -> bool:
    """Compares export and reference; False for a program that amplifies rounding errors."""
    x_train, y_train, x_valid = examples(seed, F, metric)
    live = program.live()  # a dead draw is no draw
    expected = predictions(live, x_train, y_train, x_valid, metric, seed=seed)
    other = predictions(live, x_train, y_train, x_valid, metric, seed=seed, meanings=NUMPY_SUMS)
    if not np.allclose(expected, other, rtol=1e-9, atol=1e-12, equal_nan=True):
        return False
    got = exported_predictions(program, x_train, y_train, x_valid, metric, "float64", seed)
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-9, equal_nan=True)
    return True


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs(), st.sampled_from((2, 3, 4, 8)), st.sampled_from(("rmse", "accuracy")), st.integers(0, 99))
def test_module_predicts_what_the_program_predicts(program, F, metric, seed):
    stable = compare(program, F, metric, seed)
    event("stable" if stable else "amplifies rounding")
    assume(stable)


@pytest.mark.parametrize("count", [80, pytest.param(400, marks=pytest.mark.slow)])
@pytest.mark.parametrize("memory", [Memory(4, 4, 3), Memory(3, 2, 1)], ids=str)
def test_module_predicts_what_the_program_predicts_on_a_sweep(memory, count):
    rng = np.random.default_rng(7)
    stable = [
        compare(random_program(rng, memory=memory), (2, 3, 4, 8)[i % 4], ("rmse", "accuracy")[i % 2], i)
        for i in range(count)
    ]
    assert sum(stable) > 0.95 * len(stable)


@pytest.mark.parametrize("text", [LINEAR, NEURAL_NET, EVOLVED, EVOLVED_RAW])
@pytest.mark.parametrize("metric", ["rmse", "accuracy"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_classic_programs_predict_the_same_in_both_number_types(text, metric, dtype):
    program = Program.parse(text)
    x_train, y_train, x_valid = examples(3, 4, metric, n_train=50)
    expected = predictions(program.live(), x_train, y_train, x_valid, metric, dtype=dtype)
    got = exported_predictions(program, x_train, y_train, x_valid, metric, dtype)
    tolerance = 1e-3 if dtype == "float32" else 1e-9
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


def test_linear_regression_reads_like_linear_regression():
    assert learner(render_module(Program.parse(LINEAR))) == (
        "class Learner:\n\n"
        "def __init__(self, n_features, learning_rate):\n"
        "self.learning_rate = DTYPE(learning_rate)\n"
        "self.weights = np.zeros(n_features, DTYPE)\n\n"
        "def predict(self, features):\n"
        "return self.weights @ features\n\n"
        "def learn(self, features, label, prediction):\n"
        "self.weights += self.learning_rate * (label - prediction) * features"
    )


def test_logistic_regression_returns_a_probability():
    text = learner(render_module(Program.parse(LINEAR), metric="accuracy"))
    assert "return sigmoid(self.weights @ features)" in text


def test_neural_net_reads_like_a_neural_net():
    text = learner(render_module(Program.parse(NEURAL_NET)))
    for line in (
        "self.hidden_weights = rng.normal(0.0, hidden_weights_stdev, (n_features, n_features))",
        "self.hidden_bias = np.zeros(n_features, DTYPE)",
        "self.pre_activation = self.hidden_weights @ features + self.hidden_bias",
        "self.hidden = np.maximum(self.pre_activation, 0.0)",
        "return self.output_weights @ self.hidden + self.output_bias",
        "step = self.learning_rate * (label - prediction)",
        "self.output_bias += step",
        "self.output_weights += step * self.hidden",
        "hidden_update = step * self.output_weights * (self.pre_activation > 0)",
        "self.hidden_bias += hidden_update",
        "self.hidden_weights += np.outer(hidden_update, features)",
    ):
        assert line in text.splitlines()


@pytest.mark.parametrize("text", [EVOLVED, EVOLVED_RAW])
def test_best_evolved_program_reads_like_its_explanation(text):
    lines = learner(render_module(Program.parse(text), metric="accuracy")).splitlines()
    for line in (
        "self.features_plus_noise = features + self.noise",
        "self.features_minus_noise = features - self.noise",
        "self.scaled_weights = self.norm * self.sum_of_weights",
        "self.norm = np.linalg.norm(np.outer(self.features_minus_noise, features))",
        "self.weights += np.outer(update, self.features_plus_noise)",
        "self.sum_of_weights += self.weights",
        "self.noise = self.rng.uniform(self.noise_low, self.noise_high, len(features))",
    ):
        assert line in lines
    assert not any("cos" in line or "heaviside" in line for line in lines)


def rendered(setup="pass", predict="pass", learn="pass", **options) -> str:
    parts = zip(("Setup", "Predict", "Learn"), (setup, predict, learn), strict=True)
    text = "".join(f"def {name}():\n" + "".join(f"  {s}\n" for s in body.split("; ")) for name, body in parts)
    return learner(render_module(Program.parse(text), **options))


def test_folding_stops_where_an_attribute_is_overwritten():
    text = rendered(predict="s1 = dot(v1, v0); v1 = v1 + v0")
    assert "prediction = self.running_sum @ features\nself.running_sum += features\nreturn prediction" in text


def test_random_draws_keep_their_order():
    text = rendered(predict="s2 = uniform(0.0, 1.0); s3 = uniform(2.0, 3.0); s1 = s3 - s2")
    assert text.index("noise_low, self.noise_high") < text.index("noise_low_2, self.noise_high_2")


def test_elements_are_set_in_place():
    text = rendered(setup="v1[0.5] = 2.0", predict="s1 = dot(v1, v0)", learn="v1[0.25] = -1.0")
    assert "self.vector[int(0.5 * n_features)] = vector_entry" in text
    assert "self.vector[int(0.25 * len(features))] = self.vector_entry_2" in text


def test_kept_views_are_copied():
    text = rendered(predict="m1 = transpose(m0); v1 = dot(m1, v0); s1 = mean(v1)", learn="m0 = m0 + m1")
    assert ".T.copy()" in text


def test_clipping_uses_numpy_where_nan_makes_no_difference():
    assert "np.maximum(features, 0.0)" in rendered(predict="v1 = maximum(v0, v2); s1 = mean(v1)")
    assert "np.fmax(features, 0.0)" in rendered(predict="v1 = maximum(v2, v0); s1 = mean(v1)")
    assert "(minimum(features, np.abs(features)))" in rendered(
        predict="v1 = abs(v0); v2 = minimum(v0, v1); s1 = mean(v2)"
    )


def test_what_is_made_of_zeros_is_zero():
    text = rendered(setup="v1 = s2 * v0; s3 = dot(v1, v1)", predict="s1 = s3 - s1", learn="s3 = abs(s0)")
    assert "self.magnitude = DTYPE(0.0)" in text
    assert "@" not in text and "*" not in text


def test_terms_that_are_zero_for_certain_are_gone():
    predict = "v2 = v0 - v0; v3 = v0 * v8; v2 = v2 + v3; v4 = v0 + v2; s1 = dot(v1, v4)"
    learn = "s3 = s0 - s1; v5 = s3 * v0; v1 = v1 + v5"
    text = rendered(predict=predict, learn=learn)
    assert "return self.weights @ features" in text.splitlines()
    # What may be infinite, or NaN, is not taken for finite: weights may overflow, a quotient of zeros is NaN.
    assert "self.weights - self.weights" in rendered(predict="v2 = v1 - v1; s1 = dot(v2, v0)", learn=learn)
    assert "self.weights * 0.0" in rendered(predict="v2 = v1 * v8; s1 = dot(v2, v0)", learn=learn)
    assert "/" in rendered(predict="v2 = v0 / v8; v3 = v2 * v9; s1 = mean(v3)")
    # A draw is finite, and stays so in memory that holds nothing else.
    draw = "v1 = uniform(0.0, 1.0, n_features)"
    draws = rendered(predict="v2 = v1 - v1; v3 = v0 + v2; s1 = mean(v3)", learn=draw)
    assert "return np.mean(features)" in draws


def test_what_is_proved_has_its_name():
    learn = "s3 = s0 - s1; v5 = s2 * v0; v6 = s3 * v5; v1 = v1 + v6; s4 = s2 * s3; s5 = s5 + s4"
    learn += "; v9 = uniform(0.0, 0.1, n_features)"
    text = rendered(setup="s2 = 0.1", predict="v2 = v1 + v9; s1 = dot(v2, v0); s1 = s1 + s5", learn=learn)
    assert "self.weights += error * (self.learning_rate * features)" in text, "a rate used twice"
    assert "self.bias += self.learning_rate * error" in text
    twice = rendered(predict="v2 = v1 + v9; s1 = dot(v2, v0); s2 = norm(v2); s1 = s1 / s2", learn=learn)
    assert "shifted_weights = self.weights + self.noise" in twice


def test_the_sign_of_a_zero_matters_only_where_something_is_divided_by_it():
    text = learner(render_module(zoo("additive-net")))
    hidden = "self.hidden = np.maximum(self.hidden_weights @ features + self.hidden_bias, 0.0)"
    assert hidden in text.splitlines(), "what is divided by is the rate alone"
    # 1 / -0.0 is another number than 1 / 0.0.
    divided = rendered(predict="v2 = maximum(v0, v8); v3 = 1 / v2; s1 = mean(v3)")
    assert "np.zeros" in divided and "np.maximum(features, 0.0)" not in divided


def test_registers_stand_beside_names_and_reading_may_stop():
    program = Program.parse(NEURAL_NET)
    text = render_module(program.normalized())
    assert "m0 = gaussian" in text and "s2 = 0.01" in text and "v5 = maximum(v2, v4)" in text
    named = {"learning_rate": "s2", "hidden_weights": "m0", "pre_activation": "v2", "hidden": "v5"}
    for name, register in named.items():
        (first, *_) = [line for line in text.splitlines() if line.strip().startswith(f"self.{name} = ")]
        assert first.endswith(f"  # {register}")
    assert "normal form" not in text and "normal form" in render_module(program)
    algorithm, rest = text.split("no need to read on")
    assert "class Learner" in algorithm and "class EvolvedRegressor" in rest


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_memory_keeps_the_number_type(dtype):
    rng = np.random.default_rng(3)
    for i in range(30):
        module = load_parts(render_module(random_program(rng), dtype=dtype))
        x, y, _ = examples(i, 3, "rmse")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = module.EvolvedRegressor(standardize=False).fit(x, y)
        for name, value in vars(model.learner_).items():
            assert name == "rng" or value.dtype == dtype


def test_constants_keep_full_precision_and_become_parameters():
    rate = 0.1 + 0.2 + 1e-17
    text = render_module(Program.parse(LINEAR).with_constants((rate,)))
    module = load_text(text)
    assert module.EvolvedRegressor().get_params()["learning_rate"] == rate
    assert Program.parse(module.PROGRAM) == Program.parse(LINEAR).with_constants((rate,))
    for value in (math.inf, -math.inf):
        model = load_text(render_module(Program.parse(LINEAR).with_constants((value,)))).EvolvedRegressor()
        assert model.learning_rate == value


def test_prediction_may_change_memory_but_only_a_copy():
    program = Program.parse("def Setup():\n  pass\ndef Predict():\n  s2 = s2 + s3\n  s3 = 1.0\n  s1 = s2\n"
                            "def Learn():\n  pass".replace("s1 = s2", "s1 = s2 + s4"))  # fmt: skip
    model = load_text(render_module(program)).EvolvedRegressor(standardize=False)
    model.fit(np.ones((3, 2)), np.zeros(3))
    assert model.predict(np.ones((3, 2))).tolist() == [3.0, 4.0, 5.0]
    assert model.predict(np.ones((3, 2))).tolist() == [3.0, 4.0, 5.0]


def test_provenance_is_stated_and_harmless():
    origin = Provenance(
        run='C:\\runs\\new "x"', preset="linear", seed=7, program_number=48211, programs=60000,
        data='""" import os', search_fitness=0.99998, test_fitness=1.0, test_tasks=100, version="0.1.0",
    )  # fmt: skip
    module = load_text(render_module(Program.parse(LINEAR), provenance=origin))
    for part in ("preset linear, seed 7", "48 211 of 60 000", "0.99998", "100 test tasks", "C:\\runs\\new"):
        assert part in " ".join(module.__doc__.split())
    assert Provenance().sentences() == []


def test_module_needs_numpy_alone():
    text = render_module(Program.parse(NEURAL_NET))
    imported = {line.split()[1] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imported <= {"numpy", *sys.stdlib_module_names}


def test_bad_arguments_are_refused(tmp_path):
    program = Program.parse(LINEAR)
    with pytest.raises(AzgenError, match="no folder"):
        export(program, tmp_path / "missing" / "winner.py")
    with pytest.raises(AzgenError, match="a folder"):
        export(program, tmp_path)
    with pytest.raises(AzgenError, match="metric"):
        render_module(program, metric="auc")
    with pytest.raises(AzgenError, match="dtype"):
        render_module(program, dtype="float16")
    with pytest.raises(AzgenError, match="identifier"):
        render_module(program, class_name="my class")


def test_export_replaces_the_file_as_a_whole(tmp_path):
    path = tmp_path / "winner.py"
    path.write_text("old")
    assert export(Program.parse(LINEAR), path) == path
    assert path.read_text() == render_module(Program.parse(LINEAR))
    assert [p.name for p in tmp_path.iterdir()] == ["winner.py"]
