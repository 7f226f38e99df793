"""A run's progress and its islands' states as the plain values of a checkpoint, and back, every one checked.

Schema 2. Values: settings, fingerprint of the tasks, op names in the order in which code counts them,
progress, hall and front, and per island the numbers `_NUMBERS`, counts and hurdles. (Schema 1 had one more
count, always 0, and no ratings.) Arrays, of all islands one after the other:

    sizes, code        programs: population + 1 of each island (the last is its best), lengths and
    instructions fitness            islands x population
    known.*, probed.*  the entries in use of the two tables of fitness: n (per island), place, key, used,
    fitness heights            islands x hurdles x 2 x population
    emigrants.*        n (per island), sizes, code, if an exchange is under way
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.execution.kernel import INSTRUCTION, Kernel
from azgen.language.instruction import Address
from azgen.language.program import Program
from azgen.plain import PlainError, as_plain, read
from azgen.runs.checkpoint import Checkpoint, DamagedError
from azgen.runs.events import champion_record, read_champion
from azgen.search.archive_snapshot import ArchiveReader, take_archives
from azgen.search.engines.base import Engine
from azgen.search.engines.messages import Migrants, Order
from azgen.search.hall import HallOfFame
from azgen.search.island import Island
from azgen.search.island_state import COUNTS, QUARANTINE_SETS, state_block
from azgen.search.progress import RATINGS, Life, Progression, Suspect
from azgen.search.space import SearchSpace
from azgen.settings.reading import settings_from
from azgen.settings.settings import Settings
from azgen.settings.values import as_mapping
from azgen.version import azgen_version

_NUMBERS = ("next", "random", "best_fitness", "best_number")
_ENTRY = ("key", "used", "fitness")

FREE = {
    "stop": ("max_programs", "max_seconds", "target_fitness"),
    "islands": ("engine", "workers", "scheduler", "round_timeout", "checkpoint_seconds"),
    "": ("name", "description", "backend", "baselines", "choose", "prune", "ops_file"),
}
"""Settings that may be others when a run is resumed."""


def take(
    space: SearchSpace, progress: Progression, engine: Engine
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Values and arrays of a checkpoint."""
    block = state_block(space.settings, space.kernel.program)
    islands, programs, tables = [], list[Migrants](), {name: list[Any]() for name in block.kept("entries")}
    whole = {name: list[NDArray[Any]]() for name in block.kept("whole")}
    states = [engine.state(number, progress.round) for number in range(space.settings.islands.count)]
    for state in states:
        record = state["state"][0]
        islands.append(
            {
                **{name: record[name].item() for name in _NUMBERS},
                "counts": [record["counts"][name].item() for name in COUNTS],
                **{table: [record[table][name].item() for name in ("n_sets", "clock")] for table in tables},
                "hurdles": [[hurdle["n"].item(), hurdle["next"].item()] for hurdle in state["hurdles"]],
            }
        )
        programs.append(Migrants.of(np.append(state["population"], record["best"])))
        for name, of_islands in whole.items():
            of_islands.append(state[name])
        for table in tables:
            tables[table].append(_used_entries(state[table]))
    joined = Migrants.joined(programs)
    arrays = {
        "sizes": joined.sizes,
        "code": joined.code,
        **{name: np.stack(of_islands) for name, of_islands in whole.items()},
    }
    for table, parts in tables.items():
        arrays[f"{table}.n"] = np.array([len(places) for places, _ in parts])
        arrays[f"{table}.place"] = np.concatenate([places for places, _ in parts])
        for name in _ENTRY:
            arrays[f"{table}.{name}"] = np.concatenate([entries[name] for _, entries in parts])
    if progress.emigrants:
        leaving = [progress.emigrants[number] for number in range(space.settings.islands.count)]
        together = Migrants.joined(leaving)
        arrays["emigrants.n"] = np.array([len(part) for part in leaving])
        arrays["emigrants.sizes"], arrays["emigrants.code"] = together.sizes, together.code
    values = {
        "azgen": azgen_version(),
        "settings": as_mapping(space.settings),
        "fingerprint": space.fingerprint,
        "ops": [op.name for op in space.kernel.spec.ops],
        "progress": as_plain(progress, leave_out=("hall", "emigrants")),
        "hall": [champion_record(champion) for champion in progress.hall.members],
        "front": [champion_record(champion) for champion in progress.hall.front],
        "islands": islands,
    }
    if space.settings.evolution.strategy == "archive":
        values["archives"], more = take_archives(states)
        arrays |= more
    return values, arrays


