"""Rounds of islands as they really are, each carried out once and remembered.

A round is a function of the island's state and of its order, so that schedules of faults, which repeat the
same rounds over and over, need not carry them out. What an order or a state would be that is wrong is carried
out too, and so shows in the result.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from azgen.language.program import Program
from azgen.search.engines.orders import Order, Report
from azgen.search.engines.runner import Runner
from azgen.search.hall import Bar
from azgen.search.island_state import state_block
from azgen.search.space import SearchSpace
from azgen.search.state import State


@dataclass(frozen=True, eq=False)
class Done:
    """What became of a round.

    Attributes:
        report: with the ancestors of the best, whether it would enter a hall of fame or not.
        state: of the island after it, as bytes.
        named: text of each program that it names with care, as it is about to run, with the kernel's record.
    """

    report: Report
    state: bytes
    named: tuple[tuple[str, Any], ...]

    def answer(self, told: bool) -> bytes:
        """The report as a message.

        Args:
            told: with the ancestors.
        """
        return self._told if told else self._untold

    @cached_property
    def _told(self) -> bytes:
        return self.report.encode()

    @cached_property
    def _untold(self) -> bytes:
        return dataclasses.replace(self.report, ancestors=()).encode()


class States(Protocol):
    """Where islands' states are."""

    def raw(self, island: int, round_number: int) -> Any:
        """An island's state after a round, as bytes."""

    def read(self, island: int, round_number: int) -> State:
        """The same as arrays."""


class _OneState:
    """Keeps the state before a round, and takes the one after it."""

    def __init__(self, before: State | None):
        self.before = before
        self.after: State | None = None

    def read(self, island: int, round_number: int) -> State:
        """The state before the round."""
        assert self.before is not None
        return self.before

    def write(self, island: int, round_number: int, state: State) -> None:
        """Takes the state after the round."""
        self.after = state


class Rounds:
    """Carries rounds and ratings out, each once.

    Args:
        space: kernels and tasks.
    """

    def __init__(self, space: SearchSpace):
        self.space, self.block = space, state_block(space.settings, space.kernel.program)
        self._done: dict[Any, list[tuple[bytes, Done]]] = {}
        self._fitness: dict[str, NDArray[np.float64]] = {}

    def after(self, order: Order, states: States | None) -> Done:
        """What becomes of an order, given the islands' states; None: the island is to be born."""
        bare = dataclasses.replace(order, careful=False, bar=Bar(), immigrants=None)
        arriving = order.immigrants
        sent = (arriving.sizes.tobytes(), arriving.code.tobytes()) if arriving is not None else None
        known = self._done.setdefault((bare, sent), [])
        where = order.island, order.round - 1
        raw = bytes(states.raw(*where)) if states else b""
        for state, done in known:
            if state == raw:
                return done
        before = states.read(*where) if states else None  # it may have been written by somebody else
        flat = self.without_addresses(before) if before else b""
        for state, done in known:
            if state == flat:
                return done
        done = self._carried_out(dataclasses.replace(bare, immigrants=arriving), before)
        known.append((flat, done))
        return done

    def named(self) -> list[str]:
        """Texts of the programs that the rounds so far have run, in the order in which they were first."""
        every = (text for known in self._done.values() for _, done in known for text, _ in done.named)
        return list(dict.fromkeys(every))

    def _carried_out(self, order: Order, before: State | None) -> Done:
        named: list[Any] = []
        store = _OneState(before)

        def trace(record: Any) -> None:
            if record is not None:
                named.append(record.copy())

        runner = Runner(self.space, store, 0, trace)
        report = runner.run(dataclasses.replace(order, careful=True))
        assert store.after is not None
        decode = self.space.kernel.decode
        texts = tuple((str(decode(record).normalized()), record) for record in named)
        report = dataclasses.replace(report, seconds=0.0, native=0, compiled=0)
        return Done(report, self.without_addresses(store.after), texts)

    def without_addresses(self, state: State) -> bytes:
        """A state as bytes that do not depend on where it lies."""
        clean = dict(state)
        record = clean["state"] = state["state"].copy()
        hurdles = clean["hurdles"] = state["hurdles"].copy()
        for name in ("population", "fitness", "hook", "hurdles", "credit"):
            record[name] = 0
        for table in ("known", "probed"):
            record[table]["entries"] = 0
        for name in ("key", "fitness", "program"):
            record["elites"][name] = 0
        for name in ("steps", "step", "actions"):
            record["trail"][name] = 0
        for name in ("tasks", "ordered", "recent"):
            hurdles[name] = 0
        return self.block.to_bytes(clean)

    def fitness(self, program: Program) -> NDArray[np.float64]:
        """What a program's native code gives on the selection tasks, which is what the kernel does."""
        text = str(program)
        if text not in self._fitness:
            self._fitness[text] = np.nan_to_num(self.space.select.evaluate(program), nan=0.0)
        return self._fitness[text]
