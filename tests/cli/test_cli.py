"""The command line: what it prints about programs, ops, presets, the cache and this machine."""

import ast
import json
import os
import subprocess
import sys

import pytest

from azgen.cli.machine import parse_size
from azgen.errors import AzgenError
from azgen.execution.execute import native_code
from azgen.language.ops import OPS
from azgen.language.zoo import zoo, zoo_description, zoo_names
from azgen.settings.presets import preset_names, preset_text
from tests.commands import azgen


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_help_names_every_command():
    text = azgen("--help")
    for command in ("evolve", "show", "export", "run", "ops", "presets", "cache", "doctor"):
        assert f" {command} " in text
        assert "Usage" in azgen(command, "--help")


@pytest.mark.parametrize(
    "arguments", [("--help",), ("ops",), ("ops", "vector_mean"), ("doctor",)], ids="-".join
)
def test_short_commands_import_nothing_heavy(arguments):
    command = [sys.executable, "-X", "importtime", "-m", "azgen", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    heavy = {"numpy", "pandas", "sklearn", "scipy", "Cython", "jinja2", "pydantic"}
    if arguments[0] == "doctor":  # compiles when it has not yet
        heavy -= {"Cython"}
    assert not imported & heavy


def test_the_version_is_that_of_the_package():
    from importlib.metadata import version

    assert azgen("--version").strip() == f"azgen {version('azgen')}"


def test_an_unknown_command_is_a_mistake_of_the_user():
    assert "No such command" in azgen("evovle", status=2)


def test_ops_lists_them_all():
    lines = azgen("ops").splitlines()
    for op in OPS:
        assert sum(line.split()[:2] == [str(op.id), op.name] for line in lines) == 1


@pytest.mark.parametrize("op", list(OPS), ids=lambda op: op.name)
def test_every_op_is_explained(op):
    text = azgen("ops", op.name)
    assert f"{op.name} (op {op.id})" in text and op.doc in text and op.cython in text and op.python in text
    assert azgen("ops", op.id) == text


def test_ops_are_found_by_how_they_are_printed():
    found = azgen("ops", "dot")
    assert "vector_inner_product" in found and "matrix_vector_product" in found and "scalar_sum" not in found


def test_an_unknown_op_is_named_and_another_suggested():
    assert "there is no op 'scalar_summ'. Did you mean scalar_sum?" in azgen("ops", "scalar_summ", status=2)
    assert "there is no op '66'" in azgen("ops", "66", status=2)


def test_presets_are_listed_and_printed():
    listing = azgen("presets")
    assert all(name in listing for name in preset_names())
    assert azgen("presets", "linear") == preset_text("linear")
    assert "Did you mean 'linear'?" in azgen("presets", "linaer", status=2)


def test_the_zoo_is_listed_and_printed():
    listing = azgen("zoo").splitlines()
    for name in zoo_names():
        (line,) = [line for line in listing if line.split()[:1] == [f"zoo:{name}"]]
        size = " + ".join(str(len(function)) for function in zoo(name).functions)
        assert size in line and zoo_description(name)[:80] in line and len(zoo_description(name)) > 20
        assert str(zoo(name)) in azgen("zoo", name)
    assert zoo_description("affine") == "Linear regression with a bias by stochastic gradient descent"
    assert "there is no program 'afine' in the zoo" in azgen("zoo", "zoo:afine", status=2)


def test_help_of_evolve_is_grouped_and_has_examples():
    text = azgen("evolve", "--help")
    places = [text.index(f"─ {name} ─") for name in ("Data", "Search", "Islands", "Limits", "Output")]
    assert places == sorted(places)
    for group, options in (
        ("Data", ("--data", "--target", "--drop-constant")),
        ("Search", ("--start", "--seed", "--seeds")),
        ("Limits", ("--max-time", "--max-programs")),
        ("Islands", ("--islands", "--workers")),
        ("Output", ("--out", "--json", "--pick", "--full")),
    ):
        panel = text.split(f"─ {group} ─")[1].split("╰─")[0]
        assert all(option in panel for option in options)
    examples = [line.strip() for line in text.splitlines() if line.startswith("   azgen evolve ")]
    assert "azgen evolve linear --seed 3 --max-time 2m" in examples and len(examples) == 5


def test_show_explains_a_program():
    text = azgen("show", "zoo:neural-net")
    assert str(zoo("neural-net")) in text and str(zoo("neural-net").normalized()) in text
    assert zoo("neural-net").hash in text and zoo("neural-net").structure_hash in text


def test_show_source_is_the_generated_module():
    text = azgen(
        "show", "zoo:linear", "--source", "--features", 3, "--metric", "accuracy", "--dtype", "float64"
    )
    assert "# s1 = dot(v0, v1)" in text and "F = 3, float64" in text and "metric accuracy" in text
    assert "there is no metric 'auc'" in azgen("show", "zoo:linear", "--source", "--metric", "auc", status=2)


def test_export_writes_a_module(tmp_path):
    assert "neural_net.py" in azgen("export", "zoo:neural-net")
    text = (tmp_path / "neural_net.py").read_text()
    assert "class EvolvedRegressor" in text and "neural-net" in text
    ast.parse(text)
    assert "exists" in azgen("export", "zoo:neural-net", status=2)
    azgen("export", "zoo:neural-net", "-o", "winner.py", "--metric", "accuracy")
    assert "class EvolvedClassifier" in (tmp_path / "winner.py").read_text()
    assert "no folder" in azgen("export", "zoo:linear", "-o", "no/where.py", status=2)


@pytest.mark.parametrize("backend", ["oracle", "kernel", "native"])
def test_run_prints_the_fitness_of_a_program(backend):
    record = json.loads(
        azgen("run", "zoo:linear", "--tasks", "linear", "--backend", backend, "--set", "search", "--json")
    )
    assert (
        record["backend"] == backend and record["metric"] == "rmse" and record["hash"] == zoo("linear").hash
    )
    assert list(record["sets"]) == ["search"]
    search = record["sets"]["search"]
    assert search["n"] == len(search["per_task"]) == 10 and search["failed"] == 0
    assert search["mean"] == pytest.approx(sum(search["per_task"]) / 10)
    assert search["mean"] == pytest.approx(0.62, abs=0.15)  # 100 examples are few at the rate 0.01


def test_run_on_a_table(tmp_path):
    from sklearn.datasets import load_diabetes

    load_diabetes(as_frame=True).frame.to_csv(tmp_path / "patients.csv", index=False)
    text = azgen("run", "zoo:linear", "--data", "patients.csv", "--target", "target", "--epochs", 3)
    assert "patients.csv: regression" in text
    assert [line.split()[0] for line in text.splitlines()[-3:]] == ["search", "select", "test"]


def test_run_says_what_is_missing(tmp_path):
    assert "on which tasks?" in azgen("run", "zoo:linear", status=2)
    assert "exclude each other" in azgen(
        "run", "zoo:linear", "--tasks", "linear", "--data", "a.csv", status=2
    )
    assert "no such run directory or program file" in azgen(
        "run", "nothing.az", "--tasks", "linear", status=2
    )
    assert "there is no program 'lin' in the zoo" in azgen("run", "zoo:lin", "--tasks", "linear", status=2)
    assert "backend 'gpu' is unknown" in azgen(
        "run", "zoo:linear", "--tasks", "linear", "--backend", "gpu", status=2
    )
    assert "no task set 'train'" in azgen(
        "run", "zoo:linear", "--tasks", "linear", "--set", "train", status=2
    )


@pytest.mark.parametrize(
    "line, message",
    [
        ("s1 = foo(v1)", "is no known instruction"),
        ("s1 = s1000 + s2", "address s1000 is out of range"),
        ("s0 = s1 + s2", "never written"),
        ("s1 = (", "not valid syntax"),
    ],
)
def test_bad_program_text_is_named_with_its_place(tmp_path, line, message):
    (tmp_path / "bad.az").write_text(
        f"def Setup():\n  pass\ndef Predict():\n  {line}\ndef Learn():\n  pass\n"
    )
    error = azgen("show", "bad.az", status=2)
    assert message in error and error.startswith("Error: bad.az, line 4, column ")


def test_cache_tells_what_is_there_and_empties_it(tmp_path, monkeypatch):
    monkeypatch.setenv("AZGEN_BUILD_DIR", str(tmp_path / "cache"))
    native_code.cache_clear()
    azgen("run", "zoo:linear", "--tasks", "linear", "--set", "search")
    text = azgen("cache")
    assert str(tmp_path / "cache") in text and "1 module," in text and "candidate" in text
    assert "0 bytes freed" in azgen("cache", "--prune", "1G")
    assert "0 modules, 0 bytes" in azgen("cache", "--clear")
    assert "is no size" in azgen("cache", "--prune", "many", status=2)
    assert "exclude each other" in azgen("cache", "--clear", "--prune", "1G", status=2)


@pytest.mark.parametrize(
    "text, expected", [("500", 500), ("2K", 2048), ("1.5M", 1572864), ("2GiB", 2**31), ("1 gb", 2**30)]
)
def test_sizes(text, expected):
    assert parse_size(text) == expected


def test_what_is_no_size_is_refused():
    with pytest.raises(AzgenError):
        parse_size("-5M")


def test_doctor_finds_this_machine_fit(tmp_path):
    text = azgen("doctor", "--build-dir", tmp_path / "build")
    assert "C compiler" in text and "missing" not in text


def test_doctor_says_what_to_install(tmp_path):
    environment = {**os.environ, "CC": "", "PATH": str(tmp_path), "AZGEN_BUILD_DIR": str(tmp_path / "build")}
    command = [
        sys.executable,
        "-c",
        "import sys; sys.modules['ziglang'] = None; from azgen.cli import main; main()",
        "doctor",
    ]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert "missing" in result.stdout and "apt install gcc" in result.stdout


def test_a_closed_pipe_is_no_error():
    command = f"{sys.executable} -m azgen ops | head -1"
    result = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True)
    assert result.stdout.split()[:2] == ["id", "op"] and result.stderr == ""


def test_a_terminal_without_unicode_gets_text():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "azgen", "presets"]
    assert subprocess.run(command, env=environment, capture_output=True).returncode == 0
