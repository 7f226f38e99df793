"""What is measured on random data before anything gets a name: degrees, parallels, constant ratios."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from azgen.language import Address, Instruction, Program
from azgen.language.instruction import FEATURES
from azgen.language.normalize import live_after
from azgen.study.understanding.edits import Place, at, places
from azgen.study.understanding.machine import N_FEATURES, Machine, Step

TOLERANCE = 1e-6
"""Relative: values this close are the same."""

CURVED = 3
"""Degree of what is no polynomial of degree 2 or less."""


@dataclass(frozen=True)
class Idea:
    """A known idea that a program carries.

    Attributes:
        name: what it is called, for example "back-propagated error".
        summary: what it is here, in one sentence.
        lines: the lines that carry it.
        checked: the equality that holds, as formula or sentence.
        proof: how it was checked: "numerically", on random inputs, or "symbolically", by SymPy.
    """

    name: str
    summary: str
    lines: tuple[Place, ...]
    checked: str
    proof: str = "numerically"


@dataclass
class Evidence:
    """A live program, the steps it makes on random data, and questions to them."""

    program: Program
    classifier: bool = False
    machine: Machine = field(init=False)

    def __post_init__(self) -> None:
        self.machine = Machine(self.program, self.classifier)

    @cached_property
    def steps(self) -> list[Step]:
        """See `Machine.steps`; made when first asked for: a program of the zoo is known by its text alone."""
        return self.machine.steps()

    # ---- the program

    def lines(self, function: int, kind: str | None = None) -> Iterator[tuple[Place, Instruction]]:
        """Lines of a function, with results of one kind."""
        for place in places(self.program):
            instruction = at(self.program, place)
            if place.function == function and (kind is None or instruction.op.result == kind):
                yield place, instruction

    def text(self, place: Place) -> str:
        """A line's text."""
        return str(at(self.program, place))

    def writer(self, place: Place, address: Address) -> Place | None:
        """The line of the same function that made what a line finds at an address; None: none before it."""
        for number in range(place.number - 1, -1, -1):
            earlier = Place(place.function, number)
            if at(self.program, earlier).writes == address:
                return earlier
        return None

    def last_writer(self, function: int, address: Address) -> Place | None:
        """The line of a function that leaves an address as it is."""
        return self.writer(Place(function, len(self.program.functions[function])), address)

    @cached_property
    def entries(self) -> frozenset[Address]:
        """Addresses whose values at the start of Predict matter."""
        return live_after(self.program.functions, self.program.form)[2] - self.program.form.reserved

    @cached_property
    def learned(self) -> list[Address]:
        """Addresses that the prediction depends on at the start of Predict, and that training changes."""
        written = {i.writes for f in self.program.functions[1:] for i in f}
        return [a for a in sorted(self.entries) if a in written and self.derivatives(a) is not None]

    def only_from(self, place: Place, sources: frozenset[Address]) -> bool:
        """Whether a line is made, within its function, from these addresses and constants alone."""
        instruction = at(self.program, place)
        if instruction.op.stochastic:
            return False
        for address in instruction.reads:
            writer = self.writer(place, address)
            if writer is None and address not in sources and not self.constant(address):
                return False
            if writer is not None and not self.only_from(writer, sources):
                return False
        return True

    def constant(self, address: Address) -> bool:
        """Whether Predict and Learn never write an address."""
        return address not in {i.writes for f in self.program.functions[1:] for i in f} | set(
            (self.program.form.label, self.program.form.prediction, FEATURES)
        )

    # ---- features

    @cached_property
    def degrees(self) -> dict[Place, int]:
        """Degree of every line of Predict as a polynomial in the features, memory held; `CURVED` if none."""
        found = dict.fromkeys((place for place, _ in self.lines(1)), 0)
        times = np.arange(-2.0, 4.0)
        for number, step in enumerate(self.steps):
            random = np.random.default_rng([number, 5])
            start, along = random.normal(size=(2, N_FEATURES))
            traces = []
            for t in times:
                values: dict[Place, Any] = {}
                self.machine.predict(step, values, features=start + t * along)
                traces.append(values)
            for place in found:
                series = np.array([np.ravel(values[place]) for values in traces])
                found[place] = max(found[place], degree(series))
        return found

    def degree_of(self, place: Place, address: Address) -> int:
        """Degree of what a line of Predict finds at an address."""
        writer = self.writer(place, address)
        return self.degrees[writer] if writer else int(address == FEATURES)

    def found(self, place: Place, address: Address) -> list[Any]:
        """What a line finds at an address, in every step."""
        writer = self.writer(place, address)
        if writer:
            return self.values(writer)
        if place.function == 1:
            return [s.features if address == FEATURES else s.before[address] for s in self.steps]
        return [s.middle[address] for s in self.steps]

    def values(self, place: Place) -> list[Any]:
        """What a line makes, in every step; of Setup, what is found there when training is under way."""
        if place.function == 0:
            out = at(self.program, place).writes
            return [step.before[out] for step in self.steps] if out else []
        return [step.values[place] for step in self.steps]

    @property
    def output(self) -> Place | None:
        """The line of Predict that makes the prediction."""
        return self.last_writer(1, self.program.form.prediction)

    def derivatives(self, where: Address | Place) -> list[Any] | None:
        """`Machine.ascent` in every step; None: it is 0 in all of them."""
        if where not in self._derivatives:
            found = [self.machine.ascent(step, where) for step in self.steps]
            self._derivatives[where] = found if any(np.any(np.nan_to_num(d)) for d in found) else None
        return self._derivatives[where]

    def derivatives_with(self, where: Address | Place, other: Address, line: Place) -> list[Any]:
        """The same with another address as a line of Learn finds it."""
        key = where, other, self.writer(line, other)
        if key not in self._derivatives_with:
            found = [
                self.machine.ascent(step, where, {other: step.found[line][other]}) for step in self.steps
            ]
            self._derivatives_with[key] = found
        return self._derivatives_with[key]

    @cached_property
    def _derivatives_with(self) -> dict[Any, list[Any]]:
        return {}

    @cached_property
    def _derivatives(self) -> dict[Address | Place, list[Any] | None]:
        return {}


