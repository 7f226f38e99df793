"""`azgen report`, `plot`, `compare`, `runs`, several seeds: what readers of page and terminal see."""

import csv
import html
import io
import json
import re
import shutil
import subprocess

import numpy as np
import pytest

import azgen
from azgen.language.metrics import METRICS
from azgen.language.zoo import zoo, zoo_names
from azgen.runs.checkpoint import CheckpointDirectory
from azgen.runs.saved import load_run
from azgen.study.report import drawings, plots
from azgen.study.report.comparison import as_csv, as_latex, difference
from azgen.study.report.course import course
from azgen.study.report.sources import cython_lines, program_lines, python_lines
from tests.commands import azgen as command
from tests.thinned import few_of

MATPLOTLIB = "matplotlib is not installed (pip install 'azgen[report]')"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A short run of two islands; its data are synthetic."""
    out = tmp_path_factory.mktemp("runs") / "linear-3"
    azgen.evolve("demo", seed=3, islands=2, max_programs=60_000, baselines="few", out=out)
    return load_run(out)


@pytest.fixture(scope="module")
def page(run):
    pytest.importorskip("matplotlib", reason=MATPLOTLIB)
    command("report", run.path)
    return run.path / "report.html"


def text_of(page):
    return page.read_text(encoding="utf-8")


def test_the_page_holds_everything_and_needs_nothing(page, run):
    text = text_of(page)
    assert len(text.encode()) <= 500_000
    # Nothing is fetched: the only addresses are names of XML's own.
    addresses = set(re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"'\s)>]+)""", text))
    assert all(address.startswith(("#", "data:")) for address in addresses)
    assert "@import" not in text
    for part in (
        run.result["data"],
        "program" if run.champion.number else "start",
        f"azgen evolve {run.path / 'config.toml'}",
        run.environment["processor"],
        *(baseline["name"] for baseline in run.result["baselines"]),
        *str(run.program).splitlines(),
    ):
        assert html.escape(part, quote=False) in text.replace("&#34;", '"').replace("&#39;", "'"), part
    for name in ("programs", "time", "islands", "front", "ladder", "test"):
        assert text.count(f'id="figure-{name}"') == 1
    assert "removed" in text and "set to 0" in text, "what lines are worth"
    identifiers = re.findall(r'\bid="([^"]+)"', text)
    assert len(identifiers) == len(set(identifiers))


def test_the_lineage_is_on_the_page_and_on_the_terminal(page, run):
    n = len(run.champion.ancestors)
    assert n > 1
    lines = command("lineage", run.path, "--full").splitlines()
    assert f"{n} programs that the champion descends from" in lines[0]
    assert sum(bool(re.match(r"\d+\. program", line)) for line in lines) == n
    steps = json.loads(command("lineage", run.path, "--json"))
    assert len(steps) == min(n, 12) and steps[-1]["number"] == run.champion.ancestors[-1].number
    assert f"{min(n, 24)} programs that it descends from" in text_of(page)
    short = command("lineage", run.path, "--member", "2")
    assert "descends from" in short or "no ancestors" in short
    assert "none of rank 99" in command("lineage", run.path, "--member", "99", status=2)


def test_the_page_of_a_run_that_was_killed(page, run, tmp_path):
    killed = tmp_path / "killed"
    shutil.copytree(run.path, killed)
    for name in ("result.json", "champion.py", "report.html"):
        (killed / name).unlink()
    command("report", killed, "--no-worth", "-o", tmp_path / "page.html")
    text = text_of(tmp_path / "page.html")
    assert "is not finished" in text and 'id="figure-programs"' in text and 'id="figure-test"' not in text


def test_a_page_needs_matplotlib_and_a_place(run, tmp_path, monkeypatch):
    assert "name a file" in command("report", run.path, "-o", tmp_path / "no" / "page.html", status=2)
    assert "is no run" in command("report", "zoo:linear", status=2)

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr("azgen.extras.import_module", missing)
    for name in ("report", "plot"):
        assert "pip install 'azgen[report]'" in command(name, run.path, status=2)


def test_plots_are_files(run, tmp_path):
    pytest.importorskip("matplotlib", reason=MATPLOTLIB)
    command("plot", run.path, "front", "programs", "--png", "-o", tmp_path / "plots")
    assert {p.name for p in (tmp_path / "plots").iterdir()} == {"front.png", "programs.png"}
    assert (tmp_path / "plots" / "front.png").read_bytes().startswith(b"\x89PNG")
    assert "has no plot 'fornt'; there are programs, time, islands, front" in command(
        "plot", run.path, "fornt", status=2
    )


