"""Predict for many examples at once, where it leaves nothing for the next prediction.

Examples are columns: a scalar that depends on the features has an entry for each, a vector is n_features x
examples, a matrix n_features x n_features x examples. So most lines stay as `azgen.exports.statements` writes
them for one example, as NumPy lines up shapes from the right; what does not depend on the features gets a
last axis of length 1 beside what does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from azgen.exports.expressions import Expression, applied, spelled
from azgen.exports.flow import Flow, Function, Parameter, Value
from azgen.exports.names import Namer
from azgen.exports.statements import Folder, Names

_SUMMED = {
    "norm": "np.linalg.norm({a}, axis=%s)",
    "mean": "np.mean({a}, axis=%s)",
    "st_dev": "np.std({a}, axis=%s)",
}
"""What makes a scalar of all entries, by family."""

_WRITTEN = {
    "broadcast": "np.tile({a}, (n_features, 1))",
    "columns": "np.tile({a}[:, None], (1, n_features, 1))",
    "rows": "np.tile({a}, (n_features, 1, 1))",
    "transpose": "{a}.swapaxes(0, 1)",
    "outer_product": "{a}[:, None] * {b}",
}
"""What is written otherwise than for one example, by family."""

_NO_COLUMNS = ("", "element")
"""Families that go example by example: a user's own ops, whose NumPy is theirs, and elements that are set."""


def lines_for_columns(flow: Flow) -> list[str] | None:
    """Lines that predict for all examples: a function's, of ``learner`` and ``features`` (F x examples).

    Args:
        flow: the program's values.

    Returns:
        The lines, the last of which returns the predictions (a single one if they do not depend on the
        features); None where a prediction depends on those before it, draws random numbers, or is made by
        ops that go example by example.
    """
    flow = Flow(flow.program, flow.classifier)  # names are given once for each
    steps = _needed(flow.predict)
    written = {step.address for step in flow.predict.steps}
    for step in steps:
        if step.op and (step.op.stochastic or step.op.family in _NO_COLUMNS):
            return None
        if any(operand.leaf == "entry" and operand.address in written for operand in step.operands):
            return None
    folder = _ColumnFolder(
        flow, Function("predict", steps, {}, flow.predict.result), _ColumnNames(flow), set()
    )
    return [line.replace("self.", "learner.") for line in folder.lines]


def _needed(predict: Function) -> list[Value]:
    """The steps of Predict that its result is made of, in order."""
    needed = {predict.result}
    for step in reversed(predict.steps):
        if step in needed:
            needed.update(step.operands)
    return [step for step in predict.steps if step in needed]


class _ColumnNames(Namer):
    """Names as they stand in the class Learner: what it keeps there is a variable here."""

    def __init__(self, flow: Flow):
        super().__init__(flow)
        self._kept = {value: address for address, value in flow.predict.kept.items()}

    def local(self, value: Value) -> str:
        return self.attribute(self._kept[value]) if value in self._kept else super().local(value)


class _ColumnFolder(Folder):
    """Writes Predict for columns of examples.

    What depends on the features is found by its names as it is written, as products with 0 vanish.
    """

    def __init__(self, flow: Flow, function: Function, names: Names, used: set[Parameter]):
        self._per_example = {"features"}
        super().__init__(flow, function, names, used)

    def _emit(self, statement: ast.AST, value: Value | None) -> None:
        if isinstance(statement, ast.Assign) and self._has_columns(statement.value):
            self._per_example.update(t.id for t in statement.targets if isinstance(t, ast.Name))
        super()._emit(statement, value)

    def _has_columns(self, node: ast.AST) -> bool:
        """Whether an expression has an entry for each example."""
        return any(isinstance(n, ast.Name) and n.id in self._per_example for n in _without_sizes(node))

    def _applied(self, value: Value, operands: Sequence[Expression]) -> Expression:
        columns = [self._has_columns(operand.node) for operand in operands]
        if not any(columns):
            return super()._applied(value, operands)
        assert value.op
        family, kinds = value.op.family, value.op.operands
        fields = self._surroundings()
        if family in ("inner_product", "matrix_product"):
            return self._product(value, operands, columns)
        if len(operands) == 2:
            operands = [
                operand if has else _with_last_axis(operand, kind)
                for operand, kind, has in zip(operands, kinds, columns, strict=True)
            ]
        found = applied(value, operands, fields)
        text = _WRITTEN.get(family)
        if family in _SUMMED:
            text = _SUMMED[family] % ("0" if kinds == "v" else "(0, 1)")
        if text is None:
            return found
        nodes = dict(zip("ab", (operand.node for operand in operands), strict=False))
        return replace(found, node=spelled(text, **nodes, **fields))

    def _product(self, value: Value, operands: Sequence[Expression], columns: Sequence[bool]) -> Expression:
        """Sums of products over an index."""
        assert value.op
        found = applied(value, operands, self._surroundings())
        a, b = (operand.node for operand in operands)
        if value.op.family == "inner_product":
            if all(columns):
                return replace(found, node=spelled("({a} * {b}).sum(axis=0)", a=a, b=b))
            return replace(found, node=spelled("{a} @ {b}", a=b, b=a) if columns[0] else found.node)
        kinds = value.op.operands
        if kinds == "mv" and not columns[0]:
            return found
        left, right, result = ("ij", "j", "in") if kinds == "mv" else ("ij", "jk", "ikn")
        left, right = left + "n" * columns[0], right + "n" * columns[1]
        text = f"np.einsum('{left},{right}->{result}', {{a}}, {{b}})"
        return replace(found, node=spelled(text, a=a, b=b))


def _without_sizes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of an expression but for ``len(features)``, which is a size."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len":
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _without_sizes(child)


def _with_last_axis(operand: Expression, kind: str) -> Expression:
    """What is the same for all examples, beside what is not."""
    if kind == "s":
        return operand
    axes = ":, None" if kind == "v" else ":, :, None"
    short = operand.short if operand.zero else None
    return replace(operand, node=spelled("{a}[" + axes + "]", a=operand.node), short=short)
