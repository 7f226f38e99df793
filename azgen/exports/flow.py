"""A program as values and what they are made from, instead of registers that are written again and again.

Every instruction makes one `Value`. A read of an address becomes an edge to the value that it finds there:
one made earlier in the same function, or a *leaf*, what the address holds when the function starts. An
address whose value must outlast a function is an *attribute* of the exported object; all others vanish into
expressions and local variables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from azgen.language import Address, Instruction, Op, Program
from azgen.language.instruction import FEATURES, FUNCTIONS, SCALAR
from azgen.language.normalize import live_after

Leaf = Literal["", "entry", "zero", "label", "prediction", "features", "constant"]

SIGMOID = Op(
    -1, "sigmoid", "s -> s", "sigmoid({a})", lambda a: 1 / (1 + np.exp(-a)), "",
    "sigmoid({a})", lambda F: 0.0,
    "The logistic function, which a classifier's predictions pass through.",
    family="sigmoid",
)  # fmt: skip

SOFTMAX = Op(
    -2, "softmax", "v -> v", "softmax({a})", np.exp, "",
    "softmax({a}, n_classes)", lambda F: 0.0,
    "Probabilities of several classes, which a classifier's vectors of predictions pass through.",
    family="softmax",
)  # fmt: skip

_DIVISIONS = ("quotient", "reciprocal")


def is_literal(kind: str, value: float) -> bool:
    """Whether a constant is written in place and no argument; see `Parameter.literal`."""
    return kind == "index" or (kind == "mean" and value == 0)


@dataclass(eq=False)
class Parameter:
    """A constant of the program: an argument of the exported class, with the evolved value as its default."""

    value: float
    kind: str
    owner: Value
    name: str = ""
    role: str = ""

    @property
    def literal(self) -> bool:
        """Written in place: positions, which are structure, and a normal distribution's mean of exactly 0."""
        return is_literal(self.kind, self.value)


@dataclass(eq=False)
class Value:
    """What one instruction makes, or (a leaf) what an address holds when its function starts.

    Attributes:
        kind: "s", "v" or "m".
        address: where the program keeps it.
        function: the function that it belongs to.
        op: None for a leaf.
        operands: values read; of an element setter, the old vector or matrix.
        parameters: the op's constants.
    """

    kind: str
    address: Address
    function: str
    op: Op | None = None
    operands: tuple[Value, ...] = ()
    leaf: Leaf = ""
    parameters: tuple[Parameter, ...] = ()


@dataclass(eq=False)
class Function:
    """Values in the order of their instructions, those that outlast the function, and what it returns."""

    name: str
    steps: list[Value] = field(default_factory=list)
    kept: dict[Address, Value] = field(default_factory=dict)
    result: Value | None = None


