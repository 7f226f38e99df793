"""Settings of a run: a preset, a file or given settings, with what the user asks for in their place."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack, get_args, get_type_hints

from azgen.errors import AzgenError
from azgen.language.instruction import FUNCTIONS
from azgen.language.op import Op
from azgen.language.userfile import read_user_file, user_text
from azgen.settings.former import Former, tell
from azgen.settings.overrides import Overrides, check_names
from azgen.settings.presets import DEFAULT, MULTICLASS, TABLE, preset, preset_names
from azgen.settings.reading import read_settings, settings_from
from azgen.settings.settings import Settings
from azgen.settings.tasks import changed_plain
from azgen.tasks.datasets import are_images, is_data_set
from azgen.tasks.sources import TableTasks

_PLACEHOLDER = "FILE"
"""What stands in the preset for tables where the user's file belongs."""

_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?:in)?)?(?:(\d+(?:\.\d+)?)s?)?")


def parse_duration(value: str | float) -> float:
    """Seconds of a duration such as 90, "90s", "10m" or "1h30m".

    Raises:
        AzgenError: it is none, or not above zero.
    """
    seconds = 0.0
    if not isinstance(value, str | int | float):
        raise AzgenError(f'{value!r} is no duration; write seconds or a text such as "90s"')
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip().replace(" ", ""))
        if match:
            hours, minutes, rest = (float(group or 0) for group in match.groups())
            seconds = hours * 3600 + minutes * 60 + rest
    else:
        seconds = float(value)
    if not (0 < seconds < math.inf):
        raise AzgenError(f'{value!r} is no duration; write seconds or, for example, "90s", "10m" or "1h30m"')
    return seconds


PICKS = get_args(get_args(get_type_hints(Settings)["pick"])[0])
"""Rules by which a run may pick its champion, beside a rank."""


def parse_pick(value: str | int, rules: Sequence[str] = PICKS) -> str | int:
    """A rule, or a rank as a number.

    Raises:
        AzgenError: it is neither.
    """
    text = str(value)
    if text in rules:
        return text
    if not text.isdecimal() or int(text) < 1:
        raise AzgenError(f"{text!r} picks no program; give {', '.join(rules)}, or a rank from 1 on")
    return int(text)


def resolve_settings(
    config: str | Path | Mapping[str, Any] | Settings | None = None, **overrides: Unpack[Overrides]
) -> Settings:
    """Settings of a run: a preset, a TOML file or given settings, with what else is given in their place.

    Args:
        config: name of a preset, path of a TOML file, nested mappings as TOML gives them, or settings. None:
            the preset "digits", with a table as `data` the preset "table", and with all `classes` of images
            the preset "ten-digits".
        overrides: see `Overrides`.

    Raises:
        AzgenError: no such preset or file, or settings that contradict each other.
        TypeError: there is no such override.
    """
    check_names(overrides, Overrides)
    # Through plain values, so that overrides are checked like any other settings.
    plain = dataclasses.asdict(_base(config, overrides))
    plain |= _present({name: overrides.get(name) for name in ("seed", "backend", "dtype", "baselines")})
    if (pick := overrides.get("pick")) is not None:
        plain["pick"] = parse_pick(pick)
    _override_tasks(plain, overrides)
    _override_ops(plain, overrides.get("ops"))
    _override_stop(plain["stop"], overrides)
    _override_islands(plain["islands"], overrides)
    settings = settings_from(plain)
    if isinstance(settings.tasks, TableTasks) and settings.tasks.data == _PLACEHOLDER:
        raise AzgenError(f"the preset {settings.name!r} needs a table: give --data FILE --target COLUMN")
    return settings


def _base(config: str | Path | Mapping[str, Any] | Settings | None, overrides: Overrides) -> Settings:
    """The settings that are overridden."""
    if isinstance(config, Settings):
        return config
    if isinstance(config, Mapping):
        return settings_from(config)
    if config is not None:
        return _named(str(config))
    data = overrides.get("data")
    all_classes = overrides.get("classes") == "all" or overrides.get("kind") == "multiclass"  # of before
    images = MULTICLASS if all_classes else DEFAULT
    if data is None:
        return preset(images)
    settings = preset(TABLE if source_of(str(data)) == "table" else images)
    name = Path(data).stem
    # A table called like a preset has no runs of that preset's.
    alike = name in preset_names() and not is_data_set(str(data))
    return dataclasses.replace(settings, name=f"{name}-table" if alike else name)


