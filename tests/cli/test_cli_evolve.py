"""`azgen evolve` from end to end: the run directory, repeatability, JSON, interruption, the live view."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
import tomli_w
from rich.console import Console

from azgen.cli.report import print_summary
from azgen.cli.view import LiveView
from azgen.codegen.kernel_source import render_kernel
from azgen.exports.module import learner_source, without_docstrings
from azgen.language.zoo import zoo
from azgen.runs.events import Champion, Finished, NewChampion, Progress, Restarted, Started
from azgen.runs.members import ranked
from azgen.runs.saved import load_run
from azgen.search.task_set import kernel_spec
from azgen.settings.presets import preset, preset_names, preset_text
from azgen.settings.reading import read_settings
from azgen.settings.resolve import resolve_settings
from azgen.settings.tasks import island_tasks
from azgen.study.verdict import verdict
from azgen.tasks import image_sets
from tests.commands import azgen
from tests.thinned import few_of

FILES = {
    "config.toml",
    "environment.json",
    "events.jsonl",
    "hall_of_fame.json",
    "champion.az",
    "champion.pyx",
    "champion.py",
    "result.json",
    "checkpoints",
}
LIMITED = ("--max-programs", "30000", "--baselines", "few")


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def a_run(tmp_path_factory):
    """A run that many tests look at."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    azgen("evolve", "linear", *LIMITED, "--out", folder)
    return folder


@pytest.fixture
def mine(a_run, tmp_path):
    """That run, for a test to change."""
    return shutil.copytree(a_run, tmp_path / "mine")


def test_a_run_leaves_a_complete_directory_and_says_where():
    text = azgen("evolve", "linear", *LIMITED, "--seed", 3, "--full")
    run = load_run("runs/linear-3")
    assert {path.name for path in run.path.iterdir()} == FILES
    assert str(run.program) in text and "runs/linear-3/champion.py" in text
    for name in ("search tasks", "selection tasks", "test tasks", "scikit-learn Ridge", "zoo:linear"):
        assert name in text

    result = run.result
    assert result["champion"]["hash"] == run.program.hash
    assert result["counts"]["programs"] == 30000 and result["reason"] == "30000 programs"
    evaluated, ratings = result["counts"]["evaluated"], result["ratings"]
    assert (ratings["kernel"], ratings["native"], ratings["compiled"]) == (evaluated, 0, 0)
    assert f"Evaluated on the kernel: {evaluated:,}".replace(",", " ") in text
    assert f"champions compiled: {ratings['champions']}" in text and ratings["champions"] > 0
    assert result["search"]["fitness"]["mean"] == pytest.approx(run.champion.search_fitness)
    assert result["select"]["fitness"]["mean"] == pytest.approx(run.champion.select_fitness)
    for score in (result["test"], *result["baselines"]):
        assert score["fitness"]["n"] == 100 and 0 <= score["fitness"]["mean"] <= 1 and score["rms_error"] > 0
    for score in result["baselines"]:
        difference = result["test"]["fitness"]["mean"] - score["fitness"]["mean"]
        assert score["champion_minus_this"]["mean"] == pytest.approx(difference)

    assert (
        run.environment["metric"] == "rmse" and run.environment["lanes"] >= 1 and run.environment["compiler"]
    )
    assert {event["event"] for event in run.events()} >= {"Started", "NewChampion", "Progress", "Finished"}
    assert read_settings(run.path / "config.toml").stop.max_programs == 30000
    assert "cdef public void run_" in (run.path / "champion.pyx").read_text()


def test_a_run_is_shown_exported_and_executed_again(mine, tmp_path):
    run = load_run("mine")
    shown = azgen("show", "mine")
    assert str(run.program) in shown and "scikit-learn Ridge" in shown and "evaluated" in shown
    assert azgen("show", "mine", "--source").strip() == (run.path / "champion.pyx").read_text().strip()
    azgen("export", "mine")
    assert (tmp_path / "mine.py").read_text().split('"""')[2] == (run.path / "champion.py").read_text().split(
        '"""'
    )[2]
    again = json.loads(azgen("run", "mine", "--json"))
    for name in ("search", "select", "test"):
        assert again["sets"][name]["mean"] == pytest.approx(run.result[name]["fitness"]["mean"], abs=0.3)
    assert again["sets"]["test"]["mean"] == run.result["test"]["fitness"]["mean"]
    assert again["sets"]["select"]["mean"] == run.result["select"]["fitness"]["mean"]


def test_an_unfinished_run_is_shown_and_exported(mine):
    Path("mine/result.json").unlink()
    Path("mine/champion.pyx").unlink()
    assert "not finished" in azgen("show", "mine")
    assert "cdef public void run_" in azgen("show", "mine", "--source")
    azgen("export", "mine", "-o", "rescued.py")
    assert "EvolvedRegressor" in Path("rescued.py").read_text()


