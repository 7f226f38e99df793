"""Settings to and from nested plain values: what `azgen.plain` does, and two ways of writing less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from azgen.errors import AzgenError
from azgen.plain import Readers, as_plain, read, read_value
from azgen.settings.settings import ExecutionSettings, Settings
from azgen.tasks.source import Sizes
from azgen.tasks.sources import SOURCES, Source

T = TypeVar("T")


def as_mapping(settings: Settings) -> dict[str, Any]:
    """The settings as nested plain values, which `settings_from` reads back."""
    plain: dict[str, Any] = as_plain(settings)
    return plain


def read_values(cls: type[T], mapping: Any, source: str, prefix: str) -> T:
    """A class of settings from a mapping; one number stands for three `Sizes`.

    Args:
        cls: one of the dataclasses of `azgen.settings.settings`.
        mapping: values by key, nested as the settings are.
        source: what messages name, such as the file.
        prefix: of the keys in messages, such as "tasks.".

    Raises:
        AzgenError: an unknown key, or a value of the wrong type.
    """
    return read(cls, mapping, source, prefix.rstrip("."), readers=_readers(source))


def read_tasks(mapping: Mapping[str, Any], source: str, path: str) -> Source:
    """Where tasks come from, told by "source"; see `read_values`."""
    found: Source = read_value(Source, mapping, source, path, _readers(source))
    return found


def _readers(source: str) -> Readers:
    def sizes(value: Any, path: str) -> Any:
        alone = isinstance(value, int) and not isinstance(value, bool)
        return read_value(Sizes, [value] * 3 if alone else value, source, path)

    def changes(value: Any, path: str) -> Any:  # to the settings of tasks; without a source, of any of them
        named, of_tasks = None, value
        if isinstance(value, Mapping):
            named = SOURCES.get(str(value.get("source")))
            of_tasks = {name: item for name, item in value.items() if name != "epochs"}
            read(ExecutionSettings, {name: value[name] for name in value.keys() & {"epochs"}}, source, path)
        problems = []
        for kind in [named] if named else SOURCES.values():
            try:
                read(kind, of_tasks, source, path, readers={Sizes: sizes})
                return dict(value)
            except AzgenError as problem:
                problems.append(problem)
        raise problems[0]

    return {Sizes: sizes, Mapping[str, Any]: changes}
