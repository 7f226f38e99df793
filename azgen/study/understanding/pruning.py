"""Taking out of a program what it does as well without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.execution.kernel import Kernel
from azgen.language import FUNCTIONS, Program
from azgen.language.conditions import USUAL, Conditions
from azgen.plain import as_plain
from azgen.study.scores import Interval
from azgen.study.understanding.edits import bypasses, places, without
from azgen.study.understanding.rating import Rated, Rater
from azgen.tasks.task import Task
from azgen.textual import finite

TOLERANCE = 0.01
"""Share of 1 - fitness by which the mean fitness may fall: 1 % of what is missing to a perfect one."""


@dataclass(frozen=True)
class Cut:
    """Something that was taken out.

    Attributes:
        lines: the lines that went: "Learn: s3 = sin(s4)"; all that is dead without the first is among them.
        bypassed: the line's readers read its operand instead; otherwise its address keeps what it held.
        difference: fitness after minus fitness of the whole program, paired by task.
    """

    lines: tuple[str, ...]
    bypassed: bool
    difference: Interval


@dataclass(frozen=True)
class Pruned:
    """What pruning left.

    Attributes:
        program: the pruned program.
        before: the live program that it was made from.
        cuts: what went, in this order.
        fitness, fitness_before: per task.
        tolerance: the share that was allowed, and what it came to in mean fitness.
        versions: programs that were executed.
    """

    program: Program
    before: Program
    cuts: tuple[Cut, ...]
    fitness: NDArray[np.float64] = field(repr=False)
    fitness_before: NDArray[np.float64] = field(repr=False)
    tolerance: tuple[float, float]
    versions: int

    @property
    def difference(self) -> Interval:
        """Fitness after minus before, paired by task."""
        return Interval.of(self.fitness - self.fitness_before)

    def as_record(self) -> dict[str, Any]:
        """The result as plain values."""
        plain = as_plain(self, {Program: str}, leave_out=("versions", "tolerance"))
        fitness = {name: Interval.of(getattr(self, name)) for name in ("fitness", "fitness_before")}
        tolerance, fall = self.tolerance
        more = {**fitness, "difference": self.difference, "tolerance": tolerance, "largest_fall": fall}
        record: dict[str, Any] = finite(plain | as_plain(more))
        return record


def prune(
    program: Program,
    tasks: Sequence[Task],
    conditions: Conditions = USUAL,
    *,
    tolerance: float = TOLERANCE,
    kernel: Kernel | None = None,
) -> Pruned:
    """Takes out every line that the program does as well without, greedily.

    A cut is kept while the mean fitness over the tasks lies at most a tolerance below that of the *whole*
    program, so small losses do not add up, and no task fails that did not fail before. In every round all
    single cuts are rated at once, then as many of the harmless ones as go together. In the end no single
    line can go.

    Args:
        program: its live code is pruned.
        tasks: tasks of one metric and shape. What is harmless is decided on them, so say on others how the
            result does.
        conditions: how programs are executed.
        tolerance: share of 1 - (mean fitness) by which the mean fitness may fall.
        kernel: one that has room for the program, such as its search's; None: one is built, or native code.

    Raises:
        AzgenError: tasks that do not agree, a program of another form than theirs, or a negative tolerance.
    """
    if not tolerance >= 0:
        raise AzgenError(f"tolerance is {tolerance}; it must be 0 or more")
    live = program.live()
    rate = Rater(live, tasks, conditions, kernel)
    (base,) = rate([live])
    search = _Search(rate, base, tolerance * (1 - float(base.fitness.mean())))
    current, cuts = live, []
    while True:
        shorter = search.round(current)
        if shorter is None:
            break
        current, cut = shorter
        cuts.append(cut)
    (last,) = rate([current])
    limits = tolerance, search.largest_fall
    return Pruned(current, live, tuple(cuts), last.fitness, base.fitness, limits, rate.rated)


class _Search:
    """One round after the other."""

    def __init__(self, rate: Rater, base: Rated, largest_fall: float):
        self._rate, self._base, self.largest_fall = rate, base, largest_fall

    def round(self, program: Program) -> tuple[Program, Cut] | None:
        """A shorter program that is as good, the shortest that one round finds; None: there is none."""
        spots = list(places(program))
        means = self._harmless([without(program, spot).live() for spot in spots])
        if means:
            order = [spots[i] for i in sorted(means, key=lambda i: (-means[i], i))]
            # All harmless ones at once, half of them, a quarter: losses may add up, or one need another.
            counts = sorted({len(order) >> k for k in range(len(order).bit_length())})
            versions = [without(program, *order[:count]).live() for count in counts]
            bypassed = False
        else:
            versions = [version.live() for spot in spots for version in bypasses(program, spot)]
            bypassed = True
        means = self._harmless(versions)
        if not means:
            return None
        best = versions[min(means, key=lambda i: (_length(versions[i]), -means[i], i))]
        return best, self._cut(program, best, bypassed)

    def _harmless(self, versions: Sequence[Program]) -> dict[int, float]:
        """Mean fitness of those versions that do as well as the whole program, by their number."""
        least = float(self._base.fitness.mean()) - self.largest_fall
        return {
            number: mean
            for number, rated in enumerate(self._rate(versions))
            if (mean := float(rated.fitness.mean())) >= least
            and not (rated.failed & ~self._base.failed).any()
        }

    def _cut(self, before: Program, after: Program, bypassed: bool) -> Cut:
        (rated,) = self._rate([after])
        lines = []
        for name, old, new in zip(FUNCTIONS, before.functions, after.functions, strict=True):
            fresh = [instruction for instruction in new if instruction not in old]
            rest = list(new)
            for instruction in old:
                if instruction in rest:
                    rest.remove(instruction)
                elif not any((i.op, i.out) == (instruction.op, instruction.out) for i in fresh):
                    lines.append(f"{name.capitalize()}: {instruction}")  # the others read something else now
        return Cut(tuple(lines), bypassed, Interval.of(rated.fitness - self._base.fitness))


def _length(program: Program) -> int:
    return sum(1 for _ in program.instructions())