def test_the_report_fits_a_screen():
    text = azgen("evolve", "linear", "--max-programs", 60_000, "--start", "zoo:linear", "--out", "mine")
    run = load_run("mine")
    report = text[text.index(verdict(run.result)) :]
    assert len(report.splitlines()) <= 40
    rows = [line for line in report.splitlines() if "±" in line]
    fitness = [float(re.search(r"([\d.]+) ±", line)[1]) for line in rows[1:]]
    assert fitness == sorted(fitness, reverse=True) and any("> the champion" in line for line in rows)
    assert f"and {len(run.result['baselines']) + 1 - 7} more; " in report
    module = (run.path / "champion.py").read_text()
    source = module.split("\nclass Learner")[1].split("\n\n\n")[0].splitlines()
    learner = [line for line in source[1:] if line.strip() and '"' not in line]
    for line in learner:
        assert line.split("  # ")[0] in report, "the champion as Python, with names"
    assert "mine/champion.py" in report and "azgen show mine" in report
    assert "What became of the programs" not in report
    # Longer ones too, on a terminal of 80 x 40: without the names of their constants, and with an end.
    to = Console(width=80, height=40, force_terminal=True, color_system=None, file=io.StringIO(), record=True)
    long = [line.text for line in learner_source(zoo("additive-net"))]
    print_summary(to, run.result, without_docstrings(long))
    text = to.export_text()
    assert text.count("\n") <= 40 and "def __init__(self, n_features, ...):" in text
    assert "lines more in mine/champion.py" in text and "  # v" not in text


def test_the_hall_of_fame_is_a_choice(mine):
    run = load_run("mine")
    lines = azgen("show", "mine").split("Hall of fame")[1].splitlines()
    rows = {int(line.split()[0]): line for line in lines if line.split()[:1] and line.split()[0].isdecimal()}
    assert list(rows) == list(range(1, len(run.hall_of_fame) + 1)) and len(rows) > 1
    for rank, champion in enumerate(ranked(run.hall_of_fame), 1):
        assert f"{champion.select_fitness:.3f}"[:5] in rows[rank] and f" {champion.cost:.0f} " in rows[rank]
        assert all(f"picked by {rule}" in rows[rank] for rule in champion.picked_by)
        assert ("the champion" in rows[rank]) == (champion == run.champion)

    other = next(n for n, champion in enumerate(ranked(run.hall_of_fame), 1) if champion != run.champion)
    program = ranked(run.hall_of_fame)[other - 1].program
    assert str(program) in azgen("show", "mine", "--member", other)
    azgen("export", "mine", "--member", other, "-o", "other.py")
    text = Path("other.py").read_text()
    assert str(program.normalized()).splitlines()[-1] in text and "Another of the run's hall of fame" in text
    azgen("export", "mine", "--pick", other, "-o", "same.py")
    assert Path("same.py").read_text().split('"""')[2] == text.split('"""')[2]

    assert "none of rank 99" in azgen("export", "mine", "--member", 99, "-o", "no.py", status=2)
    assert "'worst' picks no program" in azgen("export", "mine", "--pick", "worst", "-o", "no.py", status=2)
    assert "exclude" in azgen("export", "mine", "--pick", 1, "--member", 1, "-o", "no.py", status=2)
    assert "from no program" in azgen("export", "mine", "--pick", "best-start", "-o", "no.py", status=2)
    assert "is no run" in azgen("export", "zoo:linear", "--member", 1, "-o", "no.py", status=2)
    assert not Path("no.py").exists()
    Path("mine/result.json").unlink()
    assert "rank" in azgen("show", "mine", "--member", other)


def test_a_run_picks_as_it_is_told():
    azgen("evolve", "linear", *LIMITED, "--out", "second", "--pick", "2")
    azgen("evolve", "linear", *LIMITED, "--out", "best", "--pick", "best")
    second, best = load_run("second"), load_run("best")
    assert "2" in second.champion.picked_by and "best" in best.champion.picked_by
    assert "picks no program" in azgen("evolve", "linear", "--pick", "0", status=2)
    config = Path("best/config.toml")
    config.write_text(config.read_text().replace('pick = "best"', 'choose = "cheapest"'))
    assert load_run("best").settings.pick == "cheapest-within-error", "as runs of before say it"


def test_the_seed_decides_the_champion(a_run):
    hashes = [load_run(a_run).program.hash]
    for seed, out in ((0, "a"), (1, "b")):
        azgen("evolve", "linear", *LIMITED, "--seed", seed, "--out", out)
        hashes.append(load_run(out).program.hash)
    assert hashes[0] == hashes[1] != hashes[2]


