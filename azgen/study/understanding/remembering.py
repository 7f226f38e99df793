"""Ideas in what a program keeps from example to example: averages, statistics, rates; and clipping."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from azgen.language import Address
from azgen.language.instruction import FEATURES
from azgen.study.understanding.edits import Place, at
from azgen.study.understanding.evidence import Evidence, Idea, steady
from azgen.study.understanding.gradients import GradientStep
from azgen.study.understanding.predicting import Hidden
from azgen.study.understanding.rates import rate_of

_LEAST = 4


def remembering(evidence: Evidence, steps: list[GradientStep]) -> Iterator[Idea]:
    """Ideas in what outlasts an example."""
    if len(evidence.steps) < _LEAST:
        return
    yield from _averages(evidence, steps)
    yield from _statistics(evidence)
    yield from _decays(evidence)
    yield from _growing_divisors(evidence, steps)


def _recurrence(old: list[Any], new: list[Any], other: list[Any]) -> tuple[float, float] | None:
    """Numbers a and b with new = a old + b other in all steps, both not 0."""
    x = np.stack([np.ravel(np.asarray(old)), np.ravel(np.asarray(other))], axis=1)
    y = np.ravel(np.asarray(new))
    if len(x) < 2 * _LEAST or np.linalg.matrix_rank(x, tol=1e-9 * max(np.abs(x).max(), 1e-30)) < 2:
        return None
    (a, b), *_ = np.linalg.lstsq(x, y, rcond=None)
    close = np.abs(x @ [a, b] - y).max() <= 1e-7 * max(np.abs(y).max(), 1e-30)
    significant = min(np.abs(a * x[:, 0]).max(), np.abs(b * x[:, 1]).max()) > 1e-5 * np.abs(y).max()
    return (float(a), float(b)) if close and significant and abs(a) > 1e-9 and abs(b) > 1e-9 else None


def _averages(evidence: Evidence, steps: list[GradientStep]) -> Iterator[Idea]:
    """Sums or running means of what gradient steps are summed up in."""
    summed = {step.adding.address: step.adding.lines[-1] for step in steps}
    for address in sorted(evidence.entries):
        line = evidence.last_writer(2, address)
        if line is None or address in summed:
            continue
        for weights, adding in summed.items():
            if weights.kind != address.kind:
                continue
            found = _recurrence(
                [s.before[address] for s in evidence.steps],
                [s.after[address] for s in evidence.steps],
                evidence.values(adding),
            )
            if found is None:
                continue
            a, b = found
            kind = "the sum" if abs(a - 1) < 1e-6 else "a running mean"
            uses = [
                place
                for place, instruction in evidence.lines(1)
                if address in instruction.reads and evidence.writer(place, address) is None
            ]
            yield Idea(
                "weight averaging",
                f"{address} is {kind} of the weights {weights} over the examples"
                + (", and Predict makes its weights of it" if uses else ""),
                (line, *uses),
                f"new {address} = {_times(a)}old {address} + {_times(b)}{weights} in every step",
            )


def _times(number: float) -> str:
    return "" if abs(number - 1) < 1e-6 else f"{number:.4g} * "


def _statistics(evidence: Evidence) -> Iterator[Idea]:
    """Sums and running means of what is made of features or labels alone."""
    label = evidence.program.form.label
    given = frozenset({FEATURES, label})
    for function in (1, 2):
        for place, instruction in evidence.lines(function):
            address = instruction.writes
            if (
                address is None
                or address not in evidence.entries
                or evidence.last_writer(function, address) != place
            ):
                continue
            if evidence.last_writer(3 - function, address) is not None:
                continue
            for source, values in _from_data(evidence, place, given, address):
                found = _recurrence(
                    [s.before[address] for s in evidence.steps],
                    [s.after[address] for s in evidence.steps],
                    values,
                )
                if found is not None:
                    a, b = found
                    kind = "the sum" if abs(a - 1) < 1e-6 else "a running mean"
                    yield Idea(
                        "running statistics",
                        f"{address} is {kind} of {source} over the examples",
                        (place,),
                        f"new {address} = {_times(a)}old {address} + {_times(b)}{source} in every step",
                    )
                    break


def _from_data(
    evidence: Evidence, place: Place, given: frozenset[Address], address: Address
) -> Iterator[tuple[str, list[Any]]]:
    """Features, label and lines made of them alone, of the kind of an address."""
    if address.kind == "v":
        yield "the features", [s.features for s in evidence.steps]
    if address.kind == evidence.program.form.label.kind and place.function == 2:
        yield "the label", [s.label for s in evidence.steps]
    for function in range(1, place.function + 1):
        for other, instruction in evidence.lines(function, address.kind):
            if other < place and instruction.reads and evidence.only_from(other, given):
                yield str(instruction).partition(" = ")[2], evidence.values(other)


def _decays(evidence: Evidence) -> Iterator[Idea]:
    """Scalars that shrink with every example, from nothing but themselves."""
    for address in sorted(evidence.entries):
        if address.kind != "s":
            continue
        lines = [line for f in (1, 2) if (line := evidence.last_writer(f, address)) is not None]
        if len(lines) != 1 or not evidence.only_from(lines[0], frozenset({address})):
            continue
        pairs = [(abs(float(s.before[address])), abs(float(s.after[address]))) for s in evidence.steps]
        if pairs and all(0 < new < old for old, new in pairs):
            first, last = evidence.steps[0].before[address], evidence.steps[-1].after[address]
            yield Idea(
                "rate decay",
                f"{address} shrinks with every example, whatever the data",
                (lines[0],),
                f"|{address}| falls in every step, from {address} and constants alone (here from "
                f"{abs(first):.3g} to {abs(last):.3g})",
            )


def _growing_divisors(evidence: Evidence, steps: list[GradientStep]) -> Iterator[Idea]:
    """Scalars that grow with every example, from nothing but themselves, and that steps are divided by."""
    told = set[Address]()
    for step in steps:
        rate = rate_of(evidence, step.scale, step.line)
        for name, power in rate.factors if rate else ():
            address = name if isinstance(name, Address) else at(evidence.program, name).writes
            if power > 0 or address is None or address in told or address not in evidence.entries:
                continue
            lines = [line for f in (1, 2) if (line := evidence.last_writer(f, address)) is not None]
            if len(lines) != 1 or not evidence.only_from(lines[0], frozenset({address})):
                continue
            pairs = [(abs(float(s.before[address])), abs(float(s.after[address]))) for s in evidence.steps]
            if not all(0 < old < new for old, new in pairs):
                continue
            told.add(address)
            yield Idea(
                "rate decay",
                f"steps are divided by {address}, which grows with every example, whatever the data",
                (lines[0],),
                f"|{address}| rises in every step, from {address} and constants alone (here from "
                f"{pairs[0][0]:.4g} to {pairs[-1][1]:.4g})",
            )


def clipping(evidence: Evidence, layers: list[Hidden]) -> Iterator[Idea]:
    """Values held within bounds: by min and max with a constant, or softly by sine or arc tangent."""
    rectifiers = {layer.activation for layer in layers}
    for function in (1, 2):
        for place, instruction in evidence.lines(function):
            name, bound = instruction.op.name.partition("_")[2], None
            if place in rectifiers or instruction.op.id >= 1000:
                continue
            if name in ("min", "max"):
                bound = _bound(evidence, place)
                if bound is not None:
                    inner, limit = bound
                    yield Idea(
                        "clipping",
                        f"what is {'above' if name == 'min' else 'below'} {limit:.4g} becomes {limit:.4g}",
                        (place,),
                        f"`{evidence.text(place)}` is {name}imum({inner}, {limit:.4g}) on all inputs",
                    )
            elif name in ("sin", "arctan") and _made_from_error(evidence, place):
                most = 1.0 if name == "sin" else np.pi / 2
                yield Idea(
                    "clipping",
                    f"softly: {name} keeps the error between -{most:.3g} and {most:.3g}, and hardly changes "
                    "small ones",
                    (place,),
                    f"`{evidence.text(place)}` is {name} of a multiple of the error: at most {most:.3g}, "
                    "and within 1 % of a for |a| < 0.17",
                )


def _bound(evidence: Evidence, place: Place) -> tuple[Address, float] | None:
    """What is clipped at a constant, and at which."""
    reads = at(evidence.program, place).reads
    for inner, limit in (reads, reads[::-1]):
        limits, values = evidence.found(place, limit), evidence.found(place, inner)
        if not limits or inner == limit:
            continue
        number = float(np.ravel(limits[0])[0])
        steady_limit = all(np.all(np.asarray(x) == number) for x in limits)
        varies = len({np.asarray(v).tobytes() for v in values}) > 1
        writer = evidence.writer(place, limit)
        fixed = evidence.constant(limit) or (writer is not None and evidence.only_from(writer, frozenset()))
        if steady_limit and varies and fixed:
            return inner, number
    return None


def _made_from_error(evidence: Evidence, place: Place) -> bool:
    (address,) = at(evidence.program, place).reads
    values = evidence.found(place, address)
    if place.function != 2 or not values or np.ndim(evidence.steps[0].error):
        return False
    error = np.array([s.error for s in evidence.steps], float)
    scale = np.array(values, float) / np.where(error == 0, np.nan, error)
    return steady(scale) is not None
