"""Settings from TOML files and plain values, with every mistake named by file and key."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from azgen.errors import AzgenError
from azgen.language.userfile import user_text
from azgen.settings.checks import check
from azgen.settings.former import Former, tell
from azgen.settings.settings import Settings
from azgen.settings.values import read_values
from azgen.tasks.sources import TableTasks
from azgen.textual import is_utf8


def read_settings(path: str | Path, *, saved: bool = False) -> Settings:
    """Settings from a TOML file.

    Args:
        saved: whether a run saved it; then nobody is told what is called otherwise now.

    Raises:
        AzgenError: no such file, bad TOML, an unknown key or a value of the wrong type; names file and key.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise AzgenError(f"{path}: no such configuration file") from None
    except UnicodeDecodeError as error:
        raise AzgenError(
            f"{path}: cannot be read as settings: {error}; if it is a table, give it with --data FILE"
        ) from None
    except OSError as error:
        raise AzgenError(f"{path}: cannot be read: {error}") from None
    try:
        return settings_from(tomllib.loads(text), str(path), Path(path).parent, saved=saved)
    except tomllib.TOMLDecodeError as error:
        # Settings are key = value or [section] from the first line on; a table is not.
        hint = "; if it is a table, give it with --data FILE --target COLUMN"
        about = hint if Path(path).suffix.lower() != ".toml" else ""
        raise AzgenError(f"{path}: not valid TOML: {error}{about}") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, say, or endless nesting
        raise AzgenError(f"{path}: cannot be read as settings: {error}") from None


def settings_from(
    mapping: Mapping[str, Any],
    source: str = "configuration",
    folder: Path | None = None,
    *,
    saved: bool = False,
) -> Settings:
    """Settings from nested mappings, as TOML gives them; checked as a whole.

    Args:
        folder: from which files are seen; tables and programs that are not there, and all if it is None,
            from this process's.
        saved: whether a run saved it; then nobody is told what is called otherwise now.
    """
    former = Former()
    try:
        mapping = former.settings(mapping)
    except AzgenError as error:
        raise AzgenError(f"{source}: {error}") from None
    if not saved:
        tell(former.told, source)
    for text in _texts(mapping):
        if not is_utf8(text):
            raise AzgenError(
                f"{source}: {text!r} is no UTF-8, and so nothing that a configuration can hold; rename it, "
                "or make a link to it under another name"
            )
    settings = read_values(Settings, mapping, source, "")
    if folder:
        settings = _seen_from(folder, settings)
    if settings.ops_file and not settings.ops_text:
        path = str(folder / settings.ops_file) if folder else settings.ops_file
        settings = dataclasses.replace(settings, ops_file=path, ops_text=user_text(path))
    check(settings, source)
    return settings


def _seen_from(folder: Path, settings: Settings) -> Settings:
    """The same settings with paths of tables and start programs that lie beside a configuration."""

    def seen(name: str) -> str:
        there = folder / name
        return str(there) if name and there.is_file() else name

    tasks, initial = settings.tasks, settings.evolution.initial
    if isinstance(tasks, TableTasks):
        settings = dataclasses.replace(settings, tasks=dataclasses.replace(tasks, data=seen(tasks.data)))
    if initial:
        found = seen(initial) if isinstance(initial, str) else tuple(map(seen, initial))
        evolution = dataclasses.replace(settings.evolution, initial=found)
        settings = dataclasses.replace(settings, evolution=evolution)
    return settings


def _texts(value: Any) -> Iterator[str]:
    """All texts in nested values."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)
