"""From programs and search spaces to Cython source: the Jinja2 environment and what templates may call."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import jinja2

from azgen.codegen.lanes import LaneType, lane_type
from azgen.language import random as draws
from azgen.language.meaning import PARTIAL_SUMS
from azgen.language.metrics import Metric, UserMetric, is_classification
from azgen.language.ops import OPS, Op, OpTable
from azgen.language.program import FUNCTIONS, SCALAR, VECTOR, Form, Memory

STACK_BYTES = 1 << 18
"""Memory of at most this size lies on the stack in generated code."""

UNROLLED = 16
"""Longest vector whose entries are spelled out one by one in generated source."""

CACHE_WAYS = 8
STRANDS = 4
"""Most programs that the kernel runs interleaved."""

L1_BYTES = 24 << 10
"""Memory that interleaved programs may touch together: half of a common first-level data cache."""

PACK_FUNCTIONS = ("abs", "reciprocal", "step_from_zero", "step_above_zero")
"""Functions of one lane that exist for packs too, besides min and max."""

MAX_BATCH = 64
DROPPED_BITS = {"float32": 6, "float64": 34}
"""Low bits of a prediction that the probe's rounding drops: about 5 decimal digits remain."""


def template_directory() -> Path:
    """Where the templates lie: top-level in a checkout, inside the package when installed."""
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent / "templates"
    return checkout if checkout.is_dir() else package / "_templates"


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
        entry_statement=entry_statement,
        PARTIAL_SUMS=PARTIAL_SUMS,
        UNROLLED=UNROLLED,
        STACK_BYTES=STACK_BYTES,
        PACK_FUNCTIONS=PACK_FUNCTIONS,
        random=draws,
    )
    return result


def fold(entry: str, count: int) -> str:
    """Expression that adds entries 0 to count-1 in the order of `azgen.language.meaning.ordered_sum`."""
    terms = [entry.format(i=i) for i in range(count)]
    while len(terms) > 1:
        half = (len(terms) + 1) // 2
        terms = [
            f"({terms[i]} + {terms[i + half]})" if i + half < len(terms) else terms[i] for i in range(half)
        ]
    return terms[0]


def entry_statement(op: Op, lane: LaneType) -> tuple[str, int]:
    """The line that computes unit ``{i}`` of an entrywise op's result, and how many entries a unit has."""
    called = set(re.findall(r"lane_(\w+)", op.cython))
    # What exists for lanes only, such as transcendental functions, runs entry by entry.
    unit = lane if called <= {"min", "max", *PACK_FUNCTIONS} else replace(lane, pack=1)
    operands = {
        name: unit.spread(name) if kind == "s" else unit.read(name)
        for name, kind in zip("ab", op.operands, strict=False)
    }
    code = op.cython.format(**operands)
    if unit.pack > 1:
        code = code.replace("lane_", "pack_")
    return f"{unit.write('out')} = {code}", unit.pack


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


def memory_numbers(memory: Memory, n_features: int) -> int:
    """Numbers in a program's memory, on one task."""
    return memory.scalars + memory.vectors * n_features + memory.matrices * n_features**2


def largest_register(memory: Memory, n_features: int) -> int:
    """Numbers in the largest register of a memory, on one task."""
    return n_features**2 if memory.matrices else n_features


@dataclass(frozen=True)
class KernelSpec:
    """What a search kernel is specialised to.

    Attributes:
        n_features: F, entries of a vector.
        memory: number of scalar, vector and matrix addresses.
        metric: what fitness means; it decides the loss in the generated code.
        dtype: "float32" or "float64".
        allowed: names of the ops that mutation may use, per function ("setup", "predict", "learn"); empty:
        fixed.
        also: names of further ops that fixed parts or given programs use.
        capacity: most instructions a program may have in all.
        classes: entries of one-hot labels, for programs of the vector form; 0: the scalar form.
        ops: table that gives meaning to the names.
    """

    n_features: int
    memory: Memory
    metric: Metric
    dtype: str
    allowed: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]] = ((), (), ())
    also: tuple[str, ...] = ()
    capacity: int = 128
    table: OpTable = OPS
    classes: int = 0

    @property
    def form(self) -> Form:
        """Form of the programs that the kernel runs."""
        return VECTOR if self.classes else SCALAR

    @cached_property
    def lane(self) -> LaneType:
        """Lane type used on this machine."""
        return lane_type(self.dtype, largest_register(self.memory, self.n_features))

    @cached_property
    def ops(self) -> tuple[Op, ...]:
        """The kernel's ops in the order of their ids; an op's place is its case in the interpreter."""
        names = {"no_op", *self.also, *(name for function in self.allowed for name in function)}
        return tuple(sorted((self.table[name] for name in names), key=lambda op: op.id))

    @cached_property
    def code(self) -> Mapping[str, int]:
        """Case number by op name."""
        return {op.name: position for position, op in enumerate(self.ops)}

    @cached_property
    def fusions(self) -> tuple[Fusion, ...]:
        """Fusions whose two ops the kernel has."""
        return tuple(fusion for fusion in FUSIONS if {fusion.first, fusion.second} <= set(self.code))


