"""Which program of the zoo a program is, or is nearest to, and what differs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from azgen.language import FUNCTIONS, Address, Program
from azgen.language.instruction import FEATURES, SCALAR
from azgen.language.zoo import zoo, zoo_names
from azgen.study.understanding.evidence import Evidence, same, steady
from azgen.study.understanding.machine import Machine, Step

_ROUNDS = 2

_DECAYING = ("first step's 1 / learning rate", "what a step adds to it", "penalty")

_RATE = ("learning rate",)
_HIDDEN = ("hidden weights' mean", "hidden weights' standard deviation")
_OUTPUT = ("output weights' mean", "output weights' standard deviation")

_CONSTANTS = {
    **dict.fromkeys(("linear", "affine", "softmax-linear"), _RATE),
    **dict.fromkeys(("ridge", "additive", "quadratic", "softmax-ridge"), _DECAYING),
    **dict.fromkeys(("additive-net", "skip-net"), _OUTPUT + _HIDDEN + _DECAYING),
    "softmax-ridge-net": _HIDDEN + _OUTPUT + _DECAYING,
    "evolved-net": _HIDDEN + _RATE + _OUTPUT,
    "discovered-net": _OUTPUT + _RATE + _HIDDEN,
    "discovered-quadratic": ("root of the learning rate", "scale's mean", "scale's standard deviation"),
    "neural-net": _OUTPUT + _HIDDEN + _RATE,
    "softmax-neural-net": _HIDDEN + _OUTPUT + _RATE,
    "rate-decay": (*_OUTPUT, *_HIDDEN, "first learning rate"),
    "noisy-relu": (*_OUTPUT, *_HIDDEN, *_RATE, "noise's mean", "noise's standard deviation"),
    "mean-weight-rate": _OUTPUT + _HIDDEN,
    "softmax-mean-weight-rate": _HIDDEN + _OUTPUT,
    "best-evolved": ("factor of the weights", "noise's low", "noise's high"),
}
"""What the constants of some of the zoo's programs are, in the order of the text."""

_BY_RATE = ("linear", "affine", "softmax-linear")
"""Programs with one constant, the learning rate: others may compute the same in another way."""


@dataclass(frozen=True)
class Nearest:
    """A program of the zoo beside another.

    Attributes:
        name: "zoo:linear".
        kind: "structure" (the same but for constants), "predictions" (other lines, the same predictions,
            checked numerically) or "similar".
        constants: what the zoo's constants are called, and their values here; empty for "similar".
        similarity: share of lines that have their like in the other, 0 to 1.
        only_here, only_there: lines without their like, in the normal forms.
    """

    name: str
    kind: str
    constants: tuple[tuple[str, float], ...]
    similarity: float
    only_here: tuple[str, ...]
    only_there: tuple[str, ...]

    def __str__(self) -> str:
        values = " and ".join(f"{name} {value:.4g}" for name, value in self.constants)
        if self.kind == "structure":
            return f"{self.name} with {values}" if values else self.name
        if self.kind == "predictions":
            return f"{self.name} with {values}: other lines, the same predictions"
        return f"nearest in the zoo: {self.name}, {self.similarity:.0%} of the lines alike"


def nearest(evidence: Evidence) -> Nearest | None:
    """The nearest program of the zoo; None: there is none of this form that has a line in common."""
    program = evidence.program
    candidates = {n: zoo(n) for n in zoo_names() if zoo(n).form == program.form}
    for name, other in candidates.items():
        if other.structure_hash == program.structure_hash:
            return Nearest(f"zoo:{name}", "structure", _constants(name, program, other), 1.0, (), ())
    compared = {name: _compared(name, program, other) for name, other in candidates.items()}
    for name in _BY_RATE:
        rate = _same_predictions(evidence, candidates[name], name != "linear") if name in candidates else None
        if rate is not None:
            found = compared[name]
            return Nearest(
                found.name,
                "predictions",
                (("learning rate", rate),),
                found.similarity,
                found.only_here,
                found.only_there,
            )
    best = max(compared.values(), key=lambda c: c.similarity, default=None)
    return best if best is not None and best.similarity > 0 else None


