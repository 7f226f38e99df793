"""Rounds one after the other in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from azgen.deadline import Deadline, Overdue, aside
from azgen.language.program import Program
from azgen.search.engines.base import GivenUp, Lost
from azgen.search.engines.orders import Order, Report
from azgen.search.engines.runner import Runner
from azgen.search.space import SearchSpace
from azgen.search.state import State

_PATIENCE = 0.5
"""Seconds that a round which is to be given up has for coming to where it can tell what it has found."""


class Rounds(Protocol):
    """What carries out rounds in this process: a `Runner`, or a simulated one."""

    over: Callable[[], bool] | None

    def run(self, order: Order) -> Report:
        """Carries out an order."""

    def state(self, island: int, round_number: int) -> State:
        """An island's state after a round."""

    def adopt(self, order: Order, state: State) -> None:
        """Takes an island in with the state that it has before an order."""

    def rate(self, program: Program) -> NDArray[np.float64]:
        """Fitness of a program on each selection task."""

    def abandon(self) -> bool:
        """Forgets the round that another thread is at, if nothing is lost by that; whether it is not."""


class InlineEngine:
    """Runs orders one after the other in this process.

    Args:
        space: kernels and tasks.
        runner: carries out rounds; None: for real.
        wait: does so, and looks meanwhile whether it is overdue.
    """

    def __init__(self, space: SearchSpace, runner: Rounds | None = None, wait: Callable[..., Any] = aside):
        self._runner: Rounds = runner or Runner(space)
        self._wait = wait
        self._orders: list[Order] = []
        self._unfinished: list[Report] = []
        self._over: Callable[[], bool] | None = None
        self._patience: Deadline | None = None

    @property
    def n_workers(self) -> int:
        """One."""
        return 1

    def submit(self, order: Order) -> None:
        """Takes an order on."""
        self._orders.append(order)

    def collect(self, timeout: float) -> list[Report | Lost]:
        """Carries out all orders of the lowest round, so that no island is ahead between two calls."""
        if not self._orders:
            return []
        lowest = min(order.round for order in self._orders)
        now = sorted((o for o in self._orders if o.round == lowest), key=lambda o: o.island)
        self._orders = [order for order in self._orders if order.round > lowest]
        reports = list[Report]()

        def round_of_all() -> None:
            for order in now:
                reports.append(self._runner.run(order))

        try:
            if self._over is None:
                round_of_all()
            else:
                self._wait(round_of_all, self._overdue)
        except (GivenUp, Overdue) as given_up:
            self._orders.clear()
            self._unfinished = [*reports, *([given_up.report] if isinstance(given_up, GivenUp) else [])]
            return []
        return list(reports)

    def stop_when(self, over: Callable[[], bool]) -> None:
        """Has a round given up when `over` says so."""
        self._runner.over = self._over = over

    def _overdue(self) -> bool:
        """Whether to wait no longer for a round that is over, and has not come to giving itself up."""
        if self._over is None or not self._over():
            self._patience = None
        elif self._patience is None:
            self._patience = Deadline(_PATIENCE)
        elif self._patience.passed():
            return self._runner.abandon()
        return False

    def unfinished(self) -> list[Report]:
        """What the islands had found in a round that was given up."""
        return self._unfinished

    def state(self, island: int, round_number: int) -> State:
        """An island's state after its last round; none is ahead here, as lower rounds go first.

        Raises:
            AzgenError: that round is not its last one any more, since the round after it has failed.
        """
        return self._runner.state(island, round_number)

    def adopt(self, order: Order, state: State) -> None:
        """Takes the state in that an island has before an order."""
        self._runner.adopt(order, state)

    def rate(self, program: Program) -> NDArray[np.float64]:
        """Fitness of a program's native code on each selection task."""
        return self._runner.rate(program)

    def cancel(self) -> None:
        """Forgets all orders, and a round that Ctrl-C has taken the wait for."""
        self._orders.clear()
        self._runner.abandon()

    def close(self) -> None:
        """Nothing to end."""
