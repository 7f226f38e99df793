"""Candidates: from programs to the Cython source of a module that runs each as native code of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from azgen.codegen.target import Target
from azgen.codegen.templates import (
    FUSIONS,
    STACK_BYTES,
    Fusion,
    environment,
    render_lane_header,
    statement,
    tidy,
)
from azgen.language.conditions import Conditions
from azgen.language.instruction import Address, Function, Instruction
from azgen.language.metrics import Metric
from azgen.language.normalize import live_after, live_before
from azgen.language.op import Op
from azgen.language.program import Program

SHARED_AT = (8, 16)
"""Numbers of features at which candidates of one module share functions of matrices in place of inlining
them: they compile in half to two thirds of the time and run faster. With 4, 12 and 32 they run slower
(docs/performance.md)."""


@dataclass(frozen=True)
class Register:
    """Memory of a candidate: a local variable named like the program's address.

    Attributes:
        name: the address.
        size: numbers that it takes up on one task.
        lasts: whether it lasts from example to example, starting at zero.
        on_stack: whether it lies on the stack and need not be allocated.
    """

    name: str
    size: int
    lasts: bool
    on_stack: bool

    @property
    def is_array(self) -> bool:
        """Whether it is reached by a pointer: every vector and matrix, however many features there are."""
        return not self.name.startswith("s")

    def declaration(self, suffix: str) -> str:
        """How a declaration of variables on the stack names that of a lane group."""
        name = f"{self.name}{suffix}"
        return f"{name} = ZERO" if self.lasts and not self.is_array else name

    @property
    def type(self) -> str:
        """Its type in generated source."""
        return {"s": "lane", "v": "Vector", "m": "Matrix"}[self.name[0]]


@dataclass(frozen=True)
class Part:
    """A register's place in the memory that a learner keeps from call to call.

    Attributes:
        pointer: where the register is, in generated source.
        at, size: numbers of one task before it, and of it.
    """

    pointer: str
    at: int
    size: int


@dataclass(frozen=True)
class Line:
    """What a line or two of program text, with constants as c0, c1, ..., become in Cython.

    Attributes:
        codes: the lines, one a lane group of a call.
        instructions: how many of the program's it carries out.
    """

    codes: Sequence[str]
    text: str
    instructions: int = 1


class Candidate:
    """A program's structure as the candidate template sees it.

    Attributes:
        program: the normal form.
        structure_hash: names the candidate.
        constant_count: constants, which arrive from outside in the order of the normal form.
        setup, predict, learn: lines of Cython.
        lasting, passing: memory that lasts from example to example, and memory that does not.
        ops, fusions: what the lines call.
        kept: of a learner the places of what lasts; else empty.
    """

    def __init__(
        self, program: Program, target: Target, show_values: bool = False, keeps_memory: bool = False
    ):
        self.program = program.normalized()
        self.structure_hash = program.structure_hash
        self.constant_count = len(self.program.constants)
        self.ops: set[Op] = set()
        self.fusions: set[Fusion] = set()
        self._target = target
        self._on_stack = target.lane.bytes * target.numbers(self.program.memory) <= STACK_BYTES
        self._written: set[Address] = set()
        self._constants = 0
        self._show_values = show_values
        after = live_after(self.program.functions, self.program.form)
        self.setup, self.predict, self.learn = (
            list(self._lines(function, live))
            for function, live in zip(self.program.functions, after, strict=True)
        )
        # What one function leaves to another, or to itself the next time, lasts. All else is written before
        # it is read in every function that uses it.
        lasting = {
            address
            for function, live in zip(self.program.functions, after, strict=True)
            for address in live_before(function, live)
        }
        lasting = lasting - self.program.form.reserved | {self.program.form.prediction}
        self.lasting = self._registers(lasting, lasts=True)
        self.passing = self._registers(self._written - lasting, lasts=False)
        self.kept = list(self._parts()) if keeps_memory else []

    @property
    def probability(self) -> Line:
        """What of a classification metric makes probabilities of a prediction."""
        suffixes = self._target.suffixes
        if self._target.classes:
            return Line([f"vector_softmax(v2{its})" for its in suffixes], "the classes' probabilities")
        return Line([f"s1{its} = lane_sigmoid(s1{its})" for its in suffixes], "the probability of class 1")

    @property
    def on_heap(self) -> list[Register]:
        """Memory that is too large for the stack."""
        return [register for register in (*self.lasting, *self.passing) if not register.on_stack]

    @property
    def numbers(self) -> int:
        """Numbers of one task that last."""
        return sum(register.size for register in self.lasting)

    def _parts(self) -> Iterator[Part]:
        at = 0
        for register in self.lasting:
            yield Part(register.name if register.is_array else f"&{register.name}", at, register.size)
            at += register.size

    def _registers(self, addresses: set[Address], *, lasts: bool) -> list[Register]:
        stride = self._target.stride
        size = {"s": 1, "v": stride, "m": self._target.n_features * stride}
        ordered = sorted(addresses, key=lambda a: ("svm".index(a.kind), a.number))
        return [Register(str(a), size[a.kind], lasts, a.kind == "s" or self._on_stack) for a in ordered]

    def _lines(self, function: Function, live: frozenset[Address]) -> Iterator[Line]:
        place = 0
        while place < len(function):
            first, rest = function[place], function[place + 1 :]
            fusion = find_fusion(first, rest[0], live_before(rest[1:], live)) if rest else None
            if fusion:
                yield self._fused_line(fusion, first, rest[0])
            else:
                yield self._line(first)
            place += 2 if fusion else 1

    def _line(self, instruction: Instruction) -> Line:
        op = instruction.op
        first = self._constants
        self._constants += len(op.constants)
        assert instruction.writes is not None
        self.ops.add(op)
        self._written.add(instruction.writes)

        def code(suffix: str) -> str:
            example, out = f"example{suffix}", f"{instruction.writes}{suffix}"
            constants = [
                f"{example}.{'element' if kind == 'index' else 'constant'}[{first + k}]"
                for k, kind in enumerate(op.constants)
            ]
            operands = [self._spelled(address, suffix) for address in instruction.reads[: len(op.operands)]]
            return statement(op, out, operands, constants, self._target.stride, f"{example}.random")

        text = text_of(instruction, first, self._show_values)
        return Line([code(suffix) for suffix in self._target.suffixes], text)

    def _fused_line(self, fusion: Fusion, product: Instruction, total: Instruction) -> Line:
        assert total.writes is not None
        addend = next(address for address in total.reads if address != product.writes)
        self.fusions.add(fusion)
        self._written.add(total.writes)

        def code(suffix: str) -> str:
            operands = (self._spelled(address, suffix) for address in (addend, *product.reads))
            return f"{fusion.name}({', '.join([f'{total.writes}{suffix}', *operands])})"

        codes = [code(suffix) for suffix in self._target.suffixes]
        return Line(codes, f"{product}; {total}", instructions=2)

    def _spelled(self, address: Address, suffix: str) -> str:
        """How an operand reads in generated source: label and features are the example's, others local."""
        its = address in self.program.form.reserved
        return f"example{suffix}.{address}" if its else f"{address}{suffix}"


