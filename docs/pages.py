"""Pages of the documentation that are written from code, a hook of MkDocs: the command line, the op table,
and the notebook with its outputs."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from azgen.cli.commands import COMMANDS, loaded
from azgen.language.ops import OPS


def on_files(files: Any, config: Any) -> Any:
    """Adds the pages to those that lie in docs/; MkDocs calls this."""
    from mkdocs.structure.files import File

    pages = (("commands.md", commands()), ("ops.md", ops()), ("notebook.md", notebook()))
    for name, lines in pages:
        files.append(File.generated(config, name, content="\n".join(lines) + "\n"))
    return files


def commands() -> Iterator[str]:
    """Every command with its arguments and options, as `azgen COMMAND --help` has them."""
    yield "# The command line\n"
    yield "Written from the commands themselves; `azgen COMMAND --help` says the same.\n"
    for name, command in ((name, loaded(name)) for name in COMMANDS):
        context = command.context_class(command, info_name=f"azgen {name}")
        usage = " ".join(command.collect_usage_pieces(context))
        yield f"## azgen {name}\n\n    azgen {name} {usage}\n\n{_paragraphs(command.help)}\n"
        yield from _parameters(command, context)


def _parameters(command: Any, context: Any) -> Iterator[str]:
    yield "| | |\n|---|---|"
    for parameter in command.params:
        record = parameter.get_help_record(context)  # None of what is hidden
        if record:
            words, text = record
            yield f"| {_code(words.removesuffix(' <str>'))} | {_cell(text)} |"
    yield ""


def ops() -> Iterator[str]:
    """The op table, a row each."""
    yield "# The basic operations\n"
    yield "Written from the rows of `azgen/language/ops.py`; `azgen ops NAME` says more of one. `s` is a"
    yield "scalar, `v` a vector of F entries, `m` a matrix of F x F, where F is the number of features."
    yield "Costs are those of F = 10, in multiplications.\n"
    yield "| id | name | operands and result | in a program | cost | |\n|---|---|---|---|---|---|"
    for op in OPS:
        text = op.listing.format(a="a", b="b", x="x", y="y", z="z", out="out")
        names = (_code(word) for word in (op.name, op.signature.strip(), text))
        yield f"| {' | '.join((str(op.id), *names, f'{op.cost(10):g}', _cell(op.doc)))} |"


def notebook() -> Iterator[str]:
    """The notebook: its text, its code, and what that showed when it was last run (tests, --accept)."""
    for cell in json.loads((Path(__file__).parent / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        yield source + "\n" if cell["cell_type"] == "markdown" else f"```python\n{source}\n```\n"
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            page = "".join(data.get("text/html", ""))
            text = "".join(output.get("text", data.get("text/plain", "")))
            if page and output["output_type"] == "execute_result":  # no line of progress
                lines = (line for line in page.splitlines() if line.strip())
                yield "<div>\n" + "\n".join(lines) + "\n</div>\n"
            elif text and not page:
                yield f"```text\n{text.rstrip()}\n```\n"


def _paragraphs(text: str | None) -> str:
    """Help as Markdown: what is kept line by line (after \\b) are commands."""
    found = []
    for paragraph in (text or "").split("\n\n"):
        indent = "    " if "\b" in paragraph else ""
        lines = [line.strip() for line in paragraph.replace("\b", "").strip("\n").splitlines()]
        found.append("\n".join(f"{indent}{line}" for line in lines if line))
    return "\n\n".join(found)


def _code(text: str) -> str:
    """Code in a table's cell, where Markdown takes a bar in backticks for the cell's end."""
    return f"<code>{html.escape(text).replace('|', '&#124;')}</code>"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
