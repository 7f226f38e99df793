"""What an island's state consists of: NumPy arrays whose layout mirrors templates/kernel/island.pyx.j2."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.codegen.kernel_source import CACHE_WAYS
from azgen.execution.layout import LaneTasks
from azgen.language.instruction import FUNCTIONS
from azgen.search.state import Part, State, StateBlock
from azgen.settings.evolution import ACTIONS, EvolutionSettings
from azgen.settings.settings import Settings
from azgen.settings.tasks import most_searched_on

N_ACTIONS = len(ACTIONS)

ENTRY = np.dtype([("key", "u8"), ("used", "u8"), ("fitness", "f8")], align=True)
QUARANTINE_SETS = 256
"""Least size of a table of known fitness that programs in quarantine are entered in."""

MORE_STEPS = 256
"""Stepping stones that there is room for beside two for each member or cell."""

CACHE = np.dtype([("entries", "u8"), ("cases", "u8"), ("n_sets", "i8"), ("clock", "u8")], align=True)
COUNTS = (
    "programs",
    "known",
    "equivalent",
    "over_budget",
    "failed_probe",
    "hurdled",
    "evaluated",
)
"""What becomes of programs on the ladder, in the order of the kernel's structure."""

WIRING = np.dtype(
    [
        *(
            (name, "f8")
            for name in ("in_use", "informed", "deeper", "declare", "accumulate", "scale", "again")
        ),
        *((name, "f8") for name in ("forward_only", "smallest", "learned")),
    ]
)

MUTATION = np.dtype(
    [
        ("probability", "f8"),
        ("action", "f8", (N_ACTIONS,)),
        *((name, "f8") for name in ("sign_flip", "fresh", "factor_low", "factor_high")),
        ("min_size", "i4", (3,)),
        ("max_size", "i4", (3,)),
        ("wiring", WIRING),
        ("valid", "i8"),
    ],
    align=True,
)


HURDLE = np.dtype(
    [
        ("tasks", "u8"),
        ("n_tasks", "i8"),
        ("percentile", "f8"),
        *((name, "u8") for name in ("ordered", "recent")),
        *((name, "i8") for name in ("n", "next", "capacity")),
    ],
    align=True,
)


ELITES = np.dtype(
    [
        *((name, "u8") for name in ("key", "fitness", "program")),
        *((name, "i8") for name in ("n", "capacity")),
        ("least", "f8"),
    ],
    align=True,
)

TRAIL = np.dtype(
    [
        *((name, "u8") for name in ("steps", "step", "actions")),
        *((name, "i8") for name in ("n", "capacity", "best", "population")),
    ],
    align=True,
)

STEP = ("parent", "number", "population", "fitness", "actions")
"""Numbers of a stepping stone, see templates/kernel/trail.pyx.j2."""

COURSE = np.dtype(
    [
        *(
            (name, "i8")
            for name in ("stage", "entries", "run", "run_programs", "stalled", "parent", "looked")
        ),
        *((name, "i8") for name in ("mark_programs", "spent", "best_number", "solved", "step")),
        *((name, "f8") for name in ("run_best", "base", "mark", "best_fitness")),
        ("random", "u8"),
    ],
    align=True,
)
"""How far an archive has come.

stage; entries: filled places; run: runs begun; run_programs: of the run that is on (0: none); stalled: looks
without a gain; parent: the entry that the run started from (-1: none); looked: programs of the run at the
last look; mark_programs, mark: when the archive last rose, and to what; spent: it has given up; solved:
programs that have reached the stage's goal; best_number, best_fitness: of the best program; run_best: the
run's best fitness at the last look; base: its parent's; step: its parent's stepping stone, or -1.
"""


def entry_dtype(program: np.dtype[Any]) -> np.dtype[Any]:
    """One cell: its best program, the fitness on the rating tasks, how often it has been a parent, and its
    stepping stone."""
    return np.dtype(
        [("key", "u8"), ("fitness", "f8"), ("tried", "i8"), ("step", "i8"), ("program", program)], align=True
    )


def step_dtype(program: np.dtype[Any]) -> np.dtype[Any]:
    """The kernel's structure of a stepping stone."""
    kinds = ("i8", "i8", "i8", "f8", "u8")
    return np.dtype([*zip(STEP, kinds, strict=True), ("program", program)], align=True)


