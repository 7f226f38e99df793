"""What is known of a program without running it, where that is something to beware of."""

from __future__ import annotations

from collections.abc import Iterator

from azgen.language import FUNCTIONS, Address, Instruction, Program
from azgen.language.instruction import FEATURES
from azgen.language.normalize import live_before
from azgen.study.understanding.bounds import Bounds, bounds_of_operands

Addresses = frozenset[Address]


def warnings_of(program: Program) -> tuple[str, ...]:
    """Short sentences, empty where there is nothing to beware of.

    "May" is meant: no bound that holds on all data excludes it. What is not mentioned cannot happen on finite
    data, as far as these sentences go.

    Args:
        program: its live code is looked at.
    """
    live = program.live()
    return (
        *_about_label(live),
        *_about_features(live),
        *_about_memory(live),
        *_about_arithmetic(live),
        *_about_dead_code(program, live),
    )


def _about_label(live: Program) -> Iterator[str]:
    label = live.form.label
    if not live.learn:
        yield "It learns nothing: no line of Learn has any effect on a prediction."
    elif not any(label in i.reads for i in live.learn):
        yield f"Learn never reads the label {label}."
    for instruction in live.predict:
        if label in instruction.reads:
            yield f"Predict reads the label {label}, which is 0 there: {instruction}."


def _about_features(live: Program) -> Iterator[str]:
    if live.form.prediction not in _tainted(live, frozenset({FEATURES}), frozenset()):
        yield "The prediction for a row does not depend on its features."


def carried(program: Program) -> Addresses:
    """Addresses that Predict changes and the next Predict reads, without any Learn between them.

    The prediction counts as changed by every Predict: of classes it becomes a probability.
    """
    live = program.live()
    read: Addresses = frozenset()
    while True:
        more = live_before(live.predict, read | {live.form.prediction}) - live.form.reserved
        if more == read:
            break
        read = more
    written = {i.writes for i in live.predict} | {live.form.prediction}
    return frozenset(read & written)


def order_matters(program: Program) -> bool:
    """Whether a prediction may depend on rows that were predicted before it."""
    live = program.live()
    kept = carried(live)
    return bool(kept & _state_from_features(live))


def _about_memory(live: Program) -> Iterator[str]:
    kept = carried(live)
    prediction = live.form.prediction
    if prediction not in {i.writes for i in live.predict}:
        yield (
            f"Predict never sets the prediction {prediction}; it stays what Setup or Learn left there, but "
            "for two classes, where every Predict makes a probability of what it finds."
        )
        kept -= {prediction}
    names = ", ".join(str(address) for address in sorted(kept))
    if order_matters(live):
        yield f"Predict changes memory that the next Predict reads ({names}): the order of rows matters."
    elif kept:
        yield (
            f"Predict changes memory that the next Predict reads ({names}): what is predicted "
            "depends on how many rows were predicted before."
        )
    for instruction in live.predict:
        if instruction.op.stochastic:
            yield f"Predict draws random numbers: {instruction}."


def _about_arithmetic(live: Program) -> Iterator[str]:
    from_label = _from_label(live)
    for (number, instruction, operands), labelled in zip(bounds_of_operands(live), from_label, strict=True):
        where = f"{FUNCTIONS[number].capitalize()}: {instruction}"
        op = instruction.op
        if op.name.endswith(("division", "reciprocal")):
            divisor = instruction.reads[-1]
            if number == 2 and divisor == live.form.label:
                yield f"Divides by the label ({where})."
            elif number == 2 and divisor in labelled:
                yield f"Divides by something made from the label ({where})."
            if not operands[-1].excludes_zero:
                yield f"May divide by zero ({where})."
        elif op.name == "scalar_log" and not operands[0].positive:
            yield f"May take the logarithm of a number that is not positive ({where})."
        elif op.name in ("scalar_arcsin", "scalar_arccos") and not _within_one(operands[0]):
            yield f"May leave the range -1 to 1 in which the function is defined ({where})."


def _about_dead_code(program: Program, live: Program) -> Iterator[str]:
    every, used = (sum(1 for _ in p.instructions()) for p in (program, live))
    if every > used:
        yield f"{every - used} of {every} lines have no effect on any prediction."


def _within_one(bounds: Bounds) -> bool:
    return bounds.low >= -1.0 and bounds.high <= 1.0


def _from_label(live: Program) -> Iterator[Addresses]:
    """Addresses made in this call of Learn from the label, as each instruction in the order of the text finds
    them."""
    for number, function in enumerate(live.functions):
        made = frozenset({live.form.label} if number == 2 else ())
        for instruction in function:
            yield made
            made = _step(instruction, made)


def _tainted(live: Program, sources: Addresses, before: Addresses) -> Addresses:
    """Addresses that depend on the sources after Predict, given those that do before it."""
    tainted = before | sources
    for instruction in live.predict:
        tainted = _step(instruction, tainted)
    return tainted


def _step(instruction: Instruction, tainted: Addresses) -> Addresses:
    out = instruction.writes
    if out is None:
        return tainted
    return tainted | {out} if any(a in tainted for a in instruction.reads) else tainted - {out}


def _state_from_features(live: Program) -> Addresses:
    """Addresses that may depend on the features of earlier rows when Predict begins."""
    known: Addresses = frozenset()
    while True:
        more = (known | _tainted(live, frozenset({FEATURES}), known)) - {FEATURES}
        if more == known:
            return known
        known = more
