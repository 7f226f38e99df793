"""Generated source to study: a run's kernel, a script that executes, why a module is new; completion."""

import json
import runpy
import shutil

import numpy as np
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


def test_an_edited_source_is_run_beside_the_generated_one_and_marked(run, tmp_path):
    copy, source = tmp_path / "run", tmp_path / "mine" / "candidate.pyx"
    shutil.copytree(run, copy)
    source.parent.mkdir()
    source.write_text(azgen("show", copy, "--source"))
    printed = azgen("run", copy, "--override", source.parent, "--set", "test")
    assert "the same to the last bit" in printed and "marked there" in printed
    lines = source.read_text().splitlines(keepends=True)
    at = next(n for n, line in enumerate(lines) if "if learn_from(" in line)
    source.write_text("".join([*lines[:at], "        s1 = ZERO + 1\n", *lines[at:]]))
    found = json.loads(azgen("run", copy, "--override", source, "--set", "test", "--json"))
    test = found["sets"]["test"]
    assert not test["same_predictions"] and test["predictions_off_by"] > 0.1
    assert test["edited"]["mean"] == pytest.approx(np.mean(test["per_task"]))
    assert test["difference"]["mean"] == pytest.approx(test["edited"]["mean"] - test["generated"]["mean"])
    kept = sorted((copy / "overrides").glob("*.pyx"))
    assert len(kept) == 2 and source.read_text() in [path.read_text() for path in kept]
    shown = azgen("show", copy)
    assert "edited by hand" in shown and all(str(path) in shown for path in kept)
    # Mistakes are told by the file that was edited.
    source.write_text("".join([*lines[:at], "        s1 = ZERO + nothing\n", *lines[at:]]))
    said = azgen("run", copy, "--override", source.parent, status=2)
    assert f"{source}:{at + 1}:" in said and "nothing" in said and "azgen_edited" not in said
    assert "has the function" in azgen(
        "run", "zoo:affine", "--tasks", "linear", "--override", source, status=2
    )
    wide = ("run", copy, "--tasks", "paper-linear", "--override", source)
    assert "was generated for another search space" in azgen(*wide, status=2)
    assert "no such folder" in azgen("run", copy, "--override", tmp_path / "none", status=2)
    assert "--backend" in azgen("run", copy, "--override", source, "--backend", "oracle", status=2)


def test_only_a_run_has_a_kernel_and_tasks():
    for option in ("--kernel", "--repro"):
        assert "zoo:linear is no run" in azgen("show", "zoo:linear", option, status=2)


def test_the_ingredient_that_differs_is_named(run, tmp_path, monkeypatch):
    monkeypatch.setenv("AZGEN_BUILD_DIR", str(tmp_path / "build"))
    program = package.Program.parse(
        "def Setup():\n  pass\ndef Predict():\n  s1 = mean(v0)\ndef Learn():\n  pass\n"
    )
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
