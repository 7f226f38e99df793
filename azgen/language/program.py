"""Programs and their instructions: immutable values that everything else reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from azgen.errors import AzgenError
from azgen.language.ops import OPS, Op, OpTable

MAX_ADDRESS = 999
"""Highest address of each type that a program may name."""

FUNCTIONS = ("setup", "predict", "learn")
"""The three functions of a program, in the order in which text lists them."""


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """A place in memory: a type letter and a number, such as s3, v0 or m1."""

    kind: str
    number: int

    def __str__(self) -> str:
        return f"{self.kind}{self.number}"


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


SCALAR = Form("scalar", LABEL, PREDICTION)
"""Regression, and two classes: a number each."""

VECTOR = Form("vector", Address("v", 1), Address("v", 2))
"""Several classes: the one-hot label, and the classes' probabilities (the original's unused constants)."""

FORMS = (SCALAR, VECTOR)


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
            Address(kind, number) for kind, number in zip(self.op.operands, (self.a, self.b), strict=False)
        )
        return (*operands, self.writes) if self.op.keeps_rest and self.writes else operands

    @property
    def writes(self) -> Address | None:
        """Address of the result; None for no_op."""
        return Address(self.op.result, self.out) if self.op.result else None

    def __str__(self) -> str:
        from azgen.language.text import print_instruction

        return print_instruction(self)


@dataclass(frozen=True)
class Program:
    """A learning algorithm: Setup runs once, Predict on every example, Learn after Predict on training
    examples.

    Each function is a straight list of instructions over a memory that persists: s0 holds the label (0 during
    Predict), s1 the prediction, v0 the features; all else starts at zero (AutoML-Zero, section 3.1). In the
    vector form, for several classes, the label is v1 and the prediction v2.
    """

    setup: tuple[Instruction, ...] = ()
    predict: tuple[Instruction, ...] = ()
    learn: tuple[Instruction, ...] = ()
    form: Form = field(default=SCALAR, kw_only=True)

    @staticmethod
    def parse(text: str, source: str = "program", ops: OpTable = OPS) -> Program:
        """The program that a text says.

        Args:
            text: program text as `str(program)` prints it; comments and blank lines are allowed.
            source: name used in messages, for example a file's path.
            ops: op table that gives meaning to the lines.

        Raises:
            AzgenError: bad text, with line and column.
        """
        from azgen.language.text import parse_program

        return parse_program(text, source, ops)

    def __str__(self) -> str:
        from azgen.language.text import print_program

        return print_program(self)

    @property
    def functions(self) -> tuple[tuple[Instruction, ...], ...]:
        """Setup, Predict and Learn."""
        return self.setup, self.predict, self.learn

    def instructions(self) -> Iterator[Instruction]:
        """All instructions in the order of the text."""
        for function in self.functions:
            yield from function

    @cached_property
    def memory(self) -> Memory:
        """The smallest memory that holds every address named, label, prediction and features included."""
        count = self.form.first_free
        for instruction in self.instructions():
            for address in (*instruction.reads, instruction.writes):
                if address:
                    count[address.kind] = max(count[address.kind], address.number + 1)
        return Memory(count["s"], count["v"], count["m"])

    @property
    def constants(self) -> tuple[float, ...]:
        """All constants in the order of the text."""
        return tuple(constant for instruction in self.instructions() for constant in instruction.constants)

    def with_constants(self, constants: tuple[float, ...]) -> Program:
        """The same structure with other constants, given in the order of the text."""
        rest = iter(constants)
        functions = (
            tuple(
                Instruction(i.op, i.out, i.a, i.b, tuple(next(rest) for _ in i.op.constants))
                for i in function
            )
            for function in self.functions
        )
        return Program(*functions, form=self.form)

    @property
    def stochastic(self) -> bool:
        """Whether any instruction draws random numbers."""
        return any(instruction.op.stochastic for instruction in self.instructions())

    def live(self) -> Program:
        """The program without instructions that cannot influence any prediction."""
        from azgen.language.normalize import without_dead_code

        return without_dead_code(self)

    def normalized(self) -> Program:
        """The normal form: live code, operands of commutative ops in order, addresses renamed by first
        appearance."""
        return self._normal_form

    @cached_property
    def _normal_form(self) -> Program:
        from azgen.language.normalize import normal_form

        return normal_form(self)

    @cached_property
    def hash(self) -> str:
        """16 hexadecimal digits that identify the normal form, constants included."""
        from azgen.language.normalize import digest, meaning_text

        return digest(meaning_text(self.normalized(), str))

    @cached_property
    def structure_hash(self) -> str:
        """16 hexadecimal digits that identify the normal form with its constants lifted out."""
        from azgen.language.normalize import digest, meaning_text, structure_text

        return digest(meaning_text(self.normalized(), structure_text))

    def cost(self, n_features: int) -> tuple[float, float, float]:
        """Static cost of one run of Setup, Predict and Learn at F = n_features, in multiplications."""
        setup, predict, learn = (sum(i.op.cost(n_features) for i in function) for function in self.functions)
        return setup, predict, learn


def load(path: str | Path, ops: OpTable = OPS) -> Program:
    """Reads a program from an .az file.

    Raises:
        AzgenError: the file cannot be read, or its text is no program.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise AzgenError(f"{path}: no such program file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise AzgenError(f"{path}: cannot be read as program text: {error}") from None
    return Program.parse(text, str(path), ops)
