"""docs/architecture.md: what it names is there, and the walks go as it says."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
import pytest

import azgen

ROOT = Path(azgen.__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
PACKAGES = {path.parent.name for path in (ROOT / "azgen").glob("*/__init__.py")}


def rows(heading: str) -> Iterator[list[str]]:
    """Cells of the rows of the table below a heading."""
    section = PAGE.partition(f"\n## {heading}")[2].partition("\n## ")[0]
    assert section, heading
    for line in section.splitlines():
        if line.startswith("| ") and not line.startswith("|---"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def code_of(file: str, function: str) -> CodeType:
    """A function's code; raises if there is no such function."""
    parts = Path(file).with_suffix("").parts
    found: Any = import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    for name in function.split("."):
        found = getattr(found, name)
    code: CodeType = inspect.unwrap(found.fget if isinstance(found, property) else found).__code__
    return code


def walk(heading: str) -> list[tuple[str, str]]:
    """Functions of a walk in order, but for those that compile: file and qualified name."""
    found = []
    for cells in rows(heading):
        file = next((cell.strip("`") for cell in cells if re.fullmatch(r"`azgen/\S+`", cell)), "")
        if file:
            names = re.findall(r"`([\w.]+)`", cells[cells.index(f"`{file}`") + 1])
            assert names, cells
            assert all(code_of(file, name).co_qualname == name for name in names), cells
            found += [(file, name) for name in names if cells[-1] != "only on a miss"]
    return found


@pytest.fixture(scope="module")
def walks(tmp_path_factory) -> dict[str, list[list[str]]]:
    """Functions that a new process calls on each walk, in the order of their first calls.

    A new one, as what this process has found out before it does not do again.
    """
    folder = tmp_path_factory.mktemp("walks")
    x = np.random.default_rng(0).normal(size=(120, 3)).round(4)
    lines = ["a,b,price", *(f"{a},{b},{c}" for a, b, c in x)]
    (folder / "table.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    finished = subprocess.run(
        [sys.executable, Path(__file__).with_name("walks.py")],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


def test_what_the_page_names_is_there():
    """Files and folders of the checkout; but the compile cache comes and goes."""
    for name in set(re.findall(r"`((?:azgen|templates|tests|benchmarks|docs|tools)/[\w./-]*)`", PAGE)):
        assert (ROOT / name).exists(), name
    for link in re.findall(r"\]\((?!http)([\w./-]+)\)", PAGE):
        assert (ROOT / "docs" / link).exists(), link


def test_the_layers_are_those_of_the_contract():
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = contract["tool"]["importlinter"]["contracts"][0]["layers"]
    assert [re.findall(r"`(\w+)`", cells[0]) for cells in list(rows("The layers"))[1:]] == [
        re.findall(r"\w+", layer) for layer in layers
    ]


def test_the_quoted_lines_are_real():
    blocks = re.findall(r"\n```(?:text|cython) (\S+)\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 5
    for file, block in blocks:
        assert block in (ROOT / file).read_text(encoding="utf-8"), file


def test_the_readme_names_every_room():
    table = README.partition("## Where things are")[2]
    named = set(re.findall(r"`(?:azgen/)?([\w-]+)/`", table))
    assert PACKAGES | {"presets", "zoo", "templates", "benchmarks", "tests", "docs", "tools"} <= named


@pytest.mark.parametrize("heading", ["The walk of a program", "The walk of an example", "The walk of a run"])
def test_a_walk_goes_as_described(heading, walks):
    steps, called = walk(heading), [tuple(step) for step in walks[heading]]
    missing = [step for step in steps if step not in called]
    assert not missing, "the walk does not pass these functions"
    assert steps == sorted(steps, key=called.index), "they are called for the first time in another order"


@pytest.mark.parametrize("heading", ["The walk of a program", "The walk of an example", "The walk of a run"])
def test_every_file_of_a_walk_is_named(heading, walks):
    """In its section, or in one before it, where it goes on as that does."""
    before = PAGE.partition(f"\n## {heading}")[2].partition("\n## ")[0]
    before += PAGE.partition(f"\n## {heading}")[0].partition("\n## The walk")[2]
    named = set(re.findall(r"`(azgen/[\w/]+\.py)`", before))
    assert {file for file, _ in walks[heading]} - named == set()
