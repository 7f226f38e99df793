"""Islands on a Dask cluster (extra `cluster`): any `dask.distributed` scheduler, workers that come and go.

A round is a task that takes the island's state after the round before and gives a report and the new state.
The state stays where it was computed; Dask brings it to another worker if need be, and computes it again,
from an earlier one, if its worker is gone. Only the report travels to the coordinator. On a worker the round
runs in a process of its own, watched as those of `azgen.search.engines.workers` are, so that a program that
kills it takes no Dask worker with it; kernels and candidates are compiled there. What travels is bytes:
numbers and program texts.
"""

from __future__ import annotations

import queue
import time
import uuid
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.extras import need
from azgen.language.program import Program
from azgen.search.engines import cluster_node
from azgen.search.engines.base import Lost, ProgramLost
from azgen.search.engines.messages import (
    Failure,
    Loss,
    MessageError,
    checked_fitness,
    decode,
    encode,
    read_message,
)
from azgen.search.engines.orders import Order, Report
from azgen.search.engines.shared import KEPT_ROUNDS
from azgen.search.island_state import state_block
from azgen.search.space import SearchSpace
from azgen.search.state import State
from azgen.settings.values import as_mapping
from azgen.version import azgen_version

CUT_ROUNDS = 20
"""Rounds after which an island's state comes to the coordinator, so that no more than these are computed
again."""

_ANSWER_SECONDS = 600.0
"""Longest wait for a state or a rating, which may come after rounds that have begun."""


