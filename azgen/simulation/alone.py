"""A simulated process that carries out its own rounds: at one it can be killed, interrupted or too late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.language.program import Program
from azgen.search.engines.base import GivenUp
from azgen.search.engines.orders import Order, Report
from azgen.search.state import State
from azgen.simulation.machine import Machine
from azgen.simulation.rounds import Rounds

_LOOKS = 4
"""Times in a round that the process looks whether the run is over, or is hit by something."""


class SimulatedRunner:
    """Rounds in the coordinator's own process; what `azgen.search.engines.runner.Runner` is to a real one.

    Args:
        machine: where it runs.
        rounds: what comes out of rounds.
    """

    over: Callable[[], bool] | None = None

    def __init__(self, machine: Machine, rounds: Rounds):
        self._machine, self._rounds = machine, rounds
        self._states: dict[tuple[int, int], bytes] = {}

    def run(self, order: Order) -> Report:
        """Carries out an order."""
        machine, before = self._machine, (order.island, order.round - 1)
        done = self._rounds.after(order, None if order.birth else self)
        seconds = machine.random.uniform(0.1, 0.4)
        if machine.happens("slow"):
            seconds *= machine.random.uniform(5.0, 500.0)
        for _ in range(_LOOKS):
            machine.now += seconds / _LOOKS
            machine.step()
            if machine.happens("Ctrl-C twice"):
                raise KeyboardInterrupt
            if machine.happens("suspended"):
                machine.now += machine.random.uniform(10.0, 5000.0)
            if self.over is not None and self.over():
                raise GivenUp(done.report)
        kept = {place: state for place, state in self._states.items() if place[0] != order.island}
        kept |= {before: self._states[before]} if before in self._states else {}
        self._states = {**kept, (order.island, order.round): done.state}
        return done.report

    def raw(self, island: int, round_number: int) -> bytes:
        """An island's state after a round, as bytes; a round never begins without."""
        assert (island, round_number) in self._states, f"island {island} has no state of round {round_number}"
        return self._states[island, round_number]

    def read(self, island: int, round_number: int) -> State:
        """The same as arrays."""
        return self._rounds.block.from_bytes(self.raw(island, round_number))

    def state(self, island: int, round_number: int) -> State:
        """The same for a checkpoint.

        Raises:
            AzgenError: it is gone.
        """
        if (island, round_number) not in self._states:
            raise AzgenError(f"the state of island {island} after round {round_number} is gone")
        return self.read(island, round_number)

    def adopt(self, order: Order, state: State) -> None:
        """Takes an island in with the state that it has before an order."""
        self._states[order.island, order.round - 1] = self._rounds.without_addresses(state)

    def rate(self, program: Program) -> NDArray[np.float64]:
        """Fitness of a program on each selection task."""
        self._machine.now += self._machine.random.uniform(0.2, 1.0)
        self._machine.step()
        return self._rounds.fitness(program)

    def abandon(self) -> bool:
        """No round goes on where nobody looks."""
        return True


def at_once(work: Callable[[], Any], overdue: Callable[[], bool]) -> Any:
    """Does work that looks itself whether it is overdue; what `azgen.deadline.aside` is to real work."""
    return work()