def test_the_figure_of_the_test_tasks_has_room_for_the_best_alone(run):
    result = run.result
    few = [row["name"] for row in drawings.compared(result)]
    assert len(few) == 1 + len(result["baselines"]), "all of them"
    worse = [dict(result["baselines"][0], name=f"other {n}") for n in range(30)]
    for n, row in enumerate(worse):
        row["fitness"] = dict(row["fitness"], mean=0.9 - n / 100)
    many = [row["name"] for row in drawings.compared(result | {"baselines": worse})]
    assert len(many) <= drawings.MOST_COMPARED + 2 and "champion" in many
    assert many[-1] in ("champion", "other 29") and "other 3" in many and "other 20" not in many


def test_stepping_stones_are_those_of_the_log(run):
    events = run.events()
    found = course(events)
    leaders = [event["champion"]["program"] for event in events if event["event"] == "NewChampion"]
    assert len(found.stones) == len(dict.fromkeys(leaders))
    for stone, text in zip(found.stones, dict.fromkeys(leaders), strict=True):
        assert [line[2:] for line in stone.lines if line[0] in " +"] == text.splitlines()
    assert list(found.programs) == sorted(found.programs) and {len(row) for row in found.islands} == {2}


@pytest.mark.parametrize(
    ("metric", "name"),
    few_of(
        [(metric, name) for metric in ("rmse", "accuracy") for name in zoo_names()],
        *(("rmse", name) for name in zoo_names()),
        ("accuracy", "neural-net"),
        ("accuracy", "softmax-ridge-net"),
    ),
)
def test_the_three_sources_carry_out_every_instruction(name, metric):
    from azgen.codegen.target import Target

    program = zoo(name).normalized()
    classes = 3 if program.form.name == "vector" else 0
    if classes and metric == "rmse":
        metric = "log-loss"
    assert metric in METRICS
    every = {
        f"{function}-{number}"
        for function in ("setup", "predict", "learn")
        for number in range(len(getattr(program, function)))
    }
    target = Target.of(program.memory, 4, metric, "float32", classes)
    for lines in (
        program_lines(program),
        cython_lines(program, target),
        python_lines(program, metric, "float32"),
    ):
        assert {carried for line in lines for carried in line.carries} == every, lines
    # A line of Cython says what it carries out.
    said = {line.carries: line.text for line in program_lines(program) if line.carries}
    for line in cython_lines(program, target):
        for carried in line.carries:
            left = said[(carried,)].split("=")[0].strip()
            assert left in line.text.split("#")[1]


def test_the_table_of_baselines_is_csv_and_latex(run):
    rows = list(csv.DictReader(io.StringIO(command("show", run.path, "--baselines", "csv"))))
    assert {row["name"] for row in rows} == {"champion", *(b["name"] for b in run.result["baselines"])}
    for row in rows:
        if row["name"] != "champion":
            fitness = run.result["test"]["fitness"]["mean"] - float(row["champion_minus_this"])
            assert float(row["fitness"]) == pytest.approx(fitness)
    latex = command("show", run.path, "--baselines", "latex")
    assert latex == as_latex(run.result) and latex.count(r"\\") == len(rows) + 1
    assert "&" not in latex.replace(" & ", "") and as_csv(run.result).count("\n") == len(rows) + 1
    assert "no table of the form" in command("show", run.path, "--baselines", "xls", status=2)


def test_values_per_task_are_kept(run):
    for score in (run.result["search"], run.result["select"], run.result["test"], *run.result["baselines"]):
        assert len(score["per_task"]) == score["fitness"]["n"]
        assert np.mean(score["per_task"]) == pytest.approx(score["fitness"]["mean"])
    lines = (run.path / "result.json").read_text().splitlines()
    assert len(lines) < 400, "numbers stand beside each other"
    assert json.loads((run.path / "result.json").read_text()) == run.result


