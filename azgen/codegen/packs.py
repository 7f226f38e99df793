"""Sums over packs, in C: shuffles of SIMD registers that add in the order of `meaning.ordered_sum`."""

from __future__ import annotations

from collections.abc import Sequence

from azgen.codegen.lanes import LaneType


def total_of_packs(count: int, lane: LaneType) -> list[str]:
    """Statements that add `count` entries of packs p0, p1, ...; the first entry of p0 is the sum.

    As in the ordered sum, the upper half is folded onto the lower one until one entry is left; where their
    number is odd, the middle one gets -0.0 added, which changes no number.
    """
    lines, pack = [], lane.pack
    while count > 1:
        half = (count + 1) // 2
        if count % 2:
            last, taken = divmod(count, pack)
            kept = [place if place < taken else pack + place for place in range(pack)]
            lines.append(f"p{last} = {shuffle(f'p{last}', 'PACK_NEUTRAL', kept, lane)};")
        registers, (skipped, start) = -(-count // pack), divmod(half, pack)
        names = [*(f"p{k}" for k in range(registers)), "PACK_NEUTRAL"]
        for k in range(-(-half // pack)):
            first, second = (names[min(k + skipped + more, registers)] for more in (0, 1))
            upper = shuffle(first, second, range(start, start + pack), lane) if start else first
            lines.append(f"p{k} += {upper};")
        count = half
    return lines


def total_of_products(count: int, lane: LaneType) -> list[str]:
    """Statements that add the products of `count` entries of packs a0, a1, ... and b0, b1, ...; the first
    entry of p0 is the sum.

    As `azgen.language.fused.fused_sum`: the upper half is multiplied and added to the lower half of the
    products in one, then sums are as ever. Where there is no product -0.0 is multiplied by 1.
    """
    if count == 1:
        return ["pack p0 = a0 * b0;"]
    half, pack = (count + 1) // 2, lane.pack
    registers, (skipped, start) = -(-count // pack), divmod(half, pack)
    lines = []
    if count % 2:
        last, taken = divmod(count, pack)
        for name, other in (("a", "PACK_NEUTRAL"), ("b", "PACK_ONE")):
            lines.append(f"{name}{last} = {pack_head(taken, lane, other, f'{name}{last}')};")
    for k in range(-(-half // pack)):
        upper = []
        for name, other in (("a", "PACK_NEUTRAL"), ("b", "PACK_ONE")):
            names = [*(f"{name}{i}" for i in range(registers)), other]
            first, second = (names[min(k + skipped + more, registers)] for more in (0, 1))
            upper.append(shuffle(first, second, range(start, start + pack), lane) if start else first)
        lines.append(f"pack p{k} = pack_fma({upper[0]}, {upper[1]}, a{k} * b{k});")
    return [*lines, *total_of_packs(half, lane)]


def totals_of_packs(lane: LaneType) -> list[str]:
    """Statements that add the entries of each of as many packs as a pack has entries: p0 to p{pack - 1}.

    Entry i of p0 becomes the sum of p{i}. All are halved together: two packs, each with the sums of some rows
    in blocks, become one with blocks of half the size.
    """
    return _halved(lane.pack, lane)


def _halved(block: int, lane: LaneType) -> list[str]:
    """Statements that make one pack of so many, whose entries they add in blocks of that size."""
    lines, pack = [], lane.pack
    while block > 1:
        block //= 2
        starts = range(0, pack, 2 * block)
        lower = [at + i + place for at in starts for place in (0, pack) for i in range(block)]
        upper = [entry + block for entry in lower]
        for k in range(block):
            a, b = f"p{k}", f"p{k + block}"
            lines.append(f"{a} = {shuffle(a, b, lower, lane)} + {shuffle(a, b, upper, lane)};")
    return lines


def totals_of_products(lane: LaneType) -> list[str]:
    """Statements that add the products of each of as many packs a[0], a[1], ... as a pack has entries with
    pack b, as `total_of_products`; entry i of p0 becomes the sum of those of a[i].

    The lower halves of two packs are multiplied together, and so are the upper ones.
    """
    half = lane.pack // 2
    lower = [place + i for place in (0, lane.pack) for i in range(half)]
    upper = [entry + half for entry in lower]
    lines = [f"pack lower = {shuffle('b', 'b', lower, lane)}, upper = {shuffle('b', 'b', upper, lane)};"]
    for k in range(half):
        a, b = f"a[{k}]", f"a[{k + half}]"
        product = f"{shuffle(a, b, lower, lane)} * lower"
        lines.append(f"pack p{k} = pack_fma({shuffle(a, b, upper, lane)}, upper, {product});")
    return [*lines, *_halved(half, lane)]


def pack_head(count: int, lane: LaneType, others: str = "PACK_NEUTRAL", of: str = "a") -> str:
    """The first entries of a pack, and in place of the others those of another, usually what is neutral in a
    sum."""
    kept = [place if place < count else lane.pack + place for place in range(lane.pack)]
    return shuffle(of, others, kept, lane)


def shuffle(first: str, second: str, entries: Sequence[int], lane: LaneType) -> str:
    """A pack of entries of two packs, of which the second one's are counted on."""
    numbers = (entry * lane.lanes + i for entry in entries for i in range(lane.lanes))
    return f"PACK_SHUFFLE({first}, {second}, {', '.join(map(str, numbers))})"