def test_the_configuration_of_a_run_repeats_it():
    azgen("evolve", "linear", *LIMITED, "--seed", 4, "--epochs", 2, "--out", "first")
    azgen("evolve", "first/config.toml", "--out", "second")
    first, second = load_run("first"), load_run("second")
    assert first.settings == second.settings and first.hall_of_fame == second.hall_of_fame


def test_json_is_one_object_a_line():
    lines = azgen("evolve", "demo", *LIMITED, "--json").splitlines()
    records = [json.loads(line) for line in lines]
    assert records[0]["event"] == "Started" and records[-2]["event"] == "Finished"
    assert records[-1]["event"] == "Result"
    assert records[-1] | {"event": None} == {"event": None} | json.loads(
        Path("runs/demo-0/result.json").read_text()
    )
    assert sum(record["event"] == "Progress" for record in records) >= 3


WITHOUT_OTHER_DATA = sorted({*preset_names()} - {"table", "paper"})
USUAL = ("digits", "linear-learn-only", "ten-digits")
"""Presets that differ from each other in most of what a run does."""

MOST = {
    **dict.fromkeys(("n_search", "n_select", "n_test", "rating_tasks", "polish_tasks"), 6),
    **{"n_train": 40, "n_valid": 30, "population": 100},
}


def in_small(settings):
    """Settings with few and small tasks: what takes long is rating, and tuning what a run starts from."""
    if isinstance(settings, list):
        return [in_small(value) for value in settings]
    if not isinstance(settings, dict):
        return settings
    return {
        name: fewer(value, MOST[name]) if name in MOST else in_small(value)
        for name, value in settings.items()
    }


def fewer(value, most):
    return [min(number, most) for number in value] if isinstance(value, list) else min(value, most)


def written_small(name):
    """A configuration file: a preset with few and small tasks."""
    settings = in_small(tomllib.loads(preset_text(name)))
    settings["tasks"] = {"n_train": MOST["n_train"], "n_valid": MOST["n_valid"], **settings["tasks"]}
    Path("small.toml").write_text(tomli_w.dumps(settings))
    return "small.toml"


@pytest.mark.parametrize("name", few_of(WITHOUT_OTHER_DATA, *USUAL))
def test_every_preset_runs(name):
    azgen("evolve", written_small(name), "--max-programs", 1000, "--baselines", "few", "--out", name)
    assert load_run(name).result["counts"]["programs"] >= 1000


@pytest.mark.parametrize("name", WITHOUT_OTHER_DATA)
def test_every_preset_has_tasks_and_a_kernel(name):
    settings = read_settings(written_small(name))
    task = settings.tasks.split(settings.seed).search[0]
    spec = kernel_spec(settings, task.n_features, task.metric, classes=task.vector_classes)
    source = render_kernel(spec)["kernel.pyx"]
    assert all(f"# {op.name}\n" in source for op in spec.ops if op.result)


@pytest.mark.slow
@pytest.mark.parametrize("name", WITHOUT_OTHER_DATA)
def test_every_preset_runs_as_it_is(name):
    azgen("evolve", name, "--max-programs", 3000, "--baselines", "few", "--out", name)
    assert load_run(name).result["counts"]["programs"] >= 3000


def test_the_paper_s_preset_says_where_its_data_can_be_had(tmp_path, monkeypatch):
    monkeypatch.setattr(image_sets, "data_folders", lambda: [tmp_path])
    message = azgen("evolve", "paper", status=2)
    assert "the data set cifar10 is not on this machine. It can be had from" in message
    assert not list(tmp_path.iterdir())
    # Other data take the place of both of its sets, on all islands.
    settings = resolve_settings("paper", data="digits", islands=3)
    assert {island_tasks(settings, island).source.data for island in range(36)} == {"digits"}
    assert {island_tasks(preset("paper"), i).source.data for i in range(36)} == {"cifar10", "mnist"}


@pytest.mark.parametrize(
    "kind",
    few_of(["regression", "classification", "3 classes of target"], "regression", "3 classes of target"),
)
def test_a_table_of_ones_own(tmp_path, kind):
    import sklearn.datasets

    load = {
        "regression": sklearn.datasets.load_diabetes,
        "classification": sklearn.datasets.load_breast_cancer,
        "3 classes of target": sklearn.datasets.load_wine,
    }[kind]
    table = load(as_frame=True).frame.sample(300 if kind == "regression" else 90, random_state=0)
    table = table.drop(columns=table.columns[4:-1])  # examples of four features take a fraction of the time
    table.to_csv(tmp_path / "patients.csv", index=False)
    which = "few" if kind == "regression" else "all"
    options = ("--target", "target", "--max-programs", 2000, "--baselines", which, "--full")
    text = azgen("evolve", "--data", "patients.csv", *options)
    assert (", tuned (" in text) == (which == "all")
    assert f"patients.csv: {kind}: " in text and "runs/patients-0/champion.py" in text
    result = load_run("runs/patients-0").result
    assert result["metric"] == ("rmse" if kind == "regression" else "accuracy")
    linear = result["baselines"][-1]
    assert (
        linear["name"].startswith("scikit-learn")
        and linear["fitness"]["mean"] > result["baselines"][0]["fitness"]["mean"]
    )
    # The exported module takes the same file.
    command = [sys.executable, "runs/patients-0/champion.py", "patients.csv", "--target", "target"]
    module = subprocess.run(command, capture_output=True, text=True)
    assert module.returncode == 0 and "this algorithm" in module.stdout