def test_several_seeds_are_compared(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    limited = ("--max-programs", "10000", "--baselines", "few")
    printed = command("evolve", "linear", *limited, "--seeds", "0-1,5", "--out", "many")
    runs = [load_run(f"many/linear-{seed}") for seed in (0, 1, 5)]
    assert [run.settings.seed for run in runs] == [0, 1, 5]
    table = printed[printed.index("Runs beside each other") :]
    assert all(run.name in table for run in runs) and "over the 3 runs" in table
    assert "no differences are paired" in table, "each seed has tasks of its own"
    assert difference(runs[0].result, runs[1].result) is None

    command("evolve", "linear", *limited, "--seed", 1, "--pick", "best", "--out", "many/again")
    compared = command("compare", "many/linear-1", "many/again")
    assert "minus the first" in compared and "no differences" not in compared
    listed = command("runs", "many")
    assert all(name in listed for name in ("linear-0", "linear-1", "linear-5", "again"))
    assert "two runs or more" in command("compare", "many/again", status=2)
    assert "exclude" in command("evolve", "linear", "--seeds", "0-1", "--seed", 1, status=2)
    assert "names no seeds" in command("evolve", "linear", "--seeds", "4-0", status=2)
    (tmp_path / "many/again/result.json").unlink()
    assert "not finished" in command("runs", "many")
    assert "is not finished" in command("compare", "many/linear-1", "many/again", status=2)
    assert "There are no runs" in command("runs", "none")


# ---- in a browser

PROBE = """
<script>
{
const lit = name => document.querySelectorAll(`#source-${name} .lit`).length;
const names = ["program", "cython", "python"];
const before = names.map(lit);
const line = [...document.querySelectorAll("#source-python [data-carries]")].at(-1);
line.dispatchEvent(new Event("mouseenter"));
const during = names.map(lit);
line.dispatchEvent(new Event("mouseleave"));
const after = names.map(lit);
line.click();
const pinned = names.map(lit);
parent.postMessage(JSON.stringify({
  width: innerWidth, page: document.documentElement.scrollWidth, before, during, after, pinned,
  figures: [...document.querySelectorAll("figure")].map(figure => {
    const box = figure.querySelector("svg").getBoundingClientRect();
    return [figure.id, box.width, box.height, figure.querySelectorAll("svg path").length];
  }),
}), "*");
}
</script>
"""


FRAME = """<title>nothing</title>
<script>addEventListener("message", event => { document.title = event.data; });</script>
<iframe src="probed.html" style="width: %dpx; height: 900px; border: 0"></iframe>
"""  # a browser's window has a least width, a frame has none


def chromium():
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return found or pytest.skip("there is no Chromium to look at the page with")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_in_a_browser(page, tmp_path, width):
    browser = chromium()
    (tmp_path / "probed.html").write_text(text_of(page) + PROBE, encoding="utf-8")
    frame = tmp_path / "frame.html"
    frame.write_text(FRAME % width, encoding="utf-8")
    options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--log-level=0")
    options += ("--virtual-time-budget=5000", f"--user-data-dir={tmp_path / 'profile'}")
    line = [browser, *options, "--window-size=1400,900", "--dump-dom", frame.as_uri()]
    shown = subprocess.run(line, capture_output=True, text=True, timeout=100)
    assert "CONSOLE" not in shown.stderr, [row for row in shown.stderr.splitlines() if "CONSOLE" in row]
    seen = json.loads(html.unescape(re.search(r"<title>(.*?)</title>", shown.stdout)[1]))
    assert seen["width"] == width and seen["page"] <= width, "nothing sticks out"
    figures = {name.removeprefix("figure-"): size for name, *size in seen["figures"]}
    assert set(figures) == {"programs", "time", "islands", "ladder", "test", "front"}
    for across, down, paths in figures.values():
        assert 250 < across <= width and down > 100 and paths > 5
    text = text_of(page)
    assert "# v" not in text[text.index('id="source-cython"') : text.index('id="source-python"')]
    assert seen["before"] == seen["after"] == [0, 0, 0]
    assert all(seen["during"]) and seen["pinned"] == seen["during"]


# ---- archives


def test_an_archive_is_drawn_from_the_checkpoint(run, tmp_path):
    pytest.importorskip("matplotlib", reason=MATPLOTLIB)
    shutil.copytree(run.path, tmp_path / "run")
    assert plots.archive(load_run(tmp_path / "run")) is None
    kept = CheckpointDirectory(tmp_path / "run/checkpoints")
    # Two islands with three and two entries, and an elite each, laid out as archive_snapshot.py says.
    fitness, tried = np.array([0.3, 0.5, 0.4, 9.0, 0.2, 0.6, 9.0]), np.array([1, 4, 2, 0, 3])
    arrays = {"archive.n": np.array([[3, 1], [2, 1]]), "archive.fitness": fitness, "archive.tried": tried}
    kept.write({}, arrays)
    found, runs = plots.archive(load_run(tmp_path / "run"))
    assert found.tolist() == [0.3, 0.5, 0.4, 0.2, 0.6] and runs.tolist() == tried.tolist()
    command("plot", tmp_path / "run", "archive", "-o", tmp_path / "plots")
    assert "runs that began there" in (tmp_path / "plots/archive.svg").read_text()
    kept.write({}, arrays | {"archive.n": np.zeros((2, 2), int)})
    assert plots.archive(load_run(tmp_path / "run")) is None
    kept.close()
