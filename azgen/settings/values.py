"""Settings to and from nested plain values: what `azgen.plain` does, and two ways of writing less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from azgen.plain import as_plain, read, read_value
from azgen.settings.settings import Settings
from azgen.settings.tasks import TaskSettings
from azgen.tasks.sources import Sizes

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

    def sizes(value: Any, path: str) -> Any:
        alone = isinstance(value, int) and not isinstance(value, bool)
        return read_value(Sizes, [value] * 3 if alone else value, source, path)

    def changes(value: Any, path: str) -> Any:  # to the settings of tasks
        read(TaskSettings, value, source, path, readers={Sizes: sizes})
        return dict(value)

    readers = {Sizes: sizes, Mapping[str, Any]: changes}
    return read(cls, mapping, source, prefix.rstrip("."), readers=readers)


def task_settings(settings: Settings, island: int) -> TaskSettings:
    """Settings of an island's search tasks: the run's, with the changes that this island was dealt."""
    changes = settings.islands.tasks
    return (
        changed_tasks(settings, changes[island % len(changes)], "islands.tasks.")
        if changes
        else settings.tasks
    )


def changed_tasks(settings: Settings, changes: Mapping[str, Any], prefix: str) -> TaskSettings:
    """The run's settings of tasks with some changes."""
    plain = as_plain(settings.tasks) | dict(changes)
    return read_values(TaskSettings, plain, "configuration", prefix)
