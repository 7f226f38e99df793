"""A run's progress and its islands' states as the plain values of a checkpoint, and back, every one checked.

Schema 2. Values: settings, fingerprint of the tasks, op names in the order in which code counts them,
progress, hall and front, and per island the numbers `EVOLVED`, counts and hurdles. (Schema 1 had one more
count, always 0, and no ratings.) Arrays, of all islands one after the other:

    sizes, code        programs, population + 1 of each island (the last is its best): lengths, instructions
    fitness            islands x population
    known.*, probed.*  entries in use of the tables of fitness: n (per island), place, key, used, fitness
    heights            islands x hurdles x 2 x population
    trail.*            stepping stones: n (per island), sizes, code, numbers; of members step and actions
    emigrants.*        n (per island), sizes, code and what they descend from, if an exchange is under way
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.language.program import Program
from azgen.plain import PlainError, as_plain, read
from azgen.runs.checkpoint import Checkpoint, DamagedError
from azgen.runs.events import Champion, champion_record, read_champion
from azgen.search.archive_snapshot import take_archives
from azgen.search.checked import check_programs, whole
from azgen.search.engines.base import Engine
from azgen.search.engines.migrants import Migrants
from azgen.search.engines.orders import Order
from azgen.search.former_actions import with_all_actions
from azgen.search.hall import HallOfFame
from azgen.search.island_snapshot import IslandReader, counts_of, need, take_islands
from azgen.search.island_state import COUNTS
from azgen.search.progress import RATINGS, Progression
from azgen.search.space import SearchSpace
from azgen.settings.reading import settings_from
from azgen.settings.settings import Settings
from azgen.settings.values import as_mapping
from azgen.version import azgen_version

FREE = {
    "stop": ("max_programs", "max_seconds", "target_fitness"),
    "islands": ("engine", "workers", "scheduler", "round_timeout", "checkpoint_seconds"),
    "tasks": ("data",),  # another place; that they are the same examples is checked otherwise
    "": ("name", "description", "backend", "baselines", "pick", "prune", "tune", "ops_file"),
}
"""Settings that may be others when a run is resumed."""


def take(
    space: SearchSpace, progress: Progression, engine: Engine
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Values and arrays of a checkpoint."""
    states = [engine.state(number, progress.round) for number in range(space.settings.islands.count)]
    islands, arrays = take_islands(space.settings, space.kernel.program, states)
    if progress.emigrants:
        leaving = [progress.emigrants[number] for number in range(space.settings.islands.count)]
        together = Migrants.joined(leaving)
        arrays["emigrants.n"] = np.array([len(part) for part in leaving])
        arrays |= {f"emigrants.{name}": array for name, array in together.arrays().items()}
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


@dataclass(frozen=True)
class _Values:
    """The plain values of a checkpoint of any schema.

    Attributes:
        settings, progress: read further by their own classes.
        fingerprint: of the tasks.
        ops: names, in the order in which code counts them.
        hall, front: records of champions.
    """

    settings: Mapping[str, Any]
    fingerprint: str
    ops: tuple[str, ...]
    progress: Mapping[str, Any]
    hall: tuple[Mapping[str, Any], ...]
    front: tuple[Mapping[str, Any], ...]
    azgen: str = ""


def restore(space: SearchSpace, checkpoint: Checkpoint, engine: Engine) -> Progression:
    """Puts a run into the state of a checkpoint: the engine takes the islands' states over.

    Raises:
        AzgenError: the checkpoint belongs to other settings or tasks.
        DamagedError: a value in it is out of bounds.
    """
    try:
        values = read(_Values, checkpoint.values, "its values", extra=True)
        check_settings(space.settings, values.settings)
        if values.fingerprint != space.fingerprint:
            raise AzgenError(
                "the tasks are not those that the run began with; have the data changed? A run can only "
                "go on with the same examples"
            )
        if values.ops != tuple(op.name for op in space.kernel.spec.ops):
            raise AzgenError("the ops are not those that the run began with")
        known = values.settings["evolution"]["actions"]
        checkpoint = dataclasses.replace(checkpoint, arrays=with_all_actions(checkpoint.arrays, known))
        progress = _progress(space, checkpoint, values)
        states = IslandReader(space, checkpoint)
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
    stored = {**stored, "ops_file": settings.ops_file, "ops_text": settings.ops_text}
    began = settings_from(stored, "the checkpoint's settings", saved=True)
    now, stored = as_mapping(settings), as_mapping(began)
    for section, value in now.items():
        if section in FREE[""]:
            continue
        known = stored[section]
        if not isinstance(value, Mapping):
            value, known, section = {section: value}, {section: known}, ""
        for key, item in value.items():
            same = known[key] == item or (key == "initial" and _file_names(known[key]) == _file_names(item))
            if key not in FREE.get(section, ()) and not same:
                name = f"{section}.{key}" if section else key
                raise AzgenError(
                    f"{name} is {item!r}, but the run began with {known[key]!r}; only limits may change"
                )


