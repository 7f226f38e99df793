"""Which of the programs that a search found is the champion: one that holds.

Selection tasks are few, and a search looks at thousands of programs, so the best on them is best by luck in
part. The champion is the cheapest program that is not worse than it by more than one standard error; it
fails on no selection task, not even when it is trained twice as long. The best program that the run started
from gives way only to one that is better beyond the 95 % interval. Then every line goes without which it does
as well, and better constants are looked for if that is asked for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from azgen.deadline import NEVER, Deadline, Overdue, aside
from azgen.language.metrics import is_classification
from azgen.language.program import Program
from azgen.plain import Writers, as_plain
from azgen.runs.events import Champion
from azgen.search.evolve import Evolution
from azgen.search.hall import HallOfFame, alike
from azgen.search.task_set import population_conditions, population_tasks
from azgen.settings.resolve import PICKS
from azgen.settings.settings import Settings
from azgen.study.candidates import Candidate, chosen, rated
from azgen.study.racer import TuningTasks
from azgen.study.scores import Interval, is_level
from azgen.study.starts import tune_starts
from azgen.study.understanding.evidence import Evidence
from azgen.study.understanding.nearest import nearest
from azgen.study.understanding.pruning import TOLERANCE, prune
from azgen.study.understanding.warnings import warnings_of
from azgen.tasks.task import TaskSplit
from azgen.textual import finite

_LEAST_PRUNING = 1.0
"""Seconds that there must be left for taking lines out of the champion."""

BEST_START = "best-start"
"""The rule that picks the best program that the run started from, with the run's own constants for it."""


@dataclass(frozen=True)
class Choice:
    """Which program became the champion, and why.

    Attributes:
        champion: the chosen program, pruned.
        best: the best of those that hold.
        difference: fitness of the best minus the champion's, paired by selection task.
        considered, failing, level: programs that were compared; of these, those that do not hold; and those
            within one standard error of the best.
        pruned: lines that went.
        tuned: whether it has other constants than the search gave it.
        known: which program of the zoo it is, with its constants; "" if it is another.
        warnings: what to beware of in the champion; see `warnings_of`.
        hall: the champion, then the others of the hall of fame by selection fitness, with the rules that pick
            them; whatever a rule picks is among them, the best that the run started from too.
        members: all that were compared, on the selection tasks.
    """

    champion: Champion
    best: Champion
    difference: Interval
    considered: int
    failing: int
    level: int
    pruned: tuple[str, ...]
    tuned: bool
    known: str
    warnings: tuple[str, ...] = ()
    hall: tuple[Champion, ...] = field(repr=False, default=())
    members: tuple[Candidate, ...] = field(repr=False, default=())

    def as_record(self) -> dict[str, Any]:
        """The choice as plain values."""
        names = {"difference": "best_minus_champion"}
        writers: Writers = {Candidate: Candidate.as_record}
        plain = as_plain(self, writers, leave_out=("champion", "best", "hall"), names=names)
        record: dict[str, Any] = finite({"best_select_fitness": self.best.select_fitness, **plain})
        return record


def choose(
    evolution: Evolution,
    hall: HallOfFame,
    split: TaskSplit,
    settings: Settings,
    deadline: Deadline = NEVER,
) -> Choice:
    """The champion among the hall of fame and what the run started from.

    Args:
        evolution: that has found them; its kernel rates them.
        hall: at least one program.
        split, settings: of the run.
        deadline: after it no other program is compared, and none pruned.
    """
    members = list(hall.listing())
    known = {member.program.hash for member in members}
    members += [start for start in evolution.starts if start.program.hash not in known]
    candidates = rated(evolution, members, split.select, by_row=split.raw is not None, deadline=deadline)
    champion, best, level = chosen(candidates, settings.pick, settings.stop.target_fitness)
    floor = max((c.mean for c in candidates if c.holds and c.champion.origin), default=0.0)
    if champion.mean > settings.stop.target_fitness:
        floor = max(floor, float(np.nextafter(settings.stop.target_fitness, 2.0)))
    pruned, lines = champion.champion, tuple[str, ...]()
    if settings.prune and deadline.left > _LEAST_PRUNING:
        with suppress(Overdue):
            pruned, lines = aside(
                lambda: _pruned(evolution, champion, split, settings, floor), deadline.passed
            )
    tuned = pruned
    if settings.tune and not pruned.origin and not deadline.passed():
        with suppress(Overdue):
            tuned = aside(lambda: _tuned(evolution, pruned, split, settings), deadline.passed)
    return Choice(
        champion=tuned,
        best=best.champion,
        difference=Interval.of(best.fitness - champion.fitness),
        considered=len(candidates),
        failing=sum(not candidate.holds for candidate in candidates),
        level=level,
        pruned=lines,
        tuned=tuned is not pruned,
        known=known_as(tuned.program, is_classification(split.metric)),
        warnings=warnings_of(tuned.program),
        hall=_hall(members, candidates, tuned, known, settings),
        members=tuple(candidates),
    )


