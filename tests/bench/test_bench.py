"""`azgen bench`: that it runs, what a result contains, comparing. No time is asserted."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from azgen.bench import effort
from azgen.bench.figures import Report, figure_of
from azgen.bench.suite import BENCHMARKS
from azgen.bench.yardstick import Yardstick
from azgen.cli import app
from azgen.execution.execute import execute
from azgen.language.zoo import zoo
from azgen.tasks.synthetic import linear_tasks

TINY = dataclasses.replace(
    effort.QUICK,
    features=(4,),
    n_train=20,
    runs=2,
    seconds=0.0005,
    search_seeds=1,
    search_programs=2000,
    batches=(1, 2),
)

FIGURE_KEYS = {"benchmark", "work", "by", "unit", "best", "median", "runs", "typical", "details"}


@pytest.fixture(autouse=True)
def tiny(monkeypatch, tmp_path):
    monkeypatch.setattr(effort, "QUICK", TINY)
    monkeypatch.setattr(effort, "FULL", TINY)
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
    text = bench("evaluation", "--json", "result.json")
    assert "The original AutoML-Zero took" in text
    figures = Report.read("result.json").figures
    for work in {figure.work for figure in figures}:
        sums = {f.by: f.details["fitness_sum"] for f in figures if f.work == work}
        assert sums["native"] == sums["kernel, one program"]


def report(**values):
    """A report of two figures: µs of an evaluation, and programs per second."""
    figures = (
        figure_of("evaluation", "linear", "kernel", "µs", [values["us"]]),
        figure_of("search", "demo", "cache", "programs/s", [values["rate"]], typical=True),
    )
    environment = {"azgen": "0", "processor": "one"}
    return Report(environment, {"benchmarks": ["evaluation"]}, figures)


def test_a_report_is_read_as_it_was_written(tmp_path):
    written = report(us=5.0, rate=20.0)
    written.write(tmp_path / "result.json")
    assert Report.read(tmp_path / "result.json") == written


def test_the_median_counts_where_runs_differ():
    best = figure_of("solve", "demo", "island", "s", [1.0, 5.0, 3.0])
    assert best.value == 1.0
    assert dataclasses.replace(best, typical=True).value == 3.0


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


def test_the_yardstick_computes_what_azgen_does():
    tasks = linear_tasks(3, 4, 50, 20, seed=0)
    net = zoo("neural-net").with_constants((0.05, 0.0, 0.02, 0.0, 0.01))  # draws are its own: none vary here
    for program in (zoo("linear"), net):
        yardstick, ours = Yardstick(program, tasks), execute(program, tasks, "kernel", dtype="float64")
        yardstick()
        np.testing.assert_allclose(yardstick.fitness, ours.fitness, rtol=1e-9)
    failing = Yardstick(zoo("linear").with_constants((1e30,)), tasks)
    failing()
    assert np.isnan(failing.fitness).all()
