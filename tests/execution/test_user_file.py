"""A user's own ops and metrics (`--ops FILE`): the same numbers everywhere, in every process, run after
run."""

import json
import os
import re
import signal
from pathlib import Path

import numpy as np
import pytest
import tomli_w

from azgen.codegen.kernel_source import KernelSpec
from azgen.errors import AzgenError
from azgen.execution.execute import execute
from azgen.execution.kernel import build_kernel
from azgen.execution.layout import lay_out
from azgen.execution.verify import verify
from azgen.language import OPS, Program
from azgen.language.metrics import UserMetric
from azgen.language.userfile import load_user_file, read_user_file
from azgen.language.usermetrics import C_FUNCTIONS, check_metric
from azgen.language.userops import LANE_FUNCTIONS
from azgen.runs.checkpoint import CHECKPOINTS
from azgen.runs.directory import RunDirectory
from azgen.runs.events import Progress
from azgen.runs.saved import load_run
from azgen.search.evolve import Evolution
from azgen.settings.reading import read_settings, settings_from
from azgen.settings.resolve import resolve_settings
from azgen.settings.values import as_mapping
from azgen.study.resume import resume
from tests.agreement import Tally, close, compile_all, random_tasks, same_bits
from tests.commands import azgen
from tests.language.test_userops import FILE
from tests.strategies import MEMORY, random_program
from tests.thinned import few_of

METRICS = """
from azgen.language import UserMetric

METRICS = [
    UserMetric("mean-absolute-error", "regression", lambda y, p: np.abs(y - p),
               "lane_abs({label} - {prediction})", lambda loss: 1 / (1 + loss), "1.0 / (1.0 + {loss})",
               "1 / (1 + mean absolute error)"),
    UserMetric("brier", "classification", lambda y, p: (y - p) * (y - p),
               "({label} - {prediction}) * ({label} - {prediction})",
               lambda loss: 1 - min(loss, 1.0), "1.0 - fmin({loss}, 1.0)", "1 - Brier score"),
]
"""
TEXT = FILE + METRICS
USER = read_user_file(TEXT, "my_ops.py")
START = """def Setup():
  s2 = 0.02
  s4 = 0.9
def Predict():
  v3 = leaky(s4, v0)
  s1 = dot(v1, v3)
  s1 = clip(s1, -50.0, 50.0)
def Learn():
  s3 = s0 - s1
  s3 = s2 * s3
  v2 = s3 * v3
  v1 = v1 + v2
"""
SMALL = {"n_select": 5, "n_test": 5, "n_train": 60, "n_valid": 30}


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my_ops.py").write_text(TEXT)
    Path("start.az").write_text(START)


def chosen(**changes):
    """Settings of a small run that starts from a program with the user's ops."""
    plain = as_mapping(resolve_settings("demo", ops="my_ops.py", metric="mean-absolute-error", tasks=SMALL))
    plain["tasks"]["redraw"], plain["baselines"] = False, "few"
    plain["evolution"] |= {"initial": "start.az", "population": 100, "cache_size": 1024}
    plain["memory"] = {"scalars": 5, "vectors": 4, "matrices": 1}
    for name, size in (("setup", 3), ("predict", 4), ("learn", 6)):
        plain[name] |= {"min_size": 1, "max_size": size, "initial_size": -1}
    plain["stop"] = {"max_programs": 12_000, "max_seconds": 0.0, "round_programs": 500}
    plain["islands"] |= {"count": 2, "interval": 1000} | changes
    return settings_from(plain)


def run(given, **options):
    return Evolution(given, given.tasks.split(given.seed, user=given.user), **options).run()


