"""The Jinja2 environment of all templates, and what kernels and candidates have in common in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import jinja2

from azgen.codegen.lanes import LaneType
from azgen.codegen.packs import (
    pack_head,
    total_of_packs,
    total_of_products,
    totals_of_packs,
    totals_of_products,
)
from azgen.codegen.target import Target
from azgen.codegen.template_folder import template_directory
from azgen.language import random as draws
from azgen.language.fused import fused_sums
from azgen.language.meaning import PARTIAL_SUMS
from azgen.language.metrics import LEAST_PROBABILITY
from azgen.language.op import Op

STACK_BYTES = 1 << 18
"""Memory of at most this size lies on the stack in generated code."""

UNROLLED = 16
"""Longest vector whose entries are spelled out one by one in generated source."""

_SUM_WIDTH = 88
"""Longest sum on one line."""

LANE_FUNCTIONS = (
    *("sqrt", "abs", "reciprocal", "step_from_zero", "step_above_zero"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "exp", "log", "sigmoid"),
)
"""Functions of one lane; of a pack there are the same."""


@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    """The Jinja2 environment of all templates: undefined names are errors, blocks leave no blank lines."""
    result = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_directory()),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    result.globals.update(
        fold=fold,
        fold_products=fold_products,
        fused_sums=fused_sums,
        is_called=is_called,
        entry_statement=entry_statement,
        PARTIAL_SUMS=PARTIAL_SUMS,
        UNROLLED=UNROLLED,
        STACK_BYTES=STACK_BYTES,
        LANE_FUNCTIONS=LANE_FUNCTIONS,
        total_of_packs=total_of_packs,
        total_of_products=total_of_products,
        totals_of_products=totals_of_products,
        totals_of_packs=totals_of_packs,
        pack_head=pack_head,
        LEAST_PROBABILITY=LEAST_PROBABILITY,
        random=draws,
    )
    return result


def is_called(function: str, source: str) -> bool:
    """Whether source calls a function, so that its declaration is needed."""
    return function in _called(source)


@lru_cache(maxsize=1)
def _called(source: str) -> frozenset[str]:
    return frozenset(re.findall(r"(\w+)\(", source))


def fold(entry: str, count: int, indent: int = 4) -> str:
    """Expression that adds entries 0 to count-1 in the order of `azgen.language.meaning.ordered_sum`.

    What is too long for a line is a level of the tree a line, from `indent` spaces on.
    """
    return _folded([entry.format(i=i) for i in range(count)], indent)


def fold_products(a: str, b: str, count: int, unit: str, indent: int = 4) -> str:
    """Expression that adds products of entries 0 to count-1 of a and b in the order of
    `azgen.language.fused.fused_sum`, by fused multiply-add of lanes or packs."""
    half = fused_sums(count)
    terms = [f"{a} * {b}".format(i=i) for i in range(half)]
    for i in range(count - half):
        terms[i] = f"{unit}_fma({a}, {b}, ".format(i=half + i) + f"{terms[i]})"
    return _folded(terms, indent)


def _folded(entries: list[str], indent: int) -> str:
    terms: list[_Sum] = [*entries]
    while len(terms) > 1:
        half = (len(terms) + 1) // 2
        terms = [(terms[i], terms[i + half]) if i + half < len(terms) else terms[i] for i in range(half)]
    return _sum_text(terms[0], indent)


_Sum = str | tuple["_Sum", "_Sum"]


def _sum_text(terms: _Sum, indent: int) -> str:
    if isinstance(terms, str):
        return terms
    left, right = (_sum_text(term, indent + 4) for term in terms)
    if "\n" not in left + right and indent + len(left) + len(right) <= _SUM_WIDTH:
        return f"({left} + {right})"
    inside, outside = "\n" + " " * (indent + 4), "\n" + " " * indent
    return f"({inside}{left}{inside}+ {right}{outside})"


def tidy(source: str) -> str:
    """Generated Cython with one blank line between functions, and none more."""
    source = re.sub(r"(\n[ ]+\S[^\n]*)\n(?=[^\s)])", r"\1\n\n", source)
    return re.sub(r"\n{3,}", "\n\n", source).rstrip("\n") + "\n"


def entry_statement(op: Op, lane: LaneType) -> str:
    """The line that computes unit ``{i}`` of an entrywise op's result."""
    operands = {
        name: lane.spread(name) if kind == "s" else lane.read(name)
        for name, kind in zip("ab", op.operands, strict=False)
    }
    code = op.cython.format(**operands)
    if lane.pack > 1:
        code = re.sub(r"\blane_(?!splat)", "pack_", code)
        code = re.sub(r"\blane_splat\([^()]*\)", r"pack_splat(\g<0>)", code)  # in ops of a user
    return f"{lane.write('out')} = {code}"


@dataclass(frozen=True)
class Fusion:
    """A product and the sum that alone uses it, executed as one step: out = addend + product of a and b.

    Attributes:
        name: its function in generated source.
        first, second: names of the two ops.
        product: how the function's third argument reads in the interpreter (a scalar is passed by value).
    """

    name: str
    first: str
    second: str
    product: str


FUSIONS = (
    Fusion("vector_add_scaled", "scalar_vector_product", "vector_sum", "a[0]"),
    Fusion("matrix_add_scaled", "scalar_matrix_product", "matrix_sum", "a[0]"),
    Fusion("matrix_add_outer", "vector_outer_product", "matrix_sum", "a"),
)


def statement(
    op: Op, out: str, operands: Sequence[str], constants: Sequence[str], stride: int, random: str
) -> str:
    """The line of Cython that runs an op, given how each of its parts is spelled, and the entries that a
    matrix's row takes up."""
    if op.result != "s" and "{out}" not in op.cython:
        return f"{op.name}({', '.join([out, *operands])})"
    fields = dict(zip("ab", operands, strict=False)) | dict(zip("xyz", constants, strict=False))
    code = op.cython.format(out=out, n_features=stride, random=random, **fields)
    return code if "{out}" in op.cython else f"{out} = {code}"


def render_lane_header(target: Target) -> str:
    """lane.h, which kernel and candidates share."""
    return environment().get_template("lane/lane.h.j2").render(**target.names)
