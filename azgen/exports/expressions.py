"""Python expressions of values, as Python's own `ast`, which takes care of precedence and parentheses."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from azgen.exports.flow import Value
from azgen.language import Op

AUGMENTED: dict[str, type[ast.operator]] = {
    "sum": ast.Add,
    "difference": ast.Sub,
    "product": ast.Mult,
    "quotient": ast.Div,
}
"""Families of entrywise operations, which also exist as ``+=`` and the like."""

_FIELDS = ("a", "b", "x", "y", "z", "out")


@dataclass(frozen=True)
class Expression:
    """Python for a value.

    Attributes:
        node: the expression.
        reads: attributes and local variables that it reads.
        draws: whether it draws random numbers.
        operations: how many it folds together; 0 for a name.
        short: a shorter form that serves as an operand of + - * / beside a full vector or matrix, such as
            ``0.0`` for a vector of zeros, or ``x > 0`` for its ones and zeros.
        same_shape: whether the short form has the full shape.
        zero: whether it is known to be zero.
        constant: the number that it is known to be by default.
        view: whether it may share its memory with something else, so that it must be copied to be kept.
    """

    node: ast.expr
    reads: frozenset[str] = frozenset()
    draws: bool = False
    operations: int = 0
    short: ast.expr | None = None
    same_shape: bool = False
    zero: bool = False
    constant: float | None = None
    view: bool = False


def parse(text: str) -> ast.expr:
    """The expression that a text says."""
    return ast.parse(text, mode="eval").body


def copied(node: ast.expr) -> ast.expr:
    """``node.copy()``."""
    return ast.Call(ast.Attribute(node, "copy"), [], [])


def spelled(python: str, **fields: ast.expr) -> Any:
    """An op's spelling with its fields filled in: an expression, or a statement where the spelling is one."""
    template = python.format(**{name: f"_{name}_" for name in _FIELDS})
    filled = {f"_{name}_" if name in _FIELDS else name: node for name, node in fields.items()}
    statement = _Fill(filled).visit(ast.parse(template).body[0])
    return statement.value if isinstance(statement, ast.Expr) else statement


class _Fill(ast.NodeTransformer):
    def __init__(self, fields: Mapping[str, ast.expr]):
        self._fields = fields

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._fields.get(node.id, node)

    def visit_Tuple(self, node: ast.Tuple) -> ast.expr:
        # A shape of one length is written as a number.
        self.generic_visit(node)
        return node.elts[0] if len(node.elts) == 1 else node


def applied(value: Value, operands: Sequence[Expression], fields: Mapping[str, ast.expr]) -> Expression:
    """A value's op applied to its operands.

    Args:
        value: the value.
        operands: its operands, in the order in which they are to be written.
        fields: constants and names that the op's spelling mentions.
    """
    assert value.op
    family = value.op.family
    nodes = [operand.node for operand in operands]
    if family in AUGMENTED:
        # One operand may be short where the other has the full shape.
        same_kind = len(set(value.op.operands)) == 1
        shortened = [i for i, o in enumerate(operands) if o.short and (same_kind or o.same_shape)]
        for i in shortened[:1]:
            nodes[i] = operands[i].short or nodes[i]
    node = spelled(value.op.python, **dict(zip("ab", nodes, strict=False)), **fields)
    expression = _combined(operands, node, value.op.stochastic)
    if family == "transpose":
        return replace(expression, view=True)
    if family == "step":
        # As the original: 1 at exactly 0 for scalars, 0 in vectors and matrices.
        comparison = ast.Compare(nodes[0], [ast.GtE() if value.kind == "s" else ast.Gt()], [ast.Constant(0)])
        return replace(expression, short=comparison, same_shape=True)
    if family in ("broadcast", "rows"):
        return replace(expression, short=nodes[0])
    if family == "columns":
        return replace(expression, short=spelled("{a}[:, None]", a=nodes[0]))
    return expression


def simplified(value: Value, operands: Sequence[Expression], signed_zeros: bool) -> Expression | None:
    """A shorter form that means exactly the same, NaN included, or None.

    Args:
        value: the value.
        operands: its operands.
        signed_zeros: whether 0.0 and -0.0 could lead to different predictions (-0.0 + 0.0 is 0.0).
    """
    assert value.op
    family = value.op.family
    if len(operands) != 2:
        return None
    a, b = operands
    if family == "difference" and b.zero:
        return a
    if family == "sum" and not signed_zeros and (a.zero or b.zero):
        return a if b.zero else b
    if family == "difference" and a.zero and not signed_zeros:
        return _combined([b], ast.UnaryOp(ast.USub(), b.node))
    if family not in ("minimum", "maximum"):
        return None
    # These give the first operand when either is NaN, or when both are equal (0.0 and -0.0 are).
    plain = [
        (o.zero and not signed_zeros) or (o.constant is not None and _unambiguous(o.constant, signed_zeros))
        for o in operands
    ]
    zero = parse("DTYPE(0.0)") if value.kind == "s" else ast.Constant(0.0)
    if plain[1]:
        return _combined(
            operands, spelled(f"np.{family}({{a}}, {{b}})", a=a.node, b=zero if b.zero else b.node)
        )
    if plain[0]:
        # fmin and fmax prefer a number to NaN.
        return _combined(
            operands, spelled(f"np.f{family[:3]}({{a}}, {{b}})", a=b.node, b=zero if a.zero else a.node)
        )
    return None


def _unambiguous(constant: float, signed_zeros: bool) -> bool:
    return constant == constant and (constant != 0 or not signed_zeros)


def _combined(operands: Sequence[Expression], node: ast.expr, draws: bool = False) -> Expression:
    return Expression(
        node,
        reads=frozenset[str]().union(*(operand.reads for operand in operands)),
        draws=draws or any(operand.draws for operand in operands),
        operations=1 + sum(operand.operations for operand in operands),
    )


@cache
def zero_of_zeros(op: Op) -> bool:
    """Whether an op makes 0.0 (and not -0.0) everywhere of zeros, whatever its constants."""
    if op.constants:
        return False
    shapes = {"s": (), "v": (2,), "m": (2, 2)}
    inputs = [np.zeros(shapes[kind])[()] for kind in op.operands]
    with np.errstate(all="ignore"):
        result = op.numpy(*inputs, 2) if op.family == "broadcast" else op.numpy(*inputs)
    return bool((np.asarray(result) == 0).all() and not np.signbit(result).any())