def _file_names(initial: Any) -> list[str]:
    """What populations start from, wherever files of it lie."""
    return [Path(name).name for name in ([initial] if isinstance(initial, str) else initial)]


def _progress(space: SearchSpace, checkpoint: Checkpoint, stored: _Values) -> Progression:
    values, count = stored.progress, space.settings.islands.count
    lives = [{**life, "counts": counts_of(checkpoint, life["counts"])} for life in values["lives"]]
    progress = read(
        Progression,
        {
            "ratings": dict.fromkeys(RATINGS, 0),  # schema 1 had none
            **values,
            "lives": lives,
            "counts": {name: values["counts"][name] for name in COUNTS},
        },
        "progress",
        given={"hall": _hall(space, stored), "emigrants": _emigrants(space, checkpoint)},
    )
    whole(progress.counts.values(), len(COUNTS))
    whole([progress.ratings[name] for name in RATINGS], len(RATINGS))
    need(checkpoint, len(lives) == count, f"it has {len(lives)} islands, not {count}")
    for number, life in enumerate(progress.lives):
        need(
            checkpoint,
            life.population % count == number and life.population >= 0,
            f"population {life.population} cannot live on island {number}",
        )
    with _damage():
        for suspect in progress.quarantine:
            text = suspect.program
            space.kernel.encode([Program.parse(text, "a program in quarantine", space.settings.user.table)])
    return progress


def _hall(space: SearchSpace, stored: _Values) -> HallOfFame:
    """The best programs, each with the fitness that it has on the selection tasks."""

    def member(record: Mapping[str, Any]) -> Champion:
        with _damage():
            champion = read_champion(record, "the hall of fame", space.settings.user.table)
            rated = space.select.evaluate(champion.program)
        fitness = float(np.nan_to_num(rated, nan=0.0).mean())
        if not math.isclose(fitness, champion.select_fitness, abs_tol=1e-6):
            raise PlainError(
                f"in the hall of fame a program is said to have the fitness {champion.select_fitness!r} "
                f"on the selection tasks, but has {fitness!r}"
            )
        return dataclasses.replace(champion, select_fitness=fitness)

    return HallOfFame(map(member, stored.hall), map(member, stored.front))


@contextmanager
def _damage() -> Iterator[None]:
    """What is wrong with a program in here, which may be none or not fit the search space, is damage."""
    try:
        yield
    except AzgenError as error:
        raise PlainError(str(error)) from None


def _emigrants(space: SearchSpace, checkpoint: Checkpoint) -> dict[int, Migrants]:
    """By island; none if no exchange is under way."""
    arrays = checkpoint.arrays
    if "emigrants.n" not in arrays:
        return {}
    n = whole(arrays["emigrants.n"].tolist(), space.settings.islands.count)
    given = {
        name.removeprefix("emigrants."): a for name, a in arrays.items() if name.startswith("emigrants.")
    }
    every = Migrants.from_arrays(given)
    check_programs(space.kernel, every, sum(n))
    if every.chains is not None:  # checkpoints of before have none
        check_programs(space.kernel, every.chains.stones, len(every.chains.number))
    ends = np.cumsum(n)
    return {
        i: every.taken(np.arange(end - size, end)) for i, (end, size) in enumerate(zip(ends, n, strict=True))
    }
