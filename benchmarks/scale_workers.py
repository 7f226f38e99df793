"""What worker processes and Dask bring and cost: throughput of 1 and 2 workers, and the price of a round that
does nothing. `python benchmarks/scale_workers.py`

Runs of the three engines alternate, and the best of each counts, since a machine that others use too makes
runs slower and never faster.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Callable
from typing import Any, cast

from azgen.runs.events import Event, Progress
from azgen.search.engines.base import Engine
from azgen.search.engines.dask import DaskEngine
from azgen.search.engines.inline import InlineEngine
from azgen.search.engines.server import processor_seconds
from azgen.search.engines.workers import WorkerEngine
from azgen.search.evolve import Evolution
from azgen.search.space import SearchSpace
from azgen.search.world import World
from azgen.settings.presets import preset
from azgen.settings.settings import Settings


class TimedEngine(WorkerEngine):
    """Notes how long workers have something to do."""

    busy = 0.0

    def _answered(self, one: Any, message: bytes) -> None:
        if one.order is not None:
            self.busy += self._fleet.clock() - one.since
        super()._answered(one, message)


@dataclasses.dataclass(frozen=True)
class Measured:
    """Programs per second of the clock and of all processors together, the coordinator's share of a
    processor, and the share of the time for which workers had something to do."""

    rate: float
    per_processor: float
    share: float
    busy: float


def throughput(settings: Settings, make_engine: Callable[[SearchSpace], Engine]) -> Measured:
    """From the fifth to the last round, so that starting processes and compiling do not count."""
    marks: list[tuple[float, float, float, int, float]] = []
    engines: list[Any] = []

    def made(space: SearchSpace) -> Engine:
        engines.append(make_engine(space))
        return cast(Engine, engines[0])

    def observe(event: Event) -> None:
        if isinstance(event, Progress):
            workers = sum(processor_seconds(pid) for pid in getattr(engines[0], "processes", []))
            busy = getattr(engines[0], "busy", 0.0) / engines[0].n_workers
            marks.append((time.perf_counter(), time.process_time(), workers, event.programs, busy))

    Evolution(settings, settings.tasks.split(settings.seed), observe, world=World(made)).run()
    wall, own, others, programs, busy = (b - a for a, b in zip(marks[5], marks[-1], strict=True))
    return Measured(programs / wall, programs / (own + others), own / wall, busy / wall)


def with_changes(settings: Settings, stop: dict[str, object], islands: dict[str, object]) -> Settings:
    """Settings without a time limit, with these changes."""
    return dataclasses.replace(
        settings,
        stop=dataclasses.replace(
            settings.stop, **{"max_seconds": 0.0, "target_fitness": 2.0, "restart_programs": 0, **stop}
        ),
        islands=dataclasses.replace(settings.islands, **islands),
    )


def main() -> None:
    """Prints the figures of docs/scale.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="digits")
    parser.add_argument("--programs", type=int, default=1_000_000, help="of each run")
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    settings = with_changes(
        preset(args.preset),
        {"max_programs": args.programs, "round_programs": 10_000},
        {"count": 4, "interval": 50_000},
    )
    engines: dict[str, Callable[[SearchSpace], Engine]] = {
        "this process": InlineEngine,
        "1 worker": lambda space: TimedEngine(space, 1),
        "2 workers": lambda space: TimedEngine(space, 2),
    }
    found: dict[str, list[Measured]] = {name: [] for name in engines}
    for _ in range(args.repeats):
        for name, make in engines.items():
            found[name].append(throughput(settings, make))
    print(f"{args.preset}, 4 islands, rounds of 10 000 programs, best of {args.repeats} runs")
    print("| engine | programs/s | programs per processor second | coordinator | workers busy |")
    print("|---|---|---|---|---|")
    for name, runs in found.items():
        best = max(runs, key=lambda run: run.rate)
        per_processor = max(run.per_processor for run in runs)
        share, busy = ("", "") if name == "this process" else (f"{best.share:.1%}", f"{best.busy:.1%}")
        print(f"| {name} | {best.rate:,.0f} | {per_processor:,.0f} | {share} | {busy} |")
    rates = {name: max(run.rate for run in runs) for name, runs in found.items()}
    print(f"2 workers give {rates['2 workers'] / rates['1 worker']:.2f} times the throughput of 1\n")

    idle = with_changes(
        preset("demo"),
        {"max_programs": 4 * (1000 + 600 * 16), "round_programs": 16},
        {"count": 4, "interval": 10**6},
    )
    print("| rounds of 16 programs | ms per round of an island | coordinator, ms of processor time |")
    print("|---|---|---|")
    for name, make in {**engines, "Dask, 1 worker": DaskEngine}.items():
        islands = {"engine": "dask"} if make is DaskEngine else {}
        cost = throughput(with_changes(idle, {}, islands), make)
        milliseconds = 16 / cost.rate * 1e3
        print(f"| {name} | {milliseconds:.2f} | {milliseconds * cost.share:.2f} |", flush=True)


if __name__ == "__main__":
    main()
