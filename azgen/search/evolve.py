"""A run: populations evolve one after the other, their best are selected on separate tasks, the champion is tested."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from azgen.codegen.render import KernelSpec
from azgen.errors import AzgenError
from azgen.execution.kernel import Kernel, build_kernel
from azgen.execution.layout import LaneTasks, lay_out
from azgen.execution.native import NativeCode
from azgen.language.program import FUNCTIONS, Memory, Program
from azgen.language.random import mix
from azgen.language.zoo import find_program, zoo
from azgen.runs.events import Champion, Finished, NewChampion, Observer, Progress, Restarted, Started
from azgen.runs.settings import Settings
from azgen.search.island import COUNTS, Best, Island
from azgen.search.native_rating import rate_natively
from azgen.search.sources import make_tasks
from azgen.tasks.task import Task, TaskSplit

HALL_SIZE = 10
CONFIRM_ROUNDS = 10
"""Rounds for which a new leader must have led before it is compiled; at a restart and at the end it is at once."""


@dataclass(frozen=True)
class Outcome:
    """What a run found.

    Attributes:
        champion: best on the selection tasks.
        hall_of_fame: the ten best by selection fitness, of different structure, best first.
        test_fitness: the champion's fitness per test task.
        counts: programs by rung of the ladder.
        reason: what ended the search, in words.
        seconds, cpu_seconds: wall-clock and processor time.
        native: compiled candidates of the run.
    """

    champion: Champion
    hall_of_fame: tuple[Champion, ...]
    test_fitness: NDArray[np.float64]
    counts: dict[str, int]
    reason: str
    seconds: float
    cpu_seconds: float
    native: NativeCode = field(repr=False)


def kernel_spec(settings: Settings, n_features: int, metric: str, start: Program | None = None) -> KernelSpec:
    """The search space's kernel: ops, memory and sizes of the settings."""
    functions = [getattr(settings, name) for name in FUNCTIONS]
    given = start.functions if start else ((), (), ())
    capacity = sum(max(f.max_size, f.initial_size, len(g)) for f, g in zip(functions, given, strict=True))
    memory = settings.memory
    return KernelSpec(
        n_features,
        Memory(memory.scalars, memory.vectors, memory.matrices),
        metric,
        settings.dtype,
        allowed=(functions[0].ops, functions[1].ops, functions[2].ops),
        also=tuple(sorted({i.op.name for i in start.instructions()})) if start else (),
        capacity=capacity + 1,  # trading an instruction inserts before it removes
    )


