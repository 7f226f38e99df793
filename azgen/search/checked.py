"""What a checkpoint holds, checked before it reaches native code: programs, counts, numbers of a record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from azgen.execution.kernel import INSTRUCTION, Kernel
from azgen.language.instruction import Address
from azgen.search.engines.migrants import Migrants


def check_programs(kernel: Kernel, programs: Migrants, count: int) -> None:
    """Every op, register and size is one that the kernel has; an instruction out of bounds would read beyond
    its memory.

    Raises:
        ValueError: says what is out of bounds.
    """
    sizes, code, spec = programs.sizes, programs.code, kernel.spec
    if sizes.shape != (count, 3) or sizes.dtype != np.int32 or code.dtype != INSTRUCTION or code.ndim != 1:
        raise ValueError("programs have another shape or type")
    if sizes.size and (
        sizes.min() < 0 or sizes.max() > spec.capacity or sizes.sum(axis=1).max() > spec.capacity
    ):
        raise ValueError("a program's size is out of bounds")
    if sizes.sum(dtype=np.int64) != len(code):
        raise ValueError("programs and their sizes do not agree")
    if code.size and (code["op"].min() < 0 or code["op"].max() >= len(spec.ops)):
        raise ValueError("an op is out of bounds")
    n_registers = spec.memory.scalars + spec.memory.vectors + spec.memory.matrices
    for name in ("a", "b", "out"):  # also where the op does not use it
        if code.size and (code[name].min() < 0 or code[name].max() >= n_registers):
            raise ValueError("a register is out of bounds")
    for number, op in enumerate(spec.ops):
        used = code[code["op"] == number]
        for name, kind in (*zip("ab", op.operands, strict=False), ("out", op.result)):
            if kind and used.size:
                first = kernel.register(Address(kind, 0))
                if used[name].min() < first or used[name].max() >= first + spec.memory.of(kind):
                    raise ValueError(f"{op.name} uses an address that is not there")
        for place, kind in enumerate(op.constants):
            position = used["constant"][:, place]
            if kind == "index" and not ((position >= 0) & (position <= 1)).all():
                raise ValueError(f"{op.name} names an entry that is not there")
        reserved = [kernel.register(address) for address in spec.form.reserved]
        if op.result and np.isin(used["out"], reserved).any():
            raise ValueError(f"{op.name} writes the label or the features")


def whole(values: Any, count: int, most: int = 2**63 - 1) -> list[int]:
    """Whole numbers from 0 on.

    Raises:
        ValueError: another number of them, or one that is out of bounds.
    """
    numbers: list[int] = list(values)
    if len(numbers) != count or not all(type(v) is int and 0 <= v <= most for v in numbers):
        raise ValueError(f"{numbers!r} should be {count} whole numbers from 0 to {most}")
    return numbers


def fill(record: Any, values: Mapping[str, Any], names: Iterable[str], least: int = 0) -> None:
    """Sets numbers of a NumPy record, each finite or within its type's bounds.

    Raises:
        ValueError, KeyError: one is missing, or is no such number.
    """
    for name in names:
        value, kind = values[name], record.dtype[name]
        if kind.kind == "f":
            if type(value) not in (int, float) or not np.isfinite(value):
                raise ValueError(f"{name} is {value!r}")
        elif type(value) is not int or not max(least, np.iinfo(kind).min) <= value <= np.iinfo(kind).max:
            raise ValueError(f"{name} is {value!r}")
        record[name] = value
