"""What scales a step: constants, and scalars that a program makes or keeps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np

from azgen.language import Address
from azgen.study.understanding.edits import Place, at
from azgen.study.understanding.evidence import Evidence, ratios_within_rounding, steady

_OPERATION = re.compile(r"^(?!\w+\(.*\)$).* [-+*/] ")
"""A text that is no call, with an operation in it."""


def error_lines(evidence: Evidence) -> dict[Place, float]:
    """Lines that take label and prediction from each other, with the sign of label minus prediction."""
    error, found = [step.error for step in evidence.steps], {}
    for place, instruction in evidence.lines(2, evidence.program.form.label.kind):
        if evidence.program.form.label in instruction.reads:
            factor = ratios_within_rounding(evidence.values(place), error)
            if factor is not None:
                found[place] = factor
    return found


@dataclass(frozen=True)
class Rate:
    """What scales a step: a constant times values of lines or addresses, to the power 1 or -1."""

    constant: float
    factors: tuple[tuple[Place | Address, int], ...] = ()


def rate_of(evidence: Evidence, scale: Any, line: Place) -> Rate | None:
    """The simplest product that the scale of a step always equals; None: none was found."""
    constant = steady(scale)
    if constant is not None:
        return Rate(constant)
    candidates = _scalars(evidence, line)
    for count in (1, 2, 3):
        for chosen in combinations(candidates.items(), count):
            for powers in product((1, -1), repeat=count):
                factors = [series ** float(p) for (_, series), p in zip(chosen, powers, strict=True)]
                constant = steady(scale / np.prod(factors, axis=0))
                if constant is not None:
                    names = [name for name, _ in chosen]
                    return Rate(constant, tuple(zip(names, powers, strict=True)))
    return None


def _scalars(evidence: Evidence, line: Place) -> dict[Place | Address, Any]:
    """Scalars that vary from step to step and are never 0; of multiples of each other the last.

    Products and quotients of scalars are left out: their factors are there.
    """
    found: dict[Place | Address, Any] = {}
    kept = [(a, [s.before[a] for s in evidence.steps]) for a in sorted(evidence.entries) if a.kind == "s"]
    lines = [
        (place, evidence.values(place))
        for function in (1, 2)
        for place, instruction in evidence.lines(function, "s")
        if place != line and instruction.op.name not in ("scalar_product", "scalar_division")
    ]
    every: list[tuple[Place | Address, list[Any]]] = [*kept, *lines]
    for name, values in every:
        series = np.array(values, float)
        if np.all(series != 0) and np.all(np.isfinite(series)) and steady(series) is None:
            for other in [o for o, numbers in found.items() if steady(series / numbers) is not None]:
                del found[other]
            found[name] = series
    return dict(list(found.items())[-12:])


def rate_text(
    evidence: Evidence, scale: Any, line: Place, times: float
) -> tuple[str, tuple[Place, ...], bool]:
    """A rate in words, the lines that make it, and whether the error is a factor beside it.

    Args:
        evidence: what is measured.
        scale: step divided by (error times derivative), in every step.
        line: the line that makes the step.
        times: how often it is added.
    """
    rate = rate_of(evidence, scale, line)
    if rate is None:
        return "a rate that varies", (), True
    size, errors = rate.constant * times, error_lines(evidence)
    parts = [f"{size:.4g}"] if abs(size - 1) > 1e-4 or not rate.factors else []
    lines: list[Place] = []
    by_error = True
    for name, power in rate.factors:
        if isinstance(name, Place) and name in errors and power < 0:
            by_error = False
            if errors[name] < 0:
                parts.insert(0, "-1")
            continue
        if isinstance(name, Place):
            lines.append(name)
        text = spelled(evidence, name)
        text = f"({text})" if _OPERATION.search(text) else text
        parts.append(text if power > 0 else f"1 / {text}")
    if not rate.factors:
        lines += [
            place
            for place, line in evidence.lines(0, "s")
            if line.constants
            and any(abs(size / line.constants[0] - k) < 1e-4 for k in (1, -1, 2, -2) if line.constants[0])
        ]
    return " * ".join(parts), tuple(lines), by_error


def spelled(evidence: Evidence, name: Place | Address) -> str:
    """What makes a scalar, with the operand of a norm spelled out."""
    if isinstance(name, Address):
        return str(name)
    line = at(evidence.program, name)
    text = str(line).partition(" = ")[2]
    writer = evidence.writer(name, line.reads[0]) if line.op.name.endswith("_norm") else None
    return f"norm({evidence.text(writer).partition(' = ')[2]})" if writer else text