@pytest.mark.parametrize("metric, dtype", [("rmse", "float32"), ("accuracy", "float64")])
def test_programs_with_own_ops_mean_the_same_everywhere(metric, dtype):
    rng, names = np.random.default_rng(7), {op.name for op in USER.ops if op.name != "scalar_softplus"}
    built_in = [OPS[i] for i in (1, 3, 16, 18, 23, 27, 28, 31, 39, 44, 56, 60)]
    every = [*(USER.table[name] for name in sorted(names)), *built_in]
    sample = [random_program(rng, every) for _ in range(40)]
    sample = [p for p in sample if names & {i.op.name for i in p.live().instructions()}]
    assert len(sample) > 15 and names == {i.op.name for p in sample for i in p.live().instructions()} & names
    tasks = random_tasks(rng, 4, metric=metric)
    compile_all(sample, 4, metric, dtype, n_tasks=len(tasks))
    also = tuple(sorted(op.name for op in every))
    kernel = build_kernel(KernelSpec(4, MEMORY, metric, dtype, also=also, table=USER.table, evolves=False))
    fitness, _ = kernel.evaluate(kernel.encode(sample), lay_out(tasks, kernel.spec.lane))
    tally = Tally()
    for program, of_kernel in zip(sample, fitness, strict=True):
        oracle, native = (execute(program, tasks, backend, dtype=dtype) for backend in ("oracle", "native"))
        np.testing.assert_array_equal(np.nan_to_num(of_kernel), native.fitness)
        assert same_bits(oracle, native) if metric == "rmse" else close(oracle, native, 1e-9)
        tally.compare_export(program, tasks, dtype)
        assert Program.parse(str(program), ops=USER.table) == program
    assert not tally.wrong, tally.wrong[0]
    assert tally.exported > 5


@pytest.mark.parametrize(
    ("name", "dtype"),
    few_of(
        [(name, dtype) for name in ("mean-absolute-error", "brier") for dtype in ("float32", "float64")],
        ("mean-absolute-error", "float32"),
        ("brier", "float64"),
    ),
)
def test_an_own_metric_is_computed_as_it_says(name, dtype):
    metric = USER.metric(name)
    given = chosen().tasks
    kind = {"metric": name, "kind": "classification" if name == "brier" else "auto"}
    changed = settings_from({"tasks": as_plain(given) | kind, "ops_file": "my_ops.py"})
    tasks = changed.tasks.split(1, user=USER)
    program = Program.parse(START, ops=USER.table)
    for backend in ("oracle", "kernel", "native"):
        found = execute(program, tasks.search, backend, dtype=dtype)
        for task, fitness, p in zip(tasks.search, found.fitness, found.predictions, strict=True):
            error = task.y_valid - p
            expected = 1 / (1 + np.abs(error).mean()) if name != "brier" else 1 - (error**2).mean()
            assert fitness == pytest.approx(expected, rel=1e-5)
    assert tasks.metric is metric


def as_plain(tasks):
    import dataclasses

    return dataclasses.asdict(tasks)


def test_a_run_is_whole_and_can_be_repeated():
    given = chosen()
    Path("mine.toml").write_text(
        tomli_w.dumps({k: v for k, v in as_mapping(given).items() if k != "ops_text"})
    )
    azgen("evolve", "mine.toml", "--baselines", "few", "--out", "first")
    Path("my_ops.py").unlink()
    first = load_run("first")
    assert (first.path / "ops.py").read_text() == TEXT and "ops_sha256" in first.environment
    assert {i.op.name for i in first.program.instructions()} & {op.name for op in USER.ops}
    assert first.result["metric"] == "mean-absolute-error"

    azgen("evolve", "first/config.toml", "--out", "second")
    assert load_run("second").program == first.program
    assert "1 / (1 + mean absolute error)" in azgen("show", "first")
    assert "leaky" in azgen("show", "first", "--source")
    azgen("export", "first", "-o", "again.py")
    assert "np.m" in Path("again.py").read_text()
    shown = json.loads(azgen("run", "first", "--set", "test", "--json"))
    assert shown["sets"]["test"]["mean"] == first.result["test"]["fitness"]["mean"]
    azgen("run", "first/champion.az", "--tasks", "linear", "--ops", "first/ops.py", "--set", "search")
    azgen("tune", "first", "--trials", "20", "-o", "tuned.az")


def test_worker_processes_find_the_same():
    alone = run(chosen())
    workers = run(chosen(workers=2, engine="workers"))
    assert workers.hall_of_fame == alone.hall_of_fame and workers.counts == alone.counts