def test_the_second_run_compiles_nothing(a_run):
    """In a process of its own, as modules stay loaded."""
    program = (
        "import sys; from azgen.cli import app; from azgen.codegen.build import statistics\n"
        "app(sys.argv[1:], standalone_mode=False)\n"
        "print(statistics.builds, statistics.loads, file=sys.stderr)"
    )
    arguments = ["evolve", "linear", *LIMITED, "--out", "again", "--json"]
    result = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    built, loaded = (int(word) for word in result.stderr.split())
    assert built == 0 and loaded > 1
    assert json.loads(result.stdout.splitlines()[0])["kernel_cached"]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_the_best_so_far(tmp_path, sent):
    process = _search(tmp_path)
    for line in process.stdout:
        if json.loads(line)["event"] == "NewChampion":
            break
    time.sleep(0.2)
    process.send_signal(sent)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    result = json.loads(output.splitlines()[-1])
    assert result["event"] == "Result" and result["reason"] == "interrupted"
    run = load_run(tmp_path / "run")
    assert {path.name for path in run.path.iterdir()} == FILES
    assert run.result["test"]["fitness"]["n"] == 100
    # The module is whole, and runs.
    assert (
        subprocess.run([sys.executable, run.path / "champion.py", "--help"], capture_output=True).returncode
        == 0
    )


def test_a_run_that_is_interrupted_before_it_found_anything_leaves_nothing(tmp_path):
    process = _search(tmp_path, "--build-dir", str(tmp_path / "build"))  # which must be compiled first
    while not (tmp_path / "run" / "environment.json").exists():
        time.sleep(0.02)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130 and errors.strip() == "Interrupted."
    assert not (tmp_path / "run").exists()


def _search(folder, *more):
    """An endless search that prints JSON."""
    command = [
        sys.executable,
        "-m",
        "azgen",
        "evolve",
        "linear",
        "--json",
        "--out",
        str(folder / "run"),
        *more,
    ]
    command += ["--target-fitness", "2", "--max-time", "10m"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env={**os.environ, "PYTHONUNBUFFERED": "1"}, **pipes)


def test_the_live_view_shows_what_happened():
    to = Console(file=io.StringIO(), force_terminal=True, width=120)
    view = LiveView(resolve_settings("digits", max_time=30))

    def picture():
        with to.capture() as captured:
            to.print(view.render())
        return captured.get()

    assert "compiling the search kernel" in picture()
    counts = {"programs": 5000, "known": 2500, "failed_probe": 10, "evaluated": 2490, "steps": 10**9}
    champion = Champion(zoo("linear").normalized(), 4321, 1, 0.91, 0.87654321)
    view.observe(Started("digits", "many digits", "5/9/2 addresses", 3.2, False))
    view.observe(NewChampion(1.0, champion))
    view.observe(Restarted(1.0, 5000, 1, "no better program"))
    view.observe(Progress(2.0, 5000, 1, 0.91, counts))
    text = picture()
    for expected in (
        "many digits",
        "kernel compiled in 3.2 s",
        "5 000",
        "2 500 a second",
        "known 50.0%",
        "failed probe 0.2%",
    ):
        assert expected in text
    for expected in ("0.876543", "4 321", "1 + 1 + 4", "of 30.0 s"):
        assert expected in text
    assert "steps" not in text
    view.observe(Finished("30 seconds", 30.0, 29.0, 5000, counts, 0.9))
    assert "testing" in picture()


def test_workers_never_change_what_islands_find(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    limits = ("--max-programs", "20000", "--islands", "2", "--baselines", "few")
    azgen("evolve", "linear", *limits, "--workers", "1", "--out", "one")
    azgen("evolve", "linear", *limits, "--workers", "2", "--out", "two")
    one, two = load_run(tmp_path / "one"), load_run(tmp_path / "two")
    assert one.champion.program == two.champion.program
    assert one.result["counts"] == two.result["counts"]
    assert "--workers is 3" in azgen("evolve", "linear", "--workers", "3", status=2)
