"""Steps along the gradient: which line of Learn makes them, what they are a multiple of, where they go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from azgen.language import Address
from azgen.study.understanding.edits import Place, at
from azgen.study.understanding.evidence import Evidence, ratios, ratios_within_rounding
from azgen.study.understanding.predicting import Hidden
from azgen.study.understanding.rates import rate_of


@dataclass(frozen=True)
class Variant:
    """In what a step may differ from the gradient, exactly.

    Attributes:
        updated: an address whose value is the one that the line finds, not that of Predict.
        unit_rate: a constant vector that scales every unit's part, and to which power.
        agreeing: holds only for units whose gate and rectifier agree (where a threshold is not 0).
    """

    updated: Address | None = None
    unit_rate: tuple[Address, int] | None = None
    agreeing: bool = False

    def __str__(self) -> str:
        power = f" to the power {self.unit_rate[1]}" if self.unit_rate and self.unit_rate[1] > 1 else ""
        notes = [
            f"with {self.updated} already updated" if self.updated else "",
            f"every unit at a rate of its own, {self.unit_rate[0]}{power}" if self.unit_rate else "",
            "on every unit whose gate and rectifier agree" if self.agreeing else "",
        ]
        return ", ".join(filter(None, notes))


@dataclass(frozen=True)
class Adding:
    """Where a step goes.

    Attributes:
        address: what it is added to.
        lines: the lines that add it.
        factor: how many times it is added: 1, 2, or -1, -2 where it is taken off.
        when: "", "one example later", or "now and one example later".
        decay: by which share of itself the address shrinks besides, in every step; None: by none.
    """

    address: Address
    lines: tuple[Place, ...]
    factor: float
    when: str = ""
    decay: Any = None


@dataclass(frozen=True)
class GradientStep:
    """A line of Learn that makes a step along the gradient.

    Attributes:
        weights: what Predict reads as weights.
        line: the line that makes the step.
        scale: step divided by (error times derivative), in every step; NaN where both are 0.
        adding: where it goes.
        variant: in what it differs from the gradient.
        by_gate: whether the gate stands in place of the activation: an approximate gradient.
    """

    weights: Address
    line: Place
    scale: Any
    adding: Adding
    variant: Variant
    by_gate: bool = False


def gradient_steps(evidence: Evidence, layers: list[Hidden]) -> list[GradientStep]:
    """For everything learned the line of Learn that makes its step, if it is along the gradient."""
    found = []
    for weights in evidence.learned:
        step = _gradient_step(evidence, weights, layers) or _step_by_gate(evidence, weights, layers)
        if step is not None:
            found.append(step)
    return found


def _gradient_step(evidence: Evidence, weights: Address, layers: list[Hidden]) -> GradientStep | None:
    layer = next((layer for layer in layers if layer.matrix == weights), None)
    for place, _ in reversed(list(evidence.lines(2, weights.kind))):
        adding = adds(evidence, place, weights)
        multiple = parallel(evidence, place, weights, layer) if adding else None
        if adding is None or multiple is None:
            continue
        variant, scale = multiple
        if weights.kind == "s" and rate_of(evidence, scale, place) is None:
            continue  # any two scalars have a ratio; it must be a rate
        return GradientStep(weights, place, scale, adding, variant)
    return None


def _step_by_gate(evidence: Evidence, weights: Address, layers: list[Hidden]) -> GradientStep | None:
    """A step that would be the output weights' gradient if the activations were 1."""
    errors = [step.error for step in evidence.steps]
    if weights.kind != "v" or np.ndim(errors[0]):
        return None
    for layer in layers:
        if layer.threshold == weights:
            continue
        opened = [e * (np.asarray(z) > 0) for e, z in zip(errors, evidence.values(layer.before), strict=True)]
        for place, _ in reversed(list(evidence.lines(2, "v"))):
            adding = adds(evidence, place, weights)
            for unit_rate, slopes in ((None, opened), *_with_unit_rates(evidence, opened)) if adding else ():
                scale = ratios(evidence.values(place), slopes)
                if scale is not None and adding is not None:
                    return GradientStep(weights, place, scale, adding, Variant(unit_rate=unit_rate), True)
    return None


def adds(evidence: Evidence, place: Place, weights: Address) -> Adding | None:
    """What a line makes is added to weights, or to what they are a multiple of; in this step or the next.

    Only a line whose value itself is added counts, not one of which a multiple is.
    """
    made = at(evidence.program, place).writes
    for address in sorted(evidence.entries, key=lambda a: a != weights):
        last = evidence.last_writer(2, address)
        if last is None or address.kind != weights.kind or not _feeds(evidence, address, weights):
            continue
        changes = [s.after[address] - s.before[address] for s in evidence.steps]
        factor, decay = _plain_multiple(changes, evidence.values(place)), None
        if not factor:
            factor, decay = _decaying(evidence, address, changes, evidence.values(place))
        if factor:
            lines = [last] if last.number > place.number else []
            between = [p for p, i in evidence.lines(2) if place < p < last and i.writes and made in i.reads]
            lines = [
                p for p in between if at(evidence.program, p).op.name.endswith(("_sum", "_diff"))
            ] + lines
            return Adding(address, tuple(lines or (last,)), factor, "", decay)
        pairs = [
            (change, now, s.earlier.values[place])
            for change, now, s in zip(changes, evidence.values(place), evidence.steps, strict=True)
            if s.earlier
        ]
        moved = [change for change, _, _ in pairs]
        if factor := _plain_multiple(moved, [before for _, _, before in pairs]):
            return Adding(address, _adding_lines(evidence, address), factor, "one example later")
        if factor := _plain_multiple(moved, [now + before for _, now, before in pairs]):
            return Adding(address, _adding_lines(evidence, address), factor, "now and one example later")
    return None


