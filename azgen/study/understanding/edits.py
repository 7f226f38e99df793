"""Programs with one line changed: taken out, set to zero, or bypassed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from azgen.language import FUNCTIONS, OPS, Address, Instruction, Program
from azgen.language.normalize import live_after


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an instruction stands: function 0 (Setup), 1 (Predict) or 2 (Learn), and its number there."""

    function: int
    number: int

    def __str__(self) -> str:
        return f"{FUNCTIONS[self.function].capitalize()} {self.number + 1}"


def places(program: Program) -> Iterator[Place]:
    """All places in the order of the text."""
    for function, instructions in enumerate(program.functions):
        for number in range(len(instructions)):
            yield Place(function, number)


def at(program: Program, place: Place) -> Instruction:
    """The instruction at a place."""
    return program.functions[place.function][place.number]


def without(program: Program, *gone: Place) -> Program:
    """The program without these instructions, and otherwise as it is."""
    functions = (
        tuple(i for number, i in enumerate(function) if Place(f, number) not in gone)
        for f, function in enumerate(program.functions)
    )
    return Program(*functions, form=program.form)


def zeroed(program: Program, place: Place) -> Program:
    """The program with 0 in place of what an instruction makes; of an element setter, in the element.

    No random number is drawn for it: a vector or matrix of zeros is the sum of one that is never written.
    """
    instruction = at(program, place)
    op = instruction.op
    if op.keeps_rest:
        return _with(program, place, replace(instruction, constants=(*instruction.constants[:-1], 0.0)))
    if op.result == "s":
        return _with(program, place, Instruction(OPS["scalar_const_set"], instruction.out, constants=(0.0,)))
    if not op.result:
        return program
    name = "vector_sum" if op.result == "v" else "matrix_sum"
    untouched = program.memory.of(op.result)
    return _with(program, place, Instruction(OPS[name], instruction.out, untouched, untouched))


def bypasses(program: Program, place: Place) -> Iterator[Program]:
    """Programs without an instruction whose readers read one of its operands instead.

    So ``s5 = sin(s4)`` goes and ``s5 / s2`` becomes ``s4 / s2``. Only where every reader finds the operand
    unchanged, in the same function or, after a line of Predict, in Learn.
    """
    instruction = at(program, place)
    out = instruction.writes
    if out is None or instruction.op.keeps_rest:
        return
    for operand in dict.fromkeys(instruction.reads):
        if operand.kind == out.kind and operand != out:
            changed = _bypassed(program, place, operand, out)
            if changed is not None:
                yield changed


def _bypassed(program: Program, place: Place, operand: Address, out: Address) -> Program | None:
    functions = [list(function) for function in program.functions]
    overwritten = False
    for function, number in _readers(program, place, operand, out):
        reader = functions[function][number]
        if out in reader.reads:
            if overwritten or (reader.op.keeps_rest and reader.writes == out):
                return None
            pairs = zip(reader.op.operands, (reader.a, reader.b), strict=False)
            numbers = [operand.number if Address(kind, n) == out else n for kind, n in pairs]
            functions[function][number] = Instruction.of(reader.op, reader.out, numbers, reader.constants)
        overwritten = overwritten or reader.writes == operand
        if reader.writes == out:
            break
    else:
        last = 2 if _reaches_learn(program, place, operand, out) else place.function
        if out in live_after(program.functions, program.form)[last]:
            return None
    del functions[place.function][place.number]
    return Program(*map(tuple, functions), form=program.form)


def _readers(program: Program, place: Place, operand: Address, out: Address) -> Iterator[tuple[int, int]]:
    """Function and number of the lines after one, those of Learn after those of Predict."""
    for number in range(place.number + 1, len(program.functions[place.function])):
        yield place.function, number
    if _reaches_learn(program, place, operand, out):
        for number in range(len(program.learn)):
            yield 2, number


def _reaches_learn(program: Program, place: Place, operand: Address, out: Address) -> bool:
    """Whether Learn finds what a line of Predict makes, and its operand as it was."""
    form = program.form
    return place.function == 1 and not {operand, out} & {form.prediction, form.label}


def _with(program: Program, place: Place, instruction: Instruction) -> Program:
    functions = [list(function) for function in program.functions]
    functions[place.function][place.number] = instruction
    return Program(*map(tuple, functions), form=program.form)
