"""Settings of a run: a preset, a file or given settings, with what the user asks for in their place."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from azgen.errors import AzgenError
from azgen.language.ops import Op
from azgen.language.program import FUNCTIONS
from azgen.language.userfile import read_user_file, user_text
from azgen.settings.presets import DEFAULT, MULTICLASS, TABLE, preset
from azgen.settings.reading import read_settings, settings_from
from azgen.settings.settings import Settings

_PLACEHOLDER = "FILE"
"""What stands in the preset for tables where the user's file belongs."""

_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?:in)?)?(?:(\d+(?:\.\d+)?)s?)?")


def parse_duration(value: str | float) -> float:
    """Seconds of a duration such as 90, "90s", "10m" or "1h30m".

    Raises:
        AzgenError: it is none, or not above zero.
    """
    seconds = 0.0
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


def resolve_settings(
    config: str | Path | Mapping[str, Any] | Settings | None = None,
    *,
    data: str | Path | None = None,
    target: str | None = None,
    kind: str | None = None,
    seed: int | None = None,
    backend: str | None = None,
    dtype: str | None = None,
    max_time: str | float | None = None,
    max_programs: int | None = None,
    target_fitness: float | None = None,
    islands: int | None = None,
    workers: int | None = None,
    metric: str | None = None,
    ops: str | Path | None = None,
    baselines: str | None = None,
    tasks: Mapping[str, Any] | None = None,
    engine: str | None = None,
    scheduler: str | None = None,
) -> Settings:
    """Settings of a run: a preset, a TOML file or given settings, with what else is given in their place.

    Args:
        config: name of a preset, path of a TOML file, nested mappings as TOML gives them, or settings. None:
            the preset "digits", with a table as `data` the preset "table", and with images and the kind
            "multiclass" the preset "ten-digits".
        data: a table (CSV, TSV, NPZ, Parquet, ARFF) or the name of a data set.
        target: the table's column to predict.
        kind: "regression", "classification" or "multiclass"; without it the column tells. For images
            "multiclass" means all classes at once, in place of pairs of classes.
        seed, backend, dtype, baselines: as in `Settings`.
        max_time: seconds, or text such as "10m". A limit of time or of programs replaces both limits of the
            config.
        max_programs: programs of the whole run.
        target_fitness: stop when the fitness on the selection tasks exceeds this.
        islands, workers: populations side by side, and processes that run them.
        metric: what fitness is; see `TaskSettings`.
        ops: a Python file of ops and metrics. Those of its ops that the config names in no function are added
            to Predict and Learn, where these evolve.
        tasks: further changes to `TaskSettings`, by name.
        engine, scheduler: as in `IslandSettings`.

    Raises:
        AzgenError: no such preset or file, or settings that contradict each other.
    """
    source = "" if data is None else source_of(str(data))
    if config is None:
        images = MULTICLASS if kind == "multiclass" else DEFAULT
        settings = preset(TABLE if source == "table" else images)
        if data is not None:
            settings = dataclasses.replace(settings, name=Path(data).stem)
    elif isinstance(config, Settings):
        settings = config
    elif isinstance(config, Mapping):
        settings = settings_from(config)
    else:
        settings = _named(str(config))

    before, source = settings.tasks.source, source or settings.tasks.source
    if before == "multiclass" and kind is None and source == "table":
        kind = "multiclass"
    if source in ("projected", "multiclass") and "multiclass" in (before, kind):
        source, kind = "multiclass", None if kind == "multiclass" else kind  # said by the source
    given: dict[str, Any] = {"seed": seed, "backend": backend, "dtype": dtype, "baselines": baselines}
    if ops is not None:
        given |= {"ops_file": str(ops), "ops_text": user_text(ops)}
    changes = {"source": source, "target": target, "kind": kind, "metric": metric, **(tasks or {})}
    if data is not None:
        changes["data"] = str(data)
    stop: dict[str, Any] = {"target_fitness": target_fitness}
    if max_time is not None or max_programs is not None:
        stop |= {
            "max_seconds": 0.0 if max_time is None else parse_duration(max_time),
            "max_programs": max_programs or 0,
        }
    if max_programs is not None and max_programs < 1:
        raise AzgenError(f"the limit of programs is {max_programs}; it must be at least 1")
    # Through plain values, so that overrides are checked like any other settings.
    plain = dataclasses.asdict(settings) | _present(given)
    plain["tasks"] |= _present(changes)
    if ops is not None:
        _allow(read_user_file(given["ops_text"], given["ops_file"]).ops, plain)
    if data is not None:  # the same for all islands
        plain["islands"]["tasks"] = [
            {k: v for k, v in change.items() if k not in ("source", "data")}
            for change in plain["islands"]["tasks"]
        ]
    plain["stop"] |= _present(stop)
    plain["islands"] |= _present({"count": islands, "workers": workers, "engine": engine})
    plain["islands"] |= _scheduler(plain["islands"], engine, scheduler)
    settings = settings_from(plain)
    if settings.seed < 0:
        raise AzgenError(f"the seed is {settings.seed}; it must be 0 or more")
    if settings.tasks.source == "table" and settings.tasks.data == _PLACEHOLDER:
        raise AzgenError(f"the preset {settings.name!r} needs a table: give --data FILE --target COLUMN")
    if target is not None and settings.tasks.source != "table":
        raise AzgenError("a target column is only for tables; name one with --data FILE")
    return settings


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


def _scheduler(islands: Mapping[str, Any], engine: str | None, scheduler: str | None) -> dict[str, str]:
    """The scheduler is the engine "dask"'s, and goes when another one is asked for."""
    if scheduler is not None:
        if islands["engine"] != "dask":
            raise AzgenError(f"the scheduler {scheduler} is for the engine dask: add --engine dask")
        return {"scheduler": scheduler}
    return {"scheduler": ""} if engine not in (None, "dask") else {}


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
    """The source of tasks that a file or a data set is for: "table", or "projected" for images.

    Raises:
        AzgenError: it is neither a file nor a known data set.
    """
    from azgen.tasks.datasets import are_images, is_data_set

    return "projected" if is_data_set(data) and are_images(data) else "table"
