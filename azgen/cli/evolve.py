"""`azgen evolve` and `azgen resume`: searches before the user's eyes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from azgen.cli.options import Shown, use_build_directory
from azgen.cli.output import console
from azgen.cli.report import print_champion, print_files, print_fitness, print_ladder, print_summary
from azgen.cli.runs import print_comparison
from azgen.cli.view import view_for
from azgen.errors import AzgenError
from azgen.runs.saved import load_run
from azgen.search.interrupts import interruptible
from azgen.settings.overrides import Overrides, ResumeOverrides
from azgen.settings.resolve import resolve_settings
from azgen.settings.settings import Settings
from azgen.study import resume as resuming
from azgen.study import run as running
from azgen.study.finished import Run
from azgen.textual import to_json

_MOST_SEEDS = 10_000


def evolve(
    config: str | None,
    overrides: Overrides,
    seeds: str | None,
    out: Path | None,
    table: dict[str, Any],
    shown: Shown,
) -> None:
    """Carries out one run, or one for each seed."""
    overrides = overrides | {"tasks": table}
    if seeds is None:
        _evolve(config, overrides, out, shown)
        return
    if overrides.get("seed") is not None:
        raise AzgenError("--seed and --seeds exclude each other")
    runs = []
    for seed in parse_seeds(seeds):
        runs.append(_evolve(config, overrides | {"seed": seed}, out, shown, several=True))
        if runs[-1].interrupted:
            break
    if not shown.json:
        print_comparison([load_run(run.directory) for run in runs])


def _evolve(
    config: str | None, overrides: Overrides, out: Path | None, shown: Shown, several: bool = False
) -> Run:
    """One run, before the user's eyes; of several each has a folder in `out`."""
    settings = resolve_settings(config, **overrides)
    place = out / f"{settings.name}-{settings.seed}" if several and out is not None else out
    carry_out = partial(running.evolve, settings, out=place, tensorboard=shown.tensorboard)
    return _show(settings, carry_out, shown)


def resume(run: Path, overrides: ResumeOverrides, shown: Shown) -> None:
    """Goes on with a run."""
    carry_out = partial(resuming.resume, run, tensorboard=shown.tensorboard, **overrides)
    _show(resuming.resumed_settings(run, **overrides), carry_out, shown)


def parse_seeds(text: str) -> list[int]:
    """Seeds from a text such as "0-4" or "1,5,7".

    Raises:
        AzgenError: it is none.
    """
    found = list[int]()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+))?\s*", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last or last - first >= _MOST_SEEDS:
            raise AzgenError(f"{text!r} names no seeds; write them as 0-4 or 1,5,7")
        found += range(first, last + 1)
    return list(dict.fromkeys(found))


def _show(settings: Settings, carry_out: Callable[..., Run], shown: Shown) -> Run:
    """Carries a run out before the user's eyes, and prints what it found."""
    use_build_directory(shown.build_dir)
    to = console()
    with interruptible(), view_for(settings, to, shown.json) as view:
        run = carry_out(observer=view.observe)
    result = run.as_record()
    if shown.json:
        print(to_json({"event": "Result", **result}), flush=True)
        return run
    if run.interrupted:
        to.print(
            f"\nInterrupted: this is the best program so far. azgen resume {run.directory} goes on.",
            style="bold",
        )
    to.print()
    if not shown.full:
        print_summary(to, result, run.learner, *_own_table(settings))
        return run
    print_champion(to, result)
    print_fitness(to, result)
    print_ladder(to, result)
    print_files(to, result, *_own_table(settings))
    return run


def _own_table(settings: Settings) -> tuple[str, ...]:
    """The run's table, as words for its champion.py, which knows its target; none if it is no file."""
    data = getattr(settings.tasks, "data", "")
    return (shlex.quote(data),) if settings.tasks.source == "table" and Path(data).is_file() else ()
