"""Ctrl-C and requests to terminate: noted during a search, so that none falls into the middle of a round."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

Handler = Callable[[int, FrameType | None], Any]


class Interruption(KeyboardInterrupt):
    """Ctrl-C or a request to terminate.

    A class of its own, because Python remembers when a plain KeyboardInterrupt has passed through an `exec`
    (Cython and dataclasses use it), and then ends by that signal even if the interrupt was handled.
    """


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Interruption


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C raises an `Interruption`, and so does SIGTERM, so that a batch system's time limit loses
    nothing."""
    with _handled_by(_interrupt, _SIGNALS):
        yield


@contextmanager
def deferred_interrupts() -> Iterator[Callable[[], bool]]:
    """Ctrl-C is noted and can be asked for; the second one does what the first would have done without this.

    The same for SIGTERM, if it is treated like Ctrl-C.
    """
    seen: list[int] = []
    raising = (signal.default_int_handler, _interrupt)
    before: dict[int, Any] = {n: signal.getsignal(n) for n in _SIGNALS if signal.getsignal(n) in raising}

    def note(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        if len(seen) > 1:
            before[number](number, frame)

    with _handled_by(note, before):
        yield lambda: bool(seen)


@contextmanager
def _handled_by(handler: Handler, signals: Iterable[int]) -> Iterator[None]:
    """Signals have another handler; only the main thread can do that, any other goes without."""
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, handler) for number in signals}
    try:
        yield
    finally:
        for number, known in before.items():
            signal.signal(number, known)
