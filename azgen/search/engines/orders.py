"""What islands are told to do, and what they report: orders and reports, as messages between processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from azgen.bounds import Bounded, Bounds, Count, NotNegative, Share
from azgen.execution.kernel import INSTRUCTION
from azgen.plain import as_plain
from azgen.runs.events import Ancestor
from azgen.search.engines.messages import MessageError, encode, read_message
from azgen.search.engines.migrants import Migrants
from azgen.search.hall import Bar
from azgen.search.island_state import COUNTS


@dataclass(frozen=True)
class Order(Bounded):
    """One round of one island.

    Attributes:
        island: number of the island.
        round: number of the round; the state that it starts from is that after round - 1.
        population: number of the population among those of the run.
        birth: a new population is made and rated; there is no state to start from.
        n_programs: children to make.
        best_number: number of the population's best program that is known already.
        n_emigrants: programs to send.
        quarantined: texts of programs that score 0 unseen.
        immigrants: programs that arrive first, or None.
        careful: tell which program is about to run, so that one that kills the process can be named.
        bar: what a program must pass for its ancestors to be told.
    """

    island: Count
    round: Count
    population: Count
    birth: bool = False
    n_programs: Count = 0
    best_number: Count = 0
    n_emigrants: Count = 0
    quarantined: tuple[str, ...] = ()
    immigrants: Migrants | None = None
    careful: bool = False
    bar: Bar = Bar()  # noqa: RUF009

    def encode(self) -> bytes:
        """As a message."""
        return encode(
            {"kind": "order", **as_plain(self, leave_out=("immigrants",))}, _migrants(self.immigrants)
        )

    @staticmethod
    def decode(header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Order:
        """From a message.

        Raises:
            MessageError: it says what none can say.
        """
        return read_message(Order, header, {"immigrants": _from_arrays(arrays)})


@dataclass(frozen=True)
class Report(Bounded):
    """What became of an order.

    Attributes:
        island, round, population: as ordered.
        counts: programs of the population so far, by rung of the ladder (`COUNTS`).
        best_fitness: best on the search tasks in the population so far.
        best_number: which program of the population that was, from 1.
        program: its normal form's text if it is new, else "".
        select_fitness: mean over the selection tasks, if it is new.
        cost: static cost of one training example, in multiplications, if it is new.
        emigrants: programs that leave, or None.
        seconds: processor time that the round took.
        native: programs of this round that native code has rated.
        compiled: programs that were compiled for that.
        spent: why the island is to begin anew, in words; "" if it goes on.
        stage: of an archive, which stage before the run's own tasks it is in, in words; else "".
        behaviour: digest of how the best behaves on the selection tasks, if it is new.
        holds: whether it fails on none of them, not even when it is trained twice as long.
        ancestors: what the best descends from, if it is new.
    """

    island: Count
    round: Count
    population: Count
    counts: Annotated[tuple[int, ...], Bounds(0)]
    best_fitness: Annotated[float, Bounds(-1, 1)]
    best_number: Count
    program: str = ""
    select_fitness: Share = 0.0
    cost: NotNegative = 0.0
    emigrants: Migrants | None = None
    seconds: NotNegative = 0.0
    native: Count = 0
    compiled: Count = 0
    spent: str = ""
    stage: str = ""
    behaviour: str = ""
    holds: bool = True
    ancestors: tuple[Ancestor, ...] = ()

    def encode(self) -> bytes:
        """As a message."""
        return encode(
            {"kind": "report", **as_plain(self, leave_out=("emigrants",))}, _migrants(self.emigrants)
        )

    @staticmethod
    def decode(header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Report:
        """From a message.

        Raises:
            MessageError: it says what none can say.
        """
        report = read_message(Report, header, {"emigrants": _from_arrays(arrays)})
        if len(report.counts) != len(COUNTS):
            raise MessageError(f"a report counts {len(report.counts)} rungs of the ladder, not {len(COUNTS)}")
        return report


def _migrants(migrants: Migrants | None) -> dict[str, NDArray[Any]]:
    return {} if migrants is None else migrants.arrays()


def _from_arrays(arrays: dict[str, NDArray[Any]]) -> Migrants | None:
    if not arrays:
        return None
    try:
        migrants = Migrants.from_arrays(arrays)
    except (ValueError, KeyError) as error:
        raise MessageError(f"a message between processes holds programs of another shape: {error}") from None
    for programs in (migrants, migrants.chains.stones) if migrants.chains else (migrants,):
        sizes, code = programs.sizes, programs.code
        if (
            sizes.dtype != np.int32
            or code.dtype != INSTRUCTION
            or (sizes.shape[1:], code.ndim) != ((3,), 1)
            or (sizes.size and sizes.min() < 0)
            or sizes.sum(dtype=np.int64) != len(code)
        ):
            raise MessageError("a message between processes holds programs of another shape or type")
    return migrants
