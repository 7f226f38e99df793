"""The public Python API, and the snippets of its documentation."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import azgen
from azgen.language.zoo import zoo
from azgen.runs.events import Finished, Started
from azgen.settings.presets import preset
from azgen.study import baselines
from azgen.study.baselines import baseline_scores
from azgen.study.scores import Interval, rms_error
from azgen.tasks.task import TaskSplit

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("winner", None)


@pytest.mark.parametrize("page", ["README.md", "docs/python-api.md"])
def test_snippets_of_the_documentation_run(page, monkeypatch):
    monkeypatch.setattr(baselines, "TRIALS", 8)
    monkeypatch.setattr(baselines, "_SLOW_TASKS", 1)
    text = (ROOT / page).read_text(encoding="utf-8")
    snippets = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert snippets
    names = {}
    for snippet in snippets:
        # A tenth of the programs shows as well that it runs.
        short = re.sub(r"(max_programs=\d+)0_000\b", r"\1_000", snippet)
        exec(compile(short, page, "exec"), names)


def test_every_public_name_is_there_and_documented():
    for name in azgen.__all__:
        assert getattr(azgen, name) is not None
        assert name in azgen.__doc__ or name == "__version__"
    assert set(azgen.__all__) <= set(dir(azgen))
    with pytest.raises(AttributeError, match="no attribute 'evovle'"):
        _ = azgen.evovle


def test_importing_azgen_imports_nothing_heavy():
    heavy = "{'numpy', 'sklearn', 'pandas', 'Cython', 'rich'}"
    program = f"import sys, azgen; print(*sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""


def tasks(metric, n=4):
    random = np.random.default_rng(5)
    result = []
    for _ in range(n):
        x = random.normal(size=(150, 3))
        y = x @ random.normal(size=3) + 0.1 * random.normal(size=150)
        y = (y > 0).astype(float) if metric == "accuracy" else y
        result.append(azgen.Task(x[:100], y[:100], x[100:], y[100:], metric=metric))
    return result


def test_evolve_returns_what_it_keeps():
    events = []
    run = azgen.evolve(
        "linear", seed=1, max_programs=2_000, out="mine", observer=events.append, baselines="few"
    )
    assert isinstance(events[0], Started) and isinstance(events[-1], Finished)
    assert run.directory == Path("mine") and run.export_path == Path("mine/champion.py")
    assert run.hall_of_fame[0] == run.champion and run.settings.seed == 1
    assert run.test_fitness == pytest.approx(run.test.fitness.mean()) == events[-1].test_fitness
    assert run.search.interval.mean == pytest.approx(run.champion.search_fitness)
    assert run.select.interval.mean == pytest.approx(run.champion.select_fitness)
    assert run.counts["programs"] == 2_000 and run.reason == "2000 programs" and not run.interrupted
    assert len(run.tasks.test) == 100 and len(repr(run)) < 2000
    again = azgen.evolve(run.settings)
    assert again.champion == run.champion and again.directory == Path("runs/linear-1")


def test_ctrl_c_in_the_search_returns_the_best_so_far():
    def interrupt(event):
        if isinstance(event, azgen_progress) and event.programs >= 10_000:
            raise KeyboardInterrupt

    from azgen.runs.events import Progress as azgen_progress

    run = azgen.evolve("linear", observer=interrupt, baselines="few")
    assert run.interrupted and run.export_path.is_file() and 0 < run.test_fitness <= 1


def test_a_failing_observer_leaves_nothing_behind():
    def fail(event):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        azgen.evolve("linear", observer=fail, max_programs=2000, out="mine")
    assert not Path("mine").exists()


def test_baselines_know_what_linear_models_reach():
    champion = np.full(4, 0.7)

    def split(metric):
        same = tuple(tasks(metric))
        return TaskSplit(same, same, same, description="")

    constant, linear, ridge = baseline_scores(split("rmse"), champion, preset("linear"), "few")
    assert constant.interval.mean < linear.interval.mean < ridge.interval.mean
    assert ridge.rms_error == pytest.approx(0.1, abs=0.03)  # the noise
    assert constant.difference.mean == pytest.approx(0.7 - constant.interval.mean)
    most_frequent, linear, logistic = baseline_scores(split("accuracy"), champion, preset("digits"), "few")
    assert most_frequent.interval.mean < 0.7 < linear.interval.mean <= logistic.interval.mean + 0.05
    assert logistic.interval.mean > 0.9 and logistic.rms_error is None


@pytest.mark.parametrize("metric", ["rmse", "accuracy", "log-loss"])
def test_without_scikit_learn_a_linear_model_is_there(metric, monkeypatch):
    monkeypatch.setattr(baselines, "installed", lambda name: False)
    same = tuple(tasks("rmse" if metric == "rmse" else "accuracy"))
    split = TaskSplit(same, same, same, description="").with_metric(metric)
    settings = preset("linear" if metric == "rmse" else "digits")
    constant, linear, closed = baseline_scores(split, np.full(4, 0.7), settings, "few")
    assert closed.name == "linear model (least squares)"
    assert closed.interval.mean > constant.interval.mean + 0.1
    assert metric == "log-loss" or closed.interval.mean > linear.interval.mean - 0.1


def test_baselines_are_silent_about_hopeless_data(recwarn):
    x, y = np.ones((20, 3)), np.zeros(20)
    for metric in ("accuracy", "rmse"):
        task = azgen.Task(x, y, x, y, metric=metric)
        same = TaskSplit((task, task), (task,), (task, task), description="")
        for score in baseline_scores(same, np.ones(2), preset("digits"), "few"):
            assert score.interval.mean == 1.0
    assert not recwarn.list


def test_intervals_are_students_t():
    interval = Interval.of([1.0, 2.0, 3.0, 4.0])
    assert interval.mean == 2.5 and interval.half_width == pytest.approx(3.182446 * 1.2909944 / 2, rel=1e-6)
    assert np.isnan(Interval.of([1.0]).half_width)
    assert rms_error(1.0) == 0 and rms_error(0.5) == pytest.approx(1.0) and rms_error(0.0) == np.inf


def test_a_program_file_is_loaded():
    Path("mine.az").write_text(str(zoo("linear")))
    assert azgen.load("mine.az") == zoo("linear")
    with pytest.raises(azgen.AzgenError, match="no such program file"):
        azgen.load("none.az")
