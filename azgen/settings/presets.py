"""Presets: complete settings that ship with azgen as TOML files."""

from __future__ import annotations

from pathlib import Path

from azgen.caller import setting
from azgen.errors import AzgenError, suggest
from azgen.settings.reading import read_settings
from azgen.settings.settings import Settings
from azgen.tasks.datasets import data_set_names

DEFAULT = "digits"
"""The preset of a run that names none."""

TABLE = "table"
"""The preset of a run on a table that names none."""

MULTICLASS = "ten-digits"
"""The preset of a run on images, all classes at once, that names none."""

_DIRECTORY = Path(__file__).resolve().parents[1] / "presets"


def preset_names() -> tuple[str, ...]:
    """Names of the presets."""
    return tuple(sorted(path.stem for path in _DIRECTORY.glob("*.toml")))


def preset_text(name: str) -> str:
    """A preset's TOML.

    Raises:
        AzgenError: no such preset.
    """
    if name not in preset_names():
        hint = suggest(name, preset_names(), repr)
        if name in data_set_names():
            hint = f"It is a data set: {setting('data', name)}."
        there_are = f"There are {', '.join(preset_names())}"
        raise AzgenError(" ".join(filter(None, (f"there is no preset {name!r}.", hint, there_are))))
    return (_DIRECTORY / f"{name}.toml").read_text(encoding="utf-8")


def preset(name: str) -> Settings:
    """A preset's settings.

    Raises:
        AzgenError: no such preset.
    """
    preset_text(name)
    return read_settings(_DIRECTORY / f"{name}.toml")