def _used_entries(table: NDArray[Any]) -> tuple[NDArray[np.int32], NDArray[Any]]:
    entries = table.reshape(-1)
    places = np.flatnonzero(entries["used"]).astype(np.int32)
    return places, entries[places]


def restore(space: SearchSpace, checkpoint: Checkpoint, engine: Engine) -> Progression:
    """Puts a run into the state of a checkpoint: the engine takes the islands' states over.

    Raises:
        AzgenError: the checkpoint belongs to other settings or tasks.
        DamagedError: a value in it is out of bounds.
    """
    values = checkpoint.values
    try:
        check_settings(space.settings, values["settings"])
        if values["fingerprint"] != space.fingerprint:
            raise AzgenError(
                "the tasks are not those that the run began with; have the data changed? A run can only "
                "go on with the same examples"
            )
        if values["ops"] != [op.name for op in space.kernel.spec.ops]:
            raise AzgenError("the ops are not those that the run began with")
        progress = _progress(space, checkpoint)
        states = _Reader(space, checkpoint)
        for number, life in enumerate(progress.lives):
            order = Order(number, progress.round + 1, life.population)
            engine.adopt(order, states.island(number).arrays)
    except PlainError as error:
        raise DamagedError(f"{checkpoint.path} is damaged: {error}") from None
    except (KeyError, TypeError, IndexError, ValueError, OverflowError, AttributeError) as error:
        raise DamagedError(f"{checkpoint.path} is damaged: {type(error).__name__} {error}") from None
    return progress


def check_settings(settings: Settings, stored: Mapping[str, Any]) -> None:
    """A run goes on with the settings that it began with, but for limits and engine.

    Raises:
        AzgenError: names the setting that is another.
    """
    # First of all, as a checkpoint runs no code: after this, that of its settings is the run's own.
    if stored.get("ops_text", "") != settings.ops_text:
        raise AzgenError("the file of ops is not that which the run began with; restore ops.py in its folder")
    now, stored = as_mapping(settings), as_mapping(settings_from(stored, "the checkpoint's settings"))
    for section, value in now.items():
        if section in FREE[""]:
            continue
        known = stored[section]
        if not isinstance(value, Mapping):
            value, known, section = {section: value}, {section: known}, ""
        for key, item in value.items():
            if key not in FREE.get(section, ()) and known[key] != item:
                name = f"{section}.{key}" if section else key
                raise AzgenError(
                    f"{name} is {item!r}, but the run began with {known[key]!r}; only limits may change"
                )


