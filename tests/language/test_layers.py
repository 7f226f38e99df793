"""Imports inside a package run one way too."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import azgen

ROOT = Path(azgen.__file__).parent


def imported(path: Path) -> set[str]:
    """Modules of azgen that a file imports at its top, or anywhere else."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("azgen"):
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("package", ["language", "cli", "exports"])
def test_there_are_no_circles(package):
    modules = {f"azgen.{package}.{path.stem}": path for path in (ROOT / package).glob("*.py")}
    modules.pop(f"azgen.{package}.__init__")
    graph = {name: (imported(path) & set(modules)) - {name} for name, path in modules.items()}
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError
    assert set(order) == set(modules)


def test_language_and_exports_import_at_the_top_of_files():
    for path in [*(ROOT / "language").glob("*.py"), *(ROOT / "exports").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                inner = [n for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom)]
                assert not inner, f"{path}: {node.name}"