def _hall(
    members: Sequence[Champion],
    candidates: Sequence[Candidate],
    champion: Champion,
    found: Set[str],
    settings: Settings,
) -> tuple[Champion, ...]:
    """The champion and the others, marked with the rules that pick them.

    Args:
        members: what the search found, and what the run started from.
        candidates: those that there was time to compare.
        found: hashes of what the search's hall of fame holds; of what a run started from, only what a rule
            picks belongs there too.
    """
    target = settings.stop.target_fitness
    rules = {rule: chosen(candidates, rule, target)[0] for rule in PICKS if rule != settings.pick}
    starts = [candidate for candidate in candidates if candidate.champion.origin]
    if starts:
        rules[BEST_START] = max(starts, key=lambda c: (c.holds, c.mean))
    marks: dict[str, list[str]] = {champion.program.hash: [str(settings.pick)]}
    for rule, candidate in rules.items():
        marks.setdefault(candidate.champion.program.hash, []).append(rule)
    others = [
        member
        for member in sorted(members, key=lambda c: -c.select_fitness)
        if member.program.hash in marks or (member.program.hash in found and not alike(member, champion))
    ]
    others = [member for member in others if member.program.hash != champion.program.hash]
    hall = (dataclasses.replace(champion, on_front=True), *others)
    return tuple(
        dataclasses.replace(
            member,
            picked_by=tuple(marks.get(member.program.hash, ())),
            on_front=member.on_front and not any(_beats(other, member) for other in hall),
        )
        for member in hall
    )


def _beats(one: Champion, other: Champion) -> bool:
    """Whether a program is fitter than another and costs no more, or as fit and costs less."""
    mine, others = (one.select_fitness, -one.cost), (other.select_fitness, -other.cost)
    return mine != others and all(a >= b for a, b in zip(mine, others, strict=True))


def _pruned(
    evolution: Evolution, candidate: Candidate, split: TaskSplit, settings: Settings, floor: float
) -> tuple[Champion, tuple[str, ...]]:
    """A champion without the lines that it does as well without, and these lines.

    Lines go that do not matter on the search tasks; the result must be as good on the selection tasks, which
    so have no part in saying which lines go.
    """
    before, space = candidate.champion, evolution.space
    tasks = population_tasks(settings, split, before.population)
    conditions = population_conditions(settings, before.population)
    kernel = space.task_set(before.population % settings.islands.count, before.population).kernel
    for tolerance in (TOLERANCE, 0.0):
        result = prune(before.program, tasks, tolerance=tolerance, conditions=conditions, kernel=kernel)
        program = result.program.normalized()
        if program.hash == before.program.hash:
            break
        shorter = dataclasses.replace(before, program=program)
        (after,) = rated(evolution, [shorter], split.select, by_row=split.raw is not None)
        holds = after.holds or not candidate.holds
        if holds and after.mean >= floor and is_level(after.losses, candidate.losses):
            lines = tuple(line for cut in result.cuts for line in cut.lines)
            return _rerated(evolution, shorter, settings), lines
    return before, ()


def _tuned(evolution: Evolution, champion: Champion, split: TaskSplit, settings: Settings) -> Champion:
    """A champion with better constants, if any are found; it is no worse on the selection tasks."""
    tasks = population_tasks(settings, split, champion.population)
    conditions = population_conditions(settings, champion.population)
    (found,) = tune_starts(
        {"champion": champion.program},
        TuningTasks(tasks, split.select),
        epochs=(conditions.epochs,),
        conditions=conditions,
    ).members
    better = _rerated(evolution, dataclasses.replace(champion, program=found.program.normalized()), settings)
    gains = better.search_fitness > champion.search_fitness and better.holds >= champion.holds
    return better if gains and better.select_fitness >= champion.select_fitness else champion


def _rerated(evolution: Evolution, champion: Champion, settings: Settings) -> Champion:
    """A champion of another program with the figures of this."""
    space, program = evolution.space, champion.program
    search = space.task_set(champion.population % settings.islands.count, champion.population)
    each = np.nan_to_num(search.evaluate(program), nan=0.0)
    select_fitness, behaviour, holds = space.rate(program)
    return dataclasses.replace(
        champion,
        search_fitness=float(np.median(each) if settings.evolution.combine == "median" else each.mean()),
        select_fitness=select_fitness,
        cost=sum(program.cost(space.kernel.spec.n_features)[1:]),
        behaviour=behaviour,
        holds=holds,
    )


def known_as(program: Program, classifier: bool) -> str:
    """Which program of the zoo a program is, as "zoo:linear with learning rate 0.0051"; "" if none."""
    found = nearest(Evidence(program.live(), classifier))
    if found is None or found.kind == "similar":
        return ""
    # A rate has a name; of other constants the program's text says more.
    return str(found) if len(found.constants) <= 1 else f"{found.name} with constants of its own"