@pytest.mark.slow
def test_a_cluster_finds_the_same():
    pytest.importorskip("distributed")
    assert run(chosen(workers=2, engine="dask")).hall_of_fame == run(chosen()).hall_of_fame


def test_a_run_goes_on_with_the_same_file_only():
    whole, given = run(chosen()), chosen()

    def interrupt(event):
        if isinstance(event, Progress) and event.round == 5:
            os.kill(os.getpid(), signal.SIGINT)

    folder = RunDirectory.create("r", 0, "r")
    folder.write_settings(given)
    stopped = run(given, observe=interrupt, checkpoints=Path("r") / CHECKPOINTS)
    assert stopped.reason == "interrupted"
    Path("r/ops.py").write_text(
        TEXT.replace('"{a} * {a}"', '"{a} * {a} * {a}"').replace("np.square", "np.abs")
    )
    with pytest.raises(AzgenError):
        resume("r")
    Path("r/ops.py").write_text(TEXT + "# another\n")
    with pytest.raises(AzgenError, match="not that which the run began with"):
        resume("r")
    Path("r/ops.py").write_text(TEXT)
    assert resume("r").hall_of_fame == whole.hall_of_fame


def test_ops_that_are_named_nowhere_are_added():
    found = resolve_settings("linear", ops="my_ops.py")
    assert {"scalar_square", "vector_leaky"} <= set(found.predict.ops) & set(found.learn.ops)
    assert "scalar_square" not in found.setup.ops
    mine = as_mapping(resolve_settings("linear")) | {"ops_file": "my_ops.py"}
    mine["predict"]["ops"] = [*mine["predict"]["ops"], "scalar_square"]
    kept = resolve_settings(mine, ops="my_ops.py")
    assert "scalar_square" in kept.predict.ops and "scalar_square" not in kept.learn.ops


def test_a_file_of_the_configuration_is_seen_from_its_folder():
    Path("there").mkdir()
    Path("my_ops.py").rename("there/my_ops.py")
    Path("there/mine.toml").write_text(
        'ops_file = "my_ops.py"\n[predict]\nops = ["vector_leaky"]\nmax_size = 3'
    )
    assert read_settings("there/mine.toml").user.table["vector_leaky"].id == 1002
    Path("there/mine.toml").write_text('ops_file = "none.py"\n')
    with pytest.raises(AzgenError, match="there is no such file of ops"):
        read_settings("there/mine.toml")


def test_a_changed_meaning_is_another_program():
    other = read_user_file(TEXT.replace("lane_max({a} * {b}, {b})", "lane_max({b}, {a} * {b})"), "my_ops.py")
    one, two = (Program.parse(START, ops=table) for table in (USER.table, other.table))
    assert str(one) == str(two) and one.hash != two.hash and one.structure_hash != two.structure_hash


@pytest.mark.parametrize(
    "old, new, what",
    [
        ("lane_max({a} * {b}, {b})", "lane_min({a} * {b}, {b})", "op 'vector_leaky'"),
        ("{a} * lane_splat(0.5)", "{a} * lane_splat(0.25)", "op 'matrix_half'"),
        ("lane_min(lane_max({a}, {x}), {y})", "lane_max(lane_min({a}, {x}), {y})", "op 'scalar_clip'"),
        ("lane_abs({label} - {prediction})", "{label} - {prediction}", "metric 'mean-absolute-error'"),
        ("1.0 - fmin({loss}, 1.0)", "1.0 - fmin({loss}, 0.1)", "metric 'brier'"),
    ],
)
def test_generated_code_that_differs_from_its_meaning_is_refused(old, new, what):
    assert old in TEXT
    Path("my_ops.py").write_text(TEXT.replace(old, new))
    message = azgen("ops", "--ops", "my_ops.py", status=2)
    assert what in message and "something else than its meaning" in " ".join(message.split())
    with pytest.raises(AzgenError, match="something else"):
        verify(load_user_file("my_ops.py"), "float64")


