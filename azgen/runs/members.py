"""The programs of a run's hall of fame by rank, and which of them a rule picks."""

from __future__ import annotations

from collections.abc import Sequence

from azgen.errors import AzgenError
from azgen.runs.events import Champion
from azgen.runs.saved import SavedRun


def ranked(champions: Sequence[Champion]) -> tuple[Champion, ...]:
    """Best by selection fitness first; of equals those that were listed first, and so the champion."""
    return tuple(sorted(champions, key=lambda c: -c.select_fitness))


def member(run: SavedRun, which: str | int | None) -> Champion:
    """A program of a run's hall of fame.

    Args:
        which: its rank from 1 on; a rule, such as "best", which picks one; None: the run's champion.

    Raises:
        AzgenError: there are fewer, or no program is known to be what the rule picks.
    """
    order = ranked(run.hall_of_fame)
    if which is None:
        return run.champion
    if isinstance(which, int):
        if which > len(order):
            raise AzgenError(f"{run.path}: the hall of fame has {len(order)} programs, none of rank {which}")
        return order[which - 1]
    picked = [champion for champion in order if which in champion.picked_by]
    if picked:
        return picked[0]
    if any(champion.picked_by for champion in order):
        raise AzgenError(f"{run.path}: the run started from no program, so {which} picks none")
    if which == "best":
        return order[0]
    ended = "is of before rules were kept" if run.result else f"is not finished (azgen resume {run.path})"
    raise AzgenError(f"{run.path} {ended}: it does not say what {which} picks; give best or a rank")