def statement(
    op: Op, out: str, operands: Sequence[str], constants: Sequence[str], n_features: int, random: str
) -> str:
    """The line of Cython that runs an op, given how each of its parts is spelled."""
    if op.result != "s" and "{out}" not in op.cython:
        return f"{op.name}({', '.join([out, *operands])})"
    fields = dict(zip("ab", operands, strict=False)) | dict(zip("xyz", constants, strict=False))
    code = op.cython.format(out=out, n_features=n_features, random=random, **fields)
    return code if "{out}" in op.cython else f"{out} = {code}"


def _kernel_case(op: Op, n_features: int) -> str:
    """The statement that runs an op inside the interpreter."""
    operands = [f"{name}[0]" if kind == "s" else name for name, kind in zip("ab", op.operands, strict=False)]
    constants = [
        f"step.element[{k}]" if kind == "index" else f"step.constant[{k}]"
        for k, kind in enumerate(op.constants)
    ]
    return statement(op, "out[0]" if op.result == "s" else "out", operands, constants, n_features, "random")


_KIND = {"s": 0, "v": 1, "m": 2, "": -1}


def _kinds(operands: str, width: int) -> str:
    return ", ".join(str(_KIND[kind]) for kind in operands.ljust(width)[:width].replace(" ", "s"))


def _constant_kinds(op: Op) -> str:
    return ", ".join([*(kind.upper() for kind in op.constants), *["VALUE"] * (3 - len(op.constants))])


def render_lane_header(lane: LaneType, metric: Metric, n_features: int, classes: int) -> str:
    """lane.h, which kernel and candidates share."""
    own = metric if isinstance(metric, UserMetric) else None
    template = environment().get_template("lane/lane.h.j2")
    return template.render(lane=lane, metric=metric, own=own, F=n_features, classes=classes)


def render_kernel(spec: KernelSpec) -> dict[str, str]:
    """Source files of a search kernel: file name -> text."""
    registers = spec.memory.scalars + spec.memory.vectors + spec.memory.matrices
    allowed = {
        name: [spec.code[op] for op in sorted(ops, key=lambda n: spec.code[n])]
        for name, ops in zip(FUNCTIONS, spec.allowed, strict=True)
    }
    common = {
        "F": spec.n_features,
        "memory": spec.memory,
        "lane": spec.lane,
        "ops": spec.ops,
        "metric": spec.metric,
        "classification": is_classification(spec.metric),
        "form": spec.form,
        "classes": spec.classes,
    }
    tables = (
        environment()
        .get_template("kernel/tables.h.j2")
        .render(
            **common,
            allowed=allowed,
            kind=_KIND.__getitem__,
            kinds=_kinds,
            constant_kinds=_constant_kinds,
            dropped_bits=DROPPED_BITS[spec.dtype],
        )
    )
    kernel = (
        environment()
        .get_template("kernel/kernel.pyx.j2")
        .render(
            **common,
            code=spec.code,
            kernel_case=lambda op: _kernel_case(op, spec.n_features),
            registers=registers,
            words=(registers + 63) // 64,
            capacity=spec.capacity,
            # Vectors begin where a pack does.
            first_vector=-(-spec.memory.scalars // spec.lane.pack) * spec.lane.pack,
            width=STRANDS,
            l1_bytes=L1_BYTES,
            fusions=spec.fusions,
            max_batch=MAX_BATCH,
            ways=CACHE_WAYS,
        )
    )
    # The tables need the lane's types.
    header = render_lane_header(spec.lane, spec.metric, spec.n_features, spec.classes)
    return {"kernel.pyx": kernel, "lane.h": header, "tables.h": tables}