def _progress(space: SearchSpace, checkpoint: Checkpoint) -> Progression:
    values, count = checkpoint.values["progress"], space.settings.islands.count
    lives = [
        read(Life, {**life, "counts": _counts(checkpoint, life["counts"])}, "lives")
        for life in values["lives"]
    ]
    _need(checkpoint, len(lives) == count, f"it has {len(lives)} islands, not {count}")
    for number, life in enumerate(lives):
        _need(
            checkpoint,
            life.population % count == number and life.population >= 0,
            f"population {life.population} cannot live on island {number}",
        )
    counts = dict(zip(COUNTS, _whole([values["counts"][name] for name in COUNTS], len(COUNTS)), strict=True))
    ratings = values["ratings"] if checkpoint.schema > 1 else dict.fromkeys(RATINGS, 0)
    progress = Progression(
        lives,
        _whole([values["round"]], 1)[0],
        float(values["seconds"]),
        counts,
        dict(zip(RATINGS, _whole([ratings[name] for name in RATINGS], len(RATINGS)), strict=True)),
        _whole([values["restarts"]], 1)[0],
        HallOfFame(
            *(
                [
                    read_champion(record, "the hall of fame", space.settings.user.table)
                    for record in checkpoint.values[name]
                ]
                for name in ("hall", "front")
            )
        ),
        bool(values["confirmed"]),
        [read(Suspect, suspect, "quarantine") for suspect in values["quarantine"]],
    )
    for suspect in progress.quarantine:
        space.kernel.encode(
            [Program.parse(suspect.program, "a program in quarantine", space.settings.user.table)]
        )
    arrays = checkpoint.arrays
    if "emigrants.n" in arrays:
        n = _whole(arrays["emigrants.n"].tolist(), count)
        every = Migrants(arrays["emigrants.sizes"], arrays["emigrants.code"])
        _check_programs(space.kernel, every, sum(n))
        ends = np.cumsum(n)
        progress.emigrants = {
            i: every.taken(np.arange(end - size, end))
            for i, (end, size) in enumerate(zip(ends, n, strict=True))
        }
    return progress


class _Reader:
    """Islands from a checkpoint's arrays."""

    def __init__(self, space: SearchSpace, checkpoint: Checkpoint):
        self._space, self._checkpoint, self._arrays = space, checkpoint, checkpoint.arrays
        settings = space.settings
        count, size = settings.islands.count, settings.evolution.population
        self._programs = Migrants(self._arrays["sizes"], self._arrays["code"])
        _check_programs(space.kernel, self._programs, count * (size + 1))
        self._block = state_block(settings, space.kernel.program)
        for name in self._block.kept("whole"):
            array, part = self._arrays[name], self._block.parts[name]
            same = array.shape == (count, *part.shape) and array.dtype == part.dtype
            _need(checkpoint, same, f"{name} has another shape")
            _need(checkpoint, bool(np.isfinite(array).all()), f"{name} is not finite")
        for table in self._block.kept("entries"):
            n = _whole(self._arrays[f"{table}.n"].tolist(), count)
            for name in ("place", *_ENTRY):
                _need(
                    checkpoint,
                    self._arrays[f"{table}.{name}"].shape == (sum(n),),
                    f"{table} has another size",
                )
        self._archives = self._archive_reader() if settings.evolution.strategy == "archive" else None
        self._ends = {t: np.cumsum(self._arrays[f"{t}.n"]) for t in self._block.kept("entries")}

    def _archive_reader(self) -> ArchiveReader:
        settings, kernel = self._space.settings, self._space.kernel
        stored, count = self._checkpoint.values["archives"], settings.islands.count
        _need(self._checkpoint, len(stored) == count, f"it has {len(stored)} archives, not {count}")
        n_stages = len(settings.stages) + 1
        return ArchiveReader(
            stored, self._arrays, n_stages, lambda programs, n: _check_programs(kernel, programs, n)
        )

    def island(self, number: int) -> Island:
        """An island without an own kernel's pointers set for running: only its arrays count."""
        space, values = self._space, self._checkpoint.values["islands"][number]
        settings, size = space.settings, space.settings.evolution.population
        tasks = space.search[number % len(space.search)]
        island = Island(tasks.kernel, settings, tasks.lanes, 0, space.cost_limit(tasks), born=False)
        record = island.arrays["state"][0]
        at_most = {"next": size - 1, "random": 2**64 - 1, "best_number": 2**62}
        for name, most in at_most.items():
            (record[name],) = _whole([values[name]], 1, most)
        record["best_fitness"] = float(values["best_fitness"])
        for name, value in zip(COUNTS, _counts(self._checkpoint, values["counts"]), strict=True):
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
            hurdle["n"], hurdle["next"] = _whole([n], 1, size) + _whole([following], 1, size - 1)
            _need(self._checkpoint, bool((np.diff(ordered[:n]) > 0).all()), "heights are not in order")
        if self._archives:
            self._archives.fill(number, island.arrays)
        return island

    def _tables(self, island: Island, number: int, values: Mapping[str, Any]) -> None:
        for table in self._block.kept("entries"):
            n_sets, clock = values[table]
            of = island.arrays["state"][0][table]
            usual = int(of["n_sets"])
            allowed = {usual, QUARANTINE_SETS} if table == "known" else {usual}
            _need(self._checkpoint, n_sets in allowed, f"{table} has {n_sets} sets")
            of["n_sets"], of["clock"] = n_sets, *_whole([clock], 1, 2**64 - 1)
            end = int(self._ends[table][number])
            mine = slice(end - int(self._arrays[f"{table}.n"][number]), end)
            entries = island.arrays[table].reshape(-1)
            places = self._arrays[f"{table}.place"][mine]
            _need(
                self._checkpoint,
                places.size == 0 or bool((places >= 0).all() and (places < entries.size).all()),
                f"{table} has entries outside",
            )
            for name in _ENTRY:
                entries[name][places] = self._arrays[f"{table}.{name}"][mine]


