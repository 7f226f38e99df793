"""`python -m benchmarks`: that it runs, what stands beside its figures, its tables. No time is asserted."""

import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from azgen.bench.figures import Figure, Report, figure_of
from azgen.bench.suite import BENCHMARKS
from azgen.errors import AzgenError
from benchmarks import __main__ as runner
from benchmarks import first, memory, plot
from benchmarks.effort import QUICK
from benchmarks.original import Beside, beside
from benchmarks.performance_tables import PAGE, figures_of, table
from benchmarks.processes import in_new_process
from tests.thinned import few_of

TINY = replace(
    QUICK,
    features=(4,),
    n_train=20,
    runs=2,
    seconds=0.0005,
    random_programs=20,
    baseline_programs=2,
    baseline_examples=80,
    random_runs=1,
    search_seeds=1,
    search_programs=2000,
    ladder_programs=1000,
    solve_seeds=1,
    solve_limit=0.2,
    batches=(1, 2),
    backend_epochs=(1,),
    backend_programs=20,
    workers=(1, 2),
    worker_programs=4000,
)

REFERENCE = Path(runner.__file__).with_name("reference.json")


@pytest.fixture(autouse=True)
def tiny(monkeypatch, tmp_path):
    monkeypatch.setattr(runner, "QUICK", TINY)
    monkeypatch.chdir(tmp_path)


OWN = [name for name, measured in runner.ALL.items() if measured not in BENCHMARKS.values()]


COMPILE_ANEW = {"first": first, "memory": memory}
"""Benchmarks that find nothing compiled, in processes of their own."""


@pytest.mark.parametrize(
    "name", few_of(OWN, *(name for name in OWN if name not in {*COMPILE_ANEW, "crossover"}))
)
def test_a_benchmark_runs_and_its_result_can_be_read(name, capsys):
    check(name, capsys)


@pytest.mark.parametrize("name", COMPILE_ANEW)
def test_what_compiles_anew_runs_with_all_compiled_in_this_process_too(name, capsys, monkeypatch):
    for attribute, usual in (
        ("fresh_build_directory", nullcontext),
        ("in_new_process", lambda function, **arguments: function(**arguments)),
    ):
        monkeypatch.setattr(COMPILE_ANEW[name], attribute, usual, raising=False)
    check(name, capsys)


def test_a_function_is_called_in_a_new_process():
    assert 0 < in_new_process(memory.idle_memory) < memory.idle_memory()


def check(name, capsys):
    runner.main(["--quick", name, "--json", "result.json"])
    text, report = capsys.readouterr().out, Report.read("result.json")
    assert report.options["benchmarks"] == [name]
    assert {"processor", "compiler", "lanes", "load_before", "load_after"} <= set(report.environment)
    assert report.figures
    for figure in report.figures:
        assert figure.benchmark == name
        assert figure.best >= 0
        assert figure.work in text


def test_the_oracle_gives_the_same_fitness():
    runner.main(["--quick", "evaluation", "--json", "result.json"])
    figures = Report.read("result.json").figures
    for work in {figure.work for figure in figures}:
        sums = {f.by: f.details["fitness_sum"] for f in figures if f.work == work}
        assert sums["oracle"] == pytest.approx(sums["native"], abs=1e-6)


def test_the_tables_of_the_documentation_are_those_of_the_reference():
    page, report = PAGE.read_text(encoding="utf-8"), Report.read(REFERENCE)
    for name in dict.fromkeys(figure.benchmark for figure in report.figures):
        assert f"<!-- {name} -->\n" + "\n".join(table(name, figures_of(report, name))) + "\n" in page


def test_what_stands_beside_a_figure():
    """Works name numbers that the effort decides; the original's figures are found all the same."""
    us = Figure("evaluation", "linear, F = 4, 10 x (1000 + 100)", "kernel, 4 programs", "µs", 10.25, 11.0, 3)
    assert beside(us) == Beside(original=205.0, goal=20.5, times=20.0, reached=True)
    assert beside(replace(us, by="kernel, one program")).goal is None
    work, by = "demo search, a population of 100 programs", "without them"
    rate = Figure("search", work, by, "programs/s", 50_400.0, 50_400.0, 1)
    assert beside(rate) == Beside(original=25_200.0, goal=150_000.0, times=2.0, reached=False)
    assert beside(replace(rate, best=0.0, median=0.0)).times is None
    assert beside(Figure("startup", "start-up", "import azgen", "ms", 1.0, 1.0, 1)) == Beside(*[None] * 4)


def test_the_median_counts_where_runs_differ():
    best = figure_of("solve", "demo until solved, seeds 1 to 3", "one island: CPU", "s", [1.0, 9.0, 7.0])
    assert beside(best).reached is True
    assert beside(replace(best, typical=True)).reached is False


def test_ratios_to_an_earlier_result_are_printed(capsys):
    runner.main(["--quick", "random", "--json", "before.json"])
    report = Report.read("before.json")
    faster = tuple(replace(f, best=f.best / 1000, median=f.median / 1000) for f in report.figures)
    replace(report, figures=faster).write("before.json")
    capsys.readouterr()
    runner.main(["--quick", "random", "--compare", "before.json"])
    text = capsys.readouterr().out
    assert "Compared with the earlier result" in text
    assert text.count("SLOWER") == len(faster)


def test_a_plot_needs_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(AzgenError, match=r"pip install 'azgen\[report\]'"):
        runner.main(["--quick", "memory", "--plot", "bench.png"])


def test_a_report_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    plot.draw(Report.read(REFERENCE), tmp_path / "bench.png")
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")