def island_dtype(program: np.dtype[Any]) -> np.dtype[Any]:
    """The kernel's island structure."""
    return np.dtype(
        [
            ("population", "u8"),
            ("fitness", "u8"),
            ("cases", "u8"),
            *((name, "i8") for name in ("population_size", "next", "tournament_size", "n_cases")),
            ("within", "f8"),
            ("batch", "i8"),
            ("random", "u8"),
            ("mutation", MUTATION),
            ("cost_limit", "f8"),
            ("median", "i8"),
            ("n_tasks", "i8"),
            ("known", CACHE),
            ("probed", CACHE),
            ("counts", np.dtype([(name, "i8") for name in COUNTS])),
            ("best", program),
            ("best_fitness", "f8"),
            ("best_number", "i8"),
            ("hook", "u8"),
            ("hurdles", "u8"),
            ("n_hurdles", "i8"),
            ("parsimony", "f8"),
            ("crossover", "f8"),
            ("distinct", "i8"),
            ("credit", "u8"),
            ("live_only", "i8"),
            ("elites", ELITES),
            ("trail", TRAIL),
        ],
        align=True,
    )


EVOLVED = ("next", "random", "best_fitness", "best_number")
"""Numbers of the structure that evolution changes; the others follow from settings and tasks."""


def state_block(settings: Settings, program: np.dtype[Any]) -> StateBlock:
    """The arrays of an island's state; `program` is the kernel's record of a program."""
    evolution, number = settings.evolution, np.dtype(np.float64)
    size, n_hurdles, n_sets = evolution.population, len(evolution.hurdles), cache_sets(evolution)
    # Programs in quarantine need room even where nothing else is remembered.
    known = max(n_sets["known"], QUARANTINE_SETS)
    # Only where weights adapt: checkpoints of before have none.
    credit = {"credit": Part(number, (2, N_ACTIONS), "whole")} if evolution.adaptive else {}
    archive = evolution.strategy == "archive"
    n_cells, n_members = (settings.archive.entries, 0) if archive else (0, size)
    return StateBlock(
        {
            "state": Part(island_dtype(program), (1,), "numbers"),
            "population": Part(program, (size,), "programs"),
            "fitness": Part(number, (size,), "whole"),
            **credit,
            **_case_parts(settings, {"known": known, "probed": n_sets["probed"]}),
            "known": Part(ENTRY, (known, CACHE_WAYS), "entries"),
            "probed": Part(ENTRY, (n_sets["probed"], CACHE_WAYS), "entries"),
            "hurdles": Part(HURDLE, (n_hurdles,), "numbers"),
            "heights": Part(number, (n_hurdles, 2, size), "whole"),
            # More than can be named at once, so that there is room for those of a round.
            "steps": Part(step_dtype(program), (2 * (n_members + n_cells) + MORE_STEPS,), "trail"),
            "member_step": Part(np.dtype(np.int64), (n_members,), "trail"),
            "member_actions": Part(np.dtype(np.uint64), (n_members,), "trail"),
            # The best of each cell of a run, and the archive's own; empty where there is none.
            "elite_keys": Part(np.dtype(np.uint64), (n_cells,), "archive"),
            "elite_fitness": Part(number, (n_cells,), "archive"),
            "elite_programs": Part(program, (n_cells,), "archive"),
            "entries": Part(entry_dtype(program), (n_cells,), "archive"),
            "leader": Part(program, (1,), "archive"),
            "course": Part(COURSE, (1,), "archive"),
        }
    )


def _case_parts(settings: Settings, n_sets: Mapping[str, int]) -> dict[str, Part]:
    """Fitness on every task, of members and of what the tables know, where selection looks at it."""
    if settings.evolution.selection != "lexicase":
        return {}
    n_tasks, number = most_searched_on(settings), np.dtype(np.float32)
    tables = {name: (n, CACHE_WAYS, n_tasks) for name, n in n_sets.items()}
    shapes = {"member": (n_tasks, settings.evolution.population), **tables}
    return {f"{name}_cases": Part(number, shape, "whole") for name, shape in shapes.items()}


