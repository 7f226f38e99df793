"""Checks of settings: that all agree with each other; `azgen.bounds` keeps each within its bounds."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

from azgen.errors import AzgenError, suggest
from azgen.language.instruction import FUNCTIONS
from azgen.language.op import OpTable
from azgen.settings.settings import FunctionSettings, IslandSettings, MemorySettings, Settings
from azgen.settings.tasks import SearchTasks, island_tasks, own_tasks, stage_tasks

SAME_FOR_ALL = ("n_select", "n_test", "redraw")
"""Settings of tasks that islands and stages cannot change."""


def check(settings: Settings, source: str = "configuration") -> None:
    """Checks settings: bounds stand beside the fields; here is what fields say about each other.

    Raises:
        AzgenError: names the key and what to do.
    """
    _check_ops_file(settings, source)
    try:
        _check(settings)
    except AzgenError as error:
        raise AzgenError(f"{source}: {error}") from None


def _check_ops_file(settings: Settings, source: str) -> None:
    """Checks the user's own ops, whose file is named by its own messages."""
    if settings.ops_text and not settings.ops_file:
        raise AzgenError(f"{source}: ops_text is read from the file that ops_file names; give that")
    _ = settings.user


def _check(settings: Settings) -> None:
    for name in FUNCTIONS:
        _check_function(name, getattr(settings, name), settings.memory, settings.user.table)
    _need(
        not isinstance(settings.pick, int) or settings.pick >= 1,
        f"pick is {settings.pick}; ranks count from 1",
    )
    _check_evolution(settings)
    _check_stages(settings)
    _check_islands(settings)
    _check_stop(settings)
    settings.tasks.check(settings.user, "tasks.")


def _need(condition: bool, message: str) -> None:
    if not condition:
        raise AzgenError(message)


def _check_function(name: str, function: FunctionSettings, memory: MemorySettings, table: OpTable) -> None:
    """Checks one function of the program: its ops, and its sizes."""
    writable = {"s": memory.scalars - 1, "v": memory.vectors - 1, "m": memory.matrices}
    readable = {"s": memory.scalars, "v": memory.vectors, "m": memory.matrices}
    for op_name in function.ops:
        try:
            op = table[op_name]
        except AzgenError:
            hint = suggest(op_name, (op.name for op in table), repr)
            parts = f"{name}.ops: there is no op {op_name!r}.", hint, "`azgen ops` lists them"
            raise AzgenError(" ".join(filter(None, parts))) from None
        fits = all(readable[kind] for kind in op.operands) and (not op.result or writable[op.result] > 0)
        _need(fits, f"{name}.ops: {op_name} needs addresses that memory does not have ({op.signature})")
    low, high, first = function.min_size, function.max_size, function.initial_size
    _need(low <= high, f"{name}.min_size {low} and {name}.max_size {high} contradict each other")
    _need(first == -1 or low <= first <= high, f"{name}.initial_size {first} is outside {low} to {high}")


def _check_evolution(settings: Settings) -> None:
    evolution = settings.evolution
    _need(sum(dataclasses.astuple(evolution.actions)) > 0, "evolution.actions: weights must not all be 0")
    _need(evolution.more_mutations < 1, "evolution.more_mutations is 1: mutations would never end")
    shares = evolution.hurdle_tasks or (1.0,) * len(evolution.hurdles)
    _need(
        len(shares) == len(evolution.hurdles),
        f"evolution.hurdle_tasks is {list(shares)}; one fraction for each of evolution.hurdles, or none",
    )
    # Each is larger than the one before it in examples or tasks or both, and the whole than the last.
    stages = [*zip(evolution.hurdles, shares, strict=True), (1.0, 1.0)]
    rising = all(a != b and a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(stages))
    _need(
        rising and all(min(stage) > 0 for stage in stages),
        f"evolution.hurdles is {list(evolution.hurdles)}"
        + (f" and hurdle_tasks {list(shares)}" if evolution.hurdle_tasks else "")
        + "; rising fractions between 0 and 1",
    )


def _check_stages(settings: Settings) -> None:
    _need(
        not settings.stages or settings.evolution.strategy == "archive",
        'stages are for an archive: set evolution.strategy to "archive"',
    )
    for number, stage in enumerate(settings.stages, 1):
        for key in SAME_FOR_ALL:
            same = f"stages, number {number}: {key} is the same for all; set tasks.{key}"
            _need(key not in stage.tasks, same)
        try:
            tasks = stage_tasks(own_tasks(settings), stage)
            _check(dataclasses.replace(_searched_on(settings, tasks), stages=()))
        except AzgenError as error:
            raise AzgenError(f"stages, number {number} ({dict(stage.tasks)}): {error}") from None


def _check_islands(settings: Settings) -> None:
    islands, population = settings.islands, settings.evolution.population
    _need(
        islands.workers <= islands.count,
        f"islands.workers is {islands.workers}, but there is work for {islands.count} only: a worker "
        f"runs whole islands, so set islands.count to {islands.workers} or more",
    )
    _need(
        islands.workers == 1 or islands.engine != "process",
        'islands.engine "process" runs in this process alone; leave it out, or set islands.workers to 1',
    )
    _need(
        islands.migrants <= population,
        f"islands.migrants is {islands.migrants}; 0 (half of the population) to "
        f"evolution.population ({population})",
    )
    for number, change in enumerate(islands.tasks):
        for key in SAME_FOR_ALL:
            _need(key not in change, f"islands.tasks: {key} is the same for all islands; set tasks.{key}")
        try:
            _check(_searched_on(settings, island_tasks(settings, number)))
        except AzgenError as error:
            raise AzgenError(f"islands.tasks, number {number + 1} ({dict(change)}): {error}") from None


def _check_stop(settings: Settings) -> None:
    stop = settings.stop
    endless = stop.max_programs == 0 and stop.max_seconds == 0 and stop.target_fitness > 1
    _need(
        not endless, "nothing ends this run: set stop.max_programs, stop.max_seconds or stop.target_fitness"
    )


def _searched_on(settings: Settings, tasks: SearchTasks) -> Settings:
    """The settings of a run on these tasks alone."""
    execution = dataclasses.replace(settings.execution, epochs=tasks.epochs)
    return dataclasses.replace(settings, tasks=tasks.source, execution=execution, islands=IslandSettings())
