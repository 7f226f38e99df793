"""Generated source to study: a run's kernel, a script that executes, why a module is new; completion."""

import runpy

import pytest
from typer.testing import CliRunner

import azgen as package
from azgen.cli import app
from azgen.codegen.cache_folder import build_directory
from azgen.codegen.why import why
from azgen.errors import CacheError
from tests.commands import azgen


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    package.evolve("linear", max_programs=5000, baselines="few", out=out)
    return out


def test_the_kernel_is_the_one_that_was_compiled(run):
    text = azgen("show", run, "--kernel")
    compiled = [path.read_text() for path in build_directory().glob("kernel/*/*.pyx")]
    assert text.strip() in [source.strip() for source in compiled]


@pytest.mark.parametrize("of", [(), ("--member", "2")])
def test_the_script_compares_with_the_oracle(run, of, tmp_path, capsys):
    script = tmp_path / "repro.py"
    script.write_text(azgen("show", run, "--repro", *of))
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(script))
    lines = capsys.readouterr().out.splitlines()
    assert ended.value.code == 0
    assert [line.split()[0] for line in lines[-3:]] == ["oracle", "kernel", "native"]
    assert "def Predict():" in lines


def test_only_a_run_has_a_kernel_and_tasks():
    for option in ("--kernel", "--repro"):
        assert "zoo:linear is no run" in azgen("show", "zoo:linear", option, status=2)


def test_the_ingredient_that_differs_is_named(run, tmp_path, monkeypatch):
    monkeypatch.setenv("AZGEN_BUILD_DIR", str(tmp_path / "build"))
    program = package.Program.parse(
        "def Setup():\n  pass\ndef Predict():\n  s1 = mean(v0)\ndef Learn():\n  pass\n"
    )
    import numpy as np

    x, y = np.arange(12.0).reshape(6, 2), np.arange(6.0)
    package.execute(program, [package.Task(x, y, x, y)])
    (only,) = (tmp_path / "build" / "candidate").iterdir()
    assert "the only one of its kind" in azgen("cache", "why", only.name[:10])
    package.execute(program, [package.Task(x, y, x, y)], dtype="float64")
    entry, nearest, differences = why(only.name)
    assert entry.key == only.name and nearest is not None and nearest.key != only.name
    assert {difference.name for difference in differences} <= {
        "source .pyx",
        "source lane.h",
        "source evaluate.h",
    }
    text = azgen("cache", "why", only.name[:10])
    assert ("differs in source" in text and "float64" in text) or "double" in text
    with pytest.raises(CacheError, match="no module with the key"):
        why("0" * 64)
    assert "azgen cache why KEY" in azgen("cache", "why", status=2)
    assert "azgen cache why KEY" in azgen("cache", "whither", "x", status=2)


def test_a_shell_completes_commands_and_options():
    def completed(words, number):
        env = {"_AZGEN_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(number)}
        return CliRunner().invoke(app, [], env=env, prog_name="azgen").output.split()

    assert completed("azgen line", 1) == ["lineage"]
    assert "evolve" in completed("azgen ev", 1)
    assert "--max-time" in completed("azgen evolve --max", 2)
    listed = CliRunner().invoke(app, ["--help"]).output
    assert "--install-completion" in listed and "--show-completion" in listed
