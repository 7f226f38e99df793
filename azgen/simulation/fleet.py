"""Simulated worker processes: they start, work, answer, die, stop and talk nonsense when the dice say so."""

from __future__ import annotations

import dataclasses
import heapq
import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import count
from typing import Any

from azgen.errors import AzgenError
from azgen.language.program import Program
from azgen.search.engines.messages import decode, encode
from azgen.search.engines.orders import Order
from azgen.search.engines.process import Signs, WatchedProcess
from azgen.search.engines.shared import SharedStates, Trace
from azgen.simulation.machine import Machine
from azgen.simulation.rounds import Done, Rounds

_CAUSES = ("killed by SIGKILL", "killed by SIGSEGV", "out of memory", "it has closed its pipe")


@dataclasses.dataclass(frozen=True)
class Deadly:
    """Programs that kill whatever runs them.

    Attributes:
        rounds: texts of those that do in a round.
        native: of those that do as native code alone.
    """

    rounds: frozenset[str] = frozenset()
    native: frozenset[str] = frozenset()


NOT_DEADLY = Deadly()


@lru_cache(4096)
def _read(message: bytes) -> Order | dict[str, Any]:
    """What a worker is told: an order, or the header of another message."""
    header, arrays = decode(message)
    return Order.decode(header, arrays) if header["kind"] == "order" else header


class SimulatedFleet:
    """Processes of a simulated machine.

    Args:
        machine: where they run.
        rounds: what comes out of rounds.
        deadly: programs that kill them.
        spared: texts of programs that an accident has hit; a second one would make them culprits.
    """

    def __init__(self, machine: Machine, rounds: Rounds, deadly: Deadly, spared: set[str]):
        self.machine, self.rounds, self.deadly, self.spared = machine, rounds, deadly, spared
        self.bodies: list[SimulatedBody] = []
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers, self._signs = count(), list[Signs]()

    def clock(self) -> float:
        """Simulated seconds."""
        return self.machine.clock()

    def start(self, trace: Trace) -> WatchedProcess:
        """A new process.

        Raises:
            AzgenError: it cannot be started.
        """
        self.machine.step()
        if self.machine.happens("no process"):
            raise AzgenError("cannot start a worker process: Resource temporarily unavailable")
        trace.clear()
        body = SimulatedBody(self, trace)
        body.process = WatchedProcess(body, trace, self.machine.clock)
        self.bodies.append(body)
        return body.process

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """Something happens in so many seconds."""
        heapq.heappush(self._due, (self.machine.now + seconds, next(self._numbers), what))

    def heard(self, signs: Signs) -> None:
        """A process gives signs of life, or of death."""
        self._signs.append(signs)

    def wait(self, timeout: float) -> Iterator[Signs]:
        """Waits for the first signs; several that come together come in any order."""
        machine = self.machine
        machine.step()
        if machine.happens("Ctrl-C twice"):
            raise KeyboardInterrupt
        if machine.happens("suspended"):
            machine.now += machine.random.uniform(10.0, 5000.0)
        end = machine.now + timeout
        while self._due and not self._signs and self._due[0][0] <= end:
            self._happen()
        if not self._signs:
            machine.now = max(machine.now, end)
        elif machine.happens("reordered"):
            late = machine.now + machine.random.uniform(0.0, 2.0)
            while self._due and self._due[0][0] <= late:
                self._happen()
            machine.random.shuffle(self._signs)
        for body in self.bodies:
            body.name_until_now()
        heard, self._signs = self._signs, []
        yield from heard

    def _happen(self) -> None:
        at, _, what = heapq.heappop(self._due)
        self.machine.now = max(self.machine.now, at)
        what()

    def end(self, one: WatchedProcess) -> None:
        """Ends a process."""
        assert isinstance(one.body, SimulatedBody)
        one.body.end()
        self.bodies.remove(one.body)

    def close(self) -> None:
        """Watches no more."""
        self._due.clear()


