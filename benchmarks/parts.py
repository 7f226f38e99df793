"""What each part of the search brings: successes per processor second with it and without it.

    python benchmarks/parts.py two-layer --seeds 20-29 --goal 0.85 --max-programs 4000000

A preset is run as it is and with one part off (or on) at a time, every seed through all of them before the
next seed, so that a busy machine treats them alike. A run succeeds when its champion reaches the goal on
the test tasks, which no part of the search has seen. Then a line for each: successes, processor seconds of
all runs, and processor seconds per success.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from typing import Any

from azgen.errors import AzgenError
from azgen.settings.presets import preset
from benchmarks.discovery import run_of, seeds_of

_ORIGINAL = {
    "alter_parameter": 1,
    "randomize_instruction": 1,
    "randomize_function": 1,
    "insert_instruction": 1,
    "remove_instruction": 1,
    "alter_wired": 0,
    "grow": 0,
    "regrow": 0,
    "interpose": 0,
    "move_instruction": 0,
}

CHANGES: dict[str, dict[str, Any]] = {
    "as the preset is": {},
    "the original's mutations": {"evolution": {"actions": _ORIGINAL}},
    "no interpose": {"evolution": {"actions": {"interpose": 0}}},
    "no grow, no regrow": {"evolution": {"actions": {"grow": 0, "regrow": 0}}},
    "move_instruction 1": {"evolution": {"actions": {"move_instruction": 1}}},
    "operands from all registers": {"evolution": {"wiring": {"in_use": 0}}},
    "informed 0": {"evolution": {"wiring": {"informed": 0}}},
    "declare 0": {"evolution": {"wiring": {"declare": 0}}},
    "scale 0": {"evolution": {"wiring": {"scale": 0}}},
    "accumulate 0": {"evolution": {"wiring": {"accumulate": 0}}},
    "learned 0": {"evolution": {"wiring": {"learned": 0}}},
    "one mutation a child": {"evolution": {"more_mutations": 0}},
    "uniform constants": {"evolution": {"smallest_constant": 0}},
    "dead code stays": {"evolution": {"live_only": False}},
    "parsimony 0": {"evolution": {"parsimony": 0}},
    "parsimony 0.003": {"evolution": {"parsimony": 0.003}},
    "valid any": {"evolution": {"valid": "any"}},
    "distinct": {"evolution": {"distinct": True}},
    "not distinct": {"evolution": {"distinct": False}},
    "crossover 0.2": {"evolution": {"crossover": 0.2}},
    "adaptive": {"evolution": {"adaptive": True}},
    "no hurdle": {"evolution": {"hurdles": ()}},
    "tournaments": {"evolution": {"selection": "tournament"}},
    "lexicase": {"evolution": {"selection": "lexicase"}},
    "lexicase, a quarter of the tasks": {"evolution": {"selection": "lexicase", "lexicase_tasks": 0.25}},
    "the same tasks": {"tasks": {"redraw": False}},
}
"""Parts by name, and the settings that switch them off, or on."""

OF_ARCHIVES: dict[str, dict[str, Any]] = {
    "no linear stage": {"stages": ()},
    "one cell": {"archive": {"entries": 1}},
    "no tuning of entries": {"archive": {"tuning_rounds": 0}},
    "one set of tasks": {"archive": {"task_sets": 1}},
}
"""The same, of presets whose strategy is the archive."""


def merged(settings: Any, change: Mapping[str, Any]) -> Any:
    """Plain settings with a change, table by table."""
    return settings | {
        name: merged(settings[name], value) if isinstance(value, Mapping) else value
        for name, value in change.items()
    }


def variants(name: str, chosen: list[str]) -> dict[str, dict[str, Any]]:
    """Settings by the part that is off, those that change the preset."""
    base = dataclasses.asdict(preset(name))
    found = {}
    parts = CHANGES | OF_ARCHIVES if base["evolution"]["strategy"] == "archive" else CHANGES
    for part, change in parts.items():
        changed = merged(base, change)
        if (not chosen or part in chosen) and (changed != base or not change):
            found[part] = changed
    return found


def attempt(settings: dict[str, Any], seed: int, max_programs: int) -> tuple[float, float, int]:
    """Test fitness of a run's champion (-1: it has none), its processor seconds and programs."""
    try:
        run = run_of(settings, seed=seed, max_programs=max_programs)
    except AzgenError as error:
        print(f"# seed {seed}: {error}", flush=True)
        return -1.0, 0.0, 0
    return run.test_fitness, run.outcome.cpu_seconds, run.counts["programs"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("preset")
    parser.add_argument("--seeds", default="20-29", help="first-last")
    parser.add_argument("--goal", type=float, required=True, help="fitness on the test tasks")
    parser.add_argument("--max-programs", type=int, default=4_000_000)
    parser.add_argument("--parts", default="", help="some of them, separated by semicolons")
    given = parser.parse_args()
    chosen = [part.strip() for part in given.parts.split(";") if part.strip()]
    every = CHANGES | OF_ARCHIVES
    if unknown := set(chosen) - every.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are: {'; '.join(every)}")
    runs = variants(given.preset, chosen)
    found = {part: list[tuple[bool, float]]() for part in runs}
    for seed in seeds_of(given.seeds):
        for part, settings in runs.items():
            fitness, seconds, programs = attempt(settings, seed, given.max_programs)
            found[part].append((fitness >= given.goal, seconds))
            print(f"# {seed} {part}: {fitness:.4f}, {seconds:.1f} s, {programs:,} programs", flush=True)
    for part, results in found.items():
        n, seconds = sum(success for success, _ in results), sum(spent for _, spent in results)
        each = f"{seconds / n:.1f}" if n else "-"
        print(f"{part}: {n} of {len(results)}, {seconds:.0f} s, {each} s a success")


if __name__ == "__main__":
    main()
