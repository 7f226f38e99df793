"""The lane: how many tasks lie side by side in one SIMD register, how many entries of a vector beside them,
and in which number type."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from azgen.codegen.toolchain import find_toolchain
from azgen.language.conditions import DTYPES, check_dtype
from azgen.language.meaning import PARTIAL_SUMS

MANY = None
"""As many tasks as there are lanes, or more."""

_NEAR_BYTES, _FURTHER = 12 << 10, 0.5
"""A matrix's SIMD register costs 1 if all of the matrix takes up so many bytes, and with every doubling of
them so much more: the first-level cache has vectors, examples and the stack beside it."""

PER_GROUP, _PER_ONE_LANE = 35.0, 80.0
"""What a lane group costs an example besides its vectors and matrices, counted in registers of them; with one
lane sums within registers add to it."""

_NATIVELY, _HELD, _PASSED = 10.0, 0.5, 1.2
"""Without matrices native code is a short chain: what a lane group costs then, and a register of a vector
that stays in its place, or of one of so many bytes that the examples outgrow the second-level cache."""

LONG_BYTES = 1 << 10

_PER_HALVING = 1.5
"""What it costs to add up a pack natively, for every time that it is halved."""

_PER_SUM = 4.0
"""What a sum costs besides, in registers, where it adds entries within registers in an order of their own."""

_FEW = 7
"""Features up to which one task has one lane only if they fill a pack."""

_NARROWEST = 16
"""Bytes of the narrowest lanes of more than one number."""


@dataclass(frozen=True)
class LaneType:
    """A SIMD lane type: `lanes` numbers of type `dtype` side by side, one a task (one lane: a plain number).

    Attributes:
        dtype: "float32" or "float64".
        lanes: tasks side by side.
        vector_math: names of the vector library's functions that exist, such as "_ZGVeN16v_sinf".
        x86: whether x86 intrinsics may be used.
        pack: entries of a vector, one after the other in memory, that generated code reads as one SIMD
            register (a "pack"); more than one where lanes are narrower than the machine's registers.
        width: numbers in the machine's widest register, in which the vector library is called whatever the
            lanes, so that all lane types compute the same bits; 0: those of a pack.
    """

    dtype: str
    lanes: int
    vector_math: frozenset[str] = frozenset()
    x86: bool = False
    pack: int = 1
    width: int = 0

    @property
    def ctype(self) -> str:
        """The number's name in C."""
        return "float" if self.dtype == "float32" else "double"

    @property
    def int_type(self) -> str:
        """The integer of the same size."""
        return "int32_t" if self.dtype == "float32" else "int64_t"

    @property
    def math_suffix(self) -> str:
        """What C appends to names of mathematical functions of this type."""
        return "f" if self.dtype == "float32" else ""

    @property
    def bytes(self) -> int:
        """Bytes of a lane register."""
        return DTYPES[self.dtype] * self.lanes

    @property
    def bits(self) -> int:
        """Bits of a lane register."""
        return 8 * self.bytes

    @property
    def wide(self) -> int:
        """Numbers in the registers that the vector library is called with."""
        return max(self.width, self.lanes * self.pack)

    @property
    def unit(self) -> str:
        """C type of what SIMD code reads of a vector at once: "lane" or "pack"."""
        return "pack" if self.pack > 1 else "lane"

    def units(self, n_features: int) -> int:
        """Packs (or lanes) of a vector, the last of which may be filled in part."""
        return -(-n_features // self.pack)

    def stride(self, n_features: int) -> int:
        """Entries that a vector takes up in memory: a multiple of the pack."""
        return self.units(n_features) * self.pack

    def sums_by_folding(self, n_features: int) -> bool:
        """Whether an ordered sum over F entries adds whole packs until one is left, and then its entries.

        From 16 entries on it does, as there are 16 partial sums; with fewer only if the packs are whole and
        their number is a power of two.
        """
        packs, rest = divmod(n_features, self.pack)
        return self.pack == 1 or n_features > PARTIAL_SUMS or (rest == 0 and packs & (packs - 1) == 0)

    def read(self, vector: str) -> str:
        """How unit ``{i}`` of a vector or matrix is read in generated Cython."""
        return f"(<const pack*>{vector})[{{i}}]" if self.pack > 1 else f"{vector}[{{i}}]"

    def write(self, vector: str) -> str:
        """How unit ``{i}`` of a vector or matrix is assigned to in generated Cython."""
        return f"(<pack*>{vector})[{{i}}]" if self.pack > 1 else f"{vector}[{{i}}]"

    def spread(self, scalar: str) -> str:
        """A unit that has a scalar at every entry."""
        return f"pack_splat({scalar})" if self.pack > 1 else scalar

    def vector_function(self, name: str) -> str:
        """The vector library's function for the wide register, empty if there is none.

        Names follow the vector function ABI: register class (b, d, e on x86, n on ARM), no mask, lanes, one
        vector.
        """
        bits = 8 * DTYPES[self.dtype] * self.wide
        letter = ({128: "b", 256: "d", 512: "e"} if self.x86 else {128: "n"}).get(bits, "")
        symbol = f"_ZGV{letter}N{self.wide}v_{name}{self.math_suffix}"
        return symbol if letter and symbol in self.vector_math else ""

    def __str__(self) -> str:
        packs = f", packs of {self.pack}" if self.pack > 1 else ""
        return f"{self.dtype}, {self.lanes} lane{'s' if self.lanes > 1 else ''}{packs}"


def lane_type(
    dtype: str,
    n_features: int,
    *,
    matrices: bool = False,
    n_tasks: int | None = MANY,
    natively: bool = False,
) -> LaneType:
    """The lane type of this machine that suits programs of F features on so many tasks.

    Lanes may be as many as fill a SIMD register, or fewer, down to 16 bytes, or one; what they leave of the
    register is a pack's. One task has one lane, as others would copy its examples into idle ones, unless that
    is slower, as with few features. For more,
    that is taken which costs least: the number of lane groups times what an example costs in one, which is
    something as such and more for every register of its largest vector or matrix, by how large that is
    (measured, docs/performance.md). The tasks' fitness is the same to the last bit.

    Args:
        dtype: "float32" or "float64".
        n_features: F.
        matrices: whether programs have some, and so F registers of F entries.
        n_tasks: tasks that will be executed together; MANY: as many as there are lanes, or more.
        natively: by candidates alone, for whom the kernel need not lay them out.

    Raises:
        AzgenError: unknown number type.
    """
    check_dtype(dtype)
    rows = n_features if matrices else 1

    def cost(lane: LaneType) -> float:
        registers, size = registers_of(lane, n_features, rows), rows * lane.stride(n_features) * lane.bytes
        if natively and not matrices:
            each = _PASSED if size > LONG_BYTES else _HELD
            as_such = _NATIVELY + _PER_HALVING * math.log2(lane.pack)
        else:
            each = by_size(size)
            as_such = PER_GROUP if lane.lanes > 1 else _PER_ONE_LANE
        groups = 1 / lane.lanes if n_tasks is MANY else math.ceil(n_tasks / lane.lanes)
        return groups * (as_such + each * registers)

    shapes = list(lane_types(dtype, n_features))
    if n_tasks == 1 and (n_features > _FEW or shapes[-1].sums_by_folding(n_features)):
        return shapes[-1]
    return min(shapes, key=cost)


def registers_of(lane: LaneType, n_features: int, rows: int) -> float:
    """What executing an example costs a lane group by its largest vector or matrix, in registers of it."""
    return rows * (lane.units(n_features) + (not lane.sums_by_folding(n_features)) * _PER_SUM)


def by_size(size: float) -> float:
    """What a register of a matrix of so many bytes costs."""
    return 1.0 + _FURTHER * max(0.0, math.log2(size / _NEAR_BYTES))


def lane_types(dtype: str, n_features: int) -> Iterator[LaneType]:
    """The lane types of this machine, one lane last; no pack is wider than vectors need."""
    toolchain = find_toolchain()
    x86 = toolchain.target.startswith(("x86_64", "i686", "amd64"))
    size, functions = DTYPES[dtype], toolchain.vector_math()
    width = lanes = toolchain.vector_bits() // 8 // size
    whole = 1 << (n_features - 1).bit_length()  # the pack that takes a whole vector
    while lanes * size >= _NARROWEST:
        yield LaneType(dtype, lanes, functions, x86, min(width // lanes, whole), width)
        lanes //= 2
    yield LaneType(dtype, 1, functions, x86, min(width, max(whole, _NARROWEST // size)), width)
