"""Settings in the words of whoever called: options on a command line, keyword arguments in Python."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_on_command_line: ContextVar[bool] = ContextVar("on_command_line", default=False)

_KEYWORDS = ("data", "kind", "metric", "target", "start", "epochs")
"""Settings that `azgen.evolve` takes as keyword arguments of their own; others of tasks are in `tasks`."""


@contextmanager
def on_command_line() -> Iterator[None]:
    """In a `with` block, messages name options of the command line."""
    token = _on_command_line.set(True)
    try:
        yield
    finally:
        _on_command_line.reset(token)


def is_command_line() -> bool:
    """Whether messages name options of the command line."""
    return _on_command_line.get()


def setting(name: str, value: Any = True) -> str:
    """A setting of tasks as the caller would give it: `--drop note`, or `tasks={"drop": ["note"]}`.

    Args:
        name: the setting's.
        value: True for one that is on or off, a list of names, or else what it is to be.
    """
    if is_command_line():
        return shlex.join(option(name, value))
    text = str(value) if isinstance(value, bool) else json.dumps(value, ensure_ascii=False)
    return f"{name}={text}" if name in _KEYWORDS else f'tasks={{"{name}": {text}}}'


def option(name: str, value: Any) -> list[str]:
    """A setting as words of a command line."""
    flag = "--" + name.replace("_", "-")
    if isinstance(value, bool):
        return [flag]
    if isinstance(value, tuple | list):
        return [flag, ",".join(_quoted(item) for item in value)]
    return [flag, str(value)]


def _quoted(name: str) -> str:
    """A name in a list of them, as a cell of a CSV file."""
    return '"' + name.replace('"', '""') + '"' if "," in name or '"' in name else name
