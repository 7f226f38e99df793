"""Checks the templates without rendering them: `make templates`.

Each parses, is rendered or included by something, imports only macros that are there, and uses what it
imports; no line ends in blanks or holds a tab. Exit status 1 and a line for each finding otherwise.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import jinja2
from jinja2 import nodes

ROOT = Path(__file__).resolve().parents[1]
TEMPLATES = ROOT / "templates"


def findings() -> Iterator[str]:
    """What is wrong, a line each: file, line and why."""
    files = sorted(TEMPLATES.rglob("*.j2"))
    texts = {path.relative_to(TEMPLATES).as_posix(): path.read_text(encoding="utf-8") for path in files}
    trees = {}
    for name, text in texts.items():
        for number, line in enumerate(text.splitlines(), 1):
            if line != line.rstrip() or "\t" in line:
                yield f"{name}:{number}: a tab, or blanks at the end"
        try:
            trees[name] = jinja2.Environment().parse(text)
        except jinja2.TemplateSyntaxError as error:
            yield f"{name}:{error.lineno}: {error.message}"
    macros = {name: {macro.name for macro in tree.find_all(nodes.Macro)} for name, tree in trees.items()}
    python = [path.read_text(encoding="utf-8") for path in (ROOT / "azgen").rglob("*.py")]
    everything = "".join([*python, *texts.values()])
    for name, tree in trees.items():
        if f'"{name}"' not in everything and not _is_made_up(name, everything):
            yield f"{name}: nothing renders, includes or imports it"
        yield from _imports(name, tree, macros, texts[name])


def _is_made_up(name: str, everything: str) -> bool:
    """Whether a name is put together: f"export/c/{part}.j2" in Python, "export/" ~ part ~ ".j2" in Jinja."""
    in_python = re.findall(r'f"([\w/.\-]*)\{\w+\}([\w/.\-]*\.j2)"', everything)
    in_templates = re.findall(r'"([\w/.\-]*)" ~ \w+ ~ "([\w/.\-]*\.j2)"', everything)
    return any(name.startswith(first) and name.endswith(last) for first, last in in_python + in_templates)


def _imports(name: str, tree: nodes.Template, macros: dict[str, set[str]], text: str) -> Iterator[str]:
    for found in tree.find_all(nodes.FromImport):
        source = found.template.value if isinstance(found.template, nodes.Const) else ""
        if source not in macros:
            yield f"{name}:{found.lineno}: there is no template {source!r}"
            continue
        for item in found.names:
            macro, alias = item if isinstance(item, tuple) else (item, item)
            if macro not in macros[source]:
                yield f"{name}:{found.lineno}: {source} has no macro {macro}"
            if len(re.findall(rf"\b{alias}\b", text)) < 2:
                yield f"{name}:{found.lineno}: {alias} is imported and not used"


if __name__ == "__main__":
    wrong = list(findings())
    print("\n".join(wrong) if wrong else "All templates are as they should be.")
    sys.exit(bool(wrong))
