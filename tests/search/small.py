"""Settings of small searches, which share a kernel; and how to change settings.

Processes that tests start import this module, so it imports little.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from azgen.settings.reading import read_settings
from azgen.settings.settings import Settings

PRESETS = Path(__file__).parents[2] / "azgen/presets"
LINEAR = read_settings(PRESETS / "demo.toml")


def changed(settings: Settings = LINEAR, **changes: object) -> Settings:
    """Settings with changes, dotted keys written with two underscores."""
    for key, value in changes.items():
        section, _, name = key.partition("__")
        if name:
            value = dataclasses.replace(getattr(settings, section), **{name: value})
        settings = dataclasses.replace(settings, **{section: value})  # type: ignore[arg-type]
    return settings


SMALL = changed(
    LINEAR,
    baselines="few",
    tasks__n_select=10,
    tasks__n_test=10,
    tasks__n_train=(20, 20, 20),
    tasks__n_valid=(20, 20, 20),
    tasks__redraw=False,
    evolution__population=100,
    evolution__cache_size=1024,
    stop__max_programs=20_000,
    stop__max_seconds=0.0,
    stop__round_programs=500,
    stop__restart_programs=0,
    stop__target_fitness=2.0,
    islands__count=4,
    islands__interval=1000,
)
