"""A simulated machine: its clock, the dice of its seed, and the faults that have happened to it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping

MOST_STEPS = 60_000
"""Calls of the machine after which a run is taken to go round in circles."""

MOST_SECONDS = 40_000.0
"""Simulated seconds after the last fault by which a run must have ended."""


class Crashed(BaseException):
    """The machine, or the coordinator's process, is gone. Nothing handles it but who started the run."""


class Endless(BaseException):
    """The run neither ends nor gets anywhere."""


class Machine:
    """A clock that only the simulation moves, dice, and a budget of faults.

    Args:
        seed: decides all that happens.
        rates: probability of each kind of fault where it could happen.
        most: faults in all, after which the machine is a sound one.

    Attributes:
        now: simulated seconds.
        random: the dice.
        faults: how many of each kind have happened.
        log: what has happened, in words, each with its time.
    """

    def __init__(self, seed: int, rates: Mapping[str, float], most: int):
        self.now, self.random = 0.0, random.Random(seed)
        self.faults: Counter[str] = Counter()
        self.log: list[str] = []
        self._rates, self._most = rates, most
        self._steps, self._last_fault = 0, 0.0
        self._dead = False

    def clock(self) -> float:
        """Simulated seconds."""
        self.step()
        return self.now

    def step(self) -> None:
        """Anything that a run asks of the machine: here it may crash.

        Raises:
            Crashed: it has, now or before.
            Endless: this goes on for too long.
        """
        if self._dead:
            raise Crashed
        self._steps += 1
        self.now += 1e-6
        if self._steps > MOST_STEPS or self.now > self._last_fault + MOST_SECONDS:
            raise Endless
        if self.happens("coordinator killed") or self.happens("power cut"):
            self._dead = True
            raise Crashed

    def restart(self) -> None:
        """After a crash."""
        self._dead = False

    def happens(self, kind: str, share: float = 1.0) -> bool:
        """Whether a fault of a kind happens here and now.

        Args:
            share: of its usual probability.
        """
        rate = self._rates.get(kind, 0.0)
        if not rate or self.faults.total() >= self._most or self.random.random() >= rate * share:
            return False
        self.tell(kind)
        return True

    def tell(self, kind: str, more: str = "") -> None:
        """Notes a fault."""
        self.faults[kind] += 1
        self._last_fault, self._steps = self.now, 0
        self.say(f"{kind}{': ' if more else ''}{more}")

    def say(self, text: str) -> None:
        """Notes something."""
        self.log.append(f"{self.now:10.3f} s  {text}")