class DaskEngine:
    """Runs orders on a Dask cluster.

    Args:
        space: kernels and tasks; they travel to each worker once.
        scheduler: address such as "tcp://host:8786"; empty: a cluster on this machine.
        patience: seconds to wait for the scheduler.

    Raises:
        AzgenError: Dask is not installed, the scheduler does not answer, or its workers have another azgen.
    """

    def __init__(self, space: SearchSpace, scheduler: str = "", patience: float = 20.0):
        self._distributed = require_dask()
        self._space = space
        self._block = state_block(space.settings, space.kernel.program)
        self._cluster: Any = None
        self._client = self._connect(scheduler, patience)
        described, arrays = space.describe()
        self._name = uuid.uuid4().hex
        header = {
            "kind": "run",
            "name": self._name,
            "azgen": azgen_version(),
            "settings": as_mapping(space.settings),
            "space": described,
        }
        flat = {name: array.reshape(-1).view(np.uint8) for name, array in arrays.items()}
        header["arrays_of"] = {name: (array.dtype.str, array.shape) for name, array in arrays.items()}
        # Data that a task made can be made again when its worker is gone; scattered data cannot.
        self._run = self._client.submit(cluster_node.same, encode(header, flat), pure=False)
        self._rounds: dict[tuple[int, int], Any] = {}  # the task, or a task that only has the state
        self._since_cut: dict[int, int] = {}
        self._waiting: dict[Any, Order] = {}
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._n_workers, self._looked = 1, 0.0

    def _connect(self, scheduler: str, patience: float) -> Any:
        islands = self._space.settings.islands
        try:
            if not scheduler:
                self._cluster = self._distributed.LocalCluster(
                    n_workers=islands.workers, threads_per_worker=1, dashboard_address=None
                )
            return self._distributed.Client(
                scheduler or self._cluster, set_as_default=False, timeout=patience
            )
        except (OSError, ValueError, TimeoutError) as error:
            raise AzgenError(f"the Dask scheduler {scheduler} does not answer: {error}") from None

    @property
    def n_workers(self) -> int:
        """Threads of the cluster's workers at present."""
        if time.monotonic() - self._looked > 2.0:
            self._looked = time.monotonic()
            with suppress(OSError, TimeoutError):
                self._n_workers = sum(self._client.ncores().values())
        return self._n_workers

    def submit(self, order: Order) -> None:
        """Takes an order on; lower rounds go first.

        Raises:
            AzgenError: the state before it is lost.
        """
        before = None if order.birth else self._rounds[order.island, order.round - 1]
        if before is not None and before.status in ("error", "cancelled"):
            raise AzgenError(f"the state of island {order.island} is lost with the workers that had it")
        task = self._client.submit(
            cluster_node.carry_out, self._run, order.encode(), before, pure=False, priority=-order.round
        )
        report = self._client.submit(cluster_node.report_of, task, pure=False, priority=-order.round)
        self._rounds[order.island, order.round] = task
        self._rounds.pop((order.island, order.round - KEPT_ROUNDS), None)
        self._waiting[report] = order
        report.add_done_callback(self._done.put)

    def collect(self, timeout: float) -> list[Report | Lost]:
        """What has become of orders; waits for at most `timeout` seconds for the first.

        Raises:
            AzgenError: a worker reports a mistake of the user's, or has another azgen.
        """
        done = []
        with suppress(queue.Empty):
            done.append(self._done.get(timeout=timeout))
            while True:
                done.append(self._done.get_nowait())
        known = [report for report in done if report in self._waiting]
        # By number, as those whose worker is lost in this moment have no answer.
        finished = {n: report for n, report in enumerate(known) if report.status == "finished"}
        answers = self._client.gather(finished, errors="skip")
        results: list[Report | Lost] = []
        for n, report in enumerate(known):
            order = self._waiting.pop(report)
            if answers.get(n) is not None:
                results.append(self._result(order, answers[n]))
            elif report.status == "error":
                error = report.exception()
                results.append(Lost(order, f"{type(error).__name__}: {error}"))
            else:
                results.append(Lost(order, f"its report is {report.status}, and did not arrive"))
        return results

    def _result(self, order: Order, answer: bytes) -> Report | Lost:
        try:
            header, arrays = decode(answer)
            kind = header.pop("kind")
            if kind == "error":
                raise AzgenError(read_message(Failure, header).message)
            if kind == "lost":
                loss = read_message(Loss, header)
                return Lost(order, loss.cause, loss.program)
            report = Report.decode(header, arrays)
        except MessageError as error:
            return Lost(order, str(error))
        since = self._since_cut[order.island] = self._since_cut.get(order.island, 0) + 1
        if since >= CUT_ROUNDS:
            with suppress(AzgenError):  # whoever needs the state will see
                state = self._state(order.island, order.round)
                self._rounds[order.island, order.round] = self._client.submit(
                    cluster_node.as_round, state, pure=False
                )
                self._since_cut[order.island] = 0
        return report

    def state(self, island: int, round_number: int) -> State:
        """An island's state after a round.

        Raises:
            AzgenError: it is lost, or no worker answers.
        """
        return self._block.from_bytes(self._state(island, round_number))

    def _state(self, island: int, round_number: int) -> bytes:
        task = self._client.submit(cluster_node.state_of, self._rounds[island, round_number], pure=False)
        try:
            state: bytes = task.result(_ANSWER_SECONDS)
        except Exception as error:  # whatever was raised where it was computed
            cause = f"{type(error).__name__}: {error}"
            raise AzgenError(f"the state of island {island} does not arrive: {cause}") from None
        return state

    def adopt(self, order: Order, state: State) -> None:
        """Takes the state in that an island has before an order."""
        task = self._client.submit(cluster_node.as_round, self._block.to_bytes(state), pure=False)
        self._rounds[order.island, order.round - 1] = task

    def rate(self, program: Program) -> NDArray[np.float64]:
        """Fitness of a program's native code on each selection task.

        Raises:
            ProgramLost: the worker died of it.
        """
        task = self._client.submit(cluster_node.rate, self._run, str(program), pure=False, priority=1)
        try:
            header, arrays = decode(task.result(_ANSWER_SECONDS))
        except Exception as error:  # not the program's fault: programs run in processes of their own
            raise ProgramLost(f"{type(error).__name__}: {error}", blamed=False) from None
        if header["kind"] == "lost":
            loss = read_message(Loss, header)
            raise ProgramLost(loss.cause, loss.blamed)
        if header["kind"] == "error":
            raise AzgenError(read_message(Failure, header).message)
        return np.array(checked_fitness(arrays, self._space.select.lanes.n_tasks))

    def cancel(self) -> None:
        """Forgets all orders; a round that has begun is finished, for nobody."""
        self._client.cancel(list(self._waiting))
        self._waiting.clear()

    def close(self) -> None:
        """Ends the processes on the workers; a cluster of this machine ends as a whole."""
        with suppress(Exception):  # the cluster may be gone already
            self._client.run(cluster_node.close_nodes, self._name)
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()


def require_dask() -> Any:
    """The module `distributed`, which is imported here and nowhere else.

    Raises:
        MissingExtraError: it is not installed; says what to do.
    """
    return need("distributed", "the engine dask needs")
