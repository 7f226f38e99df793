"""Settings to and from nested plain values."""

from __future__ import annotations

import dataclasses
import difflib
import types
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from azgen.errors import AzgenError
from azgen.settings.settings import Settings, TaskSettings

T = TypeVar("T")


def as_mapping(settings: Settings) -> dict[str, Any]:
    """The settings as nested plain values, which `settings_from` reads back."""
    return {key: _plain(value) for key, value in dataclasses.asdict(settings).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


def read_values(cls: type[T], mapping: Any, source: str, prefix: str) -> T:
    """A class of settings from a mapping.

    Args:
        cls: one of the dataclasses of `azgen.settings.settings`.
        mapping: values by key, nested as the settings are.
        source: what messages name, such as the file.
        prefix: of the keys in messages, such as "tasks.".

    Raises:
        AzgenError: an unknown key, or a value of the wrong type.
    """
    if not isinstance(mapping, Mapping):
        raise AzgenError(f"{source}: {prefix.rstrip('.')} must be a table of settings, not {mapping!r}")
    hints = get_type_hints(cls)
    unknown = [key for key in mapping if key not in hints]
    if unknown:
        close = difflib.get_close_matches(unknown[0], hints, 1)
        hint = f"; did you mean {prefix}{close[0]}?" if close else f"; known are {', '.join(hints)}"
        raise AzgenError(f"{source}: there is no setting {prefix}{unknown[0]}{hint}")
    return cls(**{key: _value(hints[key], item, source, prefix + key) for key, item in mapping.items()})


def _value(hint: Any, value: Any, source: str, key: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return read_values(hint, value, source, key + ".")  # type: ignore[arg-type]
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise AzgenError(
                f"{source}: {key} is {value!r}; it must be one of {', '.join(map(repr, get_args(hint)))}"
            )
        return value
    if get_origin(hint) is Mapping:  # changes to the settings of tasks
        read_values(TaskSettings, value, source, key + ".")
        return dict(value)
    if get_origin(hint) is tuple:
        inner = get_args(hint)
        if inner == (int, int, int) and isinstance(value, int) and not isinstance(value, bool):
            value = [value] * 3
        if not isinstance(value, list | tuple) or (inner[-1] is not ... and len(value) != len(inner)):
            raise AzgenError(
                f"{source}: {key} is {value!r}; it must be a list"
                + (" of 3 numbers" if inner[-1] is not ... else "")
            )
        return tuple(_value(inner[0], item, source, key) for item in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if (
        isinstance(hint, types.UnionType)
        or get_origin(hint) is Union
        or not isinstance(value, hint)
        or (isinstance(value, bool) and hint is not bool)
    ):
        names = {int: "a whole number", float: "a number", str: "a text in quotes", bool: "true or false"}
        raise AzgenError(f"{source}: {key} is {value!r}; it must be {names.get(hint, hint)}")
    return value


def task_settings(settings: Settings, island: int) -> TaskSettings:
    """Settings of an island's search tasks: the run's, with the changes that this island was dealt."""
    changes = settings.islands.tasks
    if not changes:
        return settings.tasks
    plain = dataclasses.asdict(settings.tasks) | dict(changes[island % len(changes)])
    return read_values(TaskSettings, plain, "configuration", "islands.tasks.")
