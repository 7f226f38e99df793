"""What is installed from the wheel works away from the checkout, and with no more than it asks for."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from azgen.cli.commands import COMMANDS
from azgen.codegen.cache_folder import build_directory
from azgen.extras import EXTRAS
from tests.installed import ROOT, build, environment

DATA = ("templates", "azgen/presets", "azgen/zoo")
"""Folders of files that are no Python, but which azgen reads."""


def data_files() -> set[str]:
    files = [path for folder in DATA for path in (ROOT / folder).rglob("*.*") if path.suffix != ".pyc"]
    return {path.relative_to(ROOT).as_posix() for path in files}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling", reason="hatchling, which builds azgen's wheel, is not installed")
    return build("wheel", tmp_path_factory.mktemp("dist"))


def test_the_wheel_carries_what_azgen_reads(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.replace("templates/", "azgen/_templates/", 1) for name in data_files()} <= names
    assert "azgen/py.typed" in names and not any(name.startswith("tests/") for name in names)


def test_the_sdist_carries_what_the_wheel_and_the_tests_are_made_of(wheel, tmp_path):
    with tarfile.open(build("sdist", tmp_path)) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert data_files() <= names
    others = {"pyproject.toml", "Makefile", "tests/conftest.py", "benchmarks/__main__.py", "docs/index.md"}
    assert others <= names


SCRIPT = """
import json, sys
from typer.testing import CliRunner
from azgen.cli import app

done = []
for words in json.load(sys.stdin):
    result = CliRunner().invoke(app, words)
    done.append((result.exit_code, result.output + (repr(result.exception) if result.exception else "")))
loaded = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps({"azgen": sys.modules["azgen"].__file__, "done": done, "loaded": loaded}))
"""
"""Commands one after the other in one process, which saves most of their time."""

RUN = ["runs/linear-0"]
WORK = [
    ["--version"],
    ["doctor"],
    ["cache"],
    ["presets", "linear"],
    ["zoo", "linear"],
    ["ops", "dot"],
    ["data"],
    ["evolve", "linear", "--max-programs", "1000", "--baselines", "few", "--workers", "2", "--islands", "2"],
    ["resume", *RUN, "--max-programs", "2000"],
    ["runs"],
    ["show", *RUN],
    ["show", *RUN, "--source"],
    ["compare", *RUN, *RUN],
    ["lineage", *RUN],
    ["export", *RUN, "--out", "winner.py"],
    ["run", *RUN],
    ["explain", *RUN],
    ["ablate", *RUN],
    ["prune", *RUN],
    ["tune", *RUN, "--trials", "32"],
    ["difficulty", "linear", "--programs", "500", "--goal", "0.5"],
    ["simulate", "--schedules", "1"],
]
"""Every command that needs no extra, in an order in which each finds what it needs."""

REFUSED = {
    "tables": ["evolve", "--data", "table.csv", "--target", "y"],
    "baselines": ["evolve"],
    "report": ["report", *RUN],
    "cluster": ["evolve", "linear", "--engine", "dask"],
    "tensorboard": ["evolve", "linear", "--tensorboard"],
}
"""By extra a command that needs it."""


def test_every_command_works_where_only_the_wheel_and_what_it_needs_is_installed(wheel, tmp_path):
    python = environment(tmp_path / "environment", wheel)
    (tmp_path / "table.csv").write_text("x,y\n1,2\n")
    variables = {**os.environ, "AZGEN_BUILD_DIR": str(build_directory()), "HOME": str(tmp_path)}
    variables.pop("PYTHONPATH", None)
    process = subprocess.run(
        [str(python), "-c", SCRIPT],
        input=json.dumps([*WORK, *REFUSED.values()]),
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(process.stdout.splitlines()[-1])
    assert Path(found["azgen"]).is_relative_to(tmp_path)
    worked, refused = found["done"][: len(WORK)], found["done"][len(WORK) :]
    for words, (status, output) in zip(WORK, worked, strict=True):
        assert status == 0, (words, output)
    for extra, (status, output) in zip(REFUSED, refused, strict=True):
        assert status == 2 and f"pip install 'azgen[{extra}]'" in output, (extra, output)
    assert not {*EXTRAS} & set(found["loaded"])
    tried = {words[0] for words in (*WORK, *REFUSED.values())} - {"--version"}
    assert tried | {"bench", "plot"} == set(COMMANDS), "bench takes a minute, and plot is as report"
