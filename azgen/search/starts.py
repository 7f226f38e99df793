"""What populations start from, and which programs kernels must therefore have room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from azgen.errors import AzgenError
from azgen.execution.layout import check_form
from azgen.language.instruction import FUNCTIONS, Memory
from azgen.language.program import Program
from azgen.language.zoo import find_program, zoo, zoo_for_classes, zoo_names
from azgen.settings.settings import Settings
from azgen.tasks.task import Task

TUNED_STARTS = 4
"""Tuned programs that a population starts from, side by side."""

Start = tuple[Program | None, ...]
"""What the members of a population are at first, in turn; None: random or empty."""


def start_program(initial: str, settings: Settings, tasks: Sequence[Task]) -> Program | None:
    """A program that populations start from, without what begins with random instructions.

    None for random and empty ones.

    Args:
        initial: one of `Settings.starts`; "auto" stands for the zoo's linear program, if it is not tuned.
        tasks: that it is for.

    Raises:
        AzgenError: it has another form than the tasks, or more memory than the search space.
    """
    if initial in ("random", "empty"):
        return None
    initial = "zoo:linear" if initial == "auto" else initial
    program = zoo_for_classes(initial) if tasks[0].vector_classes else None
    program = program or find_program(initial, settings.user.table)
    check_form(program, tasks)
    _check_memory(initial, program, settings)
    return _without_random_functions(program, settings)


def _check_memory(name: str, program: Program, settings: Settings) -> None:
    memory, needed = settings.memory, program.memory
    wanted = {kind: most for kind, most in asdict(needed).items() if most > getattr(memory, kind)}
    if wanted:
        has = ", ".join(f"memory.{kind} is {getattr(memory, kind)}" for kind in wanted)
        least = ", ".join(f"{kind} = {most}" for kind, most in wanted.items())
        raise AzgenError(
            f"{name} does not fit the search space: {has}; it needs {least} or more. Set that under [memory] "
            "in a configuration of your own (azgen presets NAME > mine.toml), or take another preset"
        )


def _without_random_functions(program: Program, settings: Settings) -> Program:
    kept = (
        () if getattr(settings, name).random else function
        for name, function in zip(FUNCTIONS, program.functions, strict=True)
    )
    return Program(*kept, form=program.form)


def start_programs(
    settings: Settings, tasks: Sequence[Task], tuned: Sequence[Program] = ()
) -> tuple[Start, ...]:
    """What populations start from, one after the other.

    Args:
        tuned: what "auto" stands for, best first; a population starts from the first few, side by side. A
            program that was named stands beside itself with tuned constants, if these are among them.

    Raises:
        AzgenError: see `start_program`.
    """
    found: list[Start] = []
    for initial in settings.starts:
        if initial == "auto" and tuned:
            found.append(tuple(tuned[:TUNED_STARTS]))
            continue
        program = start_program(initial, settings, tasks)
        shape = program.structure_hash if program else ""
        found.append((program, *(other for other in tuned if other.structure_hash == shape)))
    return tuple(found)


def named_start(settings: Settings, program: Program) -> str:
    """What the settings call a program that populations start from."""
    for initial in settings.starts:
        if initial not in ("random", "empty", "auto"):
            given = [find_program(initial, settings.user.table), zoo_for_classes(initial)]
            parts = (_without_random_functions(one, settings) for one in given if one is not None)
            if any(one.hash == program.hash for one in parts):
                return initial if initial.startswith("zoo:") else Path(initial).name
    return "zoo:linear"  # what "auto" stands for, if nothing has been tuned


def programs_given(starts: Sequence[Start], tuned: Sequence[Program]) -> tuple[Program, ...]:
    """All programs that populations may start from, each once."""
    given = (*tuned, *(program for start in starts for program in start if program is not None))
    return tuple(dict.fromkeys(given))


def programs_with_room(
    settings: Settings, given: Sequence[Program], tuned: Sequence[Program]
) -> tuple[Program, ...]:
    """All programs that the kernels must have room for: those of the zoo that may be tuned are among them,
    whichever are best, so that one kernel does for all seeds."""
    if not tuned:
        return tuple(given)
    memory = Memory(settings.memory.scalars, settings.memory.vectors, settings.memory.matrices)
    same_form = (zoo(name).normalized() for name in zoo_names() if zoo(name).form == tuned[0].form)
    return (*given, *(program for program in same_form if program.memory | memory == memory))
