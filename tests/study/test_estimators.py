"""Examples from memory: `azgen.evolve(X, y)`, `run.predict`, and the estimators that search by themselves."""

from __future__ import annotations

import contextlib
import pickle
import warnings
from pathlib import Path
from unittest import SkipTest

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import azgen
from azgen.study import estimators

LINEAR_MODELS = {
    "name": "tiny",
    "prune": False,
    "tasks": {"source": "table", "data": "FILE", "n_search": 4, "n_select": 2, "n_test": 2},
    "memory": {"scalars": 5, "vectors": 4, "matrices": 2},
    "setup": {"ops": ["scalar_const_set"], "min_size": 1, "max_size": 3},
    "predict": {"ops": ["vector_inner_product"], "min_size": 1, "max_size": 3},
    "learn": {
        "ops": ["scalar_diff", "scalar_product", "scalar_vector_product", "vector_sum"],
        "min_size": 1,
        "max_size": 6,
    },
    "evolution": {"population": 10, "tournament": 2, "initial": "zoo:affine"},
    "stop": {"round_programs": 50},
}
"""A search space whose kernels are soon compiled, and a search that is soon over."""

TINY = {"max_programs": 20, "epochs": 5, "preset": LINEAR_MODELS}


@pytest.fixture
def table():
    """Rows of a frame with a category, and what they are to predict."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(60, 3)), columns=["a", "b", "c"])
    frame["town"] = np.where(rng.random(60) < 0.5, "north", "south")
    return frame.assign(price=3 * frame["a"] - frame["b"] + (frame["town"] == "south") + 10)


@pytest.fixture
def narrow_search(request, monkeypatch):
    """Programs are searched for on at most three features, and learn from all: each number of features is
    another kernel to compile, and scikit-learn's checks have six."""

    def evolve(x, y, **how):
        # Of ten features the first holds what is no number, and the fifth tells the label.
        return azgen.evolve(x[:, :: -(-x.shape[1] // 3)], y, **how)

    if "not slow" in request.config.getoption("markexpr"):
        monkeypatch.setattr(estimators, "evolve", evolve)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("narrow_search")
@pytest.mark.parametrize(
    ("estimator", "start"), [(azgen.AzgenRegressor, "zoo:affine"), (azgen.AzgenClassifier, "zoo:linear")]
)
def test_scikit_learn_checks(estimator, start, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    passed = []
    for each, check in estimator_checks_generator(estimator(**TINY, start=start)):
        with contextlib.suppress(SkipTest):
            check(each)
            passed.append(check.func.__name__)
    assert len(passed) > 40 and not list(tmp_path.iterdir())


def test_a_regressor_in_a_pipeline_and_a_grid(table):
    model = make_pipeline(StandardScaler(), azgen.AzgenRegressor(**TINY))
    x, y = table[["a", "b", "c"]], table["price"]
    grid = GridSearchCV(model, {"azgenregressor__epochs": [1, 5]}, cv=2).fit(x, y)
    assert grid.best_params_ == {"azgenregressor__epochs": 5} and grid.best_score_ > 0.8
    found = grid.best_estimator_[-1]
    assert found.champion_.program == found.program_ and 0 < found.run_.test_fitness < 1
    assert not found.run_.directory.exists()
    again = pickle.loads(pickle.dumps(grid.best_estimator_))
    assert (again.predict(x) == grid.predict(x)).all() and again[-1].program_ == found.program_
    other = clone(found)
    assert other.get_params() == found.get_params() and not hasattr(other, "program_")
    with pytest.raises(ValueError, match=r"feature names|columns"):
        grid.predict(x[["b", "a", "c"]])


def test_a_classifier_and_the_run_that_it_keeps(tmp_path):
    x, y = make_classification(80, 4, random_state=0)
    words = np.array(["no", "yes"])[y]
    model = azgen.AzgenClassifier(**TINY, start="zoo:linear", out=tmp_path / "run").fit(x, words)
    assert model.score(x, words) > 0.8 and set(model.predict(x)) == {"no", "yes"}
    assert np.allclose(model.predict_proba(x).sum(axis=1), 1)
    assert azgen.load(tmp_path / "run" / "champion.az") == model.program_
    with pytest.raises(azgen.AzgenError, match="not empty"):
        model.fit(x, words)


def test_few_rows_are_learned_from_without_a_search():
    x = np.arange(16.0).reshape(8, 2)
    with pytest.warns(UserWarning, match="8 rows, fewer than 10; no program was searched for"):
        model = azgen.AzgenRegressor(epochs=50).fit(x, x @ [1.0, 2.0])
    assert model.score(x, x @ [1.0, 2.0]) > 0.9 and not hasattr(model, "run_")
    with pytest.warns(UserWarning, match="a class has 1 rows, fewer than 5"):
        model = azgen.AzgenClassifier().fit(np.arange(20.0).reshape(10, 2), [0] * 9 + [1])
    with pytest.raises(azgen.AzgenError, match="limit of programs"):
        azgen.AzgenRegressor(max_programs=0).fit(np.eye(20), np.arange(20))


def test_a_frame_with_words_is_kept_with_the_run(table, tmp_path):
    run = azgen.evolve(table, "price", **TINY, baselines="few", out=tmp_path / "run")
    assert "5 features" not in run.tasks.description and "4 features" in run.tasks.description
    rest = table.drop(columns="price")
    predicted = run.predict(rest[["town", "c", "b", "a"]].assign(other="x"))
    assert np.corrcoef(predicted, table["price"])[0, 1] > 0.95 and abs(predicted.mean() - 10) < 1
    test = run.tasks.raw.test
    assert np.allclose(run.model.predict(run.tasks.raw.x_test), predicted[test])
    with pytest.raises(azgen.AzgenError, match="X has no column 'town'"):
        run.predict(rest.drop(columns="town"))
    with pytest.raises(azgen.AzgenError, match="'a' holds text"):
        run.predict(rest.assign(a="many"))
    again = azgen.resume(run.directory, max_programs=100)
    assert again.counts["programs"] == 100 and Path(again.settings.tasks.data).name == "data.csv"


def test_arrays_classes_keep_their_values(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x, y = make_classification(80, 4, random_state=0)
    run = azgen.evolve(x, y * 7, **TINY, start="zoo:linear", baselines="few")
    assert str(run.directory) == "runs/data-0" and (run.directory / "data.npz").is_file()
    assert set(run.predict(x)) == {0, 7} and np.mean(run.predict(x) == y * 7) > 0.8


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.ones((20, 2)), None, "y is missing"),
        (np.ones((20, 2)), np.ones(19), "20 examples, but y has 19"),
        (np.ones(20), np.ones(20), "X has shape"),
        (np.ones((20, 2)), np.ones((20, 2)), "y has shape"),
        (pd.DataFrame({"y": np.ones(20)}), np.ones(20), "rename one"),
        (pd.DataFrame({"a": np.ones(20)}), "b", "no column 'b'"),
    ],
)
def test_examples_that_do_not_agree(x, y, message, tmp_path):
    with pytest.raises(azgen.AzgenError, match=message):
        azgen.evolve(x, y, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_without_a_table_predicts_nothing(tmp_path):
    run = azgen.evolve("linear", max_programs=2000, baselines="few", out=tmp_path / "run")
    with pytest.raises(azgen.AzgenError, match="only a run on a table"):
        run.predict(np.ones((3, 4)))
    with warnings.catch_warnings(), pytest.raises(TypeError, match="preset goes with examples"):
        azgen.evolve("linear", preset="table")
