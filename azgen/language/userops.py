"""Checks of a user's own ops (see `azgen.language.userfile`), before anything uses them."""

from __future__ import annotations

import ast
import math
import re
import string
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from azgen.errors import AzgenError
from azgen.language import meaning
from azgen.language.instruction import Instruction
from azgen.language.later import numpy as np
from azgen.language.op import FIRST_ID, Op, OpTable
from azgen.language.ops import OPS
from azgen.language.program import Program

KINDS = ("value", "mean", "stdev", "low", "high")
"""Kinds of constants that a user's op may have; they decide how mutation draws and changes them."""

LANE_FUNCTIONS = tuple(
    f"lane_{name}"
    for name in (
        *("splat", "min", "max", "sqrt", "abs", "reciprocal", "step_from_zero", "step_above_zero"),
        *("sin", "cos", "tan", "asin", "acos", "atan", "exp", "log", "sigmoid"),
    )
)
"""What the Cython spelling may call, besides + - * / and parentheses."""

_PREFIX = {"s": "scalar_", "v": "vector_", "m": "matrix_"}
_TAKEN = (
    *("vector_add_scaled", "matrix_add_scaled", "matrix_add_outer"),
    *("vector_softmax", "vector_within", "vector_of_label", "vector_loss", "vector_hash_add"),
)
_SHAPE = {"s": (), "v": (5,), "m": (5, 5)}
_TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


def user_ops(ops: Iterable[Op]) -> tuple[Op, ...]:
    """Those that are a user's own, in the order of their ids."""
    return tuple(sorted((op for op in ops if op.id >= FIRST_ID), key=lambda op: op.id))


def needs(what: str) -> Callable[[bool, str], None]:
    """A function that raises an AzgenError, which begins with `what`, where a condition does not hold."""

    def need(condition: bool, message: str) -> None:
        if not condition:
            raise AzgenError(f"{what}: {message}")

    return need


def check_op(op: Op, table: OpTable = OPS) -> None:
    """Checks one op: its row, its spellings, and on some values that they mean the same.

    Raises:
        AzgenError: names what is wrong.
    """
    need = needs(f"op {op.name!r}")
    need(
        isinstance(op.id, int) and FIRST_ID <= op.id < 32768,
        f"the id is {op.id!r}; ids of your own go from {FIRST_ID} to 32767",
    )
    need(op.name not in [known.name for known in table], "this name is taken")
    need(re.fullmatch(r"[svm]{0,2} ?-> ?[svm]", op.signature.strip()) is not None,
         f'the signature is {op.signature!r}; it must be such as "ss -> s", "v -> v" or " -> s"')  # fmt: skip
    need(
        re.fullmatch(_PREFIX[op.result] + "[a-z0-9_]+", op.name) is not None,
        f"its name must begin with {_PREFIX[op.result]}, by its result, and have small letters, digits and _",
    )
    need(op.name not in _TAKEN, "this name is that of a function in generated code")
    need(
        set(op.operands) <= {"s", op.result} and (op.result == "s" or op.result in op.operands),
        "a scalar comes from scalars, a vector entry by entry from vectors and scalars, a matrix likewise",
    )
    need(len(op.constants) <= 3 and set(op.constants) <= set(KINDS),
         f"the constants are {op.constants}; at most three of {', '.join(KINDS)}")  # fmt: skip
    need(
        not op.constants or op.result == "s",
        "constants are for ops of scalars; give an op of vectors or matrices a scalar operand",
    )
    need(not op.stochastic, "these constants would make it draw random numbers, which your own ops cannot")
    need(op.target == "{out}", "the target must be {out}")
    need(not op.family, "families are for azgen's own ops")
    need(op.fused is None, "fused multiply-add is for azgen's own ops")
    need(isinstance(op.doc, str) and bool(op.doc.strip()) and "\n" not in op.doc, "doc must be one sentence")
    need(not op.commutative or (len(op.operands) == 2 and len(set(op.operands)) == 1),
         "only an op of two operands of one type can be commutative")  # fmt: skip
    for n_features in (1, 4, 64):
        cost = _attempt(op, "cost", partial(op.cost, n_features))
        need(
            isinstance(cost, int | float) and math.isfinite(cost) and cost >= 0,
            f"its cost at F = {n_features} is {cost}",
        )
    _check_spellings(op, need)
    _check_meaning(op, need)


def fields_of(text: str) -> list[str]:
    """Names of the fields ``{name}`` of a spelling."""
    return [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]


