"""One schedule of faults: a run on a simulated machine, begun again after each crash, and watched."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from azgen.deadline import Pace, Stopwatch
from azgen.errors import AzgenError
from azgen.language.program import Program
from azgen.runs.checkpoint import KEPT
from azgen.runs.events import Event, Progress, Quarantined, Restarted, Resumed, Warned
from azgen.search.engines.base import Engine
from azgen.search.engines.inline import InlineEngine
from azgen.search.engines.workers import WorkerEngine
from azgen.search.evolve import Evolution, Found
from azgen.search.space import SearchSpace
from azgen.search.world import World
from azgen.settings.settings import Settings
from azgen.simulation.alone import SimulatedRunner, at_once
from azgen.simulation.bounds import Bounds
from azgen.simulation.disk import SimulatedDisk
from azgen.simulation.fleet import NOT_DEADLY, SimulatedFleet
from azgen.simulation.machine import Crashed, Endless, Machine
from azgen.simulation.scenarios import Finding, Scenario

FOLDER = Path("/simulated/run/checkpoints")

FAULTS: Mapping[str, float] = {
    "killed at work": 0.10,
    "killed as it answers": 0.06,
    "stopped": 0.03,
    "slow": 0.06,
    "garbled": 0.05,
    "answers twice": 0.05,
    "died at its start": 0.08,
    "stopped at its start": 0.03,
    "no process": 0.03,
    "reordered": 0.20,
    "suspended": 0.01,
    "coordinator killed": 0.0015,
    "power cut": 0.0015,
    "Ctrl-C": 0.01,
    "Ctrl-C twice": 0.004,
    "disk full": 0.20,
    "disk error": 0.03,
    "slow disk": 0.03,
    "checkpoint damaged": 0.5,
    "fewer programs at first": 0.2,
    "less time at first": 0.2,
}
"""Every kind, and its usual probability where it could happen."""

_LEAVES_MORE = ("disk error", "power cut", "coordinator killed", "checkpoint damaged")
"""Faults after which there may be a checkpoint more than are kept."""

_ALONE = 0.2
"""Share of runs whose rounds the coordinator carries out itself."""

_MOST_FAULTS = 30
_MOST_ATTEMPTS = 2 * _MOST_FAULTS
_NUMBER = re.compile(r"checkpoint-(\d+)\.npz")


@dataclass(frozen=True)
class Outcome:
    """What became of a schedule.

    Attributes:
        finding: what the run has found; None: it has not ended.
        history: what happened in each round, and to each population.
        violation: which invariant did not hold, in words; "" if all did.
        faults: how many of each kind happened.
        log: what happened, in words.
        leaders: programs of the hall of fame, best first.
    """

    finding: Finding | None
    history: dict[Any, Any]
    violation: str
    faults: Counter[str]
    log: list[str]
    leaders: tuple[Program, ...] = ()


class Violation(Exception):
    """An invariant does not hold."""


class _Beginning(Stopwatch):
    """A simulated run begins with its search."""

    @property
    def seconds(self) -> float:
        """Seconds before the search."""
        return 0.0


class Schedule:
    """Carries a run out on a simulated machine.

    Args:
        scenario: the run.
        seed: decides what goes wrong.
        expected: what the run comes to undisturbed; None: this is the undisturbed one.
    """

    def __init__(self, scenario: Scenario, seed: int, expected: Outcome | None):
        self._scenario, self._expected = scenario, expected
        dice = random.Random(seed)
        self._workers = dice.randint(1, 4)
        if expected and scenario.deadly is NOT_DEADLY and random.Random(f"{seed} alone").random() < _ALONE:
            self._workers = 0
        rates = {
            kind: min(1.0, rate * 10 ** dice.uniform(-0.7, 0.5))
            for kind, rate in FAULTS.items()
            if dice.random() < 0.5
        }
        most = dice.randint(1, _MOST_FAULTS)
        self.machine = Machine(seed, rates if expected else {}, most if expected else 0)
        self._disk = SimulatedDisk(self.machine)
        self._spared = set[str]()
        self._history: dict[Any, Any] = {}
        self._whole, self._newest = True, 0
        self._faults_before = Counter[str]()
        self._evolution: Evolution | None = None
        self._bounds: Bounds | None = None

    def carry_out(self) -> Outcome:
        """Begins the run, and again after each crash, until it has ended."""
        finding, violation, leaders = None, "", tuple[Program, ...]()
        try:
            found = self._to_its_end()
            finding = Finding.of(found)
            leaders = tuple(champion.program for champion in found.progress.hall.members)
            if self._expected and self._expected.finding:
                difference = finding.difference(self._expected.finding)
                if difference:
                    violation = f"the run has found something else: {difference}"
        except Violation as error:
            violation = str(error)
        except Endless:
            violation = "the run waits for ever"
        except AssertionError as error:
            violation = f"an assertion fails: {error}"
        machine = self.machine
        return Outcome(finding, self._history, violation, machine.faults, machine.log, leaders)

    def _to_its_end(self) -> Found:
        for _ in range(_MOST_ATTEMPTS):
            self._faults_before = Counter(self.machine.faults)
            resume = bool(self._checkpoints())
            settings = self._limited()
            found, error = self._attempt(settings, resume)
            if found and self._whole and not self._early(found):
                return found
            if self._whole and self.machine.faults == self._faults_before:
                ended = error or (found and found.reason)
                raise Violation(f"the run has ended though nothing went wrong: {ended}")
            self._damage()
        raise Violation(f"the run has not come to its end in {_MOST_ATTEMPTS} attempts")

    @staticmethod
    def _early(found: Found) -> bool:
        return found.reason == "interrupted" or found.reason.startswith("workers are lost")

    def _limited(self) -> Settings:
        """The settings of an attempt, which may have lower limits than the run is to have in the end."""
        settings, machine = self._scenario.settings, self.machine
        self._whole = True
        stop = settings.stop
        if machine.happens("fewer programs at first"):
            stop = replace(stop, max_programs=machine.random.randint(1, stop.max_programs - 1))
        if machine.happens("less time at first"):
            stop = replace(stop, max_seconds=machine.random.uniform(0.5, 20.0))
        self._whole = stop == settings.stop
        return replace(settings, stop=stop)

    def _attempt(self, settings: Settings, resume: bool) -> tuple[Found | None, str]:
        """Begins the run, or goes on with it; what it has found, or why it has not."""
        machine = self.machine
        space = self._scenario.space(settings)
        world = World(self._engine_of, machine.clock, self._disk, self._interrupts, lambda *_: space)
        pace = Pace(watch=_Beginning())
        split, observe = self._scenario.split, self._observe
        machine.say(f"{'resumed' if resume else 'begun'} {self._who}")
        try:
            self._evolution = Evolution(settings, split, observe, FOLDER, resume, pace=pace, world=world)
            with ExitStack() as stack:
                found = self._evolution.search(stack)
            machine.say(f"ended: {found.reason}")
            return found, ""
        except Crashed:
            cut = machine.faults["power cut"] > self._faults_before["power cut"]
            machine.restart()
            if cut:
                self._disk.power_cut()
            else:
                self._disk.killed()
        except KeyboardInterrupt:
            self._disk.killed()
        except AzgenError as error:
            machine.say(f"ended: {error}")
            return None, str(error)
        return None, "crashed"

    @property
    def _who(self) -> str:
        return (
            f"with {self._workers} worker{'s' * (self._workers > 1)}" if self._workers else "in one process"
        )

    def _engine_of(self, space: SearchSpace) -> Engine:
        scenario = self._scenario
        engine: Engine
        if self._workers:
            fleet = SimulatedFleet(self.machine, scenario.rounds, scenario.deadly, self._spared)
            engine = WorkerEngine(space, self._workers, fleet)
        else:
            engine = InlineEngine(space, SimulatedRunner(self.machine, scenario.rounds), at_once)
        self._bounds = Bounds(space.settings, engine)
        return engine

    @contextmanager
    def _interrupts(self) -> Iterator[Any]:
        pressed = list[bool]()

        def interrupted() -> bool:
            if self.machine.happens("Ctrl-C"):
                pressed.append(True)
            return bool(pressed)

        yield interrupted

    # -- invariants

    def _checkpoints(self) -> list[int]:
        """Numbers of the checkpoints; some must be there if one ever was."""
        found = sorted(int(m[1]) for name in self._disk.files if (m := _NUMBER.fullmatch(name)))
        if self._disk.acknowledged and not found:
            raise Violation("every checkpoint is lost")
        faults = self.machine.faults
        crashes = sum(faults[kind] for kind in _LEAVES_MORE)
        if len(found) > KEPT + crashes:
            raise Violation(f"{len(found)} checkpoints are kept")
        self._newest = found[-1] if found else 0
        if self._newest < self._disk.acknowledged:
            raise Violation(f"checkpoint {self._disk.acknowledged} is lost; the newest is {self._newest}")
        return found

    def _damage(self) -> None:
        """Changes the newest checkpoint, if there is another."""
        found = self._checkpoints()
        if len(found) > 1 and self.machine.happens("checkpoint damaged"):
            self._disk.damage(f"checkpoint-{found[-1]:06d}.npz")
            self._disk.acknowledged = min(self._disk.acknowledged, found[-2])

    def _observe(self, event: Event) -> None:
        self.machine.step()
        match event:
            case Progress():
                self._check_memory()
                known = (event.restarts, event.islands, tuple(event.counts.items()))
                self._happened(("round", event.round), known)
            case Restarted():
                self._happened(("population", event.population), (event.programs, event.reason))
            case Resumed():
                self._check_resumed(event)
            case Warned() | Quarantined():
                self.machine.say(repr(event))

    def _happened(self, key: Any, value: Any) -> None:
        """What happens twice must be the same, and as in the undisturbed run."""
        if not self._whole:
            return  # the limit may have cut the round short
        known = self._expected.history.get(key, value) if self._expected else value
        if self._history.setdefault(key, known) != value:
            raise Violation(f"{' '.join(map(str, key))} is {value}, and was {known}")

    def _check_resumed(self, event: Resumed) -> None:
        since = self.machine.faults - self._faults_before
        match = _NUMBER.search(event.path)
        number = int(match[1]) if match else 0
        damaged = self.machine.faults["checkpoint damaged"] or since["disk error"]
        if number < self._newest and not damaged:
            raise Violation(f"the run goes on from checkpoint {number}, and not from {self._newest}")

    def _check_memory(self) -> None:
        assert self._evolution and self._evolution.coordinator and self._bounds
        problem = self._bounds.too_much(self._evolution.coordinator)
        if problem:
            raise Violation(f"memory is not bounded: {problem}")
