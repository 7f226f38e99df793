"""Live code and normal form over the memory that persists between Setup, Predict and Learn.

Execution runs Setup once, then Predict and Learn in turn on training examples, and Predict alone on
validation examples, so a value written in Learn may be read by the next Predict, and one written in Predict
by the next Predict.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from azgen.language.ops import FIRST_ID
from azgen.language.program import FEATURES, Address, Instruction, Program

Function = tuple[Instruction, ...]


def digest(text: str) -> str:
    """16 hexadecimal digits of the text's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def structure_text(program: Program) -> str:
    """Program text with every constant replaced by a question mark."""
    nan = float("nan")
    return str(program.with_constants((nan,) * len(program.constants))).replace("nan", "?")


def meaning_text(program: Program, text: Callable[[Program], str]) -> str:
    """A program's text and the spelling of a user's own ops in it, which may change from file to file."""
    own = {(i.op.id, i.op.name, i.op.cython) for i in program.instructions() if i.op.id >= FIRST_ID}
    return text(program) + "".join(f"{op}\n" for op in sorted(own))


def live_after(program: Program) -> tuple[frozenset[Address], frozenset[Address], frozenset[Address]]:
    """Addresses whose values may still influence a prediction after Setup, after Predict and after Learn."""
    before_predict: frozenset[Address] = frozenset()
    before_learn: frozenset[Address] = frozenset()
    while True:
        after_predict = before_learn | before_predict | {program.form.prediction}
        new_learn = live_before(program.learn, before_predict)
        new_predict = live_before(program.predict, after_predict) - program.form.reserved
        if (new_learn, new_predict) == (before_learn, before_predict):
            return before_predict, after_predict, before_predict
        before_learn, before_predict = new_learn, new_predict


def live_before(function: Function, after: frozenset[Address]) -> frozenset[Address]:
    """Addresses live before a function, given those live after it."""
    live = set(after)
    for instruction in reversed(function):
        if instruction.writes in live:
            live.discard(instruction.writes)
            live.update(instruction.reads)
    return frozenset(live)


def _live_instructions(function: Function, after: frozenset[Address]) -> Function:
    kept, live = [], set(after)
    for instruction in reversed(function):
        if instruction.writes in live:
            live.discard(instruction.writes)
            live.update(instruction.reads)
            kept.append(instruction)
    return tuple(reversed(kept))


def without_dead_code(program: Program) -> Program:
    """The program without instructions that cannot influence any prediction.

    Liveness starts from "nothing is live" and grows, so accumulators that feed only themselves are dead too.
    """
    after = live_after(program)
    functions = (_live_instructions(f, live) for f, live in zip(program.functions, after, strict=True))
    return Program(*functions, form=program.form)


def normal_form(program: Program) -> Program:
    """Live code with addresses renamed by first appearance and operands of commutative ops in order of their
    names.

    Programs with the same normal form compute the same predictions, bit for bit. The converse does not hold.
    In the kernel the same steps run on every child (templates/kernel/normalize.pyx.j2).
    """
    live = without_dead_code(program)
    form = program.form
    names: dict[Address, Address] = {address: address for address in (form.label, form.prediction, FEATURES)}
    next_number = form.first_free

    def rename(address: Address) -> int:
        if address not in names:
            names[address] = Address(address.kind, next_number[address.kind])
            next_number[address.kind] += 1
        return names[address].number

    def renamed(instruction: Instruction) -> Instruction:
        op = instruction.op
        operands = [
            Address(kind, number)
            for kind, number in zip(op.operands, (instruction.a, instruction.b), strict=False)
        ]
        if op.commutative:
            # Named addresses come first, in order; of two new ones, the first to appear.
            operands.sort(key=lambda address: names[address].number if address in names else float("inf"))
        numbers = [rename(address) for address in operands]
        assert instruction.writes is not None
        return Instruction.of(op, rename(instruction.writes), numbers, instruction.constants)

    return Program(*(tuple(renamed(i) for i in function) for function in live.functions), form=form)
