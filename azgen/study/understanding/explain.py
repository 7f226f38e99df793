"""Explaining a program: its known ideas and the lines that carry them, its nearest program, its warnings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from azgen.language import FUNCTIONS, Program
from azgen.plain import as_plain
from azgen.study.understanding.edits import Place, at
from azgen.study.understanding.evidence import Evidence, Idea
from azgen.study.understanding.gradients import GradientStep, Variant, gradient_steps
from azgen.study.understanding.learning import learning
from azgen.study.understanding.nearest import Nearest, nearest
from azgen.study.understanding.predicting import hidden_layers, predicting
from azgen.study.understanding.remembering import clipping, remembering
from azgen.study.understanding.symbolic import UNPROVED, Symbolic, symbolic
from azgen.study.understanding.warnings import warnings_of

_DEGREES = {"linear model": 1, "multiplicative interaction": 2}


@dataclass(frozen=True)
class Explanation:
    """What is known of a program.

    Attributes:
        program: its live code; places refer to it.
        ideas: known ideas, in the order model, layers, learning, memory.
        nearest: the nearest program of the zoo.
        warnings: what to beware of; see `warnings_of`.
    """

    program: Program
    ideas: tuple[Idea, ...]
    nearest: Nearest | None
    warnings: tuple[str, ...]

    def lines_of(self, idea: Idea) -> tuple[str, ...]:
        """The lines that carry an idea, with their function."""
        return tuple(
            f"{FUNCTIONS[place.function].capitalize()}: {at(self.program, place)}" for place in idea.lines
        )

    def named(self, name: str) -> tuple[Idea, ...]:
        """All ideas of this name."""
        return tuple(idea for idea in self.ideas if idea.name == name)

    def notes(self, place: Place) -> tuple[str, ...]:
        """Names of the ideas that a line carries."""
        return tuple(dict.fromkeys(idea.name for idea in self.ideas if place in idea.lines))

    def as_record(self) -> dict[str, Any]:
        """The explanation as plain values."""
        near = self.nearest
        ideas = [as_plain(idea) | {"lines": list(self.lines_of(idea))} for idea in self.ideas]
        about = near and as_plain(near) | {"text": str(near), "constants": dict(near.constants)}
        return {
            "program": str(self.program),
            "ideas": ideas,
            "nearest": about,
            "warnings": list(self.warnings),
        }


def explain(program: Program, classifier: bool = False) -> Explanation:
    """Names the known ideas in a program.

    An idea is named only where an equality is checked: numerically in float64, on 4 random features, in steps
    of training runs on random data, or by SymPy, if it is installed, for all values with two features. What
    is not named may still be there: where nothing finite came of the random data, for example, only warnings
    are given.

    Args:
        program: its live code is explained.
        classifier: whether it tells two classes apart, so that its prediction becomes a probability. Programs
            for several classes do in any case.
    """
    with np.errstate(all="ignore"):
        return _explained(program, classifier)


def _explained(program: Program, classifier: bool) -> Explanation:
    live = program.live()
    evidence = Evidence(live, classifier)
    layers = hidden_layers(evidence)
    steps = gradient_steps(evidence, layers) if len(evidence.steps) >= 4 else []
    proofs = symbolic(evidence) if evidence.steps else None
    ideas = [
        *predicting(evidence, layers),
        *learning(evidence, layers, steps, lambda step: _proved(proofs, lambda p: _along(p, step))),
        *remembering(evidence, steps),
        *clipping(evidence, layers),
    ]
    return Explanation(
        live,
        tuple(_with_degree_proved(idea, evidence, proofs) for idea in ideas),
        nearest(evidence) if any(live.functions) else None,
        warnings_of(program),
    )


def _along(proofs: Symbolic, step: GradientStep) -> bool:
    exact = step.variant == Variant() and not step.by_gate
    return exact and proofs.along_gradient(step.line, step.weights)


def _with_degree_proved(idea: Idea, evidence: Evidence, proofs: Symbolic | None) -> Idea:
    degree = _DEGREES.get(idea.name)
    if degree is None or evidence.output not in idea.lines:
        return idea
    proved = _proved(proofs, lambda p: p.degree() == degree)
    if not proved:
        return idea
    checked = f"for all memory, the prediction is a polynomial of degree {degree} in the features"
    return replace(idea, proof="symbolically", checked=checked)


def _proved(proofs: Symbolic | None, question: Callable[[Symbolic], bool]) -> bool:
    try:
        return proofs is not None and question(proofs)
    except UNPROVED:
        return False
