"""Difficulty of a search space: how rare an acceptable program is among random ones.

Section 4.1 and figure 4 of the paper: a task is as difficult as random search finds it. Programs are drawn,
and those that can learn are run, in the kernel; the count has a Poisson interval.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from azgen.errors import AzgenError
from azgen.files import write_file
from azgen.language.instruction import FUNCTIONS
from azgen.language.random import mix
from azgen.language.zoo import find_program
from azgen.plain import as_plain, read
from azgen.search.island import Island
from azgen.search.space import SearchSpace
from azgen.settings.settings import Settings
from azgen.study.quantiles import poisson
from azgen.textual import read_json, to_json

CHUNK = 1 << 21
"""Programs that are drawn in one piece; each piece has random numbers of its own, whoever draws it."""

_REFERENCES = {"linear": "zoo:linear", "affine": "zoo:affine"}
"""Hand-designed programs for teachers; for other tasks it is the two-layer network."""

_KEPT = 32
"""Acceptable programs that are kept."""


@dataclass(frozen=True)
class Difficulty:
    """Random programs by what became of them.

    Attributes:
        name: of the settings.
        fingerprint: of tasks, search space and seed; what goes on must have the same.
        goal: fitness on the search tasks from which on a program is acceptable.
        chunks: pieces of `CHUNK` programs that have been drawn.
        drawn, can_learn, evaluated, acceptable: programs. Those that cannot learn by their data flow count as
            not acceptable and are not run; the others are evaluated, unless an equal one has been.
        found: the first acceptable ones.
        cpu_seconds: processor time.
    """

    name: str
    fingerprint: str
    goal: float
    chunks: int = 0
    drawn: int = 0
    can_learn: int = 0
    evaluated: int = 0
    acceptable: int = 0
    found: tuple[str, ...] = ()
    cpu_seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Share of acceptable programs."""
        return self.acceptable / self.drawn if self.drawn else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Exact 95 % Poisson interval of the share (Garwood 1936)."""
        low, high = poisson(self.acceptable)
        drawn = max(self.drawn, 1)
        return low / drawn, high / drawn


Observer = Callable[[Difficulty], None]


class RandomSearch:
    """Draws random programs of a search space, as long as the functions of its settings may be.

    Functions without ops are those of the program that populations start from. Constants are drawn as in the
    original: uniform in [-1, 1], whatever the settings' evolution does.

    Args:
        settings: see `Settings`.
        goal: fitness from which on a program is acceptable, or a program whose fitness on the same tasks is
            meant, such as "zoo:linear"; None: the hand-designed one for the tasks.

    Raises:
        AzgenError: a goal that is neither, or none for these tasks.
    """

    def __init__(self, settings: Settings, goal: float | str | None = None):
        self.settings, self._space = settings, SearchSpace.of(settings, settings.tasks.split(settings.seed))
        self._tasks = self._space.search[0]
        self.reference, self.goal = self._goal(goal)
        start = self._space.start_programs[0] if self._space.start_programs else None
        wanted = tuple(start is None or getattr(settings, name).random for name in FUNCTIONS)
        # Evolution may leave functions shorter; random search draws them at their full length.
        longest = {
            name: dataclasses.replace(getattr(settings, name), initial_size=-1, random=random)
            for name, random in zip(FUNCTIONS, wanted, strict=True)
        }
        evolution = dataclasses.replace(
            settings.evolution,
            population=2,
            tournament=1,
            batch=1,
            smallest_constant=0.0,
            valid="any",
            combine="mean",
            probe=False,
            hurdles=(),
            hurdle_tasks=(),
        )
        self._settings = dataclasses.replace(settings, evolution=evolution, **longest)
        self._start = start
        self._random = tuple(
            wants and bool(getattr(settings, name).ops) for wants, name in zip(wanted, FUNCTIONS, strict=True)
        )
        if not any(self._random):
            raise AzgenError(f"{settings.name}: there is no function to draw at random: none has ops")

    def _goal(self, goal: float | str | None) -> tuple[str, float]:
        if isinstance(goal, int | float):
            return "", float(goal)
        given = goal or _REFERENCES.get(getattr(self.settings.tasks, "teacher", ""), "zoo:neural-net")
        program = find_program(given, self.settings.user.table)
        return given, float(np.nan_to_num(self._tasks.evaluate_natively(program)).mean())

    def begin(self) -> Difficulty:
        """Nothing has been drawn yet."""
        parts = (self._space.fingerprint, self._tasks.kernel.built.key, self.settings.seed, self.goal)
        sizes = [getattr(self.settings, name).max_size for name in FUNCTIONS]
        text = repr((*parts, *sizes, *self._random))
        return Difficulty(self.settings.name, hashlib.sha256(text.encode()).hexdigest()[:16], self.goal)

    def search(
        self,
        done: Difficulty,
        n_programs: float,
        max_seconds: float = math.inf,
        workers: int = 1,
        observe: Observer = lambda difficulty: None,
    ) -> Difficulty:
        """Goes on until that many programs have been drawn in all, or for so many seconds.

        Whole pieces are drawn, in order, so the count does not depend on `workers`.
        """
        began = time.perf_counter()
        with ThreadPoolExecutor(workers) as pool:
            waiting: list[Any] = []
            numbers: Iterator[int] = iter(range(done.chunks, max(done.chunks, math.ceil(n_programs / CHUNK))))
            while True:
                late = time.perf_counter() - began >= max_seconds
                while not late and len(waiting) < workers + 1 and (number := next(numbers, None)) is not None:
                    waiting.append(pool.submit(self._draw, number))
                if not waiting:
                    return done
                done = _added(done, waiting.pop(0).result())
                observe(done)

    def _draw(self, chunk: int) -> Difficulty:
        """What becomes of the programs of one piece."""
        began = time.thread_time()
        lanes, kernel = self._tasks.lanes, self._tasks.kernel
        island = Island(kernel, self._settings, lanes, mix(mix(self.settings.seed) + chunk), born=False)
        island.populate(self._start)
        found = np.zeros(_KEPT, kernel.program)
        drawn, can_learn, acceptable = island.sample(CHUNK, self._random, self.goal, found)
        counts = drawn, can_learn, island.counts["evaluated"], acceptable
        programs = tuple(str(kernel.decode(program)) for program in found[:acceptable])
        return Difficulty("", "", self.goal, 1, *counts, programs, time.thread_time() - began)


def _added(done: Difficulty, more: Difficulty) -> Difficulty:
    counts = ("chunks", "drawn", "can_learn", "evaluated", "acceptable", "cpu_seconds")
    sums = {name: getattr(done, name) + getattr(more, name) for name in counts}
    return dataclasses.replace(done, **sums, found=(*done.found, *more.found)[:_KEPT])


def load(path: Path, begun: Difficulty) -> Difficulty:
    """What an earlier search wrote, to go on from.

    Raises:
        AzgenError: it cannot be read, or is of other tasks, search space, seed or goal.
    """
    found = read(Difficulty, read_json(path), str(path))
    if found.fingerprint != begun.fingerprint:
        raise AzgenError(
            f"{path} counts programs of another search ({found.name}, goal {found.goal:.6f}); "
            "give another --out, or the preset, seed and goal that it has"
        )
    return found


def save(path: Path, difficulty: Difficulty) -> None:
    """Writes what has been counted, whole or not at all."""
    write_file(path, to_json(as_plain(difficulty), indent=2) + "\n")