def _constants(name: str, program: Program, other: Program) -> tuple[tuple[str, float], ...]:
    """Constants with their names, those alone that differ unless all are the same or there is one."""
    values, theirs = program.normalized().constants, other.normalized().constants
    kinds = [
        f"{kind} in `{line}`" for line in other.normalized().instructions() for kind in line.op.constants
    ]
    named = tuple(zip(_CONSTANTS.get(name, tuple(kinds)), values, strict=False))
    different = tuple(pair for pair, value in zip(named, theirs, strict=True) if pair[1] != value)
    return different or (named if len(named) == 1 else ())


def _labels(program: Program) -> list[tuple[str, Any]]:
    """Lines of the normal form, each with a label of its op and of what its operands are made by."""
    normal = program.normalized()
    labels: list[Any] = []
    writers: dict[Address, list[int]] = {}
    lines = [(f, i) for f, function in enumerate(normal.functions) for i in function]
    for number, (_, line) in enumerate(lines):
        if line.writes:
            writers.setdefault(line.writes, []).append(number)
    labels = [(f, line.op.name) for f, line in lines]
    for _ in range(_ROUNDS):
        labels = [
            (
                lines[n][0],
                lines[n][1].op.name,
                tuple(sorted(_made_by(a, n, writers, labels, normal) for a in lines[n][1].reads)),
            )
            for n in range(len(lines))
        ]
    texts = [f"{FUNCTIONS[f].capitalize()}: {line}" for f, line in lines]
    return list(zip(texts, labels, strict=True))


def _made_by(
    address: Address, reader: int, writers: dict[Address, list[int]], labels: list[Any], program: Program
) -> str:
    if address in (FEATURES, program.form.label):
        return str(address)
    made = [n for n in writers.get(address, []) if n < reader] or writers.get(address, [])
    return str(labels[made[-1]]) if made else "zero"


def _compared(name: str, program: Program, other: Program) -> Nearest:
    here, there = _labels(program), _labels(other)
    shared = Counter(label for _, label in here) & Counter(label for _, label in there)
    coarse = Counter(label[:2] for _, label in here) & Counter(label[:2] for _, label in there)
    total = max(len(here) + len(there), 1)
    similarity = (sum(shared.values()) + sum(coarse.values())) / total
    lines = (_unmatched(part, coarse) for part in (here, there))
    return Nearest(f"zoo:{name}", "similar", (), similarity, *lines)


def _unmatched(lines: list[tuple[str, Any]], shared: Counter[Any]) -> tuple[str, ...]:
    rest, found = Counter(shared), []
    for text, label in lines:
        if rest[label[:2]] > 0:
            rest[label[:2]] -= 1
        else:
            found.append(text)
    return tuple(found)


def _same_predictions(evidence: Evidence, other: Program, bias: bool) -> float | None:
    """The learning rate with which a program of the zoo makes the same predictions on random data, example by
    example; None: there is none."""
    steps = evidence.steps
    rates = [rate for step in steps if (rate := _effective_rate(evidence, step, bias)) is not None]
    rate = steady(np.array(rates)) if len(rates) >= 4 else None
    if rate is None:
        return None
    machine = Machine(other.with_constants((rate,)).live(), evidence.classifier)
    theirs = machine.steps()
    if [s.number for s in theirs] != [s.number for s in steps]:
        return None
    return rate if same([s.error for s in steps], [s.error for s in theirs]) else None


def _effective_rate(evidence: Evidence, step: Step, bias: bool) -> float | None:
    """By how much the prediction for an example moves in a step, in units of a linear model's gradient."""
    machine, x = evidence.machine, step.features
    after = machine.predict(step, memory={a: v for a, v in step.after.items() if a != FEATURES}, features=x)
    moved = np.asarray(after[machine.form.prediction] - machine.output(step))
    size = float(x @ x) + (1.0 if bias and machine.form == SCALAR else 0.0)
    along = np.asarray(step.error)
    return float(np.sum(moved * along) / (size * np.sum(along * along))) if np.any(along) else None
