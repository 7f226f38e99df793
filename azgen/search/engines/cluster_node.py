"""What runs on the workers of a Dask cluster: rounds of islands and ratings, in a process of a thread's own.

What is given and returned is bytes, as Dask moves it between machines (see azgen.search.engines.dask).
"""

from __future__ import annotations

import threading

from azgen.errors import AzgenError
from azgen.language.program import Program
from azgen.search.engines.base import Lost, ProgramLost
from azgen.search.engines.messages import decode, encode
from azgen.search.engines.orders import Order, Report
from azgen.search.engines.workers import WorkerEngine
from azgen.search.island_state import state_block
from azgen.search.space import SearchSpace
from azgen.settings.reading import settings_from
from azgen.version import azgen_version

_POLL_SECONDS = 0.5


class _Node:
    """One thread's process for one run, on the machine of a Dask worker."""

    def __init__(self, run: bytes):
        header, flat = decode(run)
        if header["azgen"] != azgen_version():
            raise AzgenError(
                f"a Dask worker has azgen {azgen_version()}, the coordinator {header['azgen']}; "
                "install the same"
            )
        arrays = {
            name: flat[name].view(dtype).reshape(shape)
            for name, (dtype, shape) in header["arrays_of"].items()
        }
        self.run, self.name = run, header["name"]
        self.space = SearchSpace.described(settings_from(header["settings"]), header["space"], arrays)
        self.block = state_block(self.space.settings, self.space.kernel.program)
        self.engine = WorkerEngine(self.space, 1, n_islands=1)


_nodes: dict[int, _Node] = {}


def _node(run: bytes) -> _Node:
    """The calling thread's process for a run."""
    thread = threading.get_ident()
    node = _nodes.get(thread)
    if node is None or node.run != run:
        if node is not None:
            node.engine.close()
        node = _nodes[thread] = _Node(run)
    return node


def close_nodes(name: str) -> None:
    """Ends the processes of a run; others on the same workers go on."""
    for thread, node in list(_nodes.items()):
        if node.name == name:
            del _nodes[thread]
            node.engine.close()


def carry_out(run: bytes, order: bytes, before: tuple[bytes, bytes] | None) -> tuple[bytes, bytes]:
    """A round: the report, and the island's state after it."""
    try:
        node = _node(run)
        header, arrays = decode(order)
        ordered = Order.decode(header, arrays)
        if before is not None:
            node.engine.adopt(ordered, node.block.from_bytes(before[1]))
        node.engine.submit(ordered)
        results: list[Report | Lost] = []
        while not results:
            results = node.engine.collect(_POLL_SECONDS)
    except AzgenError as error:
        return encode({"kind": "error", "message": str(error)}), b""
    (result,) = results
    if isinstance(result, Lost):
        return encode({"kind": "lost", "cause": result.cause, "program": result.program}), b""
    return result.encode(), node.block.to_bytes(node.engine.state(ordered.island, ordered.round))


def rate(run: bytes, program: str) -> bytes:
    """A program's fitness on each selection task, as a message."""
    try:
        node = _node(run)
        parsed = Program.parse(program, ops=node.space.settings.user.table)
        return encode({"kind": "fitness"}, {"fitness": node.engine.rate(parsed)})
    except ProgramLost as error:
        return encode({"kind": "lost", "cause": str(error), "blamed": error.blamed})
    except AzgenError as error:
        return encode({"kind": "error", "message": str(error)})


def report_of(done: tuple[bytes, bytes]) -> bytes:
    """What travels to the coordinator of a round."""
    return done[0]


def state_of(done: tuple[bytes, bytes]) -> bytes:
    """The state after a round."""
    return done[1]


def as_round(state: bytes) -> tuple[bytes, bytes]:
    """What a round would leave that ended in this state."""
    return b"", state


def same(data: bytes) -> bytes:
    """Data as what a task has made, so that Dask can make them again."""
    return data