class Evolution:
    """Carries out a run; `run` does all of it.

    Args:
        settings: see `Settings`.
        split: search, selection and test tasks.
        observe: called with every event.
    """

    def __init__(self, settings: Settings, split: TaskSplit, observe: Observer = lambda event: None):
        self._settings, self._split, self._observe = settings, split, observe
        self._began, self._began_cpu = time.perf_counter(), _cpu_seconds()
        initial = settings.evolution.initial
        self._start = None if initial in ("random", "empty") else find_program(initial)
        spec = kernel_spec(settings, split.n_features, split.metric, self._start)
        self._kernel: Kernel = build_kernel(spec)
        self._native = NativeCode(split.n_features, spec.lane, split.metric)
        self._select = self._lay_out(split.select)
        self._hall: list[Champion] = []
        self._confirmed: Champion | None = None
        self._counts = dict.fromkeys(COUNTS, 0)

    def run(self) -> Outcome:
        """Searches until a limit or Ctrl-C, then tests the champion.

        Raises:
            AzgenError: interrupted before anything was found.
        """
        built = self._kernel.built
        seconds = sum(built.seconds.values())
        space = f"{self._kernel.spec.memory} addresses, F = {self._split.n_features}, {len(self._kernel.spec.ops)} ops"
        self._observe(Started(self._settings.name, self._split.description, space, seconds, built.cached))
        self._search_began = time.perf_counter()
        try:
            reason = self._search()
        except KeyboardInterrupt:
            reason = "interrupted"
        if not self._hall:
            raise AzgenError("the run was interrupted before it had found a program")
        self._confirm()
        champion = self._hall[0]
        test_fitness = self._native_fitness(champion.program, self._lay_out(self._split.test))
        seconds, cpu = time.perf_counter() - self._began, _cpu_seconds() - self._began_cpu
        self._observe(
            Finished(
                reason, seconds, cpu, self._counts["programs"], dict(self._counts), float(test_fitness.mean())
            )
        )
        return Outcome(
            champion, tuple(self._hall), test_fitness, dict(self._counts), reason, seconds, cpu, self._native
        )

    def _search(self) -> str:
        """Population after population; returns what ended it."""
        stop, restart = self._settings.stop, 0
        while True:
            island = self._new_island(restart)
            best, since, rounds = -1.0, 0, 0
            before = dict(self._counts)
            while True:
                self._add_counts(before, island)
                programs, here = self._counts["programs"], island.counts["programs"]
                found = island.best
                if found.fitness > best:
                    best, since, rounds = found.fitness, here, 0
                    self._consider(found, before["programs"], restart)
                rounds += 1
                if rounds == CONFIRM_ROUNDS:
                    self._confirm()
                elapsed = self._elapsed()
                self._observe(Progress(elapsed, programs, restart, best, dict(self._counts)))
                if self._hall and self._hall[0].select_fitness > stop.target_fitness:
                    return f"selection fitness above {stop.target_fitness:g}"
                if stop.max_programs and programs >= stop.max_programs:
                    return f"{stop.max_programs} programs"
                if stop.max_seconds and elapsed >= stop.max_seconds:
                    return f"{stop.max_seconds:g} seconds"
                if stop.restart_programs and here >= stop.restart_programs:
                    reason = f"{here} programs"
                    break
                if stop.patience and here - since >= stop.patience:
                    reason = f"no better program in {here - since}"
                    break
                left = stop.max_programs - programs if stop.max_programs else stop.round_programs
                island.evolve(min(stop.round_programs, left))
            restart += 1
            self._confirm()
            self._observe(Restarted(self._elapsed(), programs, restart, reason))

    def _new_island(self, restart: int) -> Island:
        settings, tasks = self._settings, self._split.search
        if settings.tasks.redraw and restart:
            tasks = make_tasks(settings.tasks, settings.seed, redraw=restart).search
        data = self._lay_out(tasks)
        rate = None
        if settings.backend == "native":
            rate = rate_natively(self._kernel, self._native, data)
        seed = mix(mix(settings.seed) + restart)
        return Island(self._kernel, settings, data, seed, self._cost_limit(data), self._start, rate)

    def _cost_limit(self, data: LaneTasks) -> float:
        factor = self._settings.evolution.max_cost
        if not factor:
            return 0.0
        setup, predict, learn = zoo("neural-net").cost(self._split.n_features)
        n_steps, n_training = int(data.record["n_steps"][0]), int(data.record["n_training"][0])
        return factor * (setup + n_steps * predict + n_training * learn)

    def _consider(self, best: Best, programs_before: int, restart: int) -> None:
        """Rates a population's best on the selection tasks, on the kernel: native code would give the same."""
        program = best.program.normalized()
        fitness = _mean(self._kernel.evaluate(self._kernel.encode([program]), self._select)[0][0])
        champion = Champion(program, programs_before + best.number, restart, best.fitness, fitness)
        others = [c for c in self._hall if c.program.structure_hash != program.structure_hash]
        same = [c for c in self._hall if c.program.structure_hash == program.structure_hash]
        better = max([champion, *same], key=lambda c: c.select_fitness)
        self._hall = sorted([*others, better], key=lambda c: -c.select_fitness)[:HALL_SIZE]

    def _confirm(self) -> None:
        """Compiles the leader, unless that has been done, and compares its native fitness with the kernel's."""
        leader = self._hall[0]
        if leader is self._confirmed:
            return
        native = float(self._native_fitness(leader.program, self._select).mean())
        if native != leader.select_fitness:
            raise AssertionError(
                f"kernel and native code disagree ({leader.select_fitness!r}, {native!r}) on\n{leader.program}"
            )
        self._confirmed = leader
        self._observe(NewChampion(self._elapsed(), leader))

    def _native_fitness(self, program: Program, tasks: LaneTasks) -> NDArray[np.float64]:
        fitness, _ = self._native.prepare(program).evaluate(tasks)
        return np.nan_to_num(fitness, nan=0.0)

    def _lay_out(self, tasks: tuple[Task, ...]) -> LaneTasks:
        settings = self._settings
        return lay_out(
            tasks,
            self._kernel.spec.lane,
            seed=settings.seed,
            epochs=settings.tasks.epochs,
            max_abs_error=settings.tasks.max_abs_error,
        )

    def _add_counts(self, before: dict[str, int], island: Island) -> None:
        self._counts = {name: before[name] + count for name, count in island.counts.items()}

    def _elapsed(self) -> float:
        return time.perf_counter() - self._search_began


def _mean(fitness: NDArray[np.float64]) -> float:
    return float(np.nan_to_num(fitness, nan=0.0).mean())


def _cpu_seconds() -> float:
    """Processor time of this process and the compilers it has run."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
