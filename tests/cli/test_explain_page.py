"""docs/explain.md: its outputs are what the commands print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.commands import azgen

PAGE = (Path(__file__).parents[2] / "docs" / "explain.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```\n\$ azgen (.*)\n((?:.*\n)*?)```", PAGE)
SNIPPETS = re.findall(r"```python\n((?:.*\n)*?)```", PAGE)


@pytest.mark.parametrize(("command", "shown"), BLOCKS, ids=[command for command, _ in BLOCKS])
def test_outputs_are_real(command, shown):
    printed = azgen(*shlex.split(command))
    assert [line.rstrip() for line in printed.strip("\n").splitlines()] == shown.rstrip("\n").splitlines()


def test_snippets_run(capsys):
    for snippet in SNIPPETS:
        exec(compile(snippet, "docs/explain.md", "exec"), {})
    assert "back-propagated error ('Learn: v7 = v8 * v7',)" in capsys.readouterr().out
