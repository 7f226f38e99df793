"""Live code and normal form over the memory that persists between Setup, Predict and Learn.

Execution runs Setup once, then Predict and Learn in turn on training examples, and Predict alone on
validation examples, so a value written in Learn may be read by the next Predict, and one written in Predict
by the next Predict.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from azgen.language.instruction import FEATURES, Address, Form, Function, Functions, Instruction
from azgen.language.op import FIRST_ID


def digest(text: str) -> str:
    """16 hexadecimal digits of the text's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def own_spellings(functions: Functions) -> str:
    """The spelling of a user's own ops in a program, which may change from file to file."""
    own = {(i.op.id, i.op.name, i.op.cython) for f in functions for i in f if i.op.id >= FIRST_ID}
    return "".join(f"{op}\n" for op in sorted(own))


def live_after(
    functions: Functions, form: Form
) -> tuple[frozenset[Address], frozenset[Address], frozenset[Address]]:
    """Addresses whose values may still influence a prediction after Setup, after Predict and after Learn."""
    _, predict, learn = functions
    of_predict, of_learn = _origins(predict), _origins(learn)
    before_predict = set[Address]()
    # Each address is followed once, so that long chains of copies cost no more than other programs.
    after_predict, waiting = {form.prediction}, [form.prediction]
    while waiting:
        for origin in of_predict(waiting.pop()) - form.reserved - before_predict:
            before_predict.add(origin)
            new = ({origin} | of_learn(origin)) - after_predict
            after_predict |= new
            waiting += new
    before = frozenset(before_predict)
    return before, frozenset(after_predict), before


def _origins(function: Function) -> Callable[[Address], frozenset[Address]]:
    """Tells of an address after a function: those whose values before it may influence its value."""
    found: dict[Address, frozenset[Address]] = {}

    def of(address: Address) -> frozenset[Address]:
        return found.get(address, frozenset({address}))

    for instruction in function:
        if instruction.writes:
            found[instruction.writes] = frozenset[Address]().union(*map(of, instruction.reads))
    return of


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


def without_dead_code(functions: Functions, form: Form) -> Functions:
    """A program without instructions that cannot influence any prediction.

    Liveness starts from "nothing is live" and grows, so accumulators that feed only themselves are dead too.
    """
    after = live_after(functions, form)
    setup, predict, learn = (_live_instructions(f, live) for f, live in zip(functions, after, strict=True))
    return setup, predict, learn


def normal_form(functions: Functions, form: Form) -> Functions:
    """Live code with addresses renamed by first appearance and operands of commutative ops in order of their
    names.

    Programs with the same normal form compute the same predictions, bit for bit. The converse does not hold.
    In the kernel the same steps run on every child (templates/kernel/normalize.pyx.j2).
    """
    names: dict[Address, Address] = {address: address for address in (form.label, form.prediction, FEATURES)}
    next_number = form.first_free

    def rename(address: Address) -> int:
        if address not in names:
            names[address] = Address(address.kind, next_number[address.kind])
            next_number[address.kind] += 1
        return names[address].number

    def renamed(instruction: Instruction) -> Instruction:
        op = instruction.op
        operands = [*instruction.reads[: len(op.operands)]]
        if op.commutative:
            # Named addresses come first, in order; of two new ones, the first to appear.
            operands.sort(key=lambda address: names[address].number if address in names else float("inf"))
        numbers = [rename(address) for address in operands]
        assert instruction.writes is not None
        return Instruction.of(op, rename(instruction.writes), numbers, instruction.constants)

    live = without_dead_code(functions, form)
    setup, predict, learn = (tuple(renamed(i) for i in function) for function in live)
    return setup, predict, learn
