"""The lane: how many tasks lie side by side in one SIMD register, and in which number type."""

from __future__ import annotations

import math
from dataclasses import dataclass

from azgen.codegen.toolchain import find_toolchain
from azgen.language.conditions import DTYPES, check_dtype

_L1_BYTES = 40 << 10
_L2_BYTES = 2 << 20
"""Room for the largest register of a program in the first and second cache of common processors."""

_PACKED_BYTES = 24 << 10
"""Largest register from which on narrow lanes, with packs, are faster than full ones. (Packs
need less: ordered sums are right in them from 16 entries on.)"""

_NARROWEST = 16
"""Bytes of the smallest SIMD register."""


@dataclass(frozen=True)
class LaneType:
    """A SIMD lane type: `lanes` numbers of type `dtype` in one register (one lane: a plain number).

    Attributes:
        dtype: "float32" or "float64".
        lanes: numbers per register.
        vector_math: names of the vector library's functions that exist, such as "_ZGVeN16v_sinf".
        x86: whether x86 intrinsics may be used.
        pack: entries of a vector, one after the other in memory, that generated code reads as one SIMD
            register (a "pack"); more than one where lanes are narrower than the machine's registers.
    """

    dtype: str
    lanes: int
    vector_math: frozenset[str] = frozenset()
    x86: bool = False
    pack: int = 1

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
        """Bytes of one lane register."""
        return DTYPES[self.dtype] * self.lanes

    @property
    def bits(self) -> int:
        """Bits of one lane register."""
        return 8 * self.bytes

    @property
    def unit(self) -> str:
        """C type of what SIMD code reads of a vector at once: "lane" or "pack"."""
        return "pack" if self.pack > 1 else "lane"

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
        """The vector library's function for this lane type, empty if there is none.

        Names follow the vector function ABI: register class (b, d, e on x86, n on ARM), no mask, lanes, one
        vector.
        """
        letter = ({128: "b", 256: "d", 512: "e"} if self.x86 else {128: "n"}).get(self.bits, "")
        symbol = f"_ZGV{letter}N{self.lanes}v_{name}{self.math_suffix}"
        return symbol if letter and symbol in self.vector_math else ""

    def __str__(self) -> str:
        packs = f", packs of {self.pack}" if self.pack > 1 else ""
        return f"{self.dtype}, {self.lanes} lane{'s' if self.lanes > 1 else ''}{packs}"


def lane_type(dtype: str, largest: int) -> LaneType:
    """The lane type of this machine that suits the largest register of a program.

    Full SIMD width as long as the largest register fits half of the first-level cache. Else the narrowest
    lanes, with packs that fill the SIMD registers. Where the number of features (of which only the square is
    known here: without matrices F must be a square) does not divide into packs:
    half the width if that fits the first-level cache, and less than the full one if that does not fit the
    second-level cache (measured, docs/performance.md).

    Args:
        dtype: "float32" or "float64".
        largest: numbers in the largest register, on one task: F, or F * F with matrices.

    Raises:
        AzgenError: unknown number type.
    """
    check_dtype(dtype)
    toolchain = find_toolchain()
    x86 = toolchain.target.startswith(("x86_64", "i686", "amd64"))
    size = DTYPES[dtype]
    width = toolchain.vector_bits() // 8
    pack, side = 1, math.isqrt(largest)
    # With matrices, F is the side; without, it is the square of one, and a multiple of what divides that.
    if x86 and width * largest > _PACKED_BYTES and side**2 == largest and side % (width // _NARROWEST) == 0:
        width, pack = _NARROWEST, width // _NARROWEST
    elif width * largest > _L1_BYTES >= width * largest // 2:
        width = max(width // 2, _NARROWEST)
    while width > _NARROWEST and width * largest > _L2_BYTES:
        width //= 2
    return LaneType(dtype, width // size, toolchain.vector_math(), x86, pack)
