"""What of a run's events its log keeps: everything that tells the story, and of what comes all the time ever
less."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from azgen.errors import AzgenError
from azgen.files import trouble
from azgen.runs.events import Event, Progress, Restarted, Warned
from azgen.textual import from_json

_LEAST_SECONDS = 1.0
_SHARE = 1e-3
_ISLANDS = 100
_WARNINGS = 100


class Thinning:
    """Tells which events to keep, so that a log stays small however long the run is.

    Two Progress events are at least a second and a thousandth of the run apart (a day gives about 5000), with
    more than a hundred islands in proportion; so are two Restarted and, from the hundredth on, two Warned.
    All others are kept.
    """

    def __init__(self) -> None:
        self._next: dict[type[Event], float] = {}
        self._warnings = 0

    def keeps(self, event: Event) -> bool:
        """Whether the log keeps an event."""
        if not isinstance(event, Progress | Restarted | Warned):
            return True
        if isinstance(event, Warned) and self._warnings < _WARNINGS:
            self._warnings += 1
            return True
        if event.seconds < self._next.get(type(event), 0.0):
            return False
        factor = max(1.0, len(event.islands) / _ISLANDS) if isinstance(event, Progress) else 1.0
        self._next[type(event)] = event.seconds + factor * max(_LEAST_SECONDS, _SHARE * event.seconds)
        return True


def rewind(path: Path, seconds: float) -> None:
    """Takes back what a log says of the time after a checkpoint, since the run that goes on says it again.

    A log that cannot be read as far as that is left as it is from there on, but for a last line that was cut
    off.

    Args:
        path: events.jsonl; it need not be there.
        seconds: of search, at the checkpoint.

    Raises:
        AzgenError: it cannot be written.
    """
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return
    except OSError as error:
        raise AzgenError(f"cannot read {path}: {error.strerror or error}") from None
    size = 0
    for line in lines:
        at: object = None
        with suppress(ValueError):
            record = from_json(line)
            at = record.get("seconds", 0.0) if isinstance(record, dict) else None
        if not line.endswith(b"\n") or (isinstance(at, int | float) and at > seconds):
            break
        size += len(line)
    try:
        os.truncate(path, size)
    except OSError as error:
        raise AzgenError(f"cannot write {path}: {trouble(error)}") from None
