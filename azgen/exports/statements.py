"""From values to statements: what is used once becomes part of an expression, the rest gets a name.

Statements keep the program's order. A value that is used once waits until it is used, and is written down
early only when waiting would change what it means: before an attribute that it reads is overwritten, and
before the next random draw when it draws itself.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Protocol

from azgen.exports.expressions import (
    AUGMENTED,
    Expression,
    applied,
    copied,
    parse,
    simplified,
    spelled,
    zero_of_zeros,
)
from azgen.exports.finite import finite_values
from azgen.exports.flow import Flow, Function, Parameter, Value
from azgen.language import Address

_PRODUCTS = ("product", "inner_product", "outer_product", "matrix_product")

MAX_OPERATIONS = 5
MAX_CHARACTERS = 80


class Names(Protocol):
    """What `azgen.exports.names.Namer` decides."""

    def attribute(self, address: Address) -> str:
        """Name of what outlasts a call at this address, without ``self.``."""

    def local(self, value: Value) -> str:
        """A fresh name for a value that lives within one call."""

    def given(self, value: Value) -> str:
        """Name of an argument: features, label or prediction."""


class Folder:
    """Writes one function's statements: `lines`, and `sources`, the values that each of them makes.

    Args:
        flow: the program's values.
        function: the function to write.
        names: names of attributes and local variables.
        used: collects the parameters read in Predict and Learn, which the object must therefore keep.
    """

    def __init__(self, flow: Flow, function: Function, names: Names, used: set[Parameter]):
        self._flow, self._function, self._names, self._used = flow, function, names, used
        self._in_setup, self._finite = function.name == "setup", finite_values(flow)
        self.lines: list[str] = []
        self.sources: list[frozenset[Value]] = []
        self._folded: dict[Value, frozenset[Value]] = {}
        self._waiting: dict[Value, Expression] = {}
        self._named: dict[Value, str] = {}
        self._zeros: set[Value] = set()
        self._uses_left: dict[Value, int] = {}
        for step in function.steps:
            for operand in step.operands:
                self._uses_left[operand] = self._uses_left.get(operand, 0) + 1
        if function.result:
            self._uses_left[function.result] = self._uses_left.get(function.result, 0) + 1
        self._place = self._places()
        for step in function.steps:
            self._write(step)
        if function.result:
            result = function.result
            node = self._read(result).node
            self._emit(ast.Return(node), result if result in self._waiting else None)

    def _places(self) -> dict[Value, str | None]:
        """Where values must be kept: in an attribute, or (None) in a variable because elements of it get set.

        What an element is set of stays in its place, so all values of such a chain share one place.
        """
        places: dict[Value, str | None] = {
            value: f"self.{self._names.attribute(address)}" for address, value in self._function.kept.items()
        }
        for step in reversed(self._function.steps):
            if step.op and step.op.keeps_rest:
                (old,) = step.operands
                if old.leaf == "entry":
                    places[step] = f"self.{self._names.attribute(old.address)}"
                places.setdefault(step, None)
                places.setdefault(old, places[step])
        return places

    # ---- statements

    def _write(self, value: Value) -> None:
        if value.op and value.op.keeps_rest:
            self._set_element(value)
            return
        if value in self._place:
            self._assign(value, self._fitting_expression(value), self._place[value])
            return
        if value.leaf:
            return
        expression = self._fitting_expression(value)
        self._consume(value)
        if expression.draws:
            self._write_waiting(lambda other: other.draws)
        self._waiting[value] = expression
        if self._uses_left.get(value, 0) > 1 and expression.operations:
            self._name_waiting(value)

    def _set_element(self, value: Value) -> None:
        assert value.op
        (old,) = value.operands
        if old.leaf == "zero":
            place = self._place[value]
            self._assign(old, self._read(old), place)
        if old in self._named:
            place = self._named[old]
        else:
            place = ast.unparse(self._read(old).node)
        self._write_waiting(lambda other: place in other.reads)
        fields = dict(zip("xyz", (self._parameter(p) for p in value.parameters), strict=False))
        self._emit(spelled(value.op.python, out=parse(place), **fields, **self._surroundings()), value)
        self._named[value] = place

    def _assign(self, value: Value, expression: Expression, place: str | None) -> None:
        """Binds an expression to an attribute, or to a fresh local name when there is no place."""
        in_place = self._in_place(value, place) if place else None
        self._consume(value)
        if expression.draws:
            self._write_waiting(lambda other: other.draws)
        if place is None:
            place = self._names.local(value)
        else:
            self._write_waiting(lambda other: place in other.reads)
        self._named[value] = place
        if expression.zero:
            self._zeros.add(value)
        if in_place:
            self._emit(in_place, value)
        else:
            node = expression.node
            if expression.view and value.kind != "s":
                node = copied(node)
            self._emit(ast.Assign([parse(place)], node, lineno=0), value)

    def _in_place(self, value: Value, place: str) -> ast.stmt | None:
        """``place += change`` where the value is the place's old content and a change."""
        if not value.op or value.op.family not in AUGMENTED or not place.startswith("self."):
            return None
        a, b = value.operands
        exchangeable = value.op.commutative or value.op.family == "product"
        if exchangeable and self._is_entry(b, place) and not self._is_entry(a, place):
            a, b = b, a
        if not self._is_entry(a, place):
            return None
        change = self._read(b)
        target = ast.Attribute(ast.Name("self"), place.removeprefix("self."))
        return ast.AugAssign(target, AUGMENTED[value.op.family](), change.short or change.node)

    def _is_entry(self, value: Value, place: str) -> bool:
        if value.leaf == "entry":
            return f"self.{self._names.attribute(value.address)}" == place
        return self._named.get(value) == place

    def _emit(self, statement: ast.AST, value: Value | None) -> None:
        """A line that carries a value out, with all that was folded into it."""
        self.lines.append(ast.unparse(ast.fix_missing_locations(statement)))
        self.sources.append(frozenset() if value is None else self._folded.get(value, frozenset({value})))

    # ---- waiting values

    def _write_waiting(self, disturbed: Callable[[Expression], bool]) -> None:
        for value in [value for value, expression in self._waiting.items() if disturbed(expression)]:
            self._name_waiting(value)

    def _name_waiting(self, value: Value) -> None:
        expression = self._waiting.pop(value)
        self._named[value] = name = self._names.local(value)
        node = copied(expression.node) if expression.view and value.kind != "s" else expression.node
        self._emit(ast.Assign([parse(name)], node, lineno=0), value)

    def _consume(self, value: Value) -> None:
        for operand in value.operands:
            self._uses_left[operand] -= 1
            if not self._uses_left[operand]:
                self._waiting.pop(operand, None)

    # ---- expressions

    def _fitting_expression(self, value: Value) -> Expression:
        """The value's expression, with operands named first while it is too long."""
        while True:
            expression = self._expression(value)
            if (
                expression.operations <= MAX_OPERATIONS
                and len(ast.unparse(expression.node)) <= MAX_CHARACTERS
            ):
                return self._carrying(value, expression)
            heavy = [operand for operand in value.operands if operand in self._waiting]
            heavy = [operand for operand in heavy if self._waiting[operand].operations]
            if not heavy:
                return self._carrying(value, expression)
            self._name_waiting(max(heavy, key=lambda operand: self._waiting[operand].operations))

    def _carrying(self, value: Value, expression: Expression) -> Expression:
        """The expression, once it is noted which values it folds together."""
        folded = {value}
        for operand in value.operands:
            if operand in self._waiting:
                folded |= self._folded[operand]
            elif operand.leaf == "constant" and operand.function == self._function.name:
                folded.add(operand)
        self._folded[value] = frozenset(folded)
        return expression

    def _read(self, value: Value) -> Expression:
        """The value as an operand."""
        if value in self._named:
            name = self._named[value]
            return Expression(parse(name), frozenset({name}), view=True, zero=value in self._zeros)
        if value in self._waiting:
            return self._waiting[value]
        if value.leaf == "entry":
            name = f"self.{self._names.attribute(value.address)}"
            return Expression(parse(name), frozenset({name}), view=True)
        if value.leaf == "zero":
            return self._zero(value.kind)
        if value.leaf == "constant":
            (parameter,) = value.parameters
            return Expression(self._parameter(parameter, cast=True), constant=parameter.value)
        return Expression(ast.Name(self._names.given(value)), view=True)

    def _zero(self, kind: str) -> Expression:
        if kind == "s":
            return Expression(parse("DTYPE(0.0)"), zero=True)
        shape = "n_features" if kind == "v" else "(n_features, n_features)"
        full = spelled(f"np.zeros({shape}, DTYPE)", **self._surroundings())
        return Expression(full, short=ast.Constant(0.0), zero=True)

    def _parameter(self, parameter: Parameter, cast: bool = False) -> ast.expr:
        if parameter.literal:
            return ast.Constant(parameter.value)
        if not self._in_setup:
            self._used.add(parameter)
        if parameter in self._used:
            return parse(f"self.{parameter.name}")
        return parse(f"DTYPE({parameter.name})" if cast else parameter.name)

    def _surroundings(self) -> dict[str, ast.expr]:
        if self._in_setup:
            return {"n_features": ast.Name("n_features"), "rng": ast.Name("rng")}
        n_classes = parse("self.n_classes")
        return {"n_features": parse("len(features)"), "n_classes": n_classes, "rng": parse("self.rng")}

    def _expression(self, value: Value) -> Expression:
        if value.leaf:
            return self._read(value)
        assert value.op
        operands = [self._read(operand) for operand in value.operands]
        if operands and all(operand.zero for operand in operands) and zero_of_zeros(value.op):
            return self._zero(value.kind)
        if self._vanishes(value, operands):
            return self._zero(value.kind)
        simple = simplified(value, operands, self._flow.signed_zeros(value))
        if simple:
            return simple
        if value.op.commutative:
            order = sorted((0, 1), key=lambda i: self._rank(value, value.operands[i]))
            operands = [operands[i] for i in order]
        return self._applied(value, operands)

    def _applied(self, value: Value, operands: Sequence[Expression]) -> Expression:
        """The value's op applied to its operands, as they are to be written."""
        constants = zip("xyz", (self._parameter(p) for p in value.parameters), strict=False)
        return applied(value, operands, {**dict(constants), **self._surroundings()})

    def _vanishes(self, value: Value, operands: Sequence[Expression]) -> bool:
        """Whether a value is 0 everywhere: x - x, or a product with 0, of what is finite for certain."""
        assert value.op
        if len(operands) != 2:
            return False
        a, b = value.operands
        if value.op.family == "difference" and a is b:
            return a in self._finite
        if value.op.family not in _PRODUCTS or self._flow.signed_zeros(value):
            return False
        pairs = ((operands[0], b), (operands[1], a))
        return any(zero.zero and other in self._finite for zero, other in pairs)

    def _rank(self, user: Value, operand: Value) -> tuple[int, ...]:
        """Where people put an operand of a commutative operation: smaller is further left."""
        assert user.op
        leaf, composite = operand.leaf, operand in self._waiting and self._waiting[operand].operations > 0
        attribute = leaf == "entry" or self._named.get(operand, "").startswith("self.")
        learned = operand.address in self._flow.starts_at_zero() or operand.address in self._flow.setup.kept
        if user.op.family == "sum":
            return (not composite, leaf != "features", attribute, leaf == "constant")
        if user.op.family in ("inner_product", "matrix_product"):
            return (not (attribute and learned), leaf == "features")
        return (leaf != "constant", user.kind != "s" and leaf == "features")