def _override_tasks(plain: dict[str, Any], overrides: Overrides) -> None:
    data, kind, before = overrides.get("data"), overrides.get("kind"), plain["tasks"]
    source = before["source"] if data is None else source_of(str(data))
    if before.get("classes") == "all" and kind is None and source == "table":
        kind = "multiclass"
    changes = _present({name: overrides.get(name) for name in ("target", "classes", "metric")})
    changes |= {"source": source} | ({} if kind is None else {"kind": kind})
    changes |= {} if data is None else {"data": str(data)}
    if not isinstance(overrides.get("tasks") or {}, Mapping):
        raise AzgenError(
            f'tasks is {overrides.get("tasks")!r}; it must be names and values: {{"impute": "mean"}}'
        )
    former = Former()
    more, execution = former.tasks(changes | _present(overrides.get("tasks") or {}), "tasks.")
    tell(former.told, "tasks")
    if "target" in more and more["source"] != "table":
        raise AzgenError("a target column is only for tables; name one with --data FILE")
    plain["tasks"] = changed_plain(before, more)
    if data is not None:  # the same for all islands
        own = plain["tasks"].keys() - {"source", "data", "classes"}
        plain["islands"]["tasks"] = [
            {k: v for k, v in change.items() if k in own} for change in plain["islands"]["tasks"]
        ]
    if overrides.get("epochs") is not None:
        execution |= {"epochs": overrides.get("epochs")}
    if "epochs" in execution:
        execution = {"tune_epochs": False} | execution
    plain["execution"] |= execution | _present({"fused": overrides.get("fused")})
    if start := overrides.get("start"):
        if not isinstance(start, str | Sequence | Path):
            raise AzgenError(f"start is {start!r}; it must be a text such as zoo:linear, or several")
        start = str(start) if isinstance(start, Path) else start
        plain["evolution"]["initial"] = start if isinstance(start, str) else tuple(map(str, start))


def _override_stop(stop: dict[str, Any], overrides: Overrides) -> None:
    max_time, max_programs = overrides.get("max_time"), overrides.get("max_programs")
    if max_programs is not None and not isinstance(max_programs, int):
        raise AzgenError(f"the limit of programs is {max_programs!r}; it must be a whole number")
    if max_programs is not None and max_programs < 1:
        raise AzgenError(f"the limit of programs is {max_programs}; it must be at least 1")
    if max_time is not None or max_programs is not None:
        stop["max_seconds"] = 0.0 if max_time is None else parse_duration(max_time)
        stop["max_programs"] = max_programs or 0
    stop |= _present({"target_fitness": overrides.get("target_fitness")})


def _override_islands(islands: dict[str, Any], overrides: Overrides) -> None:
    engine, scheduler = overrides.get("engine"), overrides.get("scheduler")
    named = {"count": overrides.get("islands"), "workers": overrides.get("workers"), "engine": engine}
    islands |= _present(named)
    # The scheduler is the engine "dask"'s, and goes when another one is asked for.
    if scheduler is not None:
        if islands["engine"] != "dask":
            raise AzgenError(f"the scheduler {scheduler} is for the engine dask: add --engine dask")
        islands["scheduler"] = scheduler
    elif engine not in (None, "dask"):
        islands["scheduler"] = ""


def _override_ops(plain: dict[str, Any], ops: str | Path | None) -> None:
    if ops is not None:
        plain |= {"ops_file": str(ops), "ops_text": user_text(ops)}
        _allow(read_user_file(plain["ops_text"], plain["ops_file"]).ops, plain)


def _allow(ops: Iterable[Op], plain: dict[str, Any]) -> None:
    """Lets Predict and Learn use ops that no function names yet."""
    named = {name for function in FUNCTIONS for name in plain[function]["ops"]}
    for op in ops:
        for function in ("predict", "learn"):
            evolves, fits = (
                bool(plain[function]["ops"]),
                "m" not in op.signature or plain["memory"]["matrices"],
            )
            if op.name not in named and evolves and fits:
                plain[function]["ops"] = (*plain[function]["ops"], op.name)


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _named(config: str) -> Settings:
    """A TOML file, or a preset."""
    if config.endswith(".toml") or Path(config).is_file():
        return read_settings(config)
    if "/" in config:
        raise AzgenError(f"{config}: no such configuration file")
    return preset(config)


def source_of(data: str) -> str:
    """The source of tasks that a file or a data set is for: "table" or "images".

    Raises:
        AzgenError: it is neither a file nor a known data set.
    """
    return "images" if is_data_set(data) and are_images(data) else "table"
