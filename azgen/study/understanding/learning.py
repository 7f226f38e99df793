"""Ideas in how a program learns: its error, gates, back-propagated errors, gradient steps and their rates."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from azgen.study.understanding.edits import Place, at
from azgen.study.understanding.evidence import Evidence, Idea, same, steady
from azgen.study.understanding.gradients import GradientStep, parallel
from azgen.study.understanding.machine import lines_between
from azgen.study.understanding.predicting import Hidden
from azgen.study.understanding.rates import error_lines, rate_of, rate_text, spelled


def learning(
    evidence: Evidence,
    layers: list[Hidden],
    steps: list[GradientStep],
    proves: Callable[[GradientStep], bool] = lambda step: False,
) -> Iterator[Idea]:
    """Ideas in Learn.

    Args:
        evidence: what is measured.
        layers: hidden layers of Predict.
        steps: see `gradient_steps`.
        proves: whether a step along the gradient is proved to be one.
    """
    if len(evidence.steps) < 4:
        return
    yield from _errors(evidence)
    for layer in layers:
        yield from _gates(evidence, layer)
        yield from _back_propagated(evidence, layer)
    for step in steps:
        yield _named(evidence, step, "symbolically" if proves(step) else "numerically")
    for step in steps:
        yield from _decayed(evidence, step)
    yield from _normalised(evidence, steps)


def _errors(evidence: Evidence) -> Iterator[Idea]:
    lines = error_lines(evidence)
    if lines:
        order = "label minus prediction" if next(iter(lines.values())) > 0 else "prediction minus label"
        first = evidence.text(next(iter(lines)))
        yield Idea("error", order, tuple(lines), f"`{first}` is {order}")


def _gates(evidence: Evidence, layer: Hidden) -> Iterator[Idea]:
    """Lines that are 1 where the rectifier lets the pre-activation through, else 0."""
    opened = [(np.asarray(z) > 0).astype(float) for z in evidence.values(layer.before)]
    through = [
        (np.asarray(z) >= np.asarray(r)).astype(float)
        for z, r in zip(evidence.values(layer.before), evidence.values(layer.activation), strict=True)
    ]
    lines = [
        place
        for place, _ in (*evidence.lines(1, "v"), *evidence.lines(2, "v"))
        if same(evidence.values(place), opened)
    ]
    if not lines:
        return
    share = np.mean([np.mean(a == b) for a, b in zip(opened, through, strict=True)])
    rest = (
        ""
        if share == 1
        else f"; the rectifier's own slope is that in {share:.0%} of cases, for its threshold is not 0"
    )
    yield Idea(
        "gate",
        f"1 where the pre-activation is above 0, else 0: the slope of the rectifier{rest}",
        tuple(lines),
        f"`{evidence.text(lines[0])}` is 1 exactly where `{evidence.text(layer.before)}` is above 0",
    )


def _back_propagated(evidence: Evidence, layer: Hidden) -> Iterator[Idea]:
    found = [
        (place, multiple[0])
        for place, _ in evidence.lines(2, "v")
        if (multiple := parallel(evidence, place, layer.before, layer)) is not None
    ]
    if found:
        line, variant = found[-1]
        note = f", {variant}" if str(variant) else ""
        yield Idea(
            "back-propagated error",
            f"the error carried back through the output weights and the gate to the hidden layer{note}",
            tuple(place for place, _ in found),
            f"`{evidence.text(line)}` is a multiple of error times d prediction / d pre-activation{note}",
        )


def _named(evidence: Evidence, step: GradientStep, proof: str) -> Idea:
    rate, extra, by_error = rate_text(evidence, step.scale, step.line, step.adding.factor)
    what = "gate" if step.by_gate else f"d prediction / d {step.weights}"
    direction = f"error times {what}" if by_error else what
    notes = [
        "the gate stands in place of the activation: an approximate gradient" if step.by_gate else "",
        str(step.variant),
        f"added {step.adding.when}" if step.adding.when else "",
        f"summed up in {step.adding.address}" if step.adding.address != step.weights else "",
        "its weights decay" if step.adding.decay is not None else "",
    ]
    return Idea(
        "gradient step",
        "; ".join([f"{step.weights} moves by {rate} times {direction}", *filter(None, notes)]),
        tuple(sorted({*extra, *_from_label(evidence, step.line), *_to_weights(evidence, step)})),
        f"`{evidence.text(step.line)}` is a multiple of error times {what}"
        + (f", {step.variant}" if str(step.variant) else ""),
        proof,
    )


def _decayed(evidence: Evidence, step: GradientStep) -> Iterator[Idea]:
    """Weights that shrink by a share of themselves in every step: the gradient of a penalty on their
    square."""
    address, share = step.adding.address, step.adding.decay
    last = evidence.last_writer(2, address)
    if share is None or last is None:
        return
    numbers = lines_between(evidence.program, 2, frozenset({address}), last.number)
    lines = {Place(2, number) for number in numbers} - set(step.adding.lines)
    for line in list(lines):
        made = [evidence.writer(line, a) for a in at(evidence.program, line).reads if a.kind == "s"]
        lines.update(place for place in made if place is not None)
    rate, more, _ = rate_text(evidence, share, step.line, 1.0)
    yield Idea(
        "weight decay",
        f"{address} shrinks by {rate} of itself with every example, as a penalty on its square would have it",
        tuple(sorted({*lines, *more})),
        f"new {address} = (1 - r) old {address} + the step, with the same r for all its entries",
    )


def _from_label(evidence: Evidence, line: Place) -> Iterator[Place]:
    """Lines of Learn on the way from the label to a step."""
    yield line
    for number in lines_between(evidence.program, 2, frozenset({evidence.program.form.label}), line.number):
        yield Place(2, number)


def _to_weights(evidence: Evidence, step: GradientStep) -> Iterator[Place]:
    """Lines of Learn that add a step, and those that then make the weights of the sum."""
    yield from step.adding.lines
    last = evidence.last_writer(2, step.weights)
    if step.adding.address != step.weights and last is not None:
        yield last
        for address in at(evidence.program, last).reads:
            writer = evidence.writer(last, address)
            if writer is not None:
                yield writer


def _normalised(evidence: Evidence, steps: list[GradientStep]) -> Iterator[Idea]:
    """Steps that are divided by a norm."""
    for step in steps:
        rate = rate_of(evidence, step.scale, step.line)
        for name, power in rate.factors if rate else ():
            if (
                not isinstance(name, Place)
                or power > 0
                or not at(evidence.program, name).op.name.endswith("_norm")
            ):
                continue
            address = at(evidence.program, name).writes
            divisions = [
                place
                for place, line in evidence.lines(2)
                if line.op.name.endswith(("division", "reciprocal"))
                and line.reads[-1] == address
                and place > name
            ]
            yield Idea(
                "gradient normalisation",
                f"the step of {step.weights} is divided by {spelled(evidence, name)}"
                + _share(evidence, step, name),
                (*_operand(evidence, name), name, *divisions),
                f"the step of {step.weights}, divided by the gradient and multiplied by that norm, has no "
                "factor left that depends on the data but those named with the step",
            )


def _operand(evidence: Evidence, line: Place) -> Iterator[Place]:
    """The line that makes a line's first operand, in the same function."""
    writer = evidence.writer(line, at(evidence.program, line).reads[0])
    if writer is not None:
        yield writer


def _share(evidence: Evidence, step: GradientStep, norm: Place) -> str:
    """How a norm compares with that of the gradient without the error, in words."""
    slopes = evidence.derivatives(step.weights)
    if slopes is None or np.ndim(evidence.steps[0].error):
        return ""
    with np.errstate(all="ignore"):
        true = [np.linalg.norm(x) / abs(float(k.error)) for x, k in zip(slopes, evidence.steps, strict=True)]
        share = np.array(evidence.values(norm)) / np.array(true)
    share = share[np.isfinite(share)]
    if not len(share):
        return ""
    if steady(share) is not None and abs(share[0] - 1) < 1e-4:
        return ", the norm of d prediction / d " + str(step.weights)
    middle = np.median(share)
    return f", about {middle:.2g} times the norm of d prediction / d {step.weights} on random data"