def degree(series: Any) -> int:
    """Degree 0, 1 or 2 of columns of equally spaced values, or `CURVED`."""
    size = np.abs(series).max()
    if not np.isfinite(size):
        return CURVED
    for number in range(3):
        series = np.diff(series, axis=0)
        if np.abs(series).max() <= TOLERANCE * 1e-3 * size:
            return number
    return CURVED


def same(a: Sequence[Any], b: Sequence[Any]) -> bool:
    """Whether two series of values agree, within rounding, and are not all zero."""
    pairs = [(np.asarray(x), np.asarray(y)) for x, y in zip(a, b, strict=True)]
    if not pairs or not any(np.any(x) for x, _ in pairs):
        return False
    return all(
        x.shape == y.shape and np.abs(x - y).max() <= TOLERANCE * max(np.abs(x).max(), np.abs(y).max(), 1e-12)
        for x, y in pairs
    )


def ratios(a: Sequence[Any], b: Sequence[Any]) -> Any:
    """Numbers c with a = c b in every step, NaN where both are 0 or b is; None: there are no such numbers, or
    one of them is 0."""
    found = []
    for x, y in zip(a, b, strict=True):
        x, y = np.ravel(x), np.ravel(y)
        if x.shape != y.shape:
            return None
        norm = float(y @ y)
        if np.isnan(norm):  # not known in this step
            found.append(np.nan)
            continue
        if norm == 0 or np.abs(y).max() < 1e-14:
            if np.any(np.abs(x) > 1e-12):
                return None
            found.append(np.nan)
            continue
        c = float(x @ y) / norm
        if np.abs(x - c * y).max() > 30 * TOLERANCE * max(np.abs(x).max(), 1e-14):
            return None
        found.append(c)
    numbers = np.array(found)
    known = numbers[~np.isnan(numbers)]
    return numbers if len(known) >= 4 and np.any(known) and not np.any(known == 0) else None


def steady(numbers: Any) -> float | None:
    """The value of a series that is constant, NaN aside; None: it is not."""
    known = numbers[~np.isnan(numbers)]
    if len(known) < 4:
        return None
    middle = float(np.median(known))
    return middle if middle and np.abs(known - middle).max() <= 100 * TOLERANCE * abs(middle) else None


def ratios_within_rounding(a: Sequence[Any], b: Sequence[Any]) -> float | None:
    """The number c with a = c b in all steps; None: there is none."""
    found = ratios(a, b)
    return None if found is None else steady(found)
