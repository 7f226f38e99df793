"""The compiled estimator: built from what is exported, it is the Python class at another speed."""

import importlib
import pickle
import subprocess
import sys

import numpy as np
import pytest

from azgen.errors import AzgenError
from azgen.exports.package import render_package
from azgen.language import Program
from azgen.language.conditions import Conditions
from azgen.language.instruction import VECTOR
from azgen.language.zoo import zoo
from tests.commands import azgen

NOISY = """
def Setup():
  v1 = uniform(-0.1, 0.1, n_features)
  s2 = 0.02
def Predict():
  v2 = gaussian(1.0, 0.05, n_features)
  v2 = v0 * v2
  s1 = dot(v1, v2)
  s1 = s1 + s3
def Learn():
  s4 = s0 - s1
  s4 = s2 * s4
  v3 = s4 * v2
  v1 = v1 + v3
  s3 = s3 + s4
"""


_BUILD = """
import os, runpy, sys
for folder in sys.argv[1:]:
    os.chdir(folder)
    sys.argv = ["setup.py", "-q", "build_ext", "--inplace"]
    runpy.run_path("setup.py", run_name="__main__")
"""
"""What `pip install` does with each, in one process that imports setuptools and Cython once."""


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """All packages, built in one go and imported."""
    pytest.importorskip("setuptools", reason="setuptools, which builds packages, is not installed")
    root = tmp_path_factory.mktemp("packages")
    programs = {
        "noisy": (Program.parse(NOISY), "rmse", 0, "float64"),
        "softmax": (zoo("softmax-linear"), "accuracy", 3, "float32"),
    }
    for name, (program, metric, classes, dtype) in programs.items():
        conditions = Conditions(dtype=dtype, epochs=2)
        files = render_package(program, 4, metric=metric, conditions=conditions, classes=classes, name=name)
        for path, text in files.items():
            (root / name / path).parent.mkdir(parents=True, exist_ok=True)
            (root / name / path).write_text(text.replace('"-O3"', '"-O0"'))  # compiles in half the time
        assert '"-O3"' in files["setup.py"]
        sys.path.insert(0, str(root / name))
    line = [sys.executable, "-W", "ignore", "-c", _BUILD, *map(str, map(root.joinpath, programs))]
    made = subprocess.run(line, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    yield {name: importlib.import_module(name) for name in programs}
    for _ in programs:
        sys.path.pop(0)


def examples(kind, n=120):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(n, 4))
    score = x @ [1.0, -2.0, 0.5, 0.0] + 0.1 * rng.normal(size=n)
    y = {"noisy": 3 + 2 * score, "softmax": np.digitize(score, [-1, 1])}
    return x[:100], y[kind][:100], x[100:]


@pytest.mark.parametrize("name", ["noisy", "softmax"])
def test_the_compiled_class_is_the_python_class(packages, name):
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV

    package = packages[name]
    (title,) = package.__all__
    compiled, python = getattr(package, title), getattr(package.python, title)
    x, y, new = examples(name)
    for options in ({}, {"epochs": 3, "random_state": 7}, {"learning_rate": 0.05}):
        models = [kind(**options).fit(x, y) for kind in (compiled, python)]
        ours, theirs = (getattr(m, "predict_proba", m.predict)(new) for m in models)
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
        assert np.mean(models[0].predict(new) == models[1].predict(new)) > 0.9 or name == "noisy"
    model = compiled().fit(x, y)
    first = model.predict(new)
    np.testing.assert_array_equal(model.predict(new), first)  # on a copy of the memory
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(new), first)
    np.testing.assert_array_equal(clone(model).fit(x, y).predict(new), first)
    assert GridSearchCV(compiled(), {"learning_rate": [0.01, 0.03]}, cv=2).fit(x, y).best_score_ > 0.5
    both = compiled(standardize=False).partial_fit(x[:50], y[:50]).partial_fit(x[50:], y[50:])
    np.testing.assert_allclose(both.predict(new[:1]).shape, (1,))
    with pytest.raises(ValueError, match="export again with --features"):
        compiled().fit(np.ones((9, 5)) * np.arange(9)[:, None], y[:9])


def test_what_does_not_fit_is_refused(tmp_path, monkeypatch):
    with pytest.raises(AzgenError, match="no name for a package"):
        render_package(zoo("linear"), 3, name="a-b")
    monkeypatch.chdir(tmp_path)
    assert "pip install it" in azgen("export", "zoo:linear", "--form", "cython", "--features", 3)
    assert (tmp_path / "linear/linear/_learner.pyx").is_file() and zoo("softmax-linear").form == VECTOR
    assert "exists" in azgen("export", "zoo:linear", "--form", "cython", "--features", 3, status=2)
    again = ("export", "zoo:linear", "--form", "cython", "--features", 3, "-o", "linear")
    assert "something is there already" in azgen(*again, status=2)
