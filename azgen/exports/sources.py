"""Parts of azgen's own source that exported files carry, so that both read a table by the same lines."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import accumulate
from types import ModuleType
from typing import Any

Part = ModuleType | Callable[..., Any]

_Span = tuple[int, int]
_Place = Callable[[int | None, int | None], int]


@lru_cache(maxsize=16)
def carried(*parts: Part) -> str:
    """Source of modules (without docstring and imports) and functions, as an exported file carries it.

    Annotations are left out, as elsewhere in these files, but for fields of dataclasses; `AzgenError` is
    called `TableError` there.
    """
    texts = [_bare(textwrap.dedent(inspect.getsource(part)), isinstance(part, ModuleType)) for part in parts]
    return re.sub(r"\bAzgenError\b", "TableError", "\n\n\n".join(texts))


def _bare(source: str, module: bool) -> str:
    tree, raw = ast.parse(source), source.encode()
    starts: list[int] = [0, *accumulate(map(len, raw.splitlines(keepends=True)))]

    def place(line: int | None, column: int | None) -> int:
        return starts[(line or 1) - 1] + (column or 0)

    spans = [span for node in ast.walk(tree) for span in _annotations(node, raw, place)]
    text = _tidy(_without(raw, spans).decode())
    if not module:
        return text.strip()
    # Annotations go within their lines or take whole ones out, so what comes first is found anew.
    body = ast.parse(text).body
    first = next(n for n in body[1:] if not isinstance(n, ast.Import | ast.ImportFrom))
    return "\n".join(text.splitlines()[_first_line(first, text) :]).strip()


def _tidy(text: str) -> str:
    """Signatures as they are written where there are no annotations."""
    text = re.sub(r"^( *def \w+)\(\n\s*([^\n]*?),?\n\s*\):$", r"\1(\2):", text, flags=re.MULTILINE)
    defaults = re.compile(r"^( *def \w+\()(.*)(\):)$", re.MULTILINE)
    return defaults.sub(lambda found: found[1] + found[2].replace(" = ", "=") + found[3], text)


def _first_line(node: ast.stmt, text: str) -> int:
    """Number, from 0, of a statement's first line, decorators and comments above it included."""
    decorators = getattr(node, "decorator_list", [])
    line: int = min([node.lineno, *(d.lineno for d in decorators)]) - 1
    lines = text.splitlines()
    while line and lines[line - 1].startswith("#"):
        line -= 1
    return line


def _annotations(node: ast.AST, raw: bytes, place: _Place) -> Iterator[_Span]:
    """Where a node's annotations stand in the source."""
    if isinstance(node, ast.arg) and node.annotation is not None:
        begin = place(node.lineno, node.col_offset) + len(node.arg.encode())
        yield begin, place(node.annotation.end_lineno, node.annotation.end_col_offset)
    if isinstance(node, ast.FunctionDef) and node.returns is not None:
        arrow = raw.rindex(b"->", 0, place(node.returns.lineno, node.returns.col_offset))
        begin = len(raw[:arrow].rstrip())
        yield begin, place(node.returns.end_lineno, node.returns.end_col_offset)
    if isinstance(node, ast.FunctionDef | ast.Module):
        for inner in (part for part in ast.walk(node) if isinstance(part, ast.AnnAssign)):
            if inner.value is not None and not _in_class(node, inner):
                end = place(inner.target.end_lineno, inner.target.end_col_offset)
                yield end, place(inner.annotation.end_lineno, inner.annotation.end_col_offset)


def _in_class(node: ast.AST, wanted: ast.AnnAssign) -> bool:
    """Whether it is a field of a class."""
    return any(wanted in inner.body for inner in ast.walk(node) if isinstance(inner, ast.ClassDef))


def _without(raw: bytes, spans: list[_Span]) -> bytes:
    for begin, end in sorted(set(spans), reverse=True):
        raw = raw[:begin] + raw[end:]
    return raw
