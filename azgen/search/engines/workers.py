"""Worker processes of one machine, watched by the coordinator itself.

A worker that is killed, hangs or is too slow is replaced, and its order is given back as lost; the islands'
states lie in shared memory and are as before. (multiprocess's own pools wait for ever for a worker that a
signal has killed.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.codegen.cache_folder import build_directory
from azgen.errors import AzgenError
from azgen.language.program import Program
from azgen.search.checked import check_programs
from azgen.search.engines.base import Lost, ProgramLost
from azgen.search.engines.messages import Failure, MessageError, checked_fitness, decode, encode, read_message
from azgen.search.engines.orders import Order, Report
from azgen.search.engines.process import Fleet, ProcessBody, Processes, WatchedProcess
from azgen.search.engines.shared import Packing, SharedMemory, SharedStates, Trace
from azgen.search.island_state import state_block
from azgen.search.space import SearchSpace
from azgen.search.state import State
from azgen.settings.values import as_mapping

MOST_FAILED_STARTS = 20
"""Workers that may be killed one after the other before they are ready."""

PATIENCE = 10.0
"""Seconds of silence after which another worker is asked too for a program's native fitness."""


class WorkerEngine:
    """Runs orders in processes of this machine.

    Args:
        space: kernels and tasks; the processes map the tasks and build the same kernels from the cache.
        n_workers: number of processes.
        fleet: starts and watches the processes; None: those of this machine. Closed with the engine.
        round_timeout: seconds until an order counts as hanging; 0: ten times the slowest so far, at least 60.
        n_islands: islands whose states there is room for at a time; None: all of the run.
    """

    def __init__(
        self,
        space: SearchSpace,
        n_workers: int | None = None,
        fleet: Fleet | None = None,
        round_timeout: float | None = None,
        n_islands: int | None = None,
    ):
        settings = space.settings
        self._space, self._n_workers = space, n_workers or settings.islands.workers
        self._fleet: Fleet = fleet or Processes()
        self._timeout = settings.islands.round_timeout if round_timeout is None else round_timeout
        self._slowest = 0.0
        self._orders: list[Order] = []
        self._results: list[Report | Lost] = []
        self._rated: list[NDArray[np.float64] | ProgramLost] = []  # by a program's native code, or why not
        self._workers: list[WatchedProcess] = []
        self._failed_starts = 0
        self._program = space.kernel.program
        self._share(n_islands or settings.islands.count)

    def _share(self, n_islands: int) -> None:
        """Lays tasks, states and traces out in shared memory."""
        settings, packing = self._space.settings, Packing()
        described, arrays = self._space.describe()
        tasks = packing.add(arrays)
        block = state_block(settings, self._program)
        states = packing.reserve(SharedStates.n_bytes(block, n_islands))
        places = [packing.reserve(Trace.n_bytes(self._program)) for _ in range(self._n_workers)]
        self._memory = SharedMemory.create(packing.size)
        self._traces = [Trace(self._memory, place, self._program) for place in places]
        for name, (dtype, shape, offset) in tasks.items():
            self._memory.array(dtype, shape, offset)[...] = arrays[name]
        self._states = SharedStates(self._memory, block, states, n_islands)
        self._run = {
            "kind": "run",
            "settings": as_mapping(settings),
            "space": described,
            "tasks": tasks,
            "size": self._memory.size,
            "states": states,
            "n_islands": n_islands,
            "capacity": -(-n_islands // self._n_workers) + 1,
            "build_directory": str(build_directory()),
        }

    @property
    def n_workers(self) -> int:
        """Number of processes."""
        return self._n_workers

    @property
    def processes(self) -> list[int]:
        """Process numbers of the workers that live now."""
        return [w.body.process.pid for w in self._workers if isinstance(w.body, ProcessBody)]

    def submit(self, order: Order) -> None:
        """Takes an order on; lower rounds go first."""
        self._orders.append(order)

    def collect(self, timeout: float) -> list[Report | Lost]:
        """What has become of orders; waits for at most `timeout` seconds for the first.

        Raises:
            AzgenError: workers cannot be started, or report a mistake of the user's.
        """
        deadline = self._fleet.clock() + timeout
        while True:
            self._assign()
            self._poll(0.0 if self._results else max(0.0, deadline - self._fleet.clock()))
            if self._results or self._fleet.clock() >= deadline:
                self._assign()
                results, self._results = self._results, []
                return results

    def state(self, island: int, round_number: int) -> State:
        """An island's state after a round."""
        return self._states.read(island, round_number)

    def adopt(self, order: Order, state: State) -> None:
        """Takes the state in that an island has before an order."""
        self._states.write(order.island, order.round - 1, state)

    def rate(self, program: Program) -> NDArray[np.float64]:
        """Fitness of a program's native code on each selection task.

        Raises:
            ProgramLost: the worker died of it.
        """
        self._rated.clear()
        asked: list[WatchedProcess] = []
        while not self._rated:
            # One that was stopped while it was free would keep the end of a run waiting for minutes.
            if not asked or self._fleet.clock() - asked[-1].since > PATIENCE:
                free = [w for w in self._workers if w.ready and w.order is None]
                if free:
                    asked.append(free[0])
                    free[0].give(program, encode({"kind": "rate", "program": str(program)}))
                elif not any(w.order is None for w in self._workers) and len(self._workers) < self._n_workers:
                    self._start()
            self._poll(0.2)
        for late in [w for w in asked if w in self._workers and w.order is not None]:
            self._end(late)  # its answer would be taken for that to the next program
        rated = self._rated[0]
        if isinstance(rated, ProgramLost):
            raise rated
        return rated

    def cancel(self) -> None:
        """Forgets all orders, and ends the workers that are busy with one."""
        self._orders.clear()
        for busy in [w for w in self._workers if w.order is not None]:
            self._end(busy)
        self._results.clear()

    def close(self) -> None:
        """Ends all processes and frees the shared memory."""
        for each in list(self._workers):
            self._end(each)
        self._fleet.close()
        self._memory.close()

    # -- orders

    def _assign(self) -> None:
        """Gives orders to free workers; an island stays where it is, if that costs no time."""
        free = [w for w in self._workers if w.ready and w.order is None]
        while free and self._orders:
            lowest = min(order.round for order in self._orders)
            first = [order for order in self._orders if order.round == lowest]
            order, to = next(
                ((o, w) for o in first for w in free if o.island in w.islands), (first[0], free[0])
            )
            self._orders.remove(order)
            free.remove(to)
            for other in self._workers:
                other.islands.discard(order.island)
            to.islands.add(order.island)
            to.give(order, order.encode())
        starting = sum(not w.ready for w in self._workers)
        while len(self._orders) > starting and len(self._workers) < self._n_workers:
            self._start()
            starting += 1

    # -- workers

    def _start(self) -> None:
        taken = [one.trace for one in self._workers]
        started = self._fleet.start(next(trace for trace in self._traces if trace not in taken))
        self._workers.append(started)
        started.body.send(encode({**self._run, "trace": started.trace.offset}))

    def _poll(self, timeout: float) -> None:
        """Waits for signs of life, and for deaths; looks after those that give none."""
        for signs in self._fleet.wait(min(timeout, 1.0)):
            for message in signs.messages:
                if signs.of in self._workers:
                    self._answered(signs.of, message)
            if signs.trouble and signs.of in self._workers:
                self._bury(signs.of, signs.trouble)
        limit = self._timeout or max(60.0, 10 * self._slowest)
        for one in [w for w in self._workers if w.order is not None or not w.ready]:
            allowed = one.allowed(limit)
            cause = one.overdue(allowed)
            if cause:
                # One that was stopped, or had no processor, tells nothing of the program that it ran.
                self._bury(one, cause, blame=one.used > allowed / 20)

    def _answered(self, one: WatchedProcess, message: bytes) -> None:
        """Takes an answer; a worker that answers nonsense, as its memory is damaged, say, is given up."""
        try:
            self._take(one, *decode(message))
        except MessageError as error:
            self._bury(one, str(error))

    def _take(self, one: WatchedProcess, header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        kind, order = header.pop("kind"), one.order
        if kind == "error":
            failure = read_message(Failure, header)
            if failure.mistake:
                raise AzgenError(failure.message)
            raise RuntimeError(f"a worker failed:\n{failure.message}")
        if kind == "ready":
            one.ready, self._failed_starts = True, 0
        elif kind == "fitness" and isinstance(order, Program):
            fitness = checked_fitness(arrays, self._space.select.lanes.n_tasks)
            one.order = None
            self._rated.append(fitness)
        elif kind == "report" and isinstance(order, Order):
            self._reported(one, order, Report.decode(header, arrays))
        else:
            raise MessageError(f"a worker answers {kind!r}, which was not asked for")

    def _reported(self, one: WatchedProcess, order: Order, report: Report) -> None:
        if (order.island, order.round) != (report.island, report.round):
            raise MessageError("a worker reports of a round that was not asked for")
        if report.emigrants is not None:
            try:
                check_programs(self._space.kernel, report.emigrants, len(report.emigrants))
            except ValueError as error:
                raise MessageError(f"a worker sends what is no program: {error}") from None
        one.order = None
        self._slowest = max(self._slowest, self._fleet.clock() - one.since)
        self._results.append(report)

    def _bury(self, one: WatchedProcess, cause: str, blame: bool = True) -> None:
        """Gives a worker up, and its order back."""
        order = one.order
        program = self._running(one) if blame else ""
        self._end(one)
        if not one.ready:
            self._failed_starts += 1
            if self._failed_starts >= MOST_FAILED_STARTS:
                raise AzgenError(
                    f"{self._failed_starts} worker processes in a row have ended before they were ready "
                    f"({cause}); is there enough memory? --workers 1 runs without worker processes"
                )
        if isinstance(order, Program):
            self._rated.append(ProgramLost(cause, blamed=bool(program)))
        elif order is not None:
            self._results.append(Lost(order, cause, program))

    def _running(self, one: WatchedProcess) -> str:
        """Text of the program that a worker was about to run; "" if it had named none."""
        record = one.trace.running
        return "" if record is None else str(self._space.kernel.decode(record).normalized())

    def _end(self, one: WatchedProcess) -> None:
        self._workers.remove(one)
        self._fleet.end(one)
