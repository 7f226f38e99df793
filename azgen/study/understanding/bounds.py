"""Bounds of everything that a program computes, whatever the data: an interval for every address.

A vector's or matrix's interval holds each of its entries. It says nothing about NaN, which any operation may
make unless `number` is true. What is not known to be bounded has infinite bounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from azgen.language import Address, Instruction, Program
from azgen.language.instruction import FEATURES
from azgen.language.op import FIRST_ID

_TINY = 1e-30
"""Bounds this near to zero may be zero after rounding, in float32 too."""

_ROUNDING = 1e-4
"""By how much of itself a computed bound is moved outwards, far more than sums round."""

_WIDENING = 8
"""Passes after which a bound that still moves is taken as infinite."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """All entries lie between low and high, if they are numbers; with `number` they are."""

    low: float = -math.inf
    high: float = math.inf
    number: bool = False

    @property
    def excludes_zero(self) -> bool:
        """Whether no entry can be 0."""
        return self.low > _TINY or self.high < -_TINY

    @property
    def positive(self) -> bool:
        """Whether every entry is above 0."""
        return self.low > _TINY

    def __or__(self, other: Bounds) -> Bounds:
        both = self.number and other.number
        return Bounds(min(self.low, other.low), max(self.high, other.high), both)


ZERO = Bounds(0.0, 0.0, number=True)
_ANYTHING = Bounds()
_NOT_NEGATIVE = Bounds(0.0)

State = dict[Address, Bounds]


def bounds_of_operands(program: Program) -> Iterator[tuple[int, Instruction, tuple[Bounds, ...]]]:
    """Function (0 to 2), instruction and its operands' bounds, for every instruction in order of the text.

    They hold at every step of every execution, on any finite data.
    """
    setup: State = {}
    _run(program.setup, setup)
    state = dict(setup)
    for turn in range(3 * _WIDENING):
        before = dict(state)
        for function, learning in ((program.predict, False), (program.learn, True)):
            after = _entering(program, state, learning)
            _run(function, after)
            state = _joined(state, after, widen=turn >= _WIDENING)
        if state == before:
            break
    else:
        state = {address: _ANYTHING for address in state}
    for number, function in enumerate(program.functions):
        entering = {} if number == 0 else _entering(program, state, learning=number == 2)
        for instruction in function:
            yield number, instruction, tuple(entering.get(a, ZERO) for a in instruction.reads)
            _run((instruction,), entering)


def _entering(program: Program, state: State, learning: bool) -> State:
    form = program.form
    given = {FEATURES: _ANYTHING, form.label: _ANYTHING if learning else ZERO}
    # A classifier's prediction is replaced by its probability.
    prediction = state.get(form.prediction, ZERO) | Bounds(0.0, 1.0)
    return state | given | {form.prediction: prediction}


def _joined(a: State, b: State, widen: bool) -> State:
    joined: State = {}
    for address in a.keys() | b.keys():
        old = a.get(address, ZERO)
        new = old | b.get(address, ZERO)
        if widen:
            low = old.low if new.low == old.low else -math.inf
            new = Bounds(low, old.high if new.high == old.high else math.inf, new.number)
        joined[address] = new
    return joined


def _run(function: tuple[Instruction, ...], state: State) -> None:
    for instruction in function:
        if instruction.writes:
            operands = tuple(state.get(a, ZERO) for a in instruction.reads)
            state[instruction.writes] = _result(instruction, operands)


def _result(instruction: Instruction, operands: tuple[Bounds, ...]) -> Bounds:
    op, constants = instruction.op, instruction.constants
    if any(math.isnan(c) for c in constants):
        return _ANYTHING
    if op.constants == ("value",):
        return _constant(constants[0])
    if op.keeps_rest:
        return operands[0] | _constant(constants[-1])
    if op.constants == ("low", "high"):
        return _rounded(Bounds(min(constants), max(constants)))
    rule = _RULES.get(op.name) or _RULES.get(op.name.partition("_")[2])
    return _rounded(rule(*operands)) if rule and op.id < FIRST_ID else _ANYTHING


def _rounded(b: Bounds) -> Bounds:
    """Moved outwards, by more than rounding can; a bound that is NaN is not known."""
    low = -math.inf if math.isnan(b.low) else b.low - _ROUNDING * abs(b.low)
    high = math.inf if math.isnan(b.high) else b.high + _ROUNDING * abs(b.high)
    return Bounds(low, high)


def _constant(value: float) -> Bounds:
    around = _rounded(Bounds(value, value))
    return Bounds(around.low, around.high, number=True)


def _product(a: Bounds, b: Bounds) -> Bounds:
    ends = [x * y if x and y else 0.0 for x in (a.low, a.high) for y in (b.low, b.high)]
    return Bounds(min(ends), max(ends))


def _inverse(a: Bounds) -> Bounds:
    if not a.excludes_zero:
        return _ANYTHING  # 1 / -0.0 is -inf
    return Bounds(1 / a.high, 1 / a.low)


def _absolute(a: Bounds) -> Bounds:
    if a.low >= 0:
        return a
    return Bounds(-a.high, -a.low) if a.high <= 0 else Bounds(0.0, max(-a.low, a.high))


def _sum_of_products(a: Bounds, b: Bounds) -> Bounds:
    """Of any number of terms, at least one."""
    one = _product(a, b)
    return Bounds(one.low if one.low >= 0 else -math.inf, one.high if one.high <= 0 else math.inf)


def _largest(a: Bounds, b: Bounds) -> Bounds:
    return _one_of(a, b, Bounds(max(a.low, b.low), max(a.high, b.high)))


def _smallest(a: Bounds, b: Bounds) -> Bounds:
    return _one_of(a, b, Bounds(min(a.low, b.low), min(a.high, b.high)))


def _one_of(a: Bounds, b: Bounds, chosen: Bounds) -> Bounds:
    """What `chosen` says, unless the second operand may be NaN: then it is the first."""
    return chosen if b.number else chosen | a


def _exponential(a: Bounds) -> Bounds:
    return Bounds(math.exp(a.low) if a.low > -60 else 0.0, math.exp(a.high) if a.high < 60 else math.inf)


def _same(a: Bounds) -> Bounds:
    return a


def _norm(a: Bounds) -> Bounds:
    """A norm is at least as large as its smallest entry, if the square of that is not rounded to 0."""
    least = _absolute(a).low
    return Bounds(least if least * least > _TINY else 0.0)


_Rule = Callable[..., Bounds]

_RULES: dict[str, _Rule] = {
    "sum": lambda a, b: Bounds(a.low + b.low, a.high + b.high),
    "diff": lambda a, b: Bounds(a.low - b.high, a.high - b.low),
    "product": _product,
    "vector_product": _product,
    "scalar_vector_product": _product,
    "scalar_matrix_product": _product,
    "division": lambda a, b: _product(a, _inverse(b)),
    "reciprocal": _inverse,
    "abs": _absolute,
    "heaviside": lambda a: Bounds(0.0, 1.0),
    "min": _smallest,
    "max": _largest,
    "sin": lambda a: Bounds(-1.0, 1.0),
    "cos": lambda a: Bounds(-1.0, 1.0),
    "arcsin": lambda a: Bounds(-1.6, 1.6),
    "arccos": lambda a: Bounds(0.0, 3.2),
    "arctan": lambda a: Bounds(math.atan(a.low), math.atan(a.high)),
    "exp": _exponential,
    "norm": _norm,
    "row_norm": _norm,
    "column_norm": _norm,
    "mean": _same,
    "row_mean": _same,
    "st_dev": lambda a: _NOT_NEGATIVE,
    "row_st_dev": lambda a: _NOT_NEGATIVE,
    "broadcast": _same,
    "column_broadcast": _same,
    "row_broadcast": _same,
    "transpose": _same,
    "inner_product": _sum_of_products,
    "outer_product": _product,
    "matrix_product": _product,
    "matrix_vector_product": _sum_of_products,
    "matrix_matrix_product": _sum_of_products,
}
"""By the op's name, or by what follows its operand's type; an op that is not here may give anything."""
