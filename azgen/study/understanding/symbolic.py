"""What SymPy proves of a program with two features, for all values of memory, features and label."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from azgen.extras import installed
from azgen.language import Address, Instruction
from azgen.language.instruction import FEATURES, SCALAR
from azgen.study.understanding.edits import Place
from azgen.study.understanding.evidence import Evidence

_F = 2
_LARGEST = 600
"""Operations in an expression beyond which nothing is tried."""


class TooHardError(Exception):
    """An op or an expression that is left to numbers."""


UNPROVED = (TooHardError, ArithmeticError, NotImplementedError, RecursionError, TypeError, ValueError)
"""What may come of asking: SymPy has its own ways of giving up."""


class Symbolic:
    """A program of one output, on symbols.

    Every address that matters when Predict starts is a symbol of its own, or a vector or matrix of them, and
    so are constants, random draws, and what Learn makes by ops that are not spelled here.
    """

    def __init__(self, evidence: Evidence):
        import sympy

        self._sympy: Any = sympy
        self._evidence, self._program = evidence, evidence.program
        if self._program.form != SCALAR:
            raise TooHardError
        self._count = 0
        self._start: dict[Address, Any] = {}
        written = {i.writes for i in self._program.instructions()}
        for kind in "svm":
            for number in range(self._program.memory.of(kind)):
                address = Address(kind, number)
                live = address in written or address == FEATURES
                self._start[address] = self._fresh(str(address), kind) if live else self._zero(kind)
        self._start[self._program.form.label] = sympy.Integer(0)
        memory = dict(self._start)
        self._run(1, memory, opaque=False)
        self.output = memory[self._program.form.prediction]
        self._middle = memory

    def degree(self) -> int | None:
        """Degree of the prediction as a polynomial in the features; None: it is none."""
        features = list(self._start[FEATURES])
        try:
            polynomial = self._sympy.Poly(self._checked(self.output), *features)
        except self._sympy.PolynomialError:
            return None
        return int(polynomial.total_degree())

    def along_gradient(self, place: Place, weights: Address) -> bool:
        """Whether what a line of Learn makes is a multiple of error times d prediction / d weights, entry by
        entry, the error being that of the label and any prediction."""
        made, gradient = self._learned[place], self._gradient(weights)
        if len(made) != len(gradient) or len(made) < 2:
            return False
        (first, slope), *others = zip(made, gradient, strict=True)
        differences = [self._checked(v * slope - first * g) for v, g in others]
        return all(self._sympy.expand(d) == 0 for d in differences)

    def _gradient(self, weights: Address) -> list[Any]:
        error = self._label - self._prediction
        return [
            error * self._sympy.diff(self.output, symbol) for symbol in self._entries(self._start[weights])
        ]

    @cached_property
    def _label(self) -> Any:
        return self._sympy.Symbol("label", real=True)

    @cached_property
    def _prediction(self) -> Any:
        return self._sympy.Symbol("prediction", real=True)

    @cached_property
    def _learned(self) -> dict[Place, list[Any]]:
        memory = dict(self._middle)
        memory[self._program.form.label] = self._label
        memory[self._program.form.prediction] = self._prediction
        found: dict[Place, list[Any]] = {}
        self._run(2, memory, opaque=True, found=found)
        return found

    def _checked(self, expression: Any) -> Any:
        if self._sympy.count_ops(expression) > _LARGEST:
            raise TooHardError
        return expression

    def _run(
        self,
        function: int,
        memory: dict[Address, Any],
        opaque: bool,
        found: dict[Place, list[Any]] | None = None,
    ) -> None:
        for number, instruction in enumerate(self._program.functions[function]):
            if instruction.writes is None:
                continue
            try:
                value = self._result(instruction, memory)
                for entry in self._entries(value):
                    self._checked(entry)
            except UNPROVED:
                if not opaque:
                    raise
                value = self._fresh("t", instruction.op.result)
            memory[instruction.writes] = value
            if found is not None:
                found[Place(function, number)] = self._entries(value)

    def _result(self, instruction: Instruction, memory: dict[Address, Any]) -> Any:
        op = instruction.op
        operands = [memory[address] for address in instruction.reads]
        if op.constants == ("value",) or op.stochastic:
            return self._fresh("c", op.result)
        rule = self._rules.get(op.name) or self._rules.get(op.name.partition("_")[2])
        if rule is None or op.id >= 1000:
            raise TooHardError
        return rule(*operands)

    @cached_property
    def _rules(self) -> dict[str, Callable[..., Any]]:
        sympy = self._sympy
        entrywise: Callable[..., Any] = lambda f: lambda *a: self._entrywise(f, *a)  # noqa: E731
        return {
            "sum": lambda a, b: a + b,
            "diff": lambda a, b: a - b,
            "scalar_product": lambda a, b: a * b,
            "scalar_division": lambda a, b: a / b,
            "scalar_vector_product": lambda a, b: a * b,
            "scalar_matrix_product": lambda a, b: a * b,
            "vector_product": entrywise(lambda a, b: a * b),
            "matrix_product": entrywise(lambda a, b: a * b),
            "vector_inner_product": lambda a, b: (a.T * b)[0],
            "vector_outer_product": lambda a, b: a * b.T,
            "matrix_vector_product": lambda a, b: a * b,
            "matrix_matrix_product": lambda a, b: a * b,
            "transpose": lambda a: a.T,
            "norm": lambda a: sympy.sqrt(sum(e**2 for e in self._entries(a))),
            "max": entrywise(lambda a, b: sympy.Max(a, b)),
            "heaviside": entrywise(self._step),
            "scalar_sin": sympy.sin,
            "scalar_arctan": sympy.atan,
        }

    def _step(self, a: Any) -> Any:
        """1 above 0; what is above 0 after max(z, 0) is so before."""
        sympy = self._sympy
        if isinstance(a, sympy.Max) and sympy.Integer(0) in a.args and len(a.args) == 2:
            (a,) = [argument for argument in a.args if argument != 0]
        return sympy.Heaviside(a)

    def _entrywise(self, function: Callable[..., Any], *operands: Any) -> Any:
        if not hasattr(operands[0], "shape"):
            return function(*operands)
        rows, columns = operands[0].shape
        entries = zip(*(list(o) for o in operands), strict=True)
        return self._sympy.Matrix(rows, columns, [function(*e) for e in entries])

    def _entries(self, value: Any) -> list[Any]:
        return list(value) if hasattr(value, "shape") else [value]

    def _fresh(self, name: str, kind: str) -> Any:
        self._count += 1
        symbol = self._sympy.Symbol(f"{name}_{self._count}", real=True)
        if kind == "s":
            return symbol
        shape = (_F, 1) if kind == "v" else (_F, _F)
        return self._sympy.Matrix(
            *shape, lambda i, j: self._sympy.Symbol(f"{name}_{self._count}_{i}{j}", real=True)
        )

    def _zero(self, kind: str) -> Any:
        shape = {"v": (_F, 1), "m": (_F, _F)}
        return self._sympy.Integer(0) if kind == "s" else self._sympy.zeros(*shape[kind])


def symbolic(evidence: Evidence) -> Symbolic | None:
    """The program on symbols; None where that is too hard, or SymPy is not installed."""
    if not installed("sympy"):
        return None
    try:
        return Symbolic(evidence)
    except UNPROVED:
        return None
