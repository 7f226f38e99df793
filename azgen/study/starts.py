"""Where a search begins: the zoo's programs, their constants tuned on the run's own tasks, and the number of
passes over the training examples that suits them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Unpack

from azgen.deadline import NEVER, Deadline
from azgen.errors import AzgenError
from azgen.execution.layout import check_form
from azgen.language.instruction import SCALAR, Form, Memory
from azgen.language.ops import OPS
from azgen.language.program import Program
from azgen.language.zoo import zoo, zoo_names
from azgen.runs.events import StartsTuned
from azgen.search.starts import start_program
from azgen.settings.settings import Settings
from azgen.study.racer import Start, TuningTasks
from azgen.study.racing import BUDGET, CROSS_BUDGET, CROSS_EPOCHS, EPOCHS, LEVEL, RaceOptions, race
from azgen.tasks.task import TaskSplit

_WHOLE_RUN = 60.0
"""Seconds of a run from which on tuning may cost all of its budget."""

_NEXT_TO = 2e-3
"""Rating by which a program may be behind the best."""

_LARGEST_NET = 128
"""Features beyond which programs with matrices are left out."""


@dataclass(frozen=True)
class Starts:
    """What tuning all programs found; `tuned_starts` makes them for a run, `tune_starts` for any tasks.

    Attributes:
        members: programs whose rating is next to the best, for the same number of passes, best on the
            selection tasks first.
        epochs: that number of passes.
        tried: every program at every number of passes that it was tuned at.
        settings: settings of constants that were tried.
        seconds: wall-clock time.
    """

    members: tuple[Start, ...]
    epochs: int
    tried: tuple[Start, ...] = field(repr=False)
    settings: int
    seconds: float

    @property
    def programs(self) -> dict[str, Program]:
        """The members' normal forms by name, best first, but for those that fail."""
        return {m.name: m.program.normalized() for m in self.members if m.fitness > 0}

    def decide(self, settings: Settings) -> Settings:
        """A run's settings with the number of passes."""
        return replace(settings, execution=replace(settings.execution, epochs=self.epochs))

    def as_event(self) -> StartsTuned:
        """What observers of a run are told."""
        best = self.members[0]
        return StartsTuned(
            len({start.name for start in self.tried}),
            self.settings,
            best.name,
            self.epochs,
            best.fitness,
            self.seconds,
        )

    def as_records(self) -> list[dict[str, Any]]:
        """The members as plain values: the content of starts.json."""
        return [
            {
                "name": member.name,
                "epochs": member.epochs,
                "search_fitness": float(member.search_fitness.mean()),
                "select_fitness": member.fitness,
                **({"cross_validation_fitness": member.rating} if len(member.cross) else {}),
                "program": str(self.programs[member.name]),
            }
            for member in self.members
            if member.name in self.programs
        ]


def tuned_starts(settings: Settings, split: TaskSplit, deadline: Deadline = NEVER) -> Starts | None:
    """The programs tuned that a run starts from: the zoo's, or on a table those that are named; None if it
    starts from neither.

    Raises:
        AzgenError: no program of the zoo fits the tasks and the memory.
    """
    how, memory = settings.execution, settings.memory
    table = settings.tasks.source == "table"
    if "auto" in settings.starts:
        form = split.search[0].form
        room = Memory(memory.scalars, memory.vectors, memory.matrices)
        programs = fitting_programs(form, split.n_features, room, biased=table)
    else:
        # As they are they may diverge: their steps are for a few features.
        named = {f"{name}, tuned": start_program(name, settings, split.search) for name in settings.starts}
        programs = {name: program for name, program in named.items() if program and program.live().constants}
        if not table or not programs:
            return None
    epochs, budget = (CROSS_EPOCHS, _cross_budget(settings)) if split.cross else (EPOCHS, BUDGET)
    return tune_starts(
        programs,
        TuningTasks(split.search, split.select, split.cross),
        epochs=epochs if how.tune_epochs else (how.epochs,),
        conditions=settings.conditions,
        budget=budget,
        deadline=deadline,
    )


def _cross_budget(settings: Settings) -> float:
    """Multiplications for tuning; less in a run that is to be short."""
    share = min(1.0, settings.stop.max_seconds / _WHOLE_RUN) if settings.stop.max_seconds else 1.0
    return CROSS_BUDGET * share


