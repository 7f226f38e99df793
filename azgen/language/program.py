"""Programs: immutable values that everything else reads."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from html import escape
from pathlib import Path

from azgen.errors import AzgenError
from azgen.language import normalize
from azgen.language.instruction import SCALAR, Form, Function, Functions, Instruction, Memory
from azgen.language.metrics import Metric
from azgen.language.op import OpTable
from azgen.language.ops import OPS
from azgen.language.text import parse_functions, print_functions


@dataclass(frozen=True)
class MadeFor:
    """What a program was evolved for, which its module must know.

    Attributes:
        metric, dtype, epochs: as of `azgen.export`.
    """

    metric: Metric
    dtype: str
    epochs: int


@dataclass(frozen=True, repr=False)
class Program:
    """A learning algorithm: Setup runs once, Predict on every example, Learn after Predict on training
    examples.

    Each function is a straight list of instructions over a memory that persists: s0 holds the label (0 during
    Predict), s1 the prediction, v0 the features; all else starts at zero (AutoML-Zero, section 3.1). In the
    vector form, for several classes, the label is v1 and the prediction v2.

    Attributes:
        form: where label and prediction are.
        made_for: what it was evolved for, if it comes from a run that has ended; no part of what it is.
    """

    setup: Function = ()
    predict: Function = ()
    learn: Function = ()
    form: Form = field(default=SCALAR, kw_only=True)
    made_for: MadeFor | None = field(default=None, kw_only=True, compare=False)

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
        if not isinstance(text, str):
            raise AzgenError(f"a program is a text; this is {type(text).__name__}")
        return _parsed(text, source, ops)

    def __str__(self) -> str:
        return print_functions(self.functions, self.form)

    def __repr__(self) -> str:
        form = "" if self.form == SCALAR else f", {self.form.name} form"
        return f"Program({self.size} instructions{form}, hash {self.hash})"

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"

    @property
    def size(self) -> str:
        """Numbers of instructions of Setup, Predict and Learn, such as "3 + 5 + 11"."""
        return " + ".join(str(len(function)) for function in self.functions)

    @property
    def functions(self) -> Functions:
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
    def structure_text(self) -> str:
        """Program text with every constant replaced by a question mark."""
        return str(self.with_constants((math.nan,) * len(self.constants))).replace("nan", "?")

    @property
    def stochastic(self) -> bool:
        """Whether any instruction draws random numbers."""
        return any(instruction.op.stochastic for instruction in self.instructions())

    def live(self) -> Program:
        """The program without instructions that cannot influence any prediction."""
        return Program(*normalize.without_dead_code(self.functions, self.form), form=self.form)

    def normalized(self) -> Program:
        """The normal form: live code, operands of commutative ops in order, addresses renamed by first
        appearance."""
        return self._normal_form

    @cached_property
    def _normal_form(self) -> Program:
        return Program(*normalize.normal_form(self.functions, self.form), form=self.form)

    @cached_property
    def hash(self) -> str:
        """16 hexadecimal digits that identify the normal form, constants included."""
        normal = self.normalized()
        return normalize.digest(str(normal) + normalize.own_spellings(normal.functions))

    @cached_property
    def structure_hash(self) -> str:
        """16 hexadecimal digits that identify the normal form with its constants lifted out."""
        normal = self.normalized()
        return normalize.digest(normal.structure_text + normalize.own_spellings(normal.functions))

    def cost(self, n_features: int) -> tuple[float, float, float]:
        """Static cost of one run of Setup, Predict and Learn at F = n_features, in multiplications."""
        setup, predict, learn = (sum(i.op.cost(n_features) for i in function) for function in self.functions)
        return setup, predict, learn


@lru_cache(maxsize=256)
def _parsed(text: str, source: str, ops: OpTable) -> Program:
    """Reports, leaders and checkpoints say the same program again and again."""
    form, functions = parse_functions(text, source, ops)
    return Program(*functions, form=form)


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
