"""Random programs for tests: a hypothesis strategy, and a seeded generator for sweeps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from hypothesis import strategies as st

from azgen.language import OPS, Instruction, Memory, Op, Program
from azgen.language.instruction import SCALAR, Form

MEMORY = Memory(4, 4, 3)
SIZES = (6, 8, 12)
LOWEST_WRITTEN = {"scalar": {"s": 1, "v": 1, "m": 0}, "vector": {"s": 0, "v": 2, "m": 0}}

_VALUES = st.one_of(
    st.sampled_from((0.0, 1.0, -1.0, 0.5, 0.1)),
    st.floats(-4, 4, allow_subnormal=False),
)
_CONSTANTS = {
    "value": _VALUES,
    "index": st.floats(0, 1, exclude_max=True),
    "mean": _VALUES,
    "stdev": st.floats(0, 2, allow_subnormal=False),
    "low": _VALUES,
    "high": _VALUES,
}


@st.composite
def instructions(
    draw: st.DrawFn, ops: Sequence[Op], memory: Memory = MEMORY, form: Form = SCALAR
) -> Instruction:
    """An instruction with one of these ops, on addresses within a memory."""
    op = draw(st.sampled_from(ops))
    if not op.result:
        return Instruction(op)
    out = draw(st.integers(LOWEST_WRITTEN[form.name][op.result], memory.of(op.result) - 1))
    operands = [draw(st.integers(0, memory.of(kind) - 1)) for kind in op.operands]
    constants = tuple(draw(_CONSTANTS[kind]) for kind in op.constants)
    return Instruction(op, out, *operands, constants=constants)


@st.composite
def programs(
    draw: st.DrawFn,
    ops: Iterable[Op] = OPS,
    memory: Memory = MEMORY,
    sizes: tuple[int, int, int] = SIZES,
    form: Form = SCALAR,
) -> Program:
    """A program whose Setup, Predict and Learn have at most these many instructions.

    Ops that need an address that the memory does not have are left out.
    """
    usable = usable_ops(ops, memory, form)
    functions = (tuple(draw(st.lists(instructions(usable, memory, form), max_size=size))) for size in sizes)
    return Program(*functions, form=form)


def random_program(
    rng: np.random.Generator,
    ops: Iterable[Op] = OPS,
    memory: Memory = MEMORY,
    sizes: tuple[int, int, int] = SIZES,
    form: Form = SCALAR,
) -> Program:
    """A program with up to these many instructions a function, everything about them drawn uniformly."""
    usable = usable_ops(ops, memory, form)
    return Program(
        *(
            tuple(random_instruction(rng, usable, memory, form) for _ in range(rng.integers(size + 1)))
            for size in sizes
        ),
        form=form,
    )


def lively_program(rng: np.random.Generator, form: Form = SCALAR, ops: Iterable[Op] = OPS) -> Program:
    """A longer random program whose prediction comes from what the rest computes, so that little is dead."""
    program = random_program(rng, ops, Memory(4, 4, 2), (8, 16, 24), form)
    last = (
        Instruction(OPS["vector_inner_product"], 1, 2, 3)
        if form == SCALAR
        else Instruction(OPS["matrix_vector_product"], 2, 1, 3)
    )
    return Program(program.setup, (*program.predict, last), program.learn, form=form)


def programs_of_every_op(per_program: int = 8) -> list[Program]:
    """Programs of the scalar form that have every op between them. Each adds something to the prediction that
    depends on all entries of the op's result, and on where they are; transcendental ops keep to themselves.

    Features are to lie within (-1, 1), so that all results are finite.
    """

    def line(name: str, out: int, *operands: int) -> Instruction:
        return Instruction.of(OPS[name], out, operands)

    before = [
        *(line("vector_abs", 1, 0), line("vector_mean", 2, 1), line("vector_norm", 3, 0)),
        *(line("scalar_vector_product", 2, 2, 0), line("vector_outer_product", 0, 0, 1)),
        *(line("vector_outer_product", 1, 1, 2), line("vector_inner_product", 1, 0, 1)),
    ]
    told = [line("vector_inner_product", 5, 3, 1), line("scalar_sum", 1, 1, 5)]
    after = {"s": told[1:], "v": told, "m": [line("matrix_vector_product", 3, 2, 0), *told]}
    out, operands = {"s": 5, "v": 3, "m": 2}, {"s": (2, 3), "v": (0, 1), "m": (0, 1)}
    tried = sorted((op for op in OPS if op.result), key=lambda op: op.family == "function")
    parts = [
        [
            Instruction.of(
                op,
                out[op.result],
                [operands[kind][place] for place, kind in enumerate(op.operands)],
                (0.25, 0.5, 0.75)[: len(op.constants)],
            ),
            *after[op.result],
        ]
        for op in tried
    ]
    groups = (parts[start : start + per_program] for start in range(0, len(parts), per_program))
    return [Program(predict=(*before, *(i for part in group for i in part))) for group in groups]


def random_instruction(
    rng: np.random.Generator, ops: Sequence[Op], memory: Memory = MEMORY, form: Form = SCALAR
) -> Instruction:
    """An instruction with everything about it drawn uniformly (AutoML-Zero, supplement S1)."""
    op = ops[rng.integers(len(ops))]
    if not op.result:
        return Instruction(op)
    out = int(rng.integers(LOWEST_WRITTEN[form.name][op.result], memory.of(op.result)))
    operands = [int(rng.integers(memory.of(kind))) for kind in op.operands]
    low = {"index": 0.0, "stdev": 0.0}
    constants = tuple(float(rng.uniform(low.get(kind, -1.0), 1.0)) for kind in op.constants)
    return Instruction(op, out, *operands, constants=constants)


def usable_ops(ops: Iterable[Op], memory: Memory, form: Form = SCALAR) -> list[Op]:
    """Ops whose operands and result fit into a memory."""
    return [
        op
        for op in ops
        if all(memory.of(kind) > 0 for kind in op.operands)
        and (not op.result or memory.of(op.result) > LOWEST_WRITTEN[form.name][op.result])
    ]