def cache_sets(evolution: EvolutionSettings) -> dict[str, int]:
    """Number of sets of each table, a power of two; 0 if it is switched off."""
    size = evolution.cache_size
    n_sets = 1 << max(0, round(math.log2(size / CACHE_WAYS))) if size else 0
    return {"known": n_sets if evolution.known else 0, "probed": n_sets if evolution.probe else 0}


def new_state(
    settings: Settings, program: np.dtype[Any], random: int, cost_limit: float
) -> dict[str, NDArray[Any]]:
    """The state of an island that has not begun: all that follows from its settings is set.

    Args:
        settings: see `Settings`.
        program: the kernel's record of a program.
        random: state of its generator.
        cost_limit: static cost above which a program scores 0; 0: none.
    """
    evolution, arrays = settings.evolution, state_block(settings, program).zeros()
    state = arrays["state"][0]
    state["population_size"], state["tournament_size"] = evolution.population, evolution.tournament
    state["batch"] = min(evolution.batch, evolution.population)
    state["within"], state["random"] = evolution.lexicase_within, random
    _set_mutation(state["mutation"], settings)
    state["parsimony"], state["live_only"] = evolution.parsimony, evolution.live_only
    state["crossover"], state["distinct"] = evolution.crossover, evolution.distinct
    state["cost_limit"], state["median"] = cost_limit, evolution.combine == "median"
    for cache, n_sets in cache_sets(evolution).items():
        state[cache]["n_sets"] = n_sets
    state["best_fitness"] = -1.0
    state["elites"]["capacity"] = len(arrays["elite_keys"])
    state["trail"]["best"] = -1
    for places in (arrays["member_step"], arrays["entries"]["step"], arrays["course"]["step"]):
        places[...] = -1
    return arrays


def _set_mutation(to: Any, settings: Settings) -> None:
    evolution = settings.evolution
    to["probability"] = evolution.mutation_probability
    to["action"] = np.cumsum(dataclasses.astuple(evolution.actions))
    to["sign_flip"], to["fresh"] = evolution.sign_flip, evolution.fresh_constant
    if evolution.constant_step == "factor":
        to["factor_low"], to["factor_high"] = 0.5, 2.0
    for place, name in enumerate(FUNCTIONS):
        function = getattr(settings, name)
        to["min_size"][place], to["max_size"][place] = function.min_size, function.max_size
    wiring = to["wiring"]
    for field in dataclasses.fields(evolution.wiring):
        wiring[field.name] = getattr(evolution.wiring, field.name)
    to["valid"] = ("any", "initial", "all").index(evolution.valid)
    wiring["again"], wiring["smallest"] = evolution.more_mutations, evolution.smallest_constant


def _address(arrays: State, name: str) -> int:
    """Where an array lies that not every state has, or 0."""
    return int(arrays[name].ctypes.data) if name in arrays else 0


def point(arrays: State, stages: Sequence[LaneTasks], hook: int) -> None:
    """Sets every address in a state.

    Args:
        arrays: the state.
        stages: the tasks of each hurdle.
        hook: address of what rates programs in place of the kernel's interpreter, or 0.
    """
    state = arrays["state"][0]
    state["population"], state["fitness"] = arrays["population"].ctypes.data, arrays["fitness"].ctypes.data
    for cache in ("known", "probed"):
        state[cache]["entries"] = arrays[cache].ctypes.data
        state[cache]["cases"] = _address(arrays, f"{cache}_cases")
    state["cases"] = _address(arrays, "member_cases")
    elites = {"key": "elite_keys", "fitness": "elite_fitness", "program": "elite_programs"}
    for name, array in elites.items():
        state["elites"][name] = arrays[array].ctypes.data
    state["credit"] = _address(arrays, "credit")
    trail = {"steps": "steps", "step": "member_step", "actions": "member_actions"}
    for name, array in trail.items():
        state["trail"][name] = arrays[array].ctypes.data
    state["trail"]["capacity"] = len(arrays["steps"]) if len(arrays["member_step"]) else 0
    state["hook"] = hook
    state["hurdles"] = arrays["hurdles"].ctypes.data
    for hurdle, stage, (ordered, recent) in zip(arrays["hurdles"], stages, arrays["heights"], strict=True):
        hurdle["tasks"], hurdle["ordered"], hurdle["recent"] = (
            stage.address,
            ordered.ctypes.data,
            recent.ctypes.data,
        )
