"""Carrying out orders: rounds of islands, in whatever process this runs."""

from __future__ import annotations

import dataclasses
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.language.program import Program
from azgen.language.random import mix
from azgen.runs.events import Ancestor
from azgen.search import migration
from azgen.search.archive_island import ArchiveIsland
from azgen.search.engines.base import GivenUp
from azgen.search.engines.migrants import Migrants
from azgen.search.engines.orders import Order, Report
from azgen.search.island import Island
from azgen.search.island_state import COUNTS
from azgen.search.rating.hook import RatingHook
from azgen.search.rating.raters import Raters
from azgen.search.space import SearchSpace
from azgen.search.state import State
from azgen.search.task_set import TaskSet

_SLICE_SECONDS = 0.1
"""About how long children are made between two looks whether the run is to end."""

_LONG_ROUND = 0.05
"""Seconds of a round from which on its island's state is kept, to which it goes back when it is given up."""

_QUARANTINE_BATCHES = 16
"""Batches after which programs in quarantine are entered again."""


class StateStore(Protocol):
    """Keeps islands' states between rounds."""

    def read(self, island: int, round_number: int) -> State:
        """An island's state after a round."""

    def write(self, island: int, round_number: int, state: State) -> None:
        """Keeps an island's state after a round."""


@dataclass
class _Resident:
    """An island that this process holds, and the round that it has done last."""

    island: Island | ArchiveIsland
    tasks: TaskSet
    population: int
    round: int
    hook: RatingHook | None = None


