"""From a search space to the Cython source of its search kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from azgen.codegen.lanes import MANY, LaneType
from azgen.codegen.target import Target
from azgen.codegen.templates import FUSIONS, Fusion, environment, render_lane_header, statement, tidy
from azgen.language.instruction import FUNCTIONS, Form, Memory
from azgen.language.metrics import Metric
from azgen.language.op import Op, OpTable
from azgen.language.ops import OPS
from azgen.settings.evolution import ACTIONS

CACHE_WAYS = 8
STRANDS = 4
"""Most programs that the kernel runs interleaved."""

L1_BYTES = 24 << 10
"""Memory that interleaved programs may touch together: half of a common first-level data cache."""

MAX_BATCH = 64
_CASES = ("SETUP_END", "CHECK", "RATE", "KEEP", "PROBE_CHECK", "PROBE_RATE")
"""Cases of the interpreter besides ops: what comes after Setup and after Predict."""

DROPPED_BITS = {"float32": 6, "float64": 34}
"""Low bits of a prediction that the probe's rounding drops: about 5 decimal digits remain."""


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
        table: gives meaning to the names.
        classes: entries of one-hot labels, for programs of the vector form; 0: the scalar form.
        evolves: whether it searches; else it only runs programs, and is compiled in half the time.
        archive: whether it searches with an archive, too.
        n_tasks: tasks that it mostly runs on, for the lane type; it runs on any number.
        fused: whether sums of products are by fused multiply-add.
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
    evolves: bool = True
    archive: bool = False
    n_tasks: int | None = MANY
    fused: bool = False

    @cached_property
    def target(self) -> Target:
        """What the kernel has in common with candidates on this machine."""
        shape = self.memory, self.n_features, self.metric, self.dtype, self.classes, self.n_tasks
        return Target.of(*shape, fused=self.fused)

    @property
    def form(self) -> Form:
        """Form of the programs that the kernel runs."""
        return self.target.form

    @property
    def lane(self) -> LaneType:
        """Lane type used on this machine."""
        return self.target.lane

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

    @cached_property
    def cases(self) -> Mapping[str, int]:
        """Case number of what the interpreter does besides ops."""
        names = (*_CASES, *(fusion.name.upper() for fusion in self.fusions))
        return {name: number for number, name in enumerate(names, len(self.ops))}


def _kernel_case(op: Op, stride: int) -> str:
    """The statement that runs an op inside the interpreter."""
    operands = [f"{name}[0]" if kind == "s" else name for name, kind in zip("ab", op.operands, strict=False)]
    constants = [
        f"step.element[{k}]" if kind == "index" else f"step.constant[{k}]"
        for k, kind in enumerate(op.constants)
    ]
    return statement(op, "out[0]" if op.result == "s" else "out", operands, constants, stride, "random")


_KIND = {"s": 0, "v": 1, "m": 2, "": -1}


def _kinds(operands: str, width: int) -> str:
    return ", ".join(str(_KIND[kind]) for kind in operands.ljust(width)[:width].replace(" ", "s"))


def _constant_kinds(op: Op) -> str:
    return ", ".join([*(kind.upper() for kind in op.constants), *["VALUE"] * (3 - len(op.constants))])


def render_kernel(spec: KernelSpec) -> dict[str, str]:
    """Source files of a search kernel: file name -> text."""
    registers = spec.memory.scalars + spec.memory.vectors + spec.memory.matrices
    allowed = {
        name: [spec.code[op] for op in sorted(ops, key=lambda n: spec.code[n])]
        for name, ops in zip(FUNCTIONS, spec.allowed, strict=True)
    }
    common = {
        **spec.target.names,
        "memory": spec.memory,
        "ops": spec.ops,
        "cases": spec.cases,
        # Vectors begin where a pack does.
        "first_vector": -(-spec.memory.scalars // spec.lane.pack) * spec.lane.pack,
    }
    tables = (
        environment()
        .get_template("kernel/tables.h.j2")
        .render(
            **common,
            code=spec.code,
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
            kernel_case=lambda op: _kernel_case(op, spec.target.stride),
            registers=registers,
            words=(registers + 63) // 64,
            capacity=spec.capacity,
            width=STRANDS,
            l1_bytes=L1_BYTES,
            fusions=spec.fusions,
            max_batch=MAX_BATCH,
            ways=CACHE_WAYS,
            evolves=spec.evolves,
            archive=spec.archive,
            actions=ACTIONS,
        )
    )
    # The tables need the lane's types.
    return {"kernel.pyx": tidy(kernel), "lane.h": render_lane_header(spec.target), "tables.h": tables}
