"""What each line of a program is worth: its fitness with the line, and without it or with 0 in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.language import FUNCTIONS, Program
from azgen.language.conditions import USUAL, Conditions
from azgen.plain import Writers, as_plain
from azgen.study.scores import Interval
from azgen.study.understanding.edits import Place, at, places, without, zeroed
from azgen.study.understanding.rating import Rated, Rater
from azgen.study.wording import interval
from azgen.tasks.task import Task
from azgen.textual import finite


@dataclass(frozen=True)
class Loss:
    """What a change costs.

    Attributes:
        difference: fitness as it is minus fitness with the change, paired by task: positive where the
            program needs the line.
        failed: tasks that fail with the change and did not before.
        same: whether every prediction stays the same, bit for bit.
        fitness: per task, with the change; 0 where it failed.
    """

    difference: Interval
    failed: int
    same: bool
    fitness: NDArray[np.float64] = field(repr=False)

    @property
    def in_words(self) -> str:
        """The difference as tables have it."""
        if self.same:
            return "no change"
        return interval(self.difference.as_record()) + (f" ({self.failed} fail)" if self.failed else "")

    def as_record(self) -> dict[str, Any]:
        """The loss as plain values."""
        record: dict[str, Any] = finite(as_plain(self, names={"same": "same_predictions"}))
        return record


@dataclass(frozen=True)
class LineWorth:
    """What one line of a program's live code is worth.

    Attributes:
        place: where it stands in the live program.
        line: its text.
        removed: the line is taken out; its address keeps what it held.
        zeroed: the line sets its address to 0 (an element setter: its element).
    """

    place: Place
    line: str
    removed: Loss
    zeroed: Loss

    def as_record(self) -> dict[str, Any]:
        """The worth as plain values."""
        plain = as_plain(self, {Loss: Loss.as_record}, leave_out=("place",))
        return {"function": FUNCTIONS[self.place.function], **plain}


@dataclass(frozen=True)
class Ablation:
    """What the lines of a program are worth.

    Attributes:
        program: the live program.
        fitness: per task, as it is.
        lines: one entry for each of its lines, in the order of the text.
        versions: programs that were executed; lines that only differ in addresses share one.
    """

    program: Program
    fitness: NDArray[np.float64] = field(repr=False)
    lines: tuple[LineWorth, ...]
    versions: int

    def as_record(self) -> dict[str, Any]:
        """The ablation as plain values."""
        writers: Writers = {Program: str, LineWorth: LineWorth.as_record}
        plain: dict[str, Any] = as_plain(self, writers, leave_out=("versions",))
        per_task = {"per_task": self.fitness.tolist()}
        return plain | {"fitness": Interval.of(self.fitness).as_record() | per_task}


def ablate(program: Program, tasks: Sequence[Task], conditions: Conditions = USUAL) -> Ablation:
    """Executes a program without each of its live lines, and with 0 in place of each.

    All versions see the same tasks and draw from the same generators, so differences are paired by task. (A
    version without a line that draws random numbers shifts the draws of the others.)

    Args:
        program: its live code is looked at.
        tasks: tasks of one metric and shape.
        conditions: how programs are executed.

    Raises:
        AzgenError: tasks that do not agree, or a program of another form than theirs.
    """
    live = program.live()
    rate = Rater(live, tasks, conditions)
    spots = list(places(live))
    versions = [live, *(without(live, p) for p in spots), *(zeroed(live, p) for p in spots)]
    base, *changed = rate(versions)
    n = len(spots)
    lines = tuple(
        LineWorth(spot, str(at(live, spot)), _loss(base, removed), _loss(base, zero))
        for spot, removed, zero in zip(spots, changed[:n], changed[n:], strict=True)
    )
    return Ablation(live, base.fitness, lines, rate.rated)


def _loss(base: Rated, changed: Rated) -> Loss:
    return Loss(
        Interval.of(base.fitness - changed.fitness),
        int(np.sum(changed.failed & ~base.failed)),
        changed.predictions == base.predictions,
        changed.fitness,
    )
