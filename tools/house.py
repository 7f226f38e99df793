"""What the house looks like: lines per package, long files and functions, import circles.

    python tools/house.py                     this checkout
    python tools/house.py ../before --json    another one, as JSON

Only the standard library and Python's own parser are used; nothing of the checkout is imported.
"""

from __future__ import annotations

import argparse
import ast
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

MOST_LINES, MOST_FUNCTION_LINES, MOST_PARAMETERS = 300, 50, 8
Function = ast.FunctionDef | ast.AsyncFunctionDef


def measure(checkout: Path) -> dict[str, Any]:
    """Figures of the package azgen in a checkout, as plain values."""
    files = sorted((checkout / "azgen").rglob("*.py"))
    sources = {path.relative_to(checkout): path.read_text() for path in files}
    trees = {path: ast.parse(source) for path, source in sources.items()}
    lines = {path: source.count("\n") for path, source in sources.items()}
    packages: Counter[str] = Counter()
    for path, count in lines.items():
        packages[path.parts[1] if len(path.parts) > 2 else "(azgen itself)"] += count
    long, wide = [], []
    for path, tree in trees.items():
        for function in (node for node in ast.walk(tree) if isinstance(node, Function)):
            place = f"{path}:{function.lineno} {function.name}"
            long.append((length_of(function), place))
            wide.append((parameters_of(function), place))
    modules = {module_name(path): (path, tree) for path, tree in trees.items()}
    anywhere = {name: imported(tree, modules) - {name} for name, (_, tree) in modules.items()}
    above = {name: imported(tree, modules, top=True) - {name} for name, (_, tree) in modules.items()}
    return {
        "lines per package": {"all": sum(lines.values()), **dict(sorted(packages.items()))},
        "lines of templates": sum(p.read_text().count("\n") for p in (checkout / "templates").rglob("*.j2")),
        "lines of tests": sum(p.read_text().count("\n") for p in (checkout / "tests").rglob("*.py")),
        f"files over {MOST_LINES} lines": over(((n, str(p)) for p, n in lines.items()), MOST_LINES),
        f"functions over {MOST_FUNCTION_LINES} lines": over(long, MOST_FUNCTION_LINES),
        f"functions over {MOST_PARAMETERS} parameters": over(wide, MOST_PARAMETERS),
        "imports inside functions": sum(local_imports(tree, modules) for tree in trees.values()),
        "import circles (modules)": [" <-> ".join(c) for c in circles(anywhere)],
        "import circles, only imports at the top of files": [" <-> ".join(c) for c in circles(above)],
    }


def over(found: Iterable[tuple[int, str]], most: int) -> dict[str, int]:
    """Places above a limit with their numbers, largest first."""
    return {place: number for number, place in sorted(found, reverse=True) if number > most}


def length_of(function: Function) -> int:
    """Lines from `def` to the end; docstring counted, decorators not."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def parameters_of(function: Function) -> int:
    """Parameters, self and cls left out, *args and **kwargs counted as one each."""
    a = function.args
    names = [p.arg for p in (*a.posonlyargs, *a.args)]
    first = 1 if names[:1] in (["self"], ["cls"]) else 0
    return len(names) - first + len(a.kwonlyargs) + (a.vararg is not None) + (a.kwarg is not None)


def module_name(path: Path) -> str:
    """Dotted name of a file of the package."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(tree: ast.AST, top: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    """Import statements that run; those under `if TYPE_CHECKING` do not."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for other in node.orelse:
                yield from imports_of(other, top)
        elif not (top and isinstance(node, Function | ast.Lambda)):
            yield from imports_of(node, top)


def imported(tree: ast.AST, modules: dict[str, Any], top: bool = False) -> set[str]:
    """Modules of azgen that a file imports; `from package import module` is the module, not the package."""
    found = set()
    for node in imports_of(tree, top):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in modules}
        elif node.module and not node.level:
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            found |= {name if name in modules else node.module for name in names} & modules.keys()
    return found


def local_imports(tree: ast.AST, modules: dict[str, Any]) -> int:
    """Imports of azgen inside functions."""
    everywhere = [node for node in imports_of(tree, top=False) if imported(ast.Module([node], []), modules)]
    return len(everywhere) - len([n for n in imports_of(tree, top=True) if n in everywhere])


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Sets of modules that reach each other (strongly connected, Tarjan)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        number[name] = lowest[name] = len(number)
        stack.append(name)
        for other in sorted(graph[name]):
            if other not in number:
                visit(other)
                lowest[name] = min(lowest[name], lowest[other])
            elif other in stack:
                lowest[name] = min(lowest[name], number[other])
        if lowest[name] == number[name]:
            at = stack.index(name)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]

    for name in sorted(graph):
        if name not in number:
            visit(name)
    return sorted(found)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkout", nargs="?", type=Path, default=Path(__file__).resolve().parents[1])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = measure(options.checkout)
    if options.json:
        print(json.dumps(figures, indent=1))
        return
    for name, value in figures.items():
        print(f"{name}: {value if isinstance(value, int) else len(value)}")
        if isinstance(value, dict):
            for place, number in value.items():
                print(f"  {number:6} {place}")
        elif isinstance(value, list):
            for line in value:
                print(f"  {line}")


if __name__ == "__main__":
    main()
