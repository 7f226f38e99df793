"""What runs islands: the seam between the coordinator and this process, others or a cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from azgen.language.program import Program
from azgen.search.engines.orders import Order, Report
from azgen.search.state import State

LOOKAHEAD = 1
"""Rounds that an island may be ahead of the last one that all islands have done."""


@dataclass(frozen=True)
class Lost:
    """An order that was not carried out because its worker died or was killed.

    Attributes:
        order: it can be submitted again; the island's state is as before.
        cause: what happened to the worker, in words.
        program: text of the normal form that was running under its name when it happened; "" if none was.
    """

    order: Order
    cause: str
    program: str = ""


class ProgramLost(Exception):
    """The worker that rated a program died; the message says of what.

    Attributes:
        blamed: the program was running then, and not only being compiled.
    """

    def __init__(self, message: str, blamed: bool):
        super().__init__(message)
        self.blamed = blamed


class GivenUp(Exception):
    """A round was given up, because the run is to end; `report` says what it had found."""

    def __init__(self, report: Report):
        super().__init__("a round was given up")
        self.report = report


@runtime_checkable
class Stoppable(Protocol):
    """An engine that runs rounds in this process, and can give one up half-way."""

    def stop_when(self, over: Callable[[], bool]) -> None:
        """Has a round given up when `over` says so, which is asked several times a second."""

    def unfinished(self) -> list[Report]:
        """What rounds had found that were given up; they do not count as done."""


class Engine(Protocol):
    """Runs orders, several at a time, and keeps the islands' states.

    It keeps each state until the island is more than `LOOKAHEAD` rounds further.
    """

    @property
    def n_workers(self) -> int:
        """Rounds that run at a time."""

    def submit(self, order: Order) -> None:
        """Takes an order on; lower rounds go first."""

    def collect(self, timeout: float) -> list[Report | Lost]:
        """What has become of orders; waits for at most `timeout` seconds for the first.

        Raises:
            AzgenError: orders cannot be carried out at all.
        """

    def state(self, island: int, round_number: int) -> State:
        """An island's state after a round.

        Raises:
            AzgenError: it is lost.
        """

    def adopt(self, order: Order, state: State) -> None:
        """Takes the state in that an island has before an order."""

    def rate(self, program: Program) -> NDArray[np.float64]:
        """Fitness of a program's native code on each selection task.

        Raises:
            ProgramLost: the worker died of it.
        """

    def cancel(self) -> None:
        """Forgets all orders."""

    def close(self) -> None:
        """Ends all processes and frees all memory."""