class Flow:
    """Dataflow of a program's normal form.

    Args:
        program: any program.
        classifier: whether every prediction becomes its sigmoid; of the vector form it becomes its softmax.

    Attributes:
        setup, predict, learn: the three functions.
        attributes: addresses whose values outlast a function call.
        constants: scalars that Setup sets and nothing ever changes.
        parameters: all constants in the order of the text.
        divisors: addresses of which anything is made that is divided by: only there 0.0 and -0.0 could lead
            to different predictions.
    """

    def __init__(self, program: Program, classifier: bool):
        self.program = program.normalized()
        self.classifier = classifier
        self.parameters: list[Parameter] = []
        self.constants: dict[Address, Value] = {}
        self.users: dict[Value, list[Value]] = {}
        self.divisors = _divisors(self.program)
        self.prediction = self.program.form.prediction
        self._written = {i.writes for i in self.program.instructions()} | (
            {self.prediction} if classifier else set()
        )
        before_predict, after_predict, _ = live_after(self.program.functions, self.program.form)
        self._starts_with = before_predict
        self._outlasting = dict(zip(FUNCTIONS, (before_predict, after_predict, before_predict), strict=True))
        outlasting = before_predict | (after_predict - {self.prediction})
        self.attributes = (outlasting & self._written) - self.program.form.reserved - self._never_changed()
        self.setup, self.predict, self.learn = (self._function(name) for name in FUNCTIONS)
        for value in self.values():
            for operand in value.operands:
                self.users.setdefault(operand, []).append(value)

    def signed_zeros(self, value: Value) -> bool:
        """Whether 0.0 in place of -0.0, or the reverse, could lead to different predictions."""
        return value.address in self.divisors

    @property
    def several(self) -> bool:
        """Whether there are several classes: label and prediction are vectors."""
        return self.program.form != SCALAR

    @property
    def functions(self) -> tuple[Function, ...]:
        """Setup, Predict and Learn."""
        return self.setup, self.predict, self.learn

    def values(self) -> Iterator[Value]:
        """All values that are made by an instruction, in the order of the text."""
        for function in self.functions:
            yield from function.steps

    def starts_at_zero(self) -> list[Address]:
        """Attributes that are read before anything has written them: they start at zero."""
        return sorted((self.attributes & self._starts_with) - set(self.setup.kept))

    def _never_changed(self) -> frozenset[Address]:
        writers: dict[Address, list[Instruction]] = {}
        for instruction in self.program.instructions():
            if instruction.writes:
                writers.setdefault(instruction.writes, []).append(instruction)
        return frozenset(
            address
            for address, (first, *others) in writers.items()
            if not others
            and first.op.family == "constant"
            and any(first is instruction for instruction in self.program.setup)
            and not (address == self.prediction and self.classifier)
        )

    def _function(self, name: str) -> Function:
        function = Function(name)
        current: dict[Address, Value] = {}

        def read(address: Address) -> Value:
            if address not in current:
                current[address] = self._at_start(name, address)
            return current[address]

        for instruction in getattr(self.program, name):
            assert instruction.writes is not None
            value = Value(instruction.op.result, instruction.writes, name, instruction.op)
            value.operands = tuple(read(address) for address in instruction.reads)
            value.parameters = tuple(
                Parameter(constant, kind, value)
                for kind, constant in zip(instruction.op.constants, instruction.constants, strict=True)
            )
            self.parameters.extend(value.parameters)
            if instruction.op.family == "constant":
                value.op, value.leaf = None, "constant"
                if name == "setup" and instruction.writes in self._never_changed():
                    self.constants[instruction.writes] = value
            current[instruction.writes] = value
            function.steps.append(value)
        if name == "predict":
            result = read(self.prediction)
            if self.classifier:
                op = SOFTMAX if self.several else SIGMOID
                result = Value(op.result, self.prediction, name, op, (result,))
                function.steps.append(result)
                current[self.prediction] = result
            function.result = result
        made = set(function.steps)
        kept = self.attributes & self._outlasting[name]
        function.kept = {a: current[a] for a in sorted(kept) if a in current and current[a] in made}
        return function

    def _at_start(self, function: str, address: Address) -> Value:
        leaf: Leaf = "zero"
        if address == self.program.form.label:
            leaf = "label" if function == "learn" else "zero"
        elif address == FEATURES:
            leaf = "zero" if function == "setup" else "features"
        elif function != "setup":
            if address in self.constants:
                return self.constants[address]
            if address == self.prediction and function == "learn" and address not in self._starts_with:
                leaf = "prediction"
            elif address in self.attributes:
                leaf = "entry"
        return Value(address.kind, address, function, leaf=leaf)


def _divisors(program: Program) -> frozenset[Address]:
    """Addresses of which, in whatever function, anything is made that is divided by."""
    found: set[Address] = set()
    for instruction in program.instructions():
        if instruction.op.family in _DIVISIONS:
            found.add(instruction.reads[-1])
        elif instruction.op.family == "":  # a user's own op may divide by any
            found.update(instruction.reads)
    before = 0
    while len(found) > before:
        before = len(found)
        for instruction in program.instructions():
            if instruction.writes in found:
                found.update(instruction.reads)
    return frozenset(found)