def find_fusion(first: Instruction, second: Instruction, live: frozenset[Address]) -> Fusion | None:
    """The fusion that replaces a product and the sum that alone uses it, if there is one.

    `live` is what may be read after the sum. Entries round as they do in two steps, so it changes no bit.
    """
    if second.reads.count(first.writes) != 1 or (first.writes in live and first.writes != second.writes):
        return None
    pair = (first.op.name, second.op.name)
    return next((fusion for fusion in FUSIONS if (fusion.first, fusion.second) == pair), None)


def text_of(instruction: Instruction, first: int, show_values: bool = False) -> str:
    """Program text of an instruction whose constants are called c{first} and so on, their values after it if
    asked for."""
    if not instruction.constants:
        return str(instruction)
    unknown = (float("nan"),) * len(instruction.constants)
    named = iter(range(first, first + len(unknown)))
    text = str(replace(instruction, constants=unknown))
    text = re.sub(r"\bnan\b", lambda _: f"c{next(named)}", text)
    if not show_values:
        return text
    values = (f"c{first + k} = {value!r}" for k, value in enumerate(instruction.constants))
    return f"{text} with {', '.join(values)}"


def render_candidates(
    programs: Sequence[Program], target: Target, keeps_memory: bool = False
) -> dict[str, str]:
    """Source files of a module of candidates: file name -> text. Their constants do not matter.

    Args:
        programs: of the target's form.
        target: what the module is specialised to.
        keeps_memory: whether they are learners, whose memory goes from one call into the next, and whose
            groups go one by one.
    """
    assert not (keeps_memory and target.interleaved > 1)
    candidates = [Candidate(program, target, keeps_memory=keeps_memory) for program in programs]
    return {
        "candidates.pyx": _module(candidates, target),
        **_headers(target, "evaluate.h"),
    }


def render_runner(target: Target) -> dict[str, str]:
    """Source files of the module that runs a target's candidates on tasks: file name -> text."""
    runner = environment().get_template("candidate/runner.pyx.j2")
    return {"runner.pyx": runner.render(**target.names), **_headers(target, "evaluate.h", "groups.h")}


def _headers(target: Target, *names: str) -> dict[str, str]:
    rendered = {
        name: environment().get_template(f"candidate/{name}.j2").render(**target.names) for name in names
    }
    return rendered | {"lane.h": render_lane_header(target)}


def source_target(
    program: Program, n_features: int, metric: Metric, conditions: Conditions, classes: int
) -> Target:
    """What a program's source is specialised to that people read, and may edit: as for a search on many
    tasks, so that it does not depend on how many there are.

    Args:
        classes: for programs of the vector form; else 0.
    """
    memory, fused = program.normalized().memory, conditions.fused
    return Target.of(memory, n_features, metric, conditions.dtype, classes, fused=fused)


def candidate_source(program: Program, target: Target, origin: Sequence[str] = ()) -> str:
    """A program's Cython source to be read: with the values of its constants, which are no part of what is
    compiled.

    Args:
        program, target: as for `render_candidates`.
        origin: lines of the header that say where the program comes from.
    """
    return _module([Candidate(program, target, show_values=True)], target, origin)


def _module(candidates: Sequence[Candidate], target: Target, origin: Sequence[str] = ()) -> str:
    source = environment().get_template("candidate/module.pyx.j2")
    shared = len(candidates) > 1 and target.interleaved == 1 and target.n_features in SHARED_AT
    return tidy(
        source.render(
            **target.names,
            ops=sorted(set().union(*(c.ops for c in candidates)), key=lambda op: op.id),
            fusions=[fusion for fusion in FUSIONS if any(fusion in c.fusions for c in candidates)],
            candidates=candidates,
            origin=origin,
            inline_matrices="" if shared else "inline ",
        )
    )