def _check_programs(kernel: Kernel, programs: Migrants, count: int) -> None:
    """Every op, register and size is one that the kernel has; an instruction out of bounds would read beyond
    its memory.

    Raises:
        ValueError: says what is out of bounds.
    """
    sizes, code, spec = programs.sizes, programs.code, kernel.spec
    if sizes.shape != (count, 3) or sizes.dtype != np.int32 or code.dtype != INSTRUCTION or code.ndim != 1:
        raise ValueError("programs have another shape or type")
    if sizes.size and (
        sizes.min() < 0 or sizes.max() > spec.capacity or sizes.sum(axis=1).max() > spec.capacity
    ):
        raise ValueError("a program's size is out of bounds")
    if sizes.sum(dtype=np.int64) != len(code):
        raise ValueError("programs and their sizes do not agree")
    if code.size and (code["op"].min() < 0 or code["op"].max() >= len(spec.ops)):
        raise ValueError("an op is out of bounds")
    n_registers = spec.memory.scalars + spec.memory.vectors + spec.memory.matrices
    for name in ("a", "b", "out"):  # also where the op does not use it
        if code.size and (code[name].min() < 0 or code[name].max() >= n_registers):
            raise ValueError("a register is out of bounds")
    for number, op in enumerate(spec.ops):
        used = code[code["op"] == number]
        for name, kind in (*zip("ab", op.operands, strict=False), ("out", op.result)):
            if kind and used.size:
                first = kernel.register(Address(kind, 0))
                if used[name].min() < first or used[name].max() >= first + spec.memory.of(kind):
                    raise ValueError(f"{op.name} uses an address that is not there")
        for place, kind in enumerate(op.constants):
            position = used["constant"][:, place]
            if kind == "index" and not ((position >= 0) & (position <= 1)).all():
                raise ValueError(f"{op.name} names an entry that is not there")
        reserved = [kernel.register(address) for address in spec.form.reserved]
        if op.result and np.isin(used["out"], reserved).any():
            raise ValueError(f"{op.name} writes the label or the features")


def _counts(checkpoint: Checkpoint, values: Any) -> list[int]:
    """Programs by rung of the ladder."""
    more = 1 if checkpoint.schema == 1 else 0
    return _whole(values, len(COUNTS) + more)[: len(COUNTS)]


def _whole(values: Any, count: int, most: int = 2**63 - 1) -> list[int]:
    """Whole numbers from 0 on."""
    numbers: list[int] = list(values)
    if len(numbers) != count or not all(type(v) is int and 0 <= v <= most for v in numbers):
        raise ValueError(f"{numbers!r} should be {count} whole numbers from 0 to {most}")
    return numbers


def _need(checkpoint: Checkpoint, condition: bool, message: str) -> None:
    if not condition:
        raise DamagedError(f"{checkpoint.path} is damaged: {message}")
