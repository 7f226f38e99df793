"""Many schedules, each decided by its seed alone: which run it happens to, and what goes wrong."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from azgen.simulation.fleet import Deadly
from azgen.simulation.scenarios import KINDS, Changes, Scenario
from azgen.simulation.schedule import Outcome, Schedule

_IN_ROUNDS, _NATIVELY = 0.2, 0.1
"""Shares of schedules in whose run a program kills what runs it: everywhere, or as native code alone."""

_VARIANTS = 4
"""Different programs of a run that do."""


@dataclass(frozen=True)
class Failed:
    """A schedule that found a mistake.

    Attributes:
        seed: repeats it.
        scenario: which run.
        violation: what did not hold, in words.
        log: what happened.
    """

    seed: int
    scenario: str
    violation: str
    log: tuple[str, ...]


@dataclass
class Swept:
    """What a sweep has come to.

    Attributes:
        schedules: carried out.
        seconds: of processor time.
        faults: how many of each kind.
        failed: those that found a mistake.
    """

    schedules: int = 0
    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    failed: list[Failed] = field(default_factory=list)

    @property
    def per_minute(self) -> float:
        """Schedules per minute of processor time."""
        return 60.0 * self.schedules / self.seconds if self.seconds else 0.0


class _Run:
    """A kind of run, undisturbed, and the programs of it that may be made deadly."""

    def __init__(self, name: str, changes: Changes):
        self.plain = Scenario.of(name, changes)
        self._expected: dict[Deadly, Outcome] = {}
        outcome = self.expected(self.plain)
        texts = self.plain.rounds.named()
        leaders = [str(program.normalized()) for program in outcome.leaders]
        self.deadly = [Deadly(rounds=frozenset([text])) for text in _spread(texts)]
        self.native = [Deadly(native=frozenset([text])) for text in _spread(leaders)]

    def expected(self, scenario: Scenario) -> Outcome:
        """What it comes to without faults."""
        if scenario.deadly not in self._expected:
            self._expected[scenario.deadly] = Schedule(scenario, 0, None).carry_out()
        return self._expected[scenario.deadly]


def _spread(texts: list[str]) -> list[str]:
    return texts[:: max(1, len(texts) // _VARIANTS)][:_VARIANTS]


class Sweep:
    """Carries schedules out.

    Args:
        kinds: of runs, by name; see `KINDS`.
    """

    def __init__(self, kinds: Mapping[str, Changes] = KINDS):
        self._kinds = kinds

    @cached_property
    def runs(self) -> list[_Run]:
        """The runs that schedules happen to."""
        return [_Run(name, changes) for name, changes in self._kinds.items()]

    def schedule(self, seed: int) -> tuple[Scenario, Outcome]:
        """The schedule of a seed."""
        dice = random.Random(f"{seed} which run")
        run = dice.choice(self.runs)
        kind, scenario = dice.random(), run.plain
        if kind < _IN_ROUNDS and run.deadly:
            scenario = replace(scenario, deadly=dice.choice(run.deadly))
        elif kind < _IN_ROUNDS + _NATIVELY and run.native:
            scenario = replace(scenario, deadly=dice.choice(run.native))
        expected = run.expected(scenario)
        if expected.violation:
            return scenario, expected
        return scenario, Schedule(scenario, seed, expected).carry_out()

    def sweep(self, first: int, count: int) -> Iterator[Swept]:
        """Schedules of so many seeds from the first on; yields what they have come to after each."""
        swept, _ = Swept(), self.runs  # kernels are compiled before time is taken
        began = time.process_time()
        for seed in range(first, first + count):
            scenario, outcome = self.schedule(seed)
            swept.schedules += 1
            swept.faults += outcome.faults
            if outcome.violation:
                swept.failed.append(Failed(seed, scenario.name, outcome.violation, tuple(outcome.log)))
            swept.seconds = time.process_time() - began
            yield swept