class Runner:
    """Runs rounds of islands.

    Args:
        space: kernels and tasks.
        store: where states are kept between rounds; None: in this process alone.
        capacity: islands that are held in memory beside the store.
        trace: told which program is about to run, as the kernel's record, and None after it.
    """

    def __init__(
        self,
        space: SearchSpace,
        store: StateStore | None = None,
        capacity: int = 0,
        trace: Callable[[Any], None] = lambda record: None,
    ):
        self.space, self._store, self._capacity, self._trace = space, store, capacity, trace
        self._residents: OrderedDict[int, _Resident] = OrderedDict()
        self._raters = Raters(space)
        self._kept: dict[int, tuple[int, State]] = {}
        self._round_seconds = math.inf
        self.over: Callable[[], bool] | None = None
        self._running: Order | None = None
        self._abandoned = False

    def run(self, order: Order) -> Report:
        """Carries out an order.

        Raises:
            AzgenError: tasks that cannot be made, or no compiler.
        """
        began, compiled = time.process_time(), self._raters.compiled
        self._running, started = order, time.perf_counter()
        # What fails half-way must not be found here again.
        resident = self._residents.pop(order.island, None)
        self._keep(resident, order)
        if order.birth:
            resident = self._settle(order, born=True)
        elif resident is None or (resident.population, resident.round) != (order.population, order.round - 1):
            assert self._store is not None
            resident = self._settle(order, born=False)
            resident.island.load(self._store.read(order.island, order.round - 1))
        island, hook = resident.island, resident.hook
        rated = hook.rated if hook and not order.birth else 0
        if order.immigrants is not None and len(order.immigrants):
            arrived = order.immigrants
            island.take_in(arrived.records(resident.tasks.kernel.program), arrived.chains)
            self._advance(resident, order, len(order.immigrants), initial=True)
        self._advance(resident, order, order.n_programs, initial=False)
        self._round_seconds = time.perf_counter() - started
        if self._abandoned:
            raise GivenUp(self._report(resident, order, began))
        resident.round = order.round
        island.sweep()
        if self._store is not None:
            self._store.write(order.island, order.round, island.arrays)
        self._residents[order.island] = resident
        while self._store is not None and len(self._residents) > self._capacity:
            self._residents.popitem(last=False)
        report = self._report(resident, order, began)
        native = hook.rated - rated if hook else 0
        return dataclasses.replace(report, native=native, compiled=self._raters.compiled - compiled)

    def _keep(self, resident: _Resident | None, order: Order) -> None:
        """Keeps the state before a round that may be given up: one that takes long."""
        self._kept.pop(order.island, None)
        if self.over is None or resident is None:
            return
        if order.birth:  # another island takes its place
            self._kept[order.island] = order.round - 1, resident.island.arrays
        elif self._round_seconds > _LONG_ROUND:
            state = {name: array.copy() for name, array in resident.island.arrays.items()}
            self._kept[order.island] = order.round - 1, state

    def abandon(self) -> bool:
        """Forgets the round that another thread is at, if nothing is lost by that; whether it is not."""
        self._abandoned = self._running is not None and self._may_give_up(self._running)
        return self._abandoned

    def state(self, island: int, round_number: int) -> dict[str, NDArray[Any]]:
        """A copy of the state of an island that is held here.

        Raises:
            AzgenError: it is not, or has done another round last: a round has failed.
        """
        resident = self._residents.get(island)
        kept = self._kept.get(island)
        if kept is not None and kept[0] == round_number:
            return dict(kept[1])
        if resident is None or resident.round != round_number:
            raise AzgenError(f"the state of island {island} after round {round_number} is gone")
        return {name: array.copy() for name, array in resident.island.arrays.items()}

    def adopt(self, order: Order, state: State) -> None:
        """Takes an island in with the state that it has before an order."""
        resident = self._settle(order, born=False)
        resident.island.load(state)
        resident.round = order.round - 1
        self._residents[order.island] = resident

    def rate(self, program: Program) -> NDArray[np.float64]:
        """Fitness of a program on each selection task, by its native code; 0 where it failed."""
        # Compiles first: slow, and not the program's fault.
        code = self._raters.native(self.space.select).prepare(program)
        self._trace(self.space.kernel.encode([program])[0])
        fitness, _ = code.evaluate(self.space.select.lanes)
        self._trace(None)
        return np.nan_to_num(fitness, nan=0.0)

    def parse(self, text: str) -> Program:
        """A program of the run, from its text."""
        return Program.parse(text, ops=self.space.settings.user.table)

    def _settle(self, order: Order, *, born: bool) -> _Resident:
        settings = self.space.settings
        if settings.evolution.strategy == "archive":
            return self._settle_archive(order, born)
        tasks = self.space.task_set(order.island, order.population)
        hook = self._raters.hook(order.island, tasks)
        seed = mix(mix(settings.seed) + order.population)
        limit = self.space.cost_limit(tasks)
        island = Island(tasks.kernel, settings, tasks.lanes, seed, limit, None, hook, born=False)
        island.found_in(order.population)
        resident = _Resident(island, tasks, order.population, -1, hook)
        if born:
            island.populate(*self.space.start(order.population))
            self._advance(resident, order, settings.evolution.population, initial=True)
        return resident

    def _settle_archive(self, order: Order, born: bool) -> _Resident:
        space, stages = self.space, self.space.stages(order.island)
        seed = mix(mix(space.settings.seed) + order.population)
        starts = [program for program in space.start(order.population) if program is not None]
        island = ArchiveIsland(space.settings, stages, seed, starts, born, order.population)
        return _Resident(island, TaskSet(stages[-1].kernel, stages[-1].rating), order.population, -1)

    def _advance(self, resident: _Resident, order: Order, n_programs: int, *, initial: bool) -> None:
        """Rates members or makes children, past the programs in quarantine and, if need be, step by step."""
        island = resident.island
        batch = min(self.space.settings.evolution.batch, len(island.population))
        advance = island.rate_initial if initial else island.evolve
        if resident.hook:
            resident.hook.careful = order.careful
        keys = [_key(resident.tasks, self.parse(text)) for text in order.quarantined]
        for part in _parts(n_programs, batch * _QUARANTINE_BATCHES if keys else n_programs):
            island.quarantine(keys)
            if order.careful:
                for n in _parts(part, batch):
                    self._try_out(resident, island.preview(n, initial=initial), keys)
                    advance(n)
            elif not self._may_give_up(order):
                advance(part)
            elif isinstance(island, ArchiveIsland):
                if not initial:
                    island.evolve(part, lambda: self._give_up_if_over(resident, order))
            else:
                self._in_slices(resident, order, advance, part, batch)

    def _may_give_up(self, order: Order) -> bool:
        """Whether nothing is lost by giving up a round: the state before it is kept, or there was none."""
        return self.over is not None and (order.island in self._kept or order.round == 0)

    def _give_up_if_over(self, resident: _Resident, order: Order) -> None:
        if self.over is not None and self.over():
            raise GivenUp(self._report(resident, order, time.process_time()))

    def _in_slices(
        self, resident: _Resident, order: Order, advance: Callable[[int], None], n_programs: int, batch: int
    ) -> None:
        """The same as `advance`, with a look between whole batches whether the run is to end."""
        size = batch
        while n_programs > 0:
            self._give_up_if_over(resident, order)
            began, n = time.perf_counter(), min(size, n_programs)
            advance(n)
            n_programs -= n
            if time.perf_counter() - began < _SLICE_SECONDS / 2:
                size *= 2

    def _try_out(self, resident: _Resident, programs: NDArray[Any], keys: list[int]) -> None:
        """Runs programs one by one, each under its name, before the kernel runs them by the batch."""
        kernel, tasks = resident.tasks.kernel, resident.tasks.lanes
        for record in programs:
            program = kernel.decode(record)
            if _key(resident.tasks, program) in keys:
                continue
            self._trace(record)
            kernel.evaluate(record.reshape(1), tasks)
            if self.space.settings.backend == "native":
                self._raters.native(resident.tasks).prepare(program).evaluate(tasks)
        self._trace(None)

    def _report(self, resident: _Resident, order: Order, began: float) -> Report:
        settings, island = self.space.settings, resident.island
        best, text, select_fitness, cost, behaviour, holds = island.best, "", 0.0, 0.0, "", True
        ancestors: tuple[Ancestor, ...] = ()
        if best.number != order.best_number:
            program = best.program.normalized()
            native = self._raters.native(self.space.select)
            select_fitness, behaviour, holds = self.space.rate(program, native, self._trace)
            text, cost = str(program), sum(program.cost(self.space.kernel.spec.n_features)[1:])
            ancestors = island.ancestors() if order.bar.passes(select_fitness, cost) else ()
        leaving = None
        if order.n_emigrants:
            seed = mix(mix(mix(settings.seed) - order.island - 1) + order.round)
            places = migration.leaving(settings, island.fitness, seed, order.n_emigrants)
            leaving = Migrants.of(island.population[places], island.descent(places))
        return Report(
            order.island,
            order.round,
            order.population,
            tuple(island.counts[name] for name in COUNTS),
            best.fitness,
            best.number,
            text,
            select_fitness,
            cost,
            leaving,
            time.process_time() - began,
            spent=island.spent if isinstance(island, ArchiveIsland) else "",
            stage=island.stage if isinstance(island, ArchiveIsland) else "",
            behaviour=behaviour,
            holds=holds,
            ancestors=ancestors,
        )


def _parts(whole: int, size: int) -> Iterator[int]:
    """Parts of a number, all of one size but the last."""
    for start in range(0, whole, max(size, 1)):
        yield min(size, whole - start)


def _key(tasks: TaskSet, program: Program) -> int:
    """The kernel's key of a program's normal form."""
    kernel = tasks.kernel
    given, result = kernel.encode([program]), np.zeros(1, kernel.program)
    return int(kernel.calls.normal_form(given.ctypes.data, result.ctypes.data))
