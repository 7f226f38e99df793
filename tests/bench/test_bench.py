"""`azgen bench`: that it runs, what a result contains, comparing and drawing. No time is asserted."""

import dataclasses
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from azgen import bench as benchmark
from azgen.bench import plot
from azgen.bench.figures import Figure, Report, figure_of
from azgen.bench.suite import BENCHMARKS
from azgen.cli import app

TINY = dataclasses.replace(
    benchmark.QUICK,
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
    crossover_epochs=(1,),
    crossover_programs=20,
    workers=(1, 2),
    worker_programs=4000,
)

FIGURE_KEYS = {
    "benchmark", "work", "by", "unit", "best", "median", "runs", "original", "goal", "typical", "details",
    "times_original", "reached",
}  # fmt: skip


@pytest.fixture(autouse=True)
def tiny(monkeypatch, tmp_path):
    monkeypatch.setattr(benchmark, "QUICK", TINY)
    monkeypatch.setattr(benchmark, "FULL", TINY)
    monkeypatch.chdir(tmp_path)


def bench(*arguments, status=0):
    """Output of a command that must end with this status."""
    result = CliRunner().invoke(app, ["bench", *(str(argument) for argument in arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    return result.stdout if status == 0 else result.stderr


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_runs_and_its_result_has_the_documented_keys(name):
    text = bench(name, "--json", "result.json")
    record = json.loads(Path("result.json").read_text(encoding="utf-8"))
    assert set(record) == {"schema", "environment", "options", "figures"}
    assert {"processor", "compiler", "lanes", "load_before", "load_after"} <= set(record["environment"])
    assert record["options"]["benchmarks"] == [name]
    for figure in record["figures"]:
        assert set(figure) == FIGURE_KEYS
        assert figure["benchmark"] == name
        assert figure["best"] >= 0
        assert figure["work"] in text
    # Where compiling does not pay there is no crossover, and on a busy machine that may be everywhere.
    assert record["figures"] or name == "crossover"


def test_every_executor_gives_the_same_fitness():
    bench("evaluation", "--json", "result.json")
    figures = Report.read("result.json").figures
    for work in {figure.work for figure in figures}:
        sums = {f.by: f.details["fitness_sum"] for f in figures if f.work == work}
        assert sums["native"] == sums["kernel, one program"]
        assert sums["oracle"] == pytest.approx(sums["native"], abs=1e-6)


def report(**values):
    """A report of two figures: µs of an evaluation, and programs per second."""
    figures = (
        figure_of("evaluation", "linear", "kernel", "µs", [values["us"]], original=100.0, goal=10.0),
        figure_of("search", "demo", "cache", "programs/s", [values["rate"]], original=10.0, typical=True),
    )
    environment = {"azgen": "0", "processor": "one"}
    return Report(environment, {"benchmarks": ["evaluation"]}, figures)


def test_a_report_is_read_as_it_was_written(tmp_path):
    written = report(us=5.0, rate=20.0)
    written.write(tmp_path / "result.json")
    assert Report.read(tmp_path / "result.json") == written


def test_ratios_say_how_many_times_better():
    us, rate = report(us=5.0, rate=20.0).figures
    assert (us.times_original, us.reached) == (20.0, True)
    assert (rate.times_original, rate.reached) == (2.0, None)


def test_the_median_counts_where_runs_differ():
    best = figure_of("solve", "demo", "island", "s", [1.0, 5.0, 3.0], goal=2.0)
    typical = dataclasses.replace(best, typical=True)
    assert (best.value, best.reached) == (1.0, True)
    assert (typical.value, typical.reached) == (3.0, False)


def test_comparison_marks_what_got_slower():
    before = report(us=5.0, rate=20.0)
    factors = [c.factor for c in report(us=6.0, rate=19.0).compared_with(before)]
    slower = [c.slower for c in report(us=6.0, rate=19.0).compared_with(before)]
    assert factors == pytest.approx([1.2, 20 / 19])
    assert slower == [True, False]


def test_compare_prints_ratios_to_an_earlier_result():
    bench("evaluation", "--json", "before.json")
    record = json.loads(Path("before.json").read_text(encoding="utf-8"))
    for figure in record["figures"]:
        for key in ("best", "median"):
            figure[key] /= 1000
    Path("before.json").write_text(json.dumps(record), encoding="utf-8")
    text = bench("evaluation", "--compare", "before.json")
    assert "Compared with the earlier result" in text
    assert "SLOWER" in text


def test_mistakes_are_named():
    assert "there is no benchmark 'evaluations'" in bench("evaluations", status=2)
    assert "write whole numbers" in bench("evaluation", "--features", "4;8", status=2)
    assert "at least 2" in bench("evaluation", "--features", "1", status=2)
    assert "no such file" in bench("evaluation", "--compare", "before.json", status=2)
    Path("other.json").write_text('{"schema": 99}', encoding="utf-8")
    assert "not a report" in bench("evaluation", "--compare", "other.json", status=2)


def test_a_plot_needs_matplotlib(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(plot, "import_module", missing)
    assert "pip install 'azgen[plot]'" in bench("memory", "--plot", "bench.png", status=2)


def test_a_report_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    bench("evaluation", "random", "search", "ladder", "solve", "--plot", tmp_path / "bench.png")
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")


def test_a_figure_knows_its_unit():
    figure = Figure("search", "demo", "cache", "programs/s", best=0.0, median=0.0, runs=1, original=1.0)
    assert figure.times_original is None
