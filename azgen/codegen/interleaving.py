"""How many lane groups a candidate runs side by side.

A program's run on one group is a chain of steps that wait for each other. With every line written once for
each of two or three groups, the steps of one fill the gaps of another, and narrower lanes, which make more
groups, may be the faster ones. Compiling takes longer, so it is for code that is prepared once and runs
often.
"""

from __future__ import annotations

import math
from dataclasses import replace

from azgen.codegen.lanes import LONG_BYTES, PER_GROUP, LaneType, by_size, lane_types, registers_of
from azgen.codegen.target import Target
from azgen.language.program import Program

MOST = 3
"""Most groups side by side."""

_WAITS, _PER_HALVING, _STREAMED = 5.0, 2.5, 2.0
"""What groups side by side cost without matrices, counted in registers of a vector: the waits, which they
share; every time that a pack is halved; and a register of vectors longer than `LONG_BYTES`."""

_USUAL = 3
"""Instructions that write vectors, of a program without matrices, whose work costs no more than that."""

_MOST_REGISTERS = 12
"""Registers that one vector of all groups side by side may take up where matrices need some, too."""

_MOST_OF_VECTOR, _MOST_MEMORY = 2 << 10, 32 << 10
"""Bytes that it may take up where there are none, and all memory of the groups: the first-level cache."""

_STAYS = 16
"""A matrix of so few registers stays in them, unless other groups need some."""

_WORTHWHILE = 1.15
"""How many times as fast groups side by side have to be by this reckoning."""


def interleaved(target: Target, program: Program, n_tasks: int) -> Target:
    """What native code that runs often on so many tasks is best specialised to.

    That is the target given, or one in which several groups go side by side, in its lanes or narrower ones.
    The constants are measured (docs/performance.md). Random numbers for every example, and the probabilities
    of several classes, cost a group of few lanes what they cost one of many; so nothing is gained with them.

    Args:
        target: of candidates whose groups go one by one, in the lanes that suit that.
        program: what they run.
        n_tasks: tasks that are executed together.
    """
    normal_form, F = program.normalized(), target.n_features
    memory, each_example = normal_form.memory, (*normal_form.predict, *normal_form.learn)
    on_vectors = sum(1 for instruction in each_example if instruction.op.result == "v")
    rows = F if memory.matrices else 1

    def cost(lane: LaneType, groups: int) -> float:
        size = rows * lane.stride(F) * lane.bytes
        if memory.matrices:
            as_such, each = PER_GROUP, by_size(groups * size)
        else:
            as_such = _WAITS + _PER_HALVING * math.log2(lane.pack)
            each = max(_STREAMED if size > LONG_BYTES else 1.0, on_vectors / _USUAL)
        passes = math.ceil(math.ceil(n_tasks / lane.lanes) / groups)
        return passes * (as_such + groups * each * registers_of(lane, F, rows))

    def fits(way: Target) -> bool:
        groups, lane = way.interleaved, way.lane
        if memory.matrices and groups * lane.units(F) > _MOST_REGISTERS:
            return False
        of_vector = groups * lane.bytes * lane.stride(F)
        return of_vector <= _MOST_OF_VECTOR and groups * lane.bytes * way.numbers(memory) <= _MOST_MEMORY

    draws = any(instruction.op.stochastic for instruction in each_example)
    if draws or target.classes or (memory.matrices and rows * target.lane.units(F) <= _STAYS):
        return target
    ways = [
        replace(target, lane=lane, interleaved=groups)
        for lane in lane_types(target.lane.dtype, F)
        if lane.lanes > 1
        for groups in range(2, min(MOST, math.ceil(n_tasks / lane.lanes)) + 1)
    ]
    best = min(filter(fits, ways), key=lambda way: cost(way.lane, way.interleaved), default=target)
    gain = cost(target.lane, 1) / cost(best.lane, best.interleaved)
    return best if gain >= _WORTHWHILE else target
