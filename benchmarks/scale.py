"""How far one coordinator goes: the real one, with islands that answer at recorded speeds. `python
benchmarks/scale.py`

Nothing is evolved: an engine answers every order with a report such as real islands gave in a recorded run,
at the time at which a worker of such speed would have been done. Orders and reports are encoded and decoded
as for real workers, since that is the coordinator's work. What is measured is its processor time, the
simulation's own left out.
"""

from __future__ import annotations

import argparse
import dataclasses
import heapq
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from azgen.language.program import Program
from azgen.runs.checkpoint import CheckpointDirectory
from azgen.search import snapshot
from azgen.search.coordinator import Coordinator
from azgen.search.engines.base import Lost
from azgen.search.engines.messages import decode
from azgen.search.engines.migrants import Migrants
from azgen.search.engines.orders import Order, Report
from azgen.search.engines.runner import Runner
from azgen.search.space import SearchSpace
from azgen.search.state import State
from azgen.settings.presets import preset
from azgen.settings.settings import Settings

MOST_MIGRANTS = 500_000
"""Of a round: 1000 islands that send 500 programs each hold 2 GB."""


@dataclasses.dataclass(frozen=True)
class Recording:
    """What rounds of real islands were like.

    Attributes:
        seconds: processor time of each round.
        reports: of each round, with emigrants and, where the best was new, its program.
        state: an island's.
    """

    seconds: NDArray[np.float64]
    reports: list[Report]
    state: State


def record(space: SearchSpace, n_islands: int = 4, n_rounds: int = 25) -> Recording:
    """Runs a few islands for real."""
    runner, settings = Runner(space), space.settings
    reports, best = [], dict.fromkeys(range(n_islands), 0)
    for number in range(n_rounds):
        for island in range(n_islands):
            order = Order(
                island,
                number,
                island,
                number == 0,
                settings.stop.round_programs if number else 0,
                best[island],
                settings.islands.migrants,
            )
            report = runner.run(order)
            best[island] = report.best_number
            reports.append(report)
    later = [report for report in reports if report.round]
    return Recording(np.array([r.seconds for r in later]), reports, runner.state(0, n_rounds - 1))


class SimulatedEngine:
    """Answers orders from a recording; `own` is the processor time that this has cost, which is not the
    coordinator's.

    Args:
        recording: see `Recording`.
        n_workers: rounds that run at a time.
        n_migrants: programs in a message.
        seed: of the times and of who finds something.
    """

    def __init__(self, recording: Recording, n_workers: int, n_migrants: int, seed: int = 0):
        self._recording, self._n_workers = recording, n_workers
        self._random = np.random.default_rng(seed)
        self._free = [0.0] * n_workers
        self._running: list[tuple[float, int, Order]] = []
        self._counts: dict[int, NDArray[np.int64]] = {}
        emigrants = [r.emigrants for r in recording.reports if r.emigrants is not None and r.round > 5]
        joined = Migrants.joined(emigrants)
        self._emigrants = joined.taken(self._random.integers(0, len(joined), n_migrants))
        self._programs = [r for r in recording.reports if r.program]
        self._number = 0
        self.own = self.clock = 0.0
        self.messages = self.sent = self.received = 0

    @property
    def n_workers(self) -> int:
        """Rounds that run at a time."""
        return self._n_workers

    def submit(self, order: Order) -> None:
        """Takes an order on; encodes it, as engines do."""
        self.sent += len(order.encode())
        self.messages += 1
        began = time.process_time()
        start = max(heapq.heappop(self._free), self.clock)
        done = start + self._random.choice(self._recording.seconds)
        heapq.heappush(self._free, done)
        self._number += 1
        heapq.heappush(self._running, (done, self._number, order))
        self.own += time.process_time() - began

    def collect(self, timeout: float) -> list[Report | Lost]:
        """The next report, alone: the most work for the coordinator."""
        began = time.process_time()
        if not self._running:
            return []
        self.clock, _, order = heapq.heappop(self._running)
        message = self._report(order).encode()
        self.received += len(message)
        self.messages += 1
        self.own += time.process_time() - began
        header, arrays = decode(message)
        del header["kind"]
        return [Report.decode(header, arrays)]

    def _report(self, order: Order) -> Report:
        # The best of n tries so far is a new one with probability 1/n.
        found = order.birth or self._random.random() < 1 / (order.round + 1)
        like = self._programs[self._random.integers(len(self._programs))]
        counts = self._counts.setdefault(order.population, np.zeros(8, np.int64))
        counts[0] += order.n_programs or 1000
        fitness = 1 - 1 / (1 + int(counts[0])) * 1000 if found else like.best_fitness
        return Report(
            order.island,
            order.round,
            order.population,
            tuple(counts.tolist()),
            fitness,
            int(counts[0]) if found else order.best_number,
            like.program if found else "",
            like.select_fitness,
            like.cost,
            self._emigrants if order.n_emigrants else None,
            0.1,
            3,
        )

    def state(self, island: int, round_number: int) -> State:
        """The recorded state."""
        return self._recording.state

    def adopt(self, order: Order, state: State) -> None:
        """Nothing to adopt."""

    def rate(self, program: Program) -> NDArray[np.float64]:
        """The selection fitness that the program was recorded with."""
        return np.array([next(r.select_fitness for r in self._programs if r.program == str(program))])

    def cancel(self) -> None:
        """Forgets all orders."""
        self._running.clear()

    def close(self) -> None:
        """Nothing to end."""


