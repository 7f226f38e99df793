"""Islands' states as the plain values and arrays of a checkpoint, and back, every one checked; see
`azgen.search.snapshot`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from azgen.bounds import Bounded, Bounds, Count
from azgen.plain import read_value
from azgen.runs.checkpoint import Checkpoint, DamagedError
from azgen.search.archive_snapshot import ArchiveReader
from azgen.search.checked import check_programs, fill, whole
from azgen.search.engines.migrants import Migrants
from azgen.search.island import Island
from azgen.search.island_state import COUNTS, ENTRY, EVOLVED, QUARANTINE_SETS, state_block
from azgen.search.space import SearchSpace
from azgen.search.state import State
from azgen.search.trail_snapshot import TRAIL_NUMBERS, TrailReader, take_trails
from azgen.settings.settings import Settings

_ENTRY = ENTRY.names or ()
_TABLE, _HURDLE = ("n_sets", "clock"), ("n", "next")
"""Numbers of a table, and of a hurdle, that evolution changes."""


@dataclass(frozen=True)
class IslandNumbers(Bounded):
    """An island's numbers in a checkpoint.

    Attributes:
        next, random, best_fitness, best_number: `EVOLVED`.
        counts: programs by rung of the ladder.
        known, probed: sets and clock of a table of fitness.
        hurdles: of each, how many heights it knows, and where the next goes.
        trail: numbers of its stepping stones; checkpoints of before have none.
    """

    next: Count
    random: Count
    best_fitness: Annotated[float, Bounds(-1, 1)]
    best_number: Count
    counts: Annotated[tuple[int, ...], Bounds(0)]
    known: Annotated[tuple[int, int], Bounds(0)]
    probed: Annotated[tuple[int, int], Bounds(0)]
    hurdles: tuple[tuple[int, int], ...]
    trail: Mapping[str, Any] | None = None


def take_islands(
    settings: Settings, program: np.dtype[Any], states: Sequence[State]
) -> tuple[list[dict[str, Any]], dict[str, NDArray[Any]]]:
    """Values per island, and arrays of all of them.

    Args:
        program: the kernel's record of a program.
    """
    block = state_block(settings, program)
    values, programs, tables = [], list[Migrants](), {name: list[Any]() for name in block.kept("entries")}
    whole_arrays = {name: list[NDArray[Any]]() for name in block.kept("whole")}
    for state in states:
        record = state["state"][0]
        values.append(
            {
                **{name: record[name].item() for name in EVOLVED},
                "counts": [record["counts"][name].item() for name in COUNTS],
                "trail": {name: record["trail"][name].item() for name in TRAIL_NUMBERS},
                **{table: [record[table][name].item() for name in _TABLE] for table in tables},
                "hurdles": [[hurdle[name].item() for name in _HURDLE] for hurdle in state["hurdles"]],
            }
        )
        programs.append(Migrants.of(np.append(state["population"], record["best"])))
        for name, of_islands in whole_arrays.items():
            of_islands.append(state[name])
        for table in tables:
            tables[table].append(_used_entries(state[table]))
    joined = Migrants.joined(programs)
    arrays = {
        "sizes": joined.sizes,
        "code": joined.code,
        **{name: np.stack(of_islands) for name, of_islands in whole_arrays.items()},
    }
    arrays |= take_trails(states)
    for table, parts in tables.items():
        arrays[f"{table}.n"] = np.array([len(places) for places, _ in parts])
        arrays[f"{table}.place"] = np.concatenate([places for places, _ in parts])
        for name in _ENTRY:
            arrays[f"{table}.{name}"] = np.concatenate([entries[name] for _, entries in parts])
    return values, arrays


def _used_entries(table: NDArray[Any]) -> tuple[NDArray[np.int32], NDArray[Any]]:
    entries = table.reshape(-1)
    places = np.flatnonzero(entries["used"]).astype(np.int32)
    return places, entries[places]


class IslandReader:
    """Islands from a checkpoint's arrays."""

    def __init__(self, space: SearchSpace, checkpoint: Checkpoint):
        self._space, self._checkpoint, self._arrays = space, checkpoint, checkpoint.arrays
        settings = space.settings
        count, size = settings.islands.count, settings.evolution.population
        self._programs = Migrants(self._arrays["sizes"], self._arrays["code"])
        check_programs(space.kernel, self._programs, count * (size + 1))
        self._block = state_block(settings, space.kernel.program)
        for name in self._block.kept("whole"):
            array, part = self._arrays[name], self._block.parts[name]
            same = array.shape == (count, *part.shape) and array.dtype == part.dtype
            need(checkpoint, same, f"{name} has another shape")
            need(checkpoint, bool(np.isfinite(array).all()), f"{name} is not finite")
        for table in self._block.kept("entries"):
            n = whole(self._arrays[f"{table}.n"].tolist(), count)
            for name, kind in (("place", np.dtype(np.int32)), *((name, ENTRY[name]) for name in _ENTRY)):
                array = self._arrays[f"{table}.{name}"]
                same = array.shape == (sum(n),) and array.dtype == kind
                need(checkpoint, same, f"{table} has another size or type")
            known = self._arrays[f"{table}.fitness"]
            need(checkpoint, not np.isinf(known).any(), f"{table} holds an infinite fitness")
        self._trails = TrailReader(self._arrays, count, partial(check_programs, space.kernel))
        self._archives = self._archive_reader() if settings.evolution.strategy == "archive" else None
        stored = checkpoint.values["islands"]
        self._islands = read_value(tuple[IslandNumbers, ...], stored, "its islands", "islands")
        need(checkpoint, len(self._islands) == count, f"it has {len(self._islands)} islands, not {count}")
        self._ends = {t: np.cumsum(self._arrays[f"{t}.n"]) for t in self._block.kept("entries")}

    def _archive_reader(self) -> ArchiveReader:
        settings, check = self._space.settings, partial(check_programs, self._space.kernel)
        stored, count = self._checkpoint.values["archives"], settings.islands.count
        need(self._checkpoint, len(stored) == count, f"it has {len(stored)} archives, not {count}")
        n_stages = len(settings.stages) + 1
        return ArchiveReader(stored, self._arrays, n_stages, check)

    def island(self, number: int) -> Island:
        """An island without an own kernel's pointers set for running: only its arrays count."""
        space, values = self._space, asdict(self._islands[number])
        settings, size = space.settings, space.settings.evolution.population
        tasks = space.search[number % len(space.search)]
        island = Island(tasks.kernel, settings, tasks.lanes, 0, space.cost_limit(tasks), born=False)
        record = island.arrays["state"][0]
        fill(record, values, EVOLVED)
        within = record["next"] < size and record["best_number"] <= 2**62
        need(self._checkpoint, bool(within), "an island's numbers are out of bounds")
        for name, value in zip(COUNTS, counts_of(self._checkpoint, values["counts"]), strict=True):
            record["counts"][name] = value
        records = self._programs.taken(np.arange(number * (size + 1), (number + 1) * (size + 1))).records(
            tasks.kernel.program
        )
        island.population[...], record["best"] = records[:size], records[size]
        for name in self._block.kept("whole"):
            island.arrays[name][...] = self._arrays[name][number]
        self._tables(island, number, values)
        heights = island.arrays["heights"]
        for hurdle, (n, following), (ordered, _) in zip(
            island.arrays["hurdles"], values["hurdles"], heights, strict=True
        ):
            hurdle["n"], hurdle["next"] = whole([n], 1, size) + whole([following], 1, size - 1)
            need(self._checkpoint, bool((np.diff(ordered[:n]) > 0).all()), "heights are not in order")
        if self._archives:
            self._archives.fill(number, island.arrays)
        self._trails.fill(number, values.get("trail"), island.arrays)
        return island

    def _tables(self, island: Island, number: int, values: Mapping[str, Any]) -> None:
        for table in self._block.kept("entries"):
            n_sets, clock = values[table]
            of = island.arrays["state"][0][table]
            usual = int(of["n_sets"])
            allowed = {usual, QUARANTINE_SETS} if table == "known" else {usual}
            need(self._checkpoint, n_sets in allowed, f"{table} has {n_sets} sets")
            of["n_sets"], of["clock"] = n_sets, *whole([clock], 1, 2**64 - 1)
            end = int(self._ends[table][number])
            mine = slice(end - int(self._arrays[f"{table}.n"][number]), end)
            entries = island.arrays[table].reshape(-1)
            places = self._arrays[f"{table}.place"][mine]
            need(
                self._checkpoint,
                places.size == 0 or bool((places >= 0).all() and (places < entries.size).all()),
                f"{table} has entries outside",
            )
            for name in _ENTRY:
                entries[name][places] = self._arrays[f"{table}.{name}"][mine]


def counts_of(checkpoint: Checkpoint, values: Any) -> list[int]:
    """Programs by rung of the ladder."""
    more = 1 if checkpoint.schema == 1 else 0
    return whole(values, len(COUNTS) + more)[: len(COUNTS)]


def need(checkpoint: Checkpoint, condition: bool, message: str) -> None:
    """A checkpoint has to be so.

    Raises:
        DamagedError: it is not.
    """
    if not condition:
        raise DamagedError(f"{checkpoint.path} is damaged: {message}")
