"""How long there is, for what a run does besides searching."""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class Deadline:
    """A moment after which nothing new is begun.

    Args:
        seconds: from now on; infinite: never.
        clock: tells the seconds: of the wall, or of this process.
    """

    def __init__(self, seconds: float = math.inf, clock: Callable[[], float] = time.perf_counter):
        self._clock, self._end = clock, clock() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left, 0 if it is over."""
        return max(0.0, self._end - self._clock())

    def passed(self) -> bool:
        """Whether it is over."""
        return self.left == 0.0


NEVER = Deadline()
"""There is no hurry."""