def settings_for(n_islands: int, topology: str, *, interval_rounds: int = 1, migrants: int = 10) -> Settings:
    """The linear demo on many islands, which exchange programs every few rounds."""
    settings = preset("demo")
    stop = dataclasses.replace(
        settings.stop,
        max_programs=0,
        max_seconds=0.0,
        target_fitness=2.0,
        round_programs=10_000,
        restart_programs=0,
        patience=0,
    )
    islands = dataclasses.replace(
        settings.islands,
        count=n_islands,
        topology=topology,  # type: ignore[arg-type]
        interval=10_000 * interval_rounds,
        migrants=migrants,
    )
    return dataclasses.replace(settings, stop=stop, islands=islands)


@dataclasses.dataclass(frozen=True)
class Measured:
    """Per round of all islands: the coordinator's seconds, messages, bytes; and islands' seconds, by their
    own clock."""

    seconds: float
    messages: float
    sent: float
    received: float
    round_seconds: float


def simulate(recording: Recording, settings: Settings, n_rounds: int = 20) -> Measured:
    """Carries a run out with simulated islands."""
    count = settings.islands.count
    stop = dataclasses.replace(settings.stop, max_programs=count * (1000 + n_rounds * 10_000))
    settings = dataclasses.replace(settings, stop=stop)
    engine = SimulatedEngine(recording, count, settings.islands.migrants)
    coordinator = Coordinator(settings, engine, lambda event: None)
    began = time.process_time()
    coordinator.search()
    seconds = time.process_time() - began - engine.own
    rounds = coordinator.progress.round + 1
    return Measured(
        seconds / rounds,
        engine.messages / rounds,
        engine.sent / rounds,
        engine.received / rounds,
        engine.clock / rounds,
    )


def checkpoint(space: SearchSpace, recording: Recording, settings: Settings) -> tuple[float, float]:
    """Processor seconds and bytes of a checkpoint of that many islands."""
    engine = SimulatedEngine(recording, settings.islands.count, 10)
    stop = dataclasses.replace(settings.stop, max_programs=settings.islands.count * 11_000)
    coordinator = Coordinator(dataclasses.replace(settings, stop=stop), engine, lambda event: None)
    coordinator.search()
    many = SearchSpace(settings, space.starts, space.select, space.search)
    with tempfile.TemporaryDirectory() as folder:
        kept = CheckpointDirectory(Path(folder))
        began = time.process_time()
        path = kept.write(*snapshot.take(many, coordinator.progress, engine))
        seconds, size = time.process_time() - began, path.stat().st_size
        kept.close()
    return seconds, size


def main() -> None:
    """Prints tables of the coordinator at scale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--islands", type=int, nargs="*", default=[10, 100, 1000, 3000])
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()
    settings = settings_for(4, "ring")
    space = SearchSpace.of(settings, settings.tasks.split(settings.seed))
    recording = record(space)
    size = sum(array.nbytes for array in recording.state.values())
    print(
        f"recorded: a round of 10 000 programs takes {np.median(recording.seconds):.3f} s (median); ", end=""
    )
    print(f"an island's state is {size / 1e6:.1f} MB")
    print(
        "| islands | exchange | coordinator, ms per round | per island, µs | messages | kB sent "
        "| kB received |"
    )
    print("|---|---|---|---|---|---|---|")
    for count in args.islands:
        for topology, migrants in (("none", 10), ("ring", 10), ("pool", 10), ("pool", 50), ("pool", 500)):
            if count * migrants > MOST_MIGRANTS:
                continue
            found = simulate(recording, settings_for(count, topology, migrants=migrants), args.rounds)
            what = topology if topology == "none" else f"{topology}, {migrants} programs"
            print(
                f"| {count} | {what} | {found.seconds * 1e3:.1f} | {found.seconds / count * 1e6:.0f} | "
                f"{found.messages:.0f} | {found.sent / 1e3:.0f} | {found.received / 1e3:.0f} |",
                flush=True,
            )
    print("| islands | checkpoint, s of processor time | MB |\n|---|---|---|")
    for count in [n for n in args.islands if n <= 100]:
        seconds, size = checkpoint(space, recording, settings_for(count, "ring"))
        print(f"| {count} | {seconds:.2f} | {size / 1e6:.0f} |", flush=True)
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")


if __name__ == "__main__":
    main()