def fitting_programs(form: Form, n_features: int, memory: Memory, *, biased: bool) -> dict[str, Program]:
    """The zoo's programs that suit tasks and memory, by name.

    Args:
        form: of the tasks.
        n_features: beyond 128 programs with matrices are left out, which would take minutes.
        memory: that the search has; larger programs are left out.
        biased: also programs without a bias with one.
    """
    found = {f"zoo:{name}": zoo(name) for name in zoo_names() if zoo(name).form == form}
    if biased:
        # The linear program with a bias is in the zoo: affine.
        without = {n: p for n, p in found.items() if form == SCALAR and not has_bias(p) and n != "zoo:linear"}
        found |= {f"{name} with a bias": with_bias(program) for name, program in without.items()}
    fitting = {name: p for name, p in found.items() if p.normalized().memory | memory == memory}
    narrow = {n: p for n, p in fitting.items() if n_features <= _LARGEST_NET or not p.memory.matrices}
    # Of several classes even the linear programs have matrices; they are by far the cheapest.
    return narrow or dict(sorted(fitting.items(), key=lambda item: sum(item[1].cost(n_features)[1:]))[:2])


def has_bias(program: Program) -> bool:
    """Whether Predict ends by adding a scalar to the prediction that a sum in Learn accumulates."""
    accumulated = {i.writes for i in program.learn if i.op.name == "scalar_sum" and i.writes in i.reads}
    return any(
        i.op.name == "scalar_sum" and i.writes == program.form.prediction and accumulated & set(i.reads)
        for i in program.predict
    )


def with_bias(program: Program) -> Program:
    """A program of the scalar form with a learned number added to its prediction; it has a rate of its own.

    The error is taken where Learn has done all else, in the prediction's own place if nothing else writes
    there, so that little memory is needed.
    """
    free = program.memory.scalars
    rate, bias, error = f"s{free}", f"s{free + 1}", f"s{free + 2}"
    if all(instruction.writes != SCALAR.prediction for instruction in program.learn):
        read_early = _reads_before_writing(program)
        error = error if read_early else "s1"
    given = Program.parse(
        f"def Setup():\n  {rate} = 0.01\ndef Predict():\n  s1 = s1 + {bias}\n"
        f"def Learn():\n  {error} = s0 - s1\n  {error} = {rate} * {error}\n  {bias} = {bias} + {error}\n",
        "bias",
        OPS,
    )
    parts = (own + more for own, more in zip(program.functions, given.functions, strict=True))
    return Program(*parts, form=program.form)


def _reads_before_writing(program: Program) -> bool:
    """Whether Predict reads the last prediction, which the error would have replaced."""
    for instruction in program.predict:
        if SCALAR.prediction in instruction.reads:
            return True
        if instruction.writes == SCALAR.prediction:
            return False
    return True


def tune_starts(
    programs: Mapping[str, Program], tasks: TuningTasks, **options: Unpack[RaceOptions]
) -> Starts:
    """Tunes programs on the search tasks, and takes those that suit the tasks best; see `race`.

    Raises:
        AzgenError: no program, or one of another form than the tasks.
    """
    began = time.perf_counter()
    if not programs:
        raise AzgenError("there is no program to start from that fits the tasks and the memory")
    for program in programs.values():
        check_form(program, tasks.search)
    found = race(programs, tasks, **options)
    chosen = chosen_epochs(found.tried)
    members = sorted(level_starts(found.at(chosen)), key=lambda s: -s.fitness)
    return Starts(tuple(members), chosen, found.tried, found.settings, time.perf_counter() - began)


def level_starts(starts: Sequence[Start]) -> list[Start]:
    """Those whose rating is next to the best one; of those that hold, if there are any."""
    holding = [s for s in starts if s.select.holds] or list(starts)
    best = max(start.rating for start in holding)
    return [start for start in holding if start.rating >= best - _NEXT_TO]


def chosen_epochs(tried: Sequence[Start]) -> int:
    """The smallest number of passes at which some program's rating is within .001 of the best."""
    level = level_starts(tried)
    best = max(start.rating for start in level)
    return min(start.epochs for start in level if start.rating >= best - LEVEL)