def _check_spellings(op: Op, need: Callable[[bool, str], None]) -> None:
    wanted = set("ab"[: len(op.operands)]) | set("xyz"[: len(op.constants)])
    for what, text in (("listing", op.listing), ("cython", op.cython), ("python", op.python)):
        found = set(_attempt(op, what, partial(fields_of, text)))
        extra = {"n_features"} if what == "python" else set()
        need(
            found - extra == wanted,
            f"{what} {text!r} has the fields {sorted(found)}; it must have {sorted(wanted)}",
        )
    numbers = {name: f"c{name}" for name in wanted}
    for what, text in (("listing", op.listing), ("python", op.python)):
        source = text.format(**numbers, **({"n_features": 1} if "n_features" in fields_of(text) else {}))
        _attempt(op, what, partial(ast.parse, source, mode="eval"))
    check_lane_expression(op.cython, wanted, need)


def check_lane_expression(cython: str, fields: Iterable[str], need: Callable[[bool, str], None]) -> None:
    """Checks that an expression of generated source consists of lanes' functions and arithmetic alone."""
    rest = cython.format(**dict.fromkeys(fields, ""))
    names = set(re.findall(r"[A-Za-z_]\w*", rest))
    need(
        names <= set(LANE_FUNCTIONS),
        f"cython {cython!r} uses {', '.join(sorted(names - set(LANE_FUNCTIONS)))}; it may call "
        f"{', '.join(LANE_FUNCTIONS)}",
    )
    rest = re.sub(r"lane_splat\(-?[0-9.]+(e-?[0-9]+)?\)", "", rest)
    need(
        re.search(r"[0-9]", rest) is None and re.fullmatch(r"[\w\s+\-*/(),.]*", rest) is not None,
        f"cython {cython!r}: numbers are written lane_splat(0.5), and operators are + - * /",
    )


def _check_meaning(op: Op, need: Callable[[bool, str], None]) -> None:
    """Runs the NumPy meaning and the Python spelling on some values."""
    for dtype in ("float32", "float64"):
        random = np.random.default_rng(0)
        number = np.dtype(dtype).type
        operands: list[Any] = [random.normal(size=_SHAPE[kind]).astype(dtype)[()] for kind in op.operands]
        constants = [number(value) for value in (0.25, 0.5, 0.75)[: len(op.constants)]]
        with np.errstate(all="ignore"):
            result = _attempt(op, "numpy", partial(op.numpy, *operands, *constants))
            need(
                np.shape(result) == _SHAPE[op.result],
                f"numpy gives shape {np.shape(result)} at F = 5; {op.result} is {_SHAPE[op.result]}",
            )
            need(
                np.asarray(result).dtype == dtype,
                f"numpy makes {np.asarray(result).dtype} of {dtype}; it must keep the number type",
            )
            environment: dict[str, Any] = {"np": np, "DTYPE": number, "n_features": 5}
            environment |= {"minimum": meaning.smaller, "maximum": meaning.larger}
            names: dict[str, Any] = dict(zip("ab", operands, strict=False))
            names |= dict(zip("xyz", constants, strict=False))
            text = op.python.format(**{name: name for name in [*names, "n_features"]})
            again = _attempt(op, "python", partial(eval, text, environment | names))
            need(
                np.allclose(again, result, rtol=_TOLERANCE[dtype], atol=_TOLERANCE[dtype], equal_nan=True),
                f"its meaning in numpy and its Python spelling {op.python!r} give different results",
            )
            if op.commutative:
                need(
                    np.array_equal(op.numpy(*operands[::-1], *constants), result, equal_nan=True),
                    "it is called commutative, but exchanging the operands changes the result",
                )


def check_listings(table: OpTable) -> None:
    """No two ops may print alike, or a program could not be read back."""
    for op in user_ops(table):
        constants = (0.25, 0.5, 0.75)[: len(op.constants)]
        line = Instruction.of(op, 3, (1, 2)[: len(op.operands)], constants)
        program = Program(predict=(line,))
        try:
            again = Program.parse(str(program), "listing", table)
        except AzgenError as error:
            raise AzgenError(f"op {op.name!r}: `{line}` cannot be read back: {error}") from None
        if again != program:
            other = again.predict[0].op.name
            raise AzgenError(f"op {op.name!r}: `{line}` reads as {other}; choose another listing")


def _attempt(op: Op, what: str, function: Callable[[], Any]) -> Any:
    try:
        return function()
    except AzgenError:
        raise
    except Exception as error:
        raise AzgenError(f"op {op.name!r}: {what} fails: {type(error).__name__}: {error}") from None
