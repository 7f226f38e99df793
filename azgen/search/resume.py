"""Going on with a run from its last checkpoint."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from azgen.errors import AzgenError
from azgen.runs.checkpoint import CHECKPOINTS
from azgen.runs.events import Observer
from azgen.runs.settings import Settings, check, read_settings
from azgen.search.evolve import Evolution, Outcome
from azgen.search.snapshot import FREE
from azgen.search.sources import make_tasks


def resumed_settings(run: str | Path, **changes: Any) -> Settings:
    """A run's settings with other limits or another engine.

    Args:
        run: the run directory.
        changes: by name; "max_programs", "max_seconds" and "target_fitness" are limits of the whole run, the
            part that is done already included; "workers", "engine", "scheduler", "round_timeout",
            "checkpoint_seconds" and "backend" say what it runs on. None: as it was.

    Raises:
        AzgenError: no run directory, or settings that contradict each other.
    """
    path = Path(run) / "config.toml"
    if not path.is_file():
        raise AzgenError(f"{run} is no run directory: there is no {path.name} in it")
    settings = read_settings(path)
    known = {name: section for section, names in FREE.items() for name in names}
    given = {name: value for name, value in changes.items() if value is not None}
    for name, value in given.items():
        if name not in known:
            raise AzgenError(f"{name} cannot change while a run goes on; what can is {', '.join(known)}")
        if known[name]:
            section = dataclasses.replace(getattr(settings, known[name]), **{name: value})
            settings = dataclasses.replace(settings, **{known[name]: section})
        else:
            settings = dataclasses.replace(settings, **{name: value})
    check(settings, str(path))
    return settings


def resume(run: str | Path, observe: Observer = lambda event: None, **changes: Any) -> Outcome:
    """Goes on with a run; the result is that of a run that was never interrupted.

    A run that has reached its limit is concluded once more; give it a higher one.

    Args:
        run: the run directory.
        observe: called with every event.
        changes: see `resumed_settings`.

    Raises:
        AzgenError: no checkpoint that can be read, or other data than the run began with.
    """
    settings = resumed_settings(run, **changes)
    split = make_tasks(settings.tasks, settings.seed, user=settings.user)
    return Evolution(settings, split, observe, checkpoints=Path(run) / CHECKPOINTS, resume=True).run()
