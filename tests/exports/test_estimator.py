"""Exported classes work inside scikit-learn, and as scripts on tables."""

from __future__ import annotations

import importlib.util
import io
import runpy
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from azgen.execution.execute import execute
from azgen.exports.module import export
from azgen.language import Program
from azgen.language.instruction import VECTOR
from azgen.language.zoo import zoo
from azgen.tasks.task import Task
from tests.exports.test_module import EVOLVED, EVOLVED_RAW, LINEAR, NEURAL_NET


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    """Exports a program and imports the module."""
    folder = tmp_path_factory.mktemp("exported")

    def exported(text, metric="rmse", **options):
        name = f"winner_{len(list(folder.iterdir()))}"
        path = export(Program.parse(text), folder / f"{name}.py", metric=metric, **options)
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # pickle, which scikit-learn's checks use, looks there
        spec.loader.exec_module(module)
        return module

    return exported


# scikit-learn wants a prediction to depend on its own row alone. These programs' Predict writes memory, so
# that the first row after training differs from the rest, as it does in azgen's validation.
REMEMBERS = {"check_methods_subset_invariance", "check_methods_sample_order_invariance"}


@pytest.mark.parametrize(
    ("text", "metric", "cannot_apply"),
    [
        (LINEAR, "rmse", set()),
        (LINEAR, "accuracy", set()),
        (NEURAL_NET, "rmse", set()),
        (NEURAL_NET, "accuracy", set()),
        (EVOLVED, "accuracy", REMEMBERS),
        (EVOLVED_RAW, "accuracy", REMEMBERS),
        (str(zoo("softmax-linear")), "accuracy", set()),
        (str(zoo("softmax-neural-net")), "accuracy", set()),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_checks(load, text, metric, cannot_apply):
    module = load(text, metric)
    model = (module.EvolvedRegressor if metric == "rmse" else module.EvolvedClassifier)()
    results = check_estimator(model, on_fail=None, on_skip=None)
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert set(failed) <= cannot_apply, failed
    assert len(results) > 40


def test_regressor_is_as_good_as_least_squares_in_a_pipeline(load):
    x, y = load_diabetes(return_X_y=True)
    model = load(LINEAR).EvolvedRegressor(epochs=5, learning_rate=0.003)
    score = cross_val_score(make_pipeline(StandardScaler(), model), x, y).mean()
    assert score > cross_val_score(LinearRegression(), x, y).mean() - 0.05


def test_classifier_with_text_labels(load):
    data = load_breast_cancer()
    labels = data.target_names[data.target]
    model = load(LINEAR, "accuracy").EvolvedClassifier()
    assert cross_val_score(model, data.data, labels).mean() > 0.95
    model.fit(data.data, labels)
    assert list(model.classes_) == ["benign", "malignant"]
    assert model.predict_proba(data.data).sum(axis=1) == pytest.approx(1)
    assert model.score(data.data, labels) == np.mean(model.predict(data.data) == labels)


def test_classifier_of_several_classes(load):
    data = load_wine()
    labels = data.target_names[data.target]
    module = load(str(zoo("softmax-linear")), None)
    model = module.EvolvedClassifier(epochs=3)
    assert cross_val_score(model, data.data, labels).mean() > 0.95
    model.fit(data.data, labels)
    assert list(model.classes_) == ["class_0", "class_1", "class_2"]
    probabilities = model.predict_proba(data.data)
    assert probabilities.shape == (178, 3) and probabilities.sum(axis=1) == pytest.approx(1)
    assert (model.predict(data.data) == model.classes_[probabilities.argmax(axis=1)]).all()
    # One feature and three classes: vectors get an entry for every class all the same.
    narrow = module.EvolvedClassifier(epochs=5).fit(data.data[:, 12:], labels)
    assert narrow.predict_proba(data.data[:, 12:]).shape == (178, 3) and narrow.n_features_in_ == 1
    assert narrow.score(data.data[:, 12:], labels) > 0.6
    # An untouched prediction is a tie of all classes, and that is the first class.
    tie = Program.parse(str(Program(form=VECTOR)))
    first = load(str(tie), None).EvolvedClassifier().fit(data.data, labels)
    assert set(first.predict(data.data)) == {"class_0"}
    with pytest.raises(ValueError, match="which is none of the classes"):
        model.partial_fit(data.data[:1], ["class_9"])


def test_memory_of_probabilities_is_not_shared_between_predictions(load):
    """The program adds to the prediction that it finds, in place, and what was returned before stays."""
    text = (
        "label, prediction = v1, v2\ndef Setup():\n  pass\n"
        "def Predict():\n  v2 = v2 + v0\ndef Learn():\n  pass\n"
    )
    x = np.eye(3).repeat(2, axis=0)
    module = load(text, None, dtype="float64")
    model = module.EvolvedClassifier(standardize=False).fit(x, [0, 0, 1, 1, 2, 2])
    task = Task(x, np.eye(3)[[0, 0, 1, 1, 2, 2]], x, np.eye(3)[[0, 0, 1, 1, 2, 2]], metric="accuracy")
    expected = execute(Program.parse(text), task, "oracle", dtype="float64").predictions[0]
    np.testing.assert_allclose(model.predict_proba(x), expected, rtol=1e-9)


def test_parameters_can_be_cloned_and_searched(load):
    x, y = load_diabetes(return_X_y=True)
    search = GridSearchCV(load(NEURAL_NET).EvolvedRegressor(), {"learning_rate": [1e-9, 0.01]}).fit(x, y)
    assert search.best_params_ == {"learning_rate": 0.01}
    assert clone(search.best_estimator_).get_params() == search.best_estimator_.get_params()
    with pytest.raises(ValueError, match="Invalid parameter 'rate'"):
        search.best_estimator_.set_params(rate=1)


def test_a_tie_is_the_first_class(load):
    model = load("def Setup():\n  pass\ndef Predict():\n  pass\ndef Learn():\n  pass", "accuracy")
    classifier = model.EvolvedClassifier().fit([[1.0], [2.0]], ["yes", "no"])
    # With an untouched s1 the first prediction is the sigmoid of 0; s1 then holds a sigmoid.
    assert classifier.learner_.last_prediction > 0.5
    constant = load("def Setup():\n  pass\ndef Predict():\n  s1 = s2 * s3\ndef Learn():\n  pass", "accuracy")
    classifier = constant.EvolvedClassifier().fit([[1.0], [2.0]], ["yes", "no"])
    assert classifier.predict_proba([[1.0]]).tolist() == [[0.5, 0.5]]
    assert classifier.predict([[1.0]]) == ["no"]


def test_partial_fit_continues(load):
    x, y = load_diabetes(return_X_y=True)
    whole = load(LINEAR).EvolvedRegressor(standardize=False).fit(x, y)
    parts = load(LINEAR).EvolvedRegressor(standardize=False).partial_fit(x[:200], y[:200])
    parts.partial_fit(x[200:], y[200:])
    assert (whole.predict(x) == parts.predict(x)).all()
    with pytest.raises(ValueError, match="scaling"):
        load(LINEAR).EvolvedRegressor().partial_fit(x[:1], y[:1])


def test_random_state_decides_the_draws(load):
    x, y = load_diabetes(return_X_y=True)
    model = load(NEURAL_NET).EvolvedRegressor
    same = [model(random_state=seed).fit(x, y).predict(x) for seed in (1, 1, 2, None)]
    assert (same[0] == same[1]).all()
    assert (same[0] != same[2]).any()
    assert (same[0] != same[3]).any()


def test_divergence_is_warned_of(load):
    x = np.random.default_rng(0).normal(size=(400, 3))
    with pytest.warns(RuntimeWarning, match="diverged"):
        load(LINEAR).EvolvedRegressor(learning_rate=100.0).fit(x, x[:, 0])


# ---- as a script


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """Runs an exported module on a table, in this process: to start Python and NumPy takes longer."""
    folder = tmp_path_factory.mktemp("script")
    for name, metric in (("regressor", "rmse"), ("classifier", "accuracy")):
        export(Program.parse(LINEAR), folder / f"{name}.py", metric=metric)

    def run(name, table, *options):
        path = folder / "data.csv"
        path.write_text(table, encoding="utf-8")
        return run_here(folder / f"{name}.py", path, *options)

    return run


def run_here(path, *arguments):
    """What `python path arguments` does, without a process of its own."""
    out, err, status = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", [str(path), *map(str, arguments)])
        try:
            runpy.run_path(str(path), run_name="__main__")
        except SystemExit as end:
            status = end.code or 0
    return subprocess.CompletedProcess(sys.argv, status, out.getvalue(), err.getvalue())


def table(header, rows, delimiter=","):
    lines = [header, *rows] if header else rows
    return "\n".join(delimiter.join(map(str, line)) for line in lines) + "\n"


def regression_rows(n=200):
    x = np.random.default_rng(0).normal(size=(n, 2))
    return [(a, b, 3 * a - b) for a, b in x]


def test_script_on_a_regression_table(script):
    result = script("regressor", table(("a", "b", "price"), regression_rows()), "--target", "price")
    assert result.returncode == 0, result.stderr
    assert "200 rows, 2 features, predicting 'price'" in result.stdout
    scores = [line.split()[-2:] for line in result.stdout.splitlines()[-2:]]
    assert float(scores[0][0]) > 0.8 > 0.1 > float(scores[1][0])


def test_script_takes_tables_without_header_and_other_separators(script):
    result = script(
        "regressor", table(None, regression_rows(), ";"), "--target", "3", "--test-fraction", "0.5"
    )
    assert result.returncode == 0, result.stderr
    assert "trained on 100 rows, scored on the other 100" in result.stdout


def test_script_on_two_classes_with_text_labels(script):
    rows = [(a, b, "up" if y > 0 else "down") for a, b, y in regression_rows()]
    result = script("classifier", table(("a", "b", "way"), rows))
    assert result.returncode == 0, result.stderr
    assert float(result.stdout.splitlines()[-2].split()[-1]) > 0.9


@pytest.mark.parametrize(
    ("name", "text", "options", "message"),
    [
        ("regressor", "", (), "nothing but blank lines"),
        ("regressor", "a,b\n1,2\n", ("--target", "c"), "no column 'c'; it has a, b"),
        ("regressor", "a,b\n1,2\nx,3\n", (), "line 3, column 'a': 'x' is not a number"),
        ("regressor", "a,b\n1,2\n,3\n", (), "line 3, column 'a': '' is not a number"),
        ("regressor", "a,b\n1,2\n1,nan\n", (), "line 3, column 'b': 'nan' is not a number"),
        ("regressor", "a,b\n1,2\n3\n", (), "line 3: 1 cells, but the header has 2"),
        ("regressor", "a,b\n1,2\n2,3\n", (), "too few"),
        ("regressor", "a\n1\n2\n3\n4\n", (), "one column only"),
        ("regressor", "a,b\n1,2\n", ("--test-fraction", "1"), "between 0 and 1"),
        (
            "classifier",
            table(("a", "b"), [(i, i) for i in range(20)]),
            (),
            "two classes, but holds 20 classes",
        ),
        ("classifier", table(("a", "b"), [(i, "x") for i in range(20)]), (), "holds 1 class"),
        ("classifier", "a,b\n1,x\n2,\n3,y\n", (), "line 3, column 'b': '' is no label"),
    ],
)
def test_script_explains_bad_tables(script, name, text, options, message):
    result = script(name, text, *options)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_script_explains_a_missing_table(script, tmp_path):
    result = script("regressor", "", "--help")
    assert result.returncode == 0
    assert "data.csv" in result.stdout


def test_table_reader_is_not_fooled_by_quotes(script):
    rows = [[f"{a:.3f}", f"{y:.3f}"] for a, _, y in regression_rows(50)]
    lines = [["size, in m", "price"], *rows]
    with_quotes = "\r\n".join(",".join(f'"{cell}"' for cell in line) for line in lines)
    result = script("regressor", with_quotes, "--target", "price")
    assert result.returncode == 0, result.stderr


def test_epochs_of_the_run_are_the_default(load):
    assert load(LINEAR, "accuracy", epochs=4).EvolvedClassifier().epochs == 4
