"""Who follows a run, and how it keeps to its time limit."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from azgen.deadline import BusyDeadline, Deadline, Pace, Stopwatch
from azgen.runs.events import Observer
from azgen.settings.settings import Settings

_HASTE = 0.7
"""Seconds of work after Ctrl-C, or a time limit, from which on nothing new is begun."""

TUNING_SHARE = 0.5
"""Share of a time limit after which no more is tuned."""


@dataclass(frozen=True)
class Follower:
    """Who follows a run.

    Attributes:
        observer, tensorboard: see `evolve`.
        watch: since when; limits count from then on.
    """

    observer: Observer | None = None
    tensorboard: bool = False
    watch: Stopwatch = field(default_factory=Stopwatch)


def pace_of(settings: Settings, watch: Stopwatch | None = None) -> Pace:
    """How a run that began then, or begins now, stands with its time limit."""
    return Pace(settings.stop.max_seconds or math.inf, watch or Stopwatch())


def closing_of(pace: Pace, reason: str) -> Deadline:
    """When a run that has ended its search for this reason is to be over."""
    return BusyDeadline(0.0 if reason == "interrupted" else pace.until(1.0).left, _HASTE)