class SimulatedBody:
    """A simulated process.

    Args:
        fleet: that it belongs to.
        trace: where it names what it is about to run.
    """

    process: WatchedProcess

    def __init__(self, fleet: SimulatedFleet, trace: Trace):
        self._fleet, self._machine, self._trace = fleet, fleet.machine, trace
        self.cause, self._gone = "", False
        self._used, self._hangs_since = 0.0, math.inf
        self._naming: tuple[float, float, tuple[tuple[str, Any], ...]] = (0.0, 0.0, ())
        self._named = -1
        self._states: SharedStates | None = None

    def processor_seconds(self) -> float:
        """Processor time so far."""
        return self._used + max(0.0, self._machine.now - self._hangs_since)

    def end(self) -> None:
        """Ends it."""
        self._gone = True

    def send(self, message: bytes) -> None:
        """Takes a message on."""
        self._machine.step()
        if self._gone:
            return
        what = _read(message)
        if isinstance(what, Order):
            self._round(what)
        elif what["kind"] == "run":
            self._start(what)
        else:
            self._rate(what["program"])

    # -- what it does

    def _start(self, run: dict[str, Any]) -> None:
        memory, block = self._trace.memory, self._fleet.rounds.block
        self._states = SharedStates(memory, block, run["states"], run["n_islands"])
        if self._machine.happens("died at its start"):
            self._dies(self._duration(1.0))
        elif self._machine.happens("stopped at its start"):
            return
        else:
            self._answers(self._duration(1.0), encode({"kind": "ready"}))

    def _rate(self, text: str) -> None:
        rounds, seconds = self._fleet.rounds, self._duration(0.5)
        program = Program.parse(text)
        record = rounds.space.kernel.encode([program])[0]
        named = ((str(program.normalized()), record),)
        if named[0][0] in self._fleet.deadly.rounds | self._fleet.deadly.native:
            self._killed_by(named[0], seconds, told=True)
            return
        answer = encode({"kind": "fitness"}, {"fitness": rounds.fitness(program)})
        self._work(seconds, answer, lambda: None, named)

    def _round(self, order: Order) -> None:
        assert self._states is not None
        done = self._fleet.rounds.after(order, None if order.birth else self._states)
        seconds = self._duration(0.2)
        known = set(order.quarantined)
        killers = [one for one in done.named if one[0] in self._fleet.deadly.rounds - known]
        if killers:
            self._killed_by(killers[0], seconds, told=order.careful)
            return
        report = done.report
        answer = done.answer(told=order.bar.passes(report.select_fitness, report.cost))
        self._work(seconds, answer, lambda: self._keep(order, done), done.named if order.careful else ())

    def _keep(self, order: Order, done: Done) -> None:
        assert self._states is not None
        self._states.raw(order.island, order.round)[:] = done.state

    def _killed_by(self, program: tuple[str, Any], seconds: float, told: bool) -> None:
        """A program kills the process, or hangs it: the same one always the same way."""
        text, record = program
        if told:
            self._later(seconds * 0.9, lambda: self._names(record))
        if len(text) % 3:
            self._dies(seconds)
        else:
            self._later(seconds, self._hangs)

    def _hangs(self) -> None:
        self._hangs_since = self._machine.now

    def _work(
        self, seconds: float, answer: bytes, keep: Callable[[], None], named: tuple[tuple[str, Any], ...]
    ) -> None:
        """Works for so long, and answers, unless something goes wrong."""
        happens, dice = self._machine.happens, self._machine.random
        self._naming, self._named = (self._machine.now, seconds, named), -1
        if happens("killed at work"):
            self._accident(dice.uniform(0.0, seconds), named)
        elif happens("killed as it answers"):
            self._later(seconds, keep)
            self._later(seconds, self._names_none)
            self._dies(seconds)
        elif happens("stopped"):
            self._naming = (0.0, 0.0, ())
        elif happens("garbled"):
            self._later(seconds, keep)
            self._answers(seconds, self._garbled(answer))
        else:
            if happens("slow"):
                seconds *= dice.uniform(5.0, 500.0)
                self._naming = (self._machine.now, seconds, named)
            self._later(seconds, keep)
            self._answers(seconds, answer)
            if happens("answers twice"):
                self._answers(seconds + dice.uniform(0.0, 0.5), answer)

    def _accident(self, seconds: float, named: tuple[tuple[str, Any], ...]) -> None:
        """Dies at work; no program is hit twice, since that is what makes one a culprit."""
        if named:
            started, whole, _ = self._naming
            hit = named[min(len(named) - 1, int(len(named) * seconds / whole))][0]
            if hit in self._fleet.spared:
                self._naming = (started, whole, ())
            self._fleet.spared.add(hit)
        self._dies(seconds)

    def _garbled(self, answer: bytes) -> bytes:
        dice = self._machine.random
        match dice.randrange(4):
            case 0:
                return answer[: dice.randrange(len(answer))]
            case 1:
                return dice.randbytes(dice.randrange(1, 200))
            case 2:
                return answer + b"more"
            case _:
                return encode({"kind": "report", "island": 0})

    # -- events

    def _duration(self, usual: float) -> float:
        return usual * self._machine.random.uniform(0.5, 2.0)

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        self._fleet.later(seconds, lambda: None if self._gone else what())

    def _answers(self, seconds: float, message: bytes) -> None:
        def answer() -> None:
            self._used += min(seconds, 1.0)
            self._names_none()
            self._fleet.heard(Signs(self.process, [message]))

        self._later(seconds, answer)

    def _dies(self, seconds: float) -> None:
        def die() -> None:
            self.name_until_now()
            self.cause, self._gone = self._machine.random.choice(_CAUSES), True
            self._fleet.heard(Signs(self.process, trouble=self.cause))

        self._later(seconds, die)

    def _names_none(self) -> None:
        self._naming = (0.0, 0.0, ())
        self._trace.name(None)

    def _names(self, record: Any) -> None:
        self._naming = (0.0, 0.0, ())
        self._trace.name(record)

    def name_until_now(self) -> None:
        """With care: names the program that is about to run by now."""
        started, seconds, named = self._naming
        if named and not self._gone and seconds:
            at = min(len(named) - 1, int(len(named) * (self._machine.now - started) / seconds))
            if at != self._named:
                self._named = at
                self._trace.name(named[at][1])
