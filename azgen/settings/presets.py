"""Presets: complete settings that ship with azgen as TOML files."""

from __future__ import annotations

import difflib
from pathlib import Path

from azgen.errors import AzgenError
from azgen.settings.reading import read_settings
from azgen.settings.settings import Settings

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
        close = difflib.get_close_matches(name, preset_names(), 1)
        hint = f"Did you mean {close[0]!r}? " if close else ""
        raise AzgenError(f"there is no preset {name!r}. {hint}There are {', '.join(preset_names())}")
    return (_DIRECTORY / f"{name}.toml").read_text(encoding="utf-8")


def preset(name: str) -> Settings:
    """A preset's settings.

    Raises:
        AzgenError: no such preset.
    """
    preset_text(name)
    return read_settings(_DIRECTORY / f"{name}.toml")