METRIC = {
    "name": "mine",
    "kind": "regression",
    "loss": lambda y, p: np.abs(y - p),
    "cython": "lane_abs({label} - {prediction})",
    "fitness": lambda loss: 1 / (1 + loss),
    "c": "1.0 / (1.0 + {loss})",
    "doc": "A metric.",
}


@pytest.mark.parametrize(
    "change, message",
    [
        ({"name": "My metric"}, "its name must begin with a small letter"),
        ({"kind": "ranking"}, "the kind is 'ranking'"),
        ({"doc": ""}, "doc must be one sentence"),
        ({"cython": "lane_abs({label})"}, "has the fields ['label']"),
        ({"cython": "lane_abs({label} - {prediction}) * 2"}, "numbers are written lane_splat"),
        ({"cython": "fabs({label} - {prediction})"}, "uses fabs"),
        ({"c": "1 / (1 + {loss})"}, "numbers are written with a point"),
        ({"c": "system({loss})"}, "uses system"),
        ({"c": "{loss}; exit(1.0)"}, "uses exit"),
        ({"loss": lambda y, p: np.float64(abs(y - p))}, "it must keep the number type"),
        ({"loss": lambda y: y}, "loss fails: TypeError"),
        ({"loss": lambda y, p: p - y}, "it must be at least 0"),
        ({"loss": lambda y, p: np.array([y, p])}, "it must be one number"),
        ({"fitness": lambda loss: 1 - loss}, "it must lie in [0, 1]"),
        ({"fitness": lambda loss: loss / (1 + loss)}, "does not fall with the loss"),
        ({"fitness": lambda loss: 1 / loss}, "fitness fails: ZeroDivisionError"),
    ],
)
def test_what_is_wrong_with_a_metric_is_said(change, message):
    check_metric(UserMetric(**METRIC))
    with pytest.raises(AzgenError) as caught:
        check_metric(UserMetric(**METRIC | change))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("evolve", "linear", "--metric", "mine"), "there is no metric 'mine'; there are rmse, r2"),
        (
            ("evolve", "linear", "--metric", "mine", "--ops", "my_ops.py"),
            "log-loss, mean-absolute-error, brier",
        ),
        (("evolve", "digits", "--metric", "rmse"), "images are told apart by their classes"),
        (("evolve", "digits", "--metric", "mean-absolute-error", "--ops", "my_ops.py"), "rates numbers"),
        (("evolve", "ten-digits", "--metric", "brier", "--ops", "my_ops.py"), "these tasks have 10 classes"),
        (("run", "start.az", "--tasks", "linear"), "start.az, line 5"),
        (("run", "start.az", "--tasks", "linear", "--ops", "none.py"), "no such file of ops"),
        (("show", "start.az", "--ops", "start.az"), "ends in .py"),
        (("export", "start.az"), "start.az, line 5"),
    ],
)
def test_mistakes_of_commands(arguments, message):
    assert message in " ".join(azgen(*arguments, status=2).split())


def test_the_example_of_the_documentation():
    page = (Path(__file__).parents[2] / "docs/own-ops.md").read_text(encoding="utf-8")
    Path("my_ops.py").write_text(page.partition("```python\n")[2].partition("```")[0])
    listed = azgen("ops", "--ops", "my_ops.py")
    assert "vector_leaky" in listed and "mean-absolute-error" in listed
    documented = set(re.findall(r"`(lane_[a-z_]+)`", page)) | {"lane_splat"}
    assert documented == set(LANE_FUNCTIONS)
    assert all(f"`{name}`" in page for name in C_FUNCTIONS)


def test_names_of_metrics_are_unique():
    with pytest.raises(AzgenError, match="'brier': this name is taken"):
        read_user_file(TEXT + "METRICS += METRICS[1:]\n", "my_ops.py")


def test_a_file_may_define_dataclasses_and_cannot_end_azgen():
    head = "from dataclasses import dataclass\n@dataclass\nclass Pair:\n    a: int = 1\n"
    assert read_user_file(head + TEXT, "my_ops.py").metrics
    with pytest.raises(AzgenError, match=r"my_ops.py, line 1: SystemExit"):
        read_user_file("raise SystemExit(0)\n", "my_ops.py")