def _decaying(
    evidence: Evidence, address: Address, changes: list[Any], values: list[Any]
) -> tuple[float, Any]:
    """How many times values are added, where besides all entries shrink by the same share of themselves; and
    that share in every step. 0.0 and None: it is not so."""
    before = [s.before[address] for s in evidence.steps]
    if address.kind == "s":
        return 0.0, None  # any two scalars have a ratio
    for factor in (1.0, -1.0, 2.0, -2.0):
        rest = [change - factor * value for change, value in zip(changes, values, strict=True)]
        share = ratios(rest, [-x for x in before])
        if share is not None and np.nanmin(share) > 0 and np.nanmax(share) < 1:
            return factor, share
    return 0.0, None


def _adding_lines(evidence: Evidence, address: Address) -> tuple[Place, ...]:
    """Sums and differences of Learn that an address is part of and that go to it."""
    return tuple(
        place
        for place, line in evidence.lines(2, address.kind)
        if line.writes == address and address in line.reads and line.op.name.endswith(("_sum", "_diff"))
    )


def _plain_multiple(changes: list[Any], values: list[Any]) -> float | None:
    """1, 2, -1 or -2: how many times the values the changes are, rounding aside; None: another number."""
    scale = ratios_within_rounding(changes, values)
    return next((n for n in (1.0, 2.0, -1.0, -2.0) if scale is not None and abs(scale - n) < 1e-4), None)


def _feeds(evidence: Evidence, address: Address, weights: Address) -> bool:
    """Whether weights are an address, or made of it at the end of Learn by a product."""
    if address == weights:
        return True
    last = evidence.last_writer(2, weights)
    line = at(evidence.program, last) if last else None
    return line is not None and "product" in line.op.name and address in line.reads


def parallel(
    evidence: Evidence, line: Place, where: Address | Place, layer: Hidden | None
) -> tuple[Variant, Any] | None:
    """In which variant what a line makes is a multiple of the derivative of error times prediction, and the
    multiples."""
    values = evidence.values(line)
    masks = [None] if layer is None or layer.threshold is None else [None, _agreeing(evidence, layer)]
    for updated, slopes in _slopes(evidence, where, line):
        for unit_rate, scaled in ((None, slopes), *_with_unit_rates(evidence, slopes)):
            for mask in masks:
                scale = ratios(
                    *(values, scaled) if mask is None else (_masked(values, mask), _masked(scaled, mask))
                )
                if scale is not None:
                    return Variant(updated, unit_rate, mask is not None), scale
    return None


def _slopes(
    evidence: Evidence, where: Address | Place, line: Place
) -> Iterator[tuple[Address | None, list[Any]]]:
    """Derivatives of error times prediction; also with one other address as a line of Learn finds it."""
    plain = evidence.derivatives(where)
    if plain is not None:
        yield None, plain
    for other in evidence.learned:
        updated = evidence.writer(line, other)
        if other != where and updated is not None and updated == evidence.last_writer(2, other):
            yield other, evidence.derivatives_with(where, other, line)


def _with_unit_rates(
    evidence: Evidence, slopes: list[Any]
) -> Iterator[tuple[tuple[Address, int], list[Any]]]:
    """Slopes by unit (a vector's entries, a matrix's rows), times a vector that only Setup writes."""
    if not np.ndim(slopes[0]):
        return
    for address in sorted({a for _, line in evidence.lines(2) for a in line.reads}):
        if address.kind != "v" or not evidence.constant(address):
            continue
        rates = [step.before[address] for step in evidence.steps]
        if all(np.ptp(r) == 0 for r in rates):
            continue
        for power in (1, 2, 3):
            factors = [
                r**power if np.ndim(x) == 1 else (r**power)[:, None]
                for r, x in zip(rates, slopes, strict=True)
            ]
            yield (address, power), [f * x for f, x in zip(factors, slopes, strict=True)]


def _agreeing(evidence: Evidence, layer: Hidden) -> list[Any]:
    """Units whose gate (above 0) and rectifier (above the threshold) agree."""
    pairs = zip(evidence.values(layer.before), evidence.values(layer.activation), strict=True)
    return [(np.asarray(z) > 0) == (np.asarray(z) >= np.asarray(r)) for z, r in pairs]


def _masked(values: list[Any], masks: list[Any]) -> list[Any]:
    return [np.where(m if np.ndim(v) < 2 else m[:, None], v, 0.0) for v, m in zip(values, masks, strict=True)]
