"""The limits of the house: no file, function or list of parameters is longer than one can take in."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import azgen

ROOT = Path(azgen.__file__).parents[1]
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef

MOST_LINES = 310
MOST_FUNCTION_LINES = 50
MOST_PARAMETERS = 8


@cache
def functions() -> list[tuple[str, FUNCTIONS]]:
    """All functions of the package, with their places."""
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node)
        for path in sorted((ROOT / "azgen").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, FUNCTIONS)
    ]


def parameters_of(function: FUNCTIONS) -> int:
    """Parameters but for self and cls; *args and **kwargs are one each."""
    a = function.args
    names = [p.arg for p in (*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg) if p]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def test_files_are_short():
    files = [*(ROOT / "azgen").rglob("*.py"), *(ROOT / "templates").rglob("*.j2")]
    lines = {path: path.read_text(encoding="utf-8").count("\n") for path in files}
    assert {str(path): n for path, n in lines.items() if n > MOST_LINES} == {}


def test_functions_are_short():
    lengths = {place: f.end_lineno - f.lineno + 1 for place, f in functions()}
    assert {place: n for place, n in lengths.items() if n > MOST_FUNCTION_LINES} == {}


def test_values_travel_together():
    counts = {place: parameters_of(f) for place, f in functions()}
    assert {place: n for place, n in counts.items() if n > MOST_PARAMETERS} == {}
