"""The vector form: one-hot labels, vectors of predictions, softmax; several classes at once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azgen.errors import AzgenError
from azgen.execution.execute import execute
from azgen.language import Memory, Program
from azgen.language.instruction import SCALAR, VECTOR
from azgen.language.meaning import softmax
from azgen.language.metrics import Metric
from azgen.language.zoo import zoo
from azgen.settings.presets import preset
from azgen.study.baselines import baseline_scores
from azgen.study.scores import fitness_of_predictions
from azgen.tasks import load_data_set
from azgen.tasks.task import Task
from tests.agreement import Tally, compile_all, random_tasks
from tests.strategies import programs, random_program
from tests.tasks.labelled import image_tasks

BACKENDS = ["oracle", "kernel", "native"]
MEMORY = Memory(3, 6, 3)
SHOW_SCORES = """
label, prediction = v1, v2
def Setup():
  pass
def Predict():
  v2 = v0 + v3
def Learn():
  pass
"""


def one_hot(classes: int, *labels: int) -> np.ndarray:
    return np.eye(classes)[list(labels)]


# ---- programs


def test_the_first_line_says_the_form_and_the_text_round_trips():
    program = Program.parse(SHOW_SCORES)
    assert program.form == VECTOR and str(program).startswith("label, prediction = v1, v2\ndef Setup():")
    assert Program.parse(str(program)) == program and Program.parse(str(program)).hash == program.hash
    assert Program.parse(SHOW_SCORES.replace("v1, v2", "s0, s1")).form == SCALAR
    assert program.memory == Memory(0, 4, 0) and Program(form=VECTOR).memory == Memory(0, 3, 0)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("v1 = v0 + v2", r"line 6, column 3: v1 holds the label"),
        ("v0 = v1 + v2", "v0 holds the features"),
    ],
)
def test_label_and_features_are_never_written(line, message):
    with pytest.raises(AzgenError, match=message):
        Program.parse(SHOW_SCORES.replace("v2 = v0 + v3", line))
    Program.parse(SHOW_SCORES.replace("v2 = v0 + v3", "s0 = s1 + s1"))  # ordinary scalars here


def test_an_unknown_form_is_named():
    with pytest.raises(AzgenError, match="line 2, column 1: expected `label, prediction = s0, s1` or"):
        Program.parse(SHOW_SCORES.replace("v1, v2", "v3, v2"))


def test_live_code_and_normal_form_follow_the_form():
    """The same lines mean other things in the two forms, and are never taken for each other."""
    lines = (
        "def Setup():\n  s5 = 0.5\ndef Predict():\n  v2 = s5 * v0\n  s1 = dot(v4, v0)\n"
        "def Learn():\n  v4 = v4 + v0\n"
    )
    scalar, vector = Program.parse(lines), Program.parse("label, prediction = v1, v2\n" + lines)
    assert str(scalar.live()).count("=") == 2 and "v2" not in str(scalar.live())
    assert str(vector.normalized()) == (
        "label, prediction = v1, v2\ndef Setup():\n  s0 = 0.5\ndef Predict():\n  v2 = s0 * v0\n"
        "def Learn():\n  pass\n"
    )
    same = "def Setup():\n  pass\ndef Predict():\n  pass\ndef Learn():\n  pass\n"
    assert Program.parse(same).hash != Program(form=VECTOR).hash
    assert Program.parse(same).structure_hash != Program(form=VECTOR).structure_hash


@settings(max_examples=60, deadline=None)
@given(programs(memory=MEMORY, form=VECTOR))
def test_normal_forms_are_idempotent_and_keep_the_form(program):
    normal = program.normalized()
    assert normal.form == VECTOR and normal.normalized() == normal
    assert Program.parse(str(program)) == program
    assert all(i.writes not in VECTOR.reserved for i in normal.instructions())


# ---- meaning


def test_softmax_by_hand():
    scores = np.array([math.log(1), math.log(2), math.log(5), 7.0])
    np.testing.assert_allclose(softmax(scores, 3), [0.125, 0.25, 0.625, 0.0], rtol=1e-15)
    np.testing.assert_allclose(softmax(np.array([1000.0, 1000, -1000]), 3), [0.5, 0.5, 0.0])
    assert np.isnan(softmax(np.array([np.nan, 1.0]), 2)).all()


@pytest.mark.parametrize("backend", BACKENDS)
def test_probabilities_ties_and_metrics_by_hand(backend):
    x = np.log([[1.0, 2, 5, 9], [4, 4, 2, 1], [1, 1, 1, 1], [3, 1, 6, 1]])
    y = one_hot(3, 2, 0, 1, 1)  # right; a tie that the first wins, rightly; a tie, wrongly; wrong
    tasks = {m: Task(x, y, x, y, metric=m) for m in ("accuracy", "balanced-accuracy", "log-loss")}
    results = {m: execute(Program.parse(SHOW_SCORES), t, backend) for m, t in tasks.items()}
    probabilities = results["accuracy"].predictions
    assert probabilities.shape == (1, 4, 3)
    expected = [[0.125, 0.25, 0.625], [0.4, 0.4, 0.2], [1 / 3] * 3, [0.3, 0.1, 0.6]]
    np.testing.assert_allclose(probabilities[0], expected, rtol=1e-6)
    assert results["accuracy"].fitness[0] == 0.5
    assert results["balanced-accuracy"].fitness[0] == pytest.approx(2 / 3)
    geometric = (0.625 * 0.4 / 3 * 0.1) ** 0.25
    assert results["log-loss"].fitness[0] == pytest.approx(geometric, rel=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_classes_that_do_not_occur_in_validation_weigh_nothing(backend):
    x = np.array([[5.0, 0, 0, 0], [0, 5, 0, 0]])
    task = Task(x, one_hot(3, 0, 2), x, one_hot(3, 0, 0), metric="balanced-accuracy")
    assert task.loss_weights == (1.0, 1.0, 1.0)
    assert execute(Program.parse(SHOW_SCORES), task, backend).fitness[0] == 0.5


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_nan_in_one_class_or_a_large_error_fails_the_task(backend):
    """Infinity less itself is NaN; with a limit of 0.5 every error of more than a half fails."""
    program = Program.parse(SHOW_SCORES.replace("v2 = v0 + v3", "v2 = 1 / v0"))
    good, bad = np.array([[1.0, 2, 3, 4]]), np.array([[1.0, 0, 3, 4]])
    label = one_hot(3, 0)
    tasks = [
        Task(good, label, good, label, metric="accuracy"),
        Task(bad, label, good, label, metric="accuracy"),
    ]
    tasks.append(Task(good, label, bad, label, metric="accuracy"))
    result = execute(program, tasks, backend)
    assert result.failed.tolist() == [False, True, True]
    assert np.isnan(result.predictions[1:]).all() and np.isfinite(result.predictions[0]).all()
    sure = Program.parse(SHOW_SCORES)
    apart = Task(
        np.log([[6.0, 3, 1, 1]]), one_hot(3, 0), np.log([[6.0, 3, 1, 1]]), one_hot(3, 1), metric="accuracy"
    )
    assert execute(sure, apart, backend, max_abs_error=0.75).failed.tolist() == [False]
    assert execute(sure, apart, backend, max_abs_error=0.65).failed.tolist() == [True]


@pytest.mark.parametrize("backend", BACKENDS)
def test_learn_sees_the_one_hot_label_and_the_probabilities_and_predict_no_label(backend):
    """v3 becomes label minus probability in Learn, v4 what Predict saw of the label: 0."""
    program = Program.parse(
        "label, prediction = v1, v2\ndef Setup():\n  pass\n"
        "def Predict():\n  v4 = v4 + v1\n  v2 = v3 + v4\ndef Learn():\n  v3 = v1 - v2\n"
    )
    x = np.ones((1, 4))
    task = Task(x, one_hot(3, 1), x, one_hot(3, 1), metric="accuracy")
    learned = np.array([-1 / 3, 2 / 3, -1 / 3])
    shown = np.exp(learned) / np.exp(learned).sum()
    np.testing.assert_allclose(execute(program, task, backend).predictions[0, 0], shown, rtol=1e-6)
    # Entries beyond the classes are 0: the mean of the probabilities over all four, which s0 gets, is 1/4.
    beyond = Program.parse(
        "label, prediction = v1, v2\ndef Setup():\n  pass\ndef Predict():\n  v2 = s0 * v0\n"
        "def Learn():\n  s0 = mean(v2)\n"
    )
    x = np.arange(1.0, 5.0)[None].repeat(2, 0)
    result = execute(beyond, Task(x, one_hot(3, 1, 0), x, one_hot(3, 0, 0), metric="accuracy"), backend)
    scores = np.exp(0.25 * np.arange(1.0, 4.0))
    np.testing.assert_allclose(result.predictions[0, 0], scores / scores.sum(), rtol=1e-5)


def test_forms_and_tasks_must_fit():
    scalar, vector = (
        random_tasks(np.random.default_rng(0), 4),
        random_tasks(np.random.default_rng(0), 4, metric="accuracy", classes=3),
    )
    with pytest.raises(
        AzgenError, match=r"the tasks have 3 classes with one-hot labels; .*zoo:softmax-linear"
    ):
        execute(zoo("linear"), vector)
    with pytest.raises(AzgenError, match=r"the tasks' labels are single numbers; .*zoo:linear"):
        execute(zoo("softmax-linear"), scalar)
    x = np.ones((4, 2))
    with pytest.raises(
        AzgenError, match="3 classes do not fit into vectors of 2 entries; n_features must be at"
    ):
        execute(
            zoo("softmax-linear"),
            Task(x, one_hot(3, 0, 1, 2, 0), x, one_hot(3, 0, 1, 2, 0), metric="accuracy"),
        )


# ---- executors


def sweep(
    shape: tuple[int, int], count: int, dtype: str, metric: Metric, memory: Memory, export: bool = True
) -> Tally:
    """Random programs over all ops on tasks of a shape: features and classes."""
    n_features, classes = shape
    rng = np.random.default_rng([count, n_features, classes, dtype == "float32"])
    sample = [random_program(rng, memory=memory, form=VECTOR) for _ in range(count)]
    compile_all(sample, n_features, metric, dtype, classes, n_tasks=3)
    tally = Tally()
    for program in sample:
        tasks = random_tasks(rng, n_features, metric=metric, n_train=classes + 6, classes=classes)
        tally.compare(program, tasks, dtype)
        if export:
            tally.compare_export(program, tasks, dtype)
    return tally


@pytest.mark.parametrize(
    ("shape", "dtype", "metric", "memory"),
    [
        pytest.param((4, 3), "float32", "accuracy", MEMORY, marks=pytest.mark.slow),
        ((4, 3), "float64", "accuracy", MEMORY),
        ((20, 3), "float32", "accuracy", MEMORY),  # in packs
        # Kernels without matrices compile faster. 17 classes are more than an ordered sum has partial sums.
        ((4, 3), "float32", "log-loss", Memory(3, 6, 0)),
        ((18, 17), "float64", "balanced-accuracy", Memory(3, 6, 0)),
    ],
)
def test_executors_agree_on_random_programs(shape, dtype, metric, memory):
    tally = sweep(shape, 12, dtype, metric, memory, export=metric == "accuracy")
    assert not tally.wrong, "\n\n".join(tally.wrong)
    assert tally.programs - tally.sensitive > 8


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (8, 3), (16, 10), (28, 10), (33, 20)])
def test_executors_agree_on_thousands_of_programs(shape, dtype):
    tally = sweep(shape, 240, dtype, "accuracy", MEMORY)
    print(f"\nF = {shape[0]}, {shape[1]} classes, {dtype}: {tally}")
    assert not tally.wrong, "\n\n".join(tally.wrong[:5])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(programs(memory=MEMORY, form=VECTOR), st.integers(0, 2**31))
def test_kernel_and_oracle_agree_on_any_program(program, seed):
    tasks = random_tasks(np.random.default_rng(seed), 4, metric="accuracy", n_train=5, classes=3)
    tally = Tally()
    tally.compare_kernel(program, tasks, "float64")
    assert not tally.wrong, tally.wrong[0]


def test_softmax_regression_learns_ten_digits_as_well_as_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    digits = load_data_set("digits")
    tasks = image_tasks(digits.x, digits.y, "all", n_features=16, n_search=1, n_select=1, n_test=4).test
    program = zoo("softmax-linear").with_constants((0.05,))
    ours = execute(program, tasks, epochs=10).fitness
    theirs = [
        LogisticRegression(max_iter=1000)
        .fit(t.x_train, t.y_train.argmax(1))
        .score(t.x_valid, t.y_valid.argmax(1))
        for t in tasks
    ]
    assert ours.mean() > 0.8 and ours.mean() > np.mean(theirs) - 0.02


# ---- baselines


@pytest.mark.parametrize("metric", ["accuracy", "balanced-accuracy", "log-loss"])
def test_baselines_see_all_classes(metric):
    digits = load_data_set("digits")
    few = digits.y < 3
    split = image_tasks(digits.x[few], digits.y[few], "all", n_features=6, n_search=1, n_select=1, n_test=2)
    split = split.with_metric(metric)
    result = execute(zoo("softmax-linear"), split.test, "oracle", dtype="float64", epochs=4)
    for task, fitness, predictions in zip(split.test, result.fitness, result.predictions, strict=True):
        assert fitness_of_predictions(task, predictions) == pytest.approx(fitness, abs=1e-12)
    if metric != "balanced-accuracy":
        return
    constant, *others = baseline_scores(split, result.fitness, preset("digits"))
    assert constant.interval.mean == pytest.approx(1 / 3)
    names = [score.name.split(" (")[0] for score in others]
    of_zoo = ["linear", "ridge", "neural-net", "ridge-net", "mean-weight-rate"]
    assert sorted(names[:-3]) == sorted(
        f"zoo:softmax-{n}{tuned}" for n in of_zoo for tuned in ("", ", tuned")
    )
    assert names[-3:] == [
        "scikit-learn LogisticRegression",
        "scikit-learn multi-layer perceptron",
        "scikit-learn gradient boosting",
    ]
    plain = [score for score in others if "tuned" not in score.name and "ridge" not in score.name]
    assert all(score.interval.mean > constant.interval.mean + 0.1 for score in plain)
