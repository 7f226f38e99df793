"""What programs are made of: addresses, where label and prediction live, memory, instructions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from azgen.language.op import Op

MAX_ADDRESS = 999
"""Highest address of each type that a program may name."""

MAX_INSTRUCTIONS = 1000
"""Most instructions of a function."""

FUNCTIONS = ("setup", "predict", "learn")
"""The three functions of a program, in the order in which text lists them."""


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """A place in memory: a type letter and a number, such as s3, v0 or m1."""

    kind: str
    number: int

    def __str__(self) -> str:
        return f"{self.kind}{self.number}"


_address = lru_cache(maxsize=3 * (MAX_ADDRESS + 1))(Address)
"""An address that is made once: programs ask for the same few again and again."""

LABEL = Address("s", 0)
PREDICTION = Address("s", 1)
FEATURES = Address("v", 0)


@dataclass(frozen=True, slots=True)
class Form:
    """Where label and prediction live; the features are in v0 always.

    Attributes:
        name: "scalar" or "vector".
        label: written by the execution alone: 0 during Predict, the label during Learn.
        prediction: where Predict leaves what it predicts.
    """

    name: str
    label: Address
    prediction: Address

    @property
    def reserved(self) -> frozenset[Address]:
        """Addresses that only the execution writes: label and features."""
        return frozenset({self.label, FEATURES})

    @property
    def memory(self) -> Memory:
        """The smallest memory that holds label, prediction and features."""
        highest = (self.label, self.prediction, FEATURES)
        count = {kind: max((a.number + 1 for a in highest if a.kind == kind), default=0) for kind in "sv"}
        return Memory(count["s"], count["v"], 0)

    @property
    def first_free(self) -> dict[str, int]:
        """Number of the first scalar, vector and matrix that have no role; the same as `memory`."""
        memory = self.memory
        return {kind: memory.of(kind) for kind in "svm"}

    def __str__(self) -> str:
        return f"label {self.label}, prediction {self.prediction}"


@dataclass(frozen=True, slots=True)
class Memory:
    """How many scalar, vector and matrix addresses there are."""

    scalars: int = 2
    vectors: int = 1
    matrices: int = 0

    def __contains__(self, address: Address) -> bool:
        return address.number < self.of(address.kind)

    def of(self, kind: str) -> int:
        """Number of addresses of a type ("s", "v" or "m")."""
        return {"s": self.scalars, "v": self.vectors, "m": self.matrices}[kind]

    def __or__(self, other: Memory) -> Memory:
        """The smallest memory that holds both."""
        return Memory(
            max(self.scalars, other.scalars),
            max(self.vectors, other.vectors),
            max(self.matrices, other.matrices),
        )

    def __str__(self) -> str:
        return f"{self.scalars}/{self.vectors}/{self.matrices}"

    @property
    def in_words(self) -> str:
        """How many there are of each kind, for people: "4 scalars, 8 vectors and 1 matrix"."""
        names = ("scalars", "vectors", "matrices" if self.matrices != 1 else "matrix")
        counts = (self.scalars, self.vectors, self.matrices)
        scalars, vectors, matrices = (f"{n} {name}" for n, name in zip(counts, names, strict=True))
        return f"{scalars}, {vectors} and {matrices}"


SCALAR = Form("scalar", LABEL, PREDICTION)
"""Regression, and two classes: a number each."""

VECTOR = Form("vector", Address("v", 1), Address("v", 2))
"""Several classes: the one-hot label, and the classes' probabilities (the original's unused constants)."""

FORMS = (SCALAR, VECTOR)


def print_constant(value: float) -> str:
    """A constant in the fewest digits that read back as the same number; inf, -inf and nan by name."""
    return repr(float(value))


@dataclass(frozen=True, slots=True)
class Instruction:
    """One op applied to addresses and constants; the address types follow from the op's signature.

    Attributes:
        op: row of the op table.
        out: number of the address written.
        a, b: numbers of the addresses read, 0 where the op has no such operand.
        constants: the op's constants, in the order of ``op.constants``.
    """

    op: Op
    out: int = 0
    a: int = 0
    b: int = 0
    constants: tuple[float, ...] = ()

    @staticmethod
    def of(op: Op, out: int, operands: Sequence[int], constants: tuple[float, ...] = ()) -> Instruction:
        """An instruction from the numbers of its operands, as many as the op has."""
        a, b = (*operands, 0, 0)[:2]
        return Instruction(op, out, a, b, constants)

    @property
    def reads(self) -> tuple[Address, ...]:
        """Addresses of the operands; an element setter also reads what it keeps."""
        operands = tuple(
            _address(kind, number) for kind, number in zip(self.op.operands, (self.a, self.b), strict=False)
        )
        return (*operands, self.writes) if self.op.keeps_rest and self.writes else operands

    @property
    def writes(self) -> Address | None:
        """Address of the result; None for no_op."""
        return _address(self.op.result, self.out) if self.op.result else None

    def __str__(self) -> str:
        """One line of program text, without indentation."""
        op = self.op
        fields = {name: str(address) for name, address in zip("ab", self.reads, strict=False)}
        fields |= {name: print_constant(value) for name, value in zip("xyz", self.constants, strict=False)}
        right = op.listing.format(**fields)
        return f"{op.target.format(out=self.writes, **fields)} = {right}" if op.target else right


Function = tuple[Instruction, ...]
Functions = tuple[Function, Function, Function]
"""Setup, Predict and Learn."""
