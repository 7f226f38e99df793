"""Python takes what people have: names, runs and champions as programs; frames; one error for wrong types."""

from __future__ import annotations

import importlib.util

import numpy as np
import pandas as pd
import pytest

import azgen
from azgen.runs.saved import load_run

X = np.random.default_rng(0).normal(size=(80, 3))
Y = X @ [1.0, -1.0, 0.5]
TASK = azgen.Task(X[:60], Y[:60], X[60:], Y[60:])


def module_of(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that tells two classes apart, in three passes of float64."""
    return azgen.evolve(X, np.where(Y > 0, "yes", "no"), out=tmp_path_factory.mktemp("a") / "run", epochs=3,
                        dtype="float64", max_programs=300, baselines="few", start="zoo:linear")  # fmt: skip


def test_programs_by_name():
    program = azgen.load("zoo:linear")
    expected = azgen.execute(program, TASK, "oracle").fitness
    assert azgen.execute("zoo:linear", TASK, "oracle").fitness == expected
    frame, labels = pd.DataFrame(X), pd.Series(Y).astype("Float64")
    task = azgen.Task(frame[:60], labels[:60], frame[60:], labels[60:])
    assert azgen.prepare("zoo:linear", [task], "oracle")().fitness == expected


def test_an_export_knows_what_its_run_knows(run, tmp_path):
    for number, what in enumerate(
        [run, load_run(run.directory), run.champion, load_run(run.directory).champion]
    ):
        made = module_of(azgen.export(what, tmp_path / f"m{number}.py"))
        assert made.EvolvedClassifier().epochs == 3 and made.DTYPE is np.float64
        assert (getattr(made, "TARGET", None) == "y") == (number < 2)
    plain = module_of(azgen.export(run.champion, tmp_path / "p.py", epochs=1, dtype="float32"))
    assert plain.EvolvedClassifier().epochs == 1 and plain.DTYPE is np.float32
    assert module_of(azgen.export("zoo:affine", tmp_path / "z.py")).EvolvedRegressor
    assert run.champion == load_run(run.directory).champion


def test_weights_count_in_a_score_and_are_told_of_in_fit(run, tmp_path):
    labels, weights = Y > 0, np.arange(80.0)
    model = module_of(azgen.export(run, tmp_path / "m.py")).EvolvedClassifier().fit(X, labels)
    right = model.predict(X) == labels
    assert model.score(X, labels, sample_weight=weights) == np.average(right, weights=weights)
    with pytest.raises(TypeError, match=r"no sample_weight: .* repeat examples that are to count more"):
        model.fit(X, labels, sample_weight=weights)
    for missing in (None, pd.NA, np.nan):
        with pytest.raises(ValueError, match="y contains NaN or infinity"):
            model.fit(X, pd.Series([missing, *labels[1:]], dtype=object))
    with pytest.raises(ValueError, match="X contains NaN or infinity"):
        model.fit(pd.DataFrame(X).astype("Float64").mask(X > 2, pd.NA), labels)
    assert model.fit(pd.DataFrame(X).astype("Float64"), labels).score(X, labels) == right.mean()


@pytest.mark.parametrize("missing", [None, pd.NA, np.nan, pd.NaT])
def test_labels_that_are_missing_are_one_message(missing):
    labels = pd.Series([1.0, missing, *Y[2:60]], dtype=object)
    with pytest.raises(azgen.AzgenError, match="y_train holds NaN or infinity, first in example 1"):
        azgen.Task(X[:60], labels, X[60:], Y[60:])


@pytest.mark.parametrize(
    "wrong, message",
    [
        (lambda: azgen.load(3), "a program is a file or zoo:NAME, .* this is int"),
        (lambda: azgen.execute(3, TASK), "a program is a file or zoo:NAME"),
        (lambda: azgen.execute("zoo:linear", X), "executed on azgen.Task.* this is ndarray"),
        (
            lambda: azgen.execute("zoo:linear", TASK, epochs="a"),
            "epochs is 'a'; it must be a number at least 1",
        ),
        (lambda: azgen.export("zoo:linear", 3), "exported to is a path as text; this is int"),
        (lambda: azgen.export("zoo:linear", "a.py", class_name=3), "class name 3 is no Python identifier"),
        (lambda: azgen.export("zoo:linear", "a.py", epochs=0), "epochs is 0"),
        (lambda: azgen.resume(None), "a run is a path as text; this is NoneType"),
        (lambda: azgen.evolve(5), r"X has shape \(\)"),
        (lambda: azgen.evolve("linear", max_time=[1]), r"\[1\] is no duration"),
        (lambda: azgen.evolve("linear", max_programs="a"), "'a'; it must be a whole number"),
        (lambda: azgen.evolve("linear", tasks=3), "tasks is 3; it must be names and values"),
        (lambda: azgen.evolve("linear", start=3), "start is 3"),
        (lambda: azgen.evolve("linear", ops=3), "a file of ops is a path as text"),
        (lambda: azgen.evolve("linear", out=3), r"\(out\) is a path as text"),
        (lambda: azgen.evolve("linear", observer=3), "observer is 3"),
        (lambda: azgen.Program.parse(3), "a program is a text; this is int"),
    ],
)
def test_wrong_types_are_one_kind_of_error(wrong, message):
    with pytest.raises(azgen.AzgenError, match=message):
        wrong()
