"""What a notebook shows of programs, tasks and runs: short, and whole where it matters."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

import azgen
from azgen.language.zoo import zoo, zoo_names
from azgen.runs.events import Finished, Progress, Started
from azgen.runs.saved import load_run
from azgen.study.notebook import NotebookLine, in_notebook
from azgen.tasks.task import Task


@pytest.mark.parametrize("name", zoo_names())
def test_a_program(name):
    program = zoo(name)
    assert len(repr(program)) < 80 and program.hash in repr(program) and program.size in repr(program)
    assert "<pre>" in program._repr_html_() and "def Learn():" in program._repr_html_()
    assert program._repr_html_().count("\n") == str(program).count("\n")


def test_tasks():
    rng = np.random.default_rng(0)
    task = Task(
        rng.normal(size=(60, 3)), rng.integers(2, size=60), rng.normal(size=(9, 3)), np.ones(9), "accuracy"
    )
    assert repr(task) == (
        "Task(60 + 9 examples to learn from and to be scored on, 3 features, 2 classes, accuracy)"
    )
    page = task._repr_html_()
    assert "<td>60</td>" in page and "<td>classes</td><td>2</td>" in page and len(page) < 500


def test_progress_is_one_line(monkeypatch):
    shown, updates = [], []

    class Handle:
        def update(self, line):
            updates.append(line)

    def display(line, display_id):
        shown.append(line)
        return Handle()

    shell = SimpleNamespace(kernel=object())
    modules = {"IPython": SimpleNamespace(get_ipython=lambda: shell)}
    modules["IPython.display"] = SimpleNamespace(HTML=str, display=display)
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    assert in_notebook()
    line = NotebookLine()
    line(Started("linear", "tasks", "space", 0.0, True))
    for number in range(1000):
        line(Progress(0.001 * number, 10_000 * number, 0, 0.5, {}))
    line(Finished("10 seconds", 10.0, 12.0, 10_000_000, {}, 0.75))
    assert len(shown) == 1 and len(updates) < 20
    assert "10 000 000 programs: 10 seconds; champion 0.7500 on test tasks" in updates[-1]
    shell.kernel = None
    assert not in_notebook()


def test_a_run(tmp_path):
    run = azgen.evolve("linear", max_programs=5000, baselines="few", out=tmp_path / "run")
    assert len(repr(run)) < 300 and f"{run.test.interval}" in repr(run)
    for value in (run.tasks, run.champion, run.hall_of_fame[0], run.champion.program):
        assert len(repr(value)) < 400 and len(value._repr_html_()) < 5000
    assert f"<td>{len(run.tasks.test)}</td>" in run.tasks._repr_html_()
    frame = run.to_frame()
    assert list(frame["fitness"]) == sorted(frame["fitness"], reverse=True)
    assert set(frame["name"]) == {"champion", *(score.name for score in run.baselines)}
    (mine,) = frame.index[frame["name"] == "champion"]
    assert frame["fitness"][mine] == run.test_fitness and frame["champion_minus_this"].isna()[mine]
    page = run._repr_html_()
    assert "the champion" in page and "champion is better by" in page and page.count("<tr>") < 11
    assert "scikit-learn Ridge" in page and "def Predict():" in page and len(page) < 20_000
    assert len(repr(load_run(run.directory).champion)) < 200

    pytest.importorskip("matplotlib", reason="matplotlib is not installed (pip install 'azgen[report]')")
    assert run.report(tmp_path / "page.html").stat().st_size > 50_000
    with pytest.raises(azgen.AzgenError, match="no folder"):
        run.report(tmp_path / "none" / "page.html")
