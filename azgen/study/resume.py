"""Going on with a run from its last checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

from azgen.caller import is_command_line
from azgen.errors import AzgenError
from azgen.execution.verify import verify
from azgen.runs.directory import HALL_OF_FAME, RESULT, RunDirectory
from azgen.runs.events import Observer
from azgen.runs.saved import SavedRun, load_run, saved_settings, split_of_run
from azgen.search.progress import limit_reached
from azgen.settings.overrides import ResumeOverrides, check_names
from azgen.settings.resolve import resolve_settings
from azgen.settings.settings import Settings
from azgen.study.finished import Run
from azgen.study.pace import Follower, pace_of
from azgen.study.run import carry_out
from azgen.study.wording import spaced, thousands


def resume(
    run: str | Path,
    *,
    observer: Observer | None = None,
    tensorboard: bool = False,
    **overrides: Unpack[ResumeOverrides],
) -> Run:
    """Goes on with a run that was killed or interrupted, or that gets more time or programs.

    What it finds is what the run would have found had it never stopped.

    Args:
        run: the run directory.
        observer, tensorboard: as for `evolve`.
        overrides: `max_time`, `max_programs`, `target_fitness`, `workers`, `engine`, `scheduler`; see
            `azgen.settings.overrides.ResumeOverrides`. Limits are the whole run's, what is done already
            included.

    Raises:
        AzgenError: no run, no checkpoint that can be read, other data than the run began with, or a limit
            that the run has reached already.
        TypeError: there is no such override.
    """
    follower = Follower(observer, tensorboard)
    settings = resumed_settings(run, **overrides)
    verify(settings.user, settings.dtype)
    split = split_of_run(run, settings)
    found = _found(Path(run))
    champions = found.hall_of_fame if found else ()
    return carry_out(RunDirectory(Path(run)), settings, split, follower, found=champions)


def resumed_settings(run: str | Path, **overrides: Unpack[ResumeOverrides]) -> Settings:
    """Settings of a run that goes on.

    Args:
        run: the run directory.
        overrides: as for `resume`.

    Raises:
        AzgenError: no run, settings that contradict each other, or a limit that the run has reached already.
    """
    check_names(overrides, ResumeOverrides)
    before = saved_settings(run)
    count, workers = before.islands.count, overrides.get("workers")
    if isinstance(workers, int) and workers > count:
        raise AzgenError(
            f"{'--' * is_command_line()}workers is {workers}, but a run keeps its islands, and {run} has "
            f"{count}: a worker runs whole islands, so there is work for no more than that"
        )
    settings = resolve_settings(before, **overrides)
    saved = _found(Path(run))
    if saved is None or saved.result is None:
        return settings
    try:
        seconds = float(saved.result.get("search_seconds", saved.result["seconds"]))
        programs = int(saved.result["counts"]["programs"])
    except (KeyError, TypeError, ValueError):
        raise AzgenError(f"{run}/{RESULT} is damaged; without it the run can be resumed") from None
    closing = pace_of(settings).closing
    if limit_reached(settings.stop, saved.champion.select_fitness, programs, seconds + closing):
        raise AzgenError(
            f"{run} has ended ({spaced(saved.result['reason'])}) after {thousands(programs)} programs in "
            f"{seconds:.1f} s of search; give it more with --max-programs or --max-time, which count from "
            "the run's beginning, or a higher --target-fitness"
        )
    return settings


def _found(path: Path) -> SavedRun | None:
    """A run as it was left; None if it had found nothing."""
    return load_run(path) if (path / HALL_OF_FAME).is_file() else None
