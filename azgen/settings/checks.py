"""Checks that settings agree with each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import pairwise

from azgen.bounds import check_bounds
from azgen.errors import AzgenError, suggest
from azgen.settings.settings import FunctionSettings, IslandSettings, Settings
from azgen.settings.tasks import SearchTasks, island_tasks, own_tasks, stage_tasks

SAME_FOR_ALL = ("n_select", "n_test", "redraw")
"""Settings of tasks that islands and stages cannot change."""


def check(settings: Settings, source: str = "configuration") -> None:
    """Checks that settings agree with each other.

    Raises:
        AzgenError: names the key and what to do.
    """

    def need(condition: bool, message: str) -> None:
        if not condition:
            raise AzgenError(f"{source}: {message}")

    need(
        bool(settings.ops_file) or not settings.ops_text,
        "ops_text is read from the file that ops_file names; give that",
    )
    memory, evolution, stop = settings.memory, settings.evolution, settings.stop
    table = settings.user.table
    need(memory.scalars >= 2, f"memory.scalars is {memory.scalars}; at least 2 (label and prediction)")
    need(memory.vectors >= 1, f"memory.vectors is {memory.vectors}; at least 1 (features)")
    need(memory.matrices >= 0, f"memory.matrices is {memory.matrices}; it cannot be negative")
    writable = {"s": memory.scalars - 1, "v": memory.vectors - 1, "m": memory.matrices}
    readable = {"s": memory.scalars, "v": memory.vectors, "m": memory.matrices}
    for name in ("setup", "predict", "learn"):
        function: FunctionSettings = getattr(settings, name)
        for op_name in function.ops:
            try:
                op = table[op_name]
            except AzgenError:
                hint = suggest(op_name, (op.name for op in table), repr)
                message = (
                    f"{source}: {name}.ops: there is no op {op_name!r}.",
                    hint,
                    "`azgen ops` lists them",
                )
                raise AzgenError(" ".join(filter(None, message))) from None
            fits = all(readable[kind] for kind in op.operands) and (not op.result or writable[op.result] > 0)
            need(fits, f"{name}.ops: {op_name} needs addresses that memory does not have ({op.signature})")
        low, high, first = function.min_size, function.max_size, function.initial_size
        need(0 <= low <= high, f"{name}.min_size {low} and {name}.max_size {high} contradict each other")
        need(first == -1 or low <= first <= high, f"{name}.initial_size {first} is outside {low} to {high}")
        need(high <= 1000, f"{name}.max_size is {high}; at most 1000")
    need(evolution.population >= 2, f"evolution.population is {evolution.population}; at least 2")
    need(evolution.tournament >= 1, f"evolution.tournament is {evolution.tournament}; at least 1")
    need(1 <= evolution.batch <= 64, f"evolution.batch is {evolution.batch}; 1 to 64")
    for name in ("mutation_probability", "sign_flip", "fresh_constant"):
        need(0 <= getattr(evolution, name) <= 1, f"evolution.{name} is a probability, between 0 and 1")
    weights = dataclasses.astuple(evolution.actions)
    need(min(weights) >= 0 and sum(weights) > 0, "evolution.actions: weights must not be negative, nor all 0")
    shares = evolution.hurdle_tasks or (1.0,) * len(evolution.hurdles)
    need(
        len(shares) == len(evolution.hurdles),
        f"evolution.hurdle_tasks is {list(shares)}; one fraction for each of evolution.hurdles, or none",
    )
    # Each is larger than the one before it in examples or tasks or both, and the whole than the last.
    stages = [*zip(evolution.hurdles, shares, strict=True), (1.0, 1.0)]
    rising = all(a != b and a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(stages))
    need(
        rising and all(min(stage) > 0 for stage in stages),
        f"evolution.hurdles is {list(evolution.hurdles)}"
        + (f" and hurdle_tasks {list(shares)}" if evolution.hurdle_tasks else "")
        + "; rising fractions between 0 and 1",
    )
    need(0 <= evolution.hurdle_percentile <= 100, "evolution.hurdle_percentile must be between 0 and 100")
    need(evolution.cache_size >= 0, "evolution.cache_size cannot be negative")
    need(evolution.max_cost >= 0, "evolution.max_cost cannot be negative")
    need(
        evolution.probe_train >= 1 and evolution.probe_valid >= 1,
        "evolution.probe_train and probe_valid: at least 1",
    )
    _check_archive(settings, need)
    _check_islands(settings, need)
    need(
        stop.max_programs >= 0 and stop.max_seconds >= 0,
        "stop.max_programs and stop.max_seconds cannot be negative",
    )
    need(stop.round_programs >= 1, "stop.round_programs must be at least 1")
    endless = stop.max_programs == 0 and stop.max_seconds == 0 and stop.target_fitness > 1
    need(not endless, "nothing ends this run: set stop.max_programs, stop.max_seconds or stop.target_fitness")
    try:
        check_bounds(settings.execution, "execution.")
        settings.tasks.check(settings.user, "tasks.")
    except AzgenError as error:
        need(False, str(error))


def _check_archive(settings: Settings, need: Callable[[bool, str], None]) -> None:
    archive, evolution = settings.archive, settings.evolution
    chances = {f"wiring.{name}": value for name, value in vars(evolution.wiring).items()}
    chances |= {"more_mutations": evolution.more_mutations, "smallest_constant": evolution.smallest_constant}
    for name, value in chances.items():
        need(0 <= value <= 1, f"evolution.{name} is {value}; it must be between 0 and 1")
    need(evolution.more_mutations < 1, "evolution.more_mutations is 1: mutations would never end")
    need(evolution.parsimony >= 0, "evolution.parsimony cannot be negative")
    counts = ("entries", "parents", "run_programs", "look_programs", "patience", "offers", "rating_tasks")
    for name in (*counts, "tuning_settings", "task_sets"):
        need(getattr(archive, name) >= 1, f"archive.{name} is {getattr(archive, name)}; at least 1")
    for name in ("within", "gain", "margin", "shrink_tolerance", "tuning_rounds", "tuning_step"):
        need(getattr(archive, name) >= 0, f"archive.{name} cannot be negative")
    need(archive.give_up_programs >= 0, "archive.give_up_programs cannot be negative; 0: never")
    need(
        not settings.stages or evolution.strategy == "archive",
        'stages are for an archive: set evolution.strategy to "archive"',
    )
    for number, stage in enumerate(settings.stages, 1):
        for key in SAME_FOR_ALL:
            need(
                key not in stage.tasks, f"stages, number {number}: {key} is the same for all; set tasks.{key}"
            )
        need(
            min(stage.run_programs, stage.patience) >= 0,
            f"stages, number {number}: no number may be negative",
        )
        tasks = stage_tasks(own_tasks(settings), stage)
        try:
            check(dataclasses.replace(_searched_on(settings, tasks), stages=()))
        except AzgenError as error:
            need(False, f"stages, number {number} ({dict(stage.tasks)}): {error}")


def _check_islands(settings: Settings, need: Callable[[bool, str], None]) -> None:
    islands, population = settings.islands, settings.evolution.population
    need(islands.count >= 1, f"islands.count is {islands.count}; at least 1")
    need(islands.workers >= 1, f"islands.workers is {islands.workers}; at least 1")
    need(
        islands.workers <= islands.count,
        f"islands.workers is {islands.workers}, but there is work for {islands.count} only: a worker "
        f"runs whole islands, so set islands.count to {islands.workers} or more",
    )
    need(
        islands.workers == 1 or islands.engine != "process",
        'islands.engine "process" runs in this process alone; leave it out, or set islands.workers to 1',
    )
    need(islands.interval >= 1, f"islands.interval is {islands.interval}; at least 1")
    need(
        0 <= islands.migrants <= population,
        f"islands.migrants is {islands.migrants}; 0 (half of the population) to "
        f"evolution.population ({population})",
    )
    need(islands.round_timeout >= 0, "islands.round_timeout cannot be negative")
    need(islands.checkpoint_seconds > 0, "islands.checkpoint_seconds must be positive")
    for number, change in enumerate(islands.tasks):
        for key in SAME_FOR_ALL:
            need(key not in change, f"islands.tasks: {key} is the same for all islands; set tasks.{key}")
        tasks = island_tasks(settings, number)
        try:
            check(_searched_on(settings, tasks))
        except AzgenError as error:
            need(False, f"islands.tasks, number {number + 1} ({dict(change)}): {error}")


def _searched_on(settings: Settings, tasks: SearchTasks) -> Settings:
    """The settings of a run on these tasks alone."""
    execution = dataclasses.replace(settings.execution, epochs=tasks.epochs)
    return dataclasses.replace(settings, tasks=tasks.source, execution=execution, islands=IslandSettings())
