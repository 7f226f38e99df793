"""Imports inside a package run one way too, and stand at the top of files."""

from __future__ import annotations

import ast
from collections.abc import Container
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import azgen

ROOT = Path(azgen.__file__).parent
SLOW = {"Cython", "IPython", "distributed", "pandas", "scipy", "sklearn", "sympy", "tensorboardX"}
"""Libraries that take long to import, or need not be installed: imported where they are used."""

LATE = {
    "azgen": {"azgen.version"},  # for __version__ alone, of which `import azgen` need not know
    "azgen.cli.app": {"azgen.version"},  # for --version
    "azgen.cli.ops": {"azgen.execution.verify"},  # for --ops: half a second
}
"""What of azgen itself is imported in a function, with what for."""


def module_name(path: Path) -> str:
    parts = ("azgen", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PACKAGES = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))


@cache
def imports() -> dict[str, list[tuple[str, str]]]:
    """By module what it imports, for types too, and the function where ("": at the top of the file)."""
    files = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}
    found = {}
    for name, path in files.items():
        in_function = {}
        tree = ast.parse(path.read_text(encoding="utf-8"))
        nodes = [(node, "") for node in tree.body]
        while nodes:
            node, function = nodes.pop()
            if isinstance(node, ast.Import | ast.ImportFrom):
                in_function[node] = function
            function = node.name if isinstance(node, ast.FunctionDef) else function
            nodes += [(inner, function) for inner in ast.iter_child_nodes(node) if isinstance(inner, HOLDERS)]
        found[name] = [(each, f) for node, f in in_function.items() for each in imported(node, files)]
    return found


HOLDERS = (ast.stmt, ast.excepthandler, ast.match_case)
"""Nodes in which statements stand."""


def imported(node: ast.Import | ast.ImportFrom, modules: Container[str]) -> list[str]:
    """What a statement imports; `from package import module` is the module."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    assert node.module and not node.level, "imports name the whole path"
    names = [f"{node.module}.{alias.name}" for alias in node.names]
    return [name if name in modules else node.module for name in names]


def without_circles(modules: set[str]) -> list[str]:
    """The modules, each after those that it imports; raises CycleError, which names the circle."""
    graph = {name: ({to for to, _ in imports()[name]} & modules) - {name} for name in modules}
    return list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("package", PACKAGES)
def test_there_are_no_circles_in_a_package(package):
    modules = {name for name in imports() if f"{name}.".startswith(f"azgen.{package}.")}
    assert set(without_circles(modules)) == modules


def test_there_are_no_circles_at_all():
    assert set(without_circles(set(imports()))) == set(imports())


def test_imports_stand_at_the_top_of_files():
    """But for libraries that are slow to import or need not be installed, and what only types need.

    What azgen itself has is imported late in two ways: a command's module when it is called, and what the
    package offers when it is asked for. One command answers sooner without.
    """
    for name, found in imports().items():
        inner = {to for to, function in found if function} - LATE.get(name, set())
        allowed = set() if name.startswith(("azgen.exports.", "azgen.language.")) else SLOW
        assert {to.split(".")[0] for to in inner} <= allowed, f"{name}: {inner}"
