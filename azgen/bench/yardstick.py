"""The yardstick: a scalar interpreter in C, as anybody might write one, compiled with -O3 on this machine.

Whatever machine azgen is measured on, the same work is measured on this beside it, in one run. It knows the
ops of the linear program and the neural net.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.codegen.cache_folder import build_directory, temporary_folder
from azgen.codegen.compiler import compile_c
from azgen.codegen.cutting import load_library
from azgen.codegen.templates import environment
from azgen.language.conditions import USUAL
from azgen.language.instruction import FEATURES, SCALAR, Address
from azgen.language.ops import OPS
from azgen.language.program import Program
from azgen.tasks.task import Task

FLAGS = ("-O3", "-march=native", "-fPIC", "-shared", "-fwrapv", "-Wno-unused")

STEP = np.dtype([("op", "i4"), ("out", "i4"), ("a", "i4"), ("b", "i4"), ("constant", "f8", (2,))])


class _Work(ctypes.Structure):
    """What the interpreter is given; mirrors templates/bench/yardstick.c.j2."""

    _fields_ = (
        *(
            (name, ctypes.c_int64)
            for name in ("n_features", "memory_size", "label", "prediction", "features")
        ),
        ("size", ctypes.c_int64 * 3),
        ("steps", ctypes.c_void_p),
        ("n_train", ctypes.c_int64),
        ("n_valid", ctypes.c_int64),
        ("max_abs_error", ctypes.c_double),
    )


class Yardstick:
    """A program on tasks, ready to be evaluated by the scalar interpreter.

    Args:
        program: of the ops that the interpreter knows, in the scalar form.
        tasks: of the metric "rmse".

    Attributes:
        fitness: per task, after a call; NaN where the program failed.
    """

    def __init__(self, program: Program, tasks: Sequence[Task]):
        first, normal_form = tasks[0], program.normalized()
        steps, size = _steps(normal_form, first.n_features)
        pairs = [(t.x_train, t.x_valid) for t in tasks], [(t.y_train, t.y_valid) for t in tasks]
        x, y = (np.ascontiguousarray([np.concatenate(p) for p in part], np.float64) for part in pairs)
        at = _places(normal_form, first.n_features)
        lengths = [len(function) for function in normal_form.functions]
        work = _Work(
            first.n_features,
            size,
            *(at[address] for address in (SCALAR.label, SCALAR.prediction, FEATURES)),
            (ctypes.c_int64 * 3)(*lengths),
            steps.ctypes.data,
            first.n_train,
            first.n_valid,
            USUAL.max_abs_error,
        )
        self.fitness, memory = np.empty(len(tasks)), np.empty(size)
        arrays = x, y, memory, self.fitness
        addresses = (ctypes.c_void_p(array.ctypes.data) for array in arrays)
        self._arguments = ctypes.byref(work), ctypes.c_int64(len(tasks)), *addresses
        self._kept = steps, work, arrays

    def __call__(self) -> None:
        """Evaluates the program on all tasks."""
        _library().evaluate(*self._arguments)


def _places(program: Program, n_features: int) -> dict[Address, int]:
    """Where each address begins in memory."""
    sizes, places, next_one = {"s": 1, "v": n_features, "m": n_features**2}, dict[Address, int](), 0
    for kind, size in sizes.items():
        for number in range(program.memory.of(kind)):
            places[Address(kind, number)] = next_one
            next_one += size
    return places


def _steps(program: Program, n_features: int) -> tuple[NDArray[Any], int]:
    """The instructions as the interpreter reads them, and the numbers in memory."""
    places, memory = _places(program, n_features), program.memory
    instructions = [i for function in program.functions for i in function]
    steps = np.zeros(len(instructions), STEP)
    for step, instruction in zip(steps, instructions, strict=True):
        assert instruction.writes is not None
        step["op"], step["out"] = instruction.op.id, places[instruction.writes]
        for name, address in zip("ab", instruction.reads, strict=False):
            step[name] = places[address]
        step["constant"][: len(instruction.constants)] = instruction.constants
    return steps, memory.scalars + memory.vectors * n_features + memory.matrices * n_features**2


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    """The interpreter, compiled for this process."""
    source = environment().get_template("bench/yardstick.c.j2").render(id={op.name: op.id for op in OPS})
    with temporary_folder(build_directory()) as folder:
        c_path, library = folder / "yardstick.c", folder / "yardstick.so"
        c_path.write_text(source, encoding="utf-8")
        compile_c(c_path, library, FLAGS, ("m",))
        return load_library(library)
