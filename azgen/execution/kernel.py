"""The search kernel from Python: building it, and programs in its own form."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.codegen.build import build
from azgen.codegen.compiler import DEFAULT_FLAGS, find_toolchain
from azgen.codegen.kernel_source import KernelSpec, render_kernel
from azgen.codegen.lanes import LaneType
from azgen.errors import AzgenError
from azgen.execution.kernel_calls import kernel_calls
from azgen.execution.layout import TASKS, LaneTasks, aligned
from azgen.language.instruction import Address, Instruction
from azgen.language.program import Program

UNROLLING_FLAGS = ("-funroll-loops", "--param=max-completely-peeled-insns=400")
"""Loops over entries are unrolled, so that partial sums and factors stay in registers; pays from F = 8 on."""

DISPATCH_FLAGS = ("--param=max-goto-duplication-insns=16", "-fno-code-hoisting", "-fno-schedule-insns2")
"""For gcc to keep the jumps of the interpreter's cases apart, each with its own loads of the next step,
which it merges by default; and no passes that move loads of the cases before these jumps, where every step
waits for them (docs/performance.md)."""

INSTRUCTION = np.dtype(
    [("op", "i2"), ("out", "i2"), ("a", "i2"), ("b", "i2"), ("constant", "f8", (3,))], align=True
)
"""An instruction as the kernel reads it: op by case number, addresses as registers."""


def program_dtype(capacity: int) -> np.dtype[Any]:
    """A program of at most `capacity` instructions, as the kernel reads it."""
    return np.dtype([("size", "i4", (3,)), ("code", INSTRUCTION, (capacity,))], align=True)


def _flags(n_features: int) -> tuple[str, ...]:
    """What kernels are compiled with."""
    clang = "clang" in find_toolchain().version  # does not have these passes
    return (
        *DEFAULT_FLAGS,
        *(() if clang else DISPATCH_FLAGS),
        *(UNROLLING_FLAGS if n_features >= 8 else ()),
    )


class Kernel:
    """A compiled search kernel; see `KernelSpec` for what it is specialised to."""

    def __init__(self, spec: KernelSpec):
        self.spec = spec
        flags = _flags(spec.n_features)
        self.built = build(
            "kernel", render_kernel(spec), flags=flags, libraries=spec.target.libraries, functions_alone=True
        )
        self.calls = kernel_calls(self.built.module, evolves=spec.evolves, archive=spec.archive)
        self.program = program_dtype(spec.capacity)
        self._first = {"s": 0, "v": spec.memory.scalars, "m": spec.memory.scalars + spec.memory.vectors}
        ours, sizes = [dtype.itemsize for dtype in (INSTRUCTION, self.program, TASKS)], np.zeros(3, np.int64)
        self.calls.sizes(sizes.ctypes.data)
        if sizes.tolist() != ours:
            raise AssertionError(f"the kernel lays out its structures otherwise than Python: {sizes}, {ours}")

    def register(self, address: Address) -> int:
        """Number of an address among the kernel's registers."""
        return self._first[address.kind] + address.number

    def encode(self, programs: Sequence[Program]) -> NDArray[Any]:
        """Programs in the kernel's form.

        Raises:
            AzgenError: a program does not fit the kernel's form, memory, ops or capacity.
        """
        result = np.zeros(len(programs), self.program)
        for number, program in enumerate(programs):
            if program.form != self.spec.form:
                raise AzgenError(
                    f"a program with {program.form} in a search for programs with {self.spec.form}"
                )
            sizes = [len(function) for function in program.functions]
            if sum(sizes) > self.spec.capacity:
                raise AzgenError(
                    f"a program of {sum(sizes)} instructions is longer than {self.spec.capacity}"
                )
            result["size"][number] = sizes
            code = result["code"][number]
            for place, instruction in enumerate(program.instructions()):
                self._encode_instruction(code[place], instruction)
        return result

    def _encode_instruction(self, to: Any, instruction: Instruction) -> None:
        op = instruction.op
        if op.name not in self.spec.code:
            raise AzgenError(
                f"`{instruction}` uses {op.name}, which is not among the ops of the search space"
            )
        addresses = (*instruction.reads, *filter(None, [instruction.writes]))
        for address in addresses:
            if address not in self.spec.memory:
                raise AzgenError(
                    f"`{instruction}` uses {address}, but memory is {self.spec.memory} "
                    "(scalars/vectors/matrices)"
                )
        to["op"] = self.spec.code[op.name]
        for name, address in zip("ab", instruction.reads[: len(op.operands)], strict=False):
            to[name] = self.register(address)
        if instruction.writes:
            to["out"] = self.register(instruction.writes)
        to["constant"][: len(op.constants)] = instruction.constants

    def decode(self, record: Any) -> Program:
        """A program from the kernel's form."""
        functions, place = [], 0
        for size in record["size"].tolist():
            functions.append(tuple(self._decode_instruction(i) for i in record["code"][place : place + size]))
            place += size
        return Program(*functions, form=self.spec.form)

    def _decode_instruction(self, record: Any) -> Instruction:
        op = self.spec.ops[int(record["op"])]
        if not op.result:
            return Instruction(op)
        operands = [
            int(record[name]) - self._first[kind] for name, kind in zip("ab", op.operands, strict=False)
        ]
        constants = tuple(record["constant"][: len(op.constants)].tolist())
        return Instruction.of(op, int(record["out"]) - self._first[op.result], operands, constants)

    def normal_form(self, program: Program) -> Program:
        """The program's normal form, as the kernel computes it."""
        given, result = self.encode([program]), np.zeros(1, self.program)
        self.calls.normal_form(given.ctypes.data, result.ctypes.data)
        return self.decode(result[0])

    def evaluate(
        self, programs: NDArray[Any], tasks: LaneTasks, *, with_predictions: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[Any] | None]:
        """Evaluates encoded programs.

        Returns:
            Fitness, programs x tasks, NaN where a program failed; and predictions, programs x tasks x
            validation examples (x classes), or None.
        """
        n, lanes = len(programs), self.spec.lane.lanes
        fitness = np.empty((n, tasks.n_groups * lanes))
        predictions = (
            room_for_predictions(n, tasks, self.spec.lane, self.spec.classes) if with_predictions else None
        )
        address = predictions.ctypes.data if predictions is not None else 0
        self.calls.evaluate(programs.ctypes.data, n, tasks.address, fitness.ctypes.data, address, False)
        return fitness[:, : tasks.n_tasks], per_task(predictions, tasks.n_tasks)

    def succeeds(self, program: NDArray[Any], *sets: LaneTasks) -> bool:
        """Whether an encoded program (an array of one) fails on no task of some sets."""
        return all(bool((self.evaluate(program, tasks)[0] > 0).all()) for tasks in sets)


def room_for_predictions(n: int, tasks: LaneTasks, lane: LaneType, classes: int) -> NDArray[Any]:
    """Zeros [program][group][step][lane]; in the vector form [program][group][step][class][lane]."""
    entries = (classes,) if classes else ()
    return aligned((n, tasks.n_groups, tasks.n_valid, *entries, lane.lanes), lane.dtype)


def per_task(predictions: NDArray[Any] | None, n_tasks: int) -> NDArray[Any] | None:
    """Predictions [program][group][step]...[lane] as programs x tasks x steps x ..."""
    if predictions is None:
        return None
    n, n_groups, *rest, lanes = predictions.shape
    return np.moveaxis(predictions, -1, 2).reshape(n, n_groups * lanes, *rest)[:, :n_tasks]


@lru_cache(maxsize=64)
def build_kernel(spec: KernelSpec) -> Kernel:
    """The kernel for a specification; built once per process."""
    return Kernel(spec)
