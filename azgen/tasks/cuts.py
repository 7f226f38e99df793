"""Cutting rows in two: single rows class by class, whole groups, or at a moment in time.

Exported programs carry the source of some of these functions, and so set the same rows aside as the run did.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError

Rows: TypeAlias = NDArray[np.intp]
Codes: TypeAlias = NDArray[np.int64]


def random_for(seed: int, purpose: int, redraw: int = 0) -> np.random.Generator:
    """Random numbers for setting rows aside (purpose 0), search (1), selection (2) or test tasks (3)."""
    return np.random.default_rng([seed, purpose, redraw])


def cut_rows(
    classes: Codes | None, rows: Rows, fraction: float, random: np.random.Generator
) -> tuple[Rows, Rows]:
    """(kept, cut off); at least one row of each class on either side."""
    kept, off = [], []
    for members in rows_by_class(classes, rows):
        if len(members) < 2:
            raise AzgenError("too few rows are left to split; use more rows, or smaller fractions")
        shuffled = random.permutation(members)
        size = min(max(1, round(fraction * len(members))), len(members) - 1)
        off.append(shuffled[:size])
        kept.append(shuffled[size:])
    return np.sort(np.concatenate(kept)), np.sort(np.concatenate(off))


def rows_by_class(classes: Codes | None, rows: Rows) -> list[Rows]:
    """The rows of each class; without classes all of them."""
    if classes is None:
        return [rows]
    codes = classes[rows]
    return [rows[codes == code] for code in np.unique(codes)]


def row_folds(classes: Codes | None, rows: Rows, count: int, random: np.random.Generator) -> list[Rows]:
    """`count` disjoint parts, dealt class by class."""
    by_class = rows_by_class(classes, rows)
    if min(len(members) for members in by_class) < count:
        raise AzgenError(
            f"{count} folds are too many: some class, or the whole, has fewer rows left to search on"
        )
    dealt = np.concatenate([random.permutation(members) for members in by_class])
    return [dealt[start::count] for start in range(count)]


def cut_groups(
    groups: Codes, classes: Codes | None, rows: Rows, fraction: float, random: np.random.Generator
) -> tuple[Rows, Rows]:
    """(kept, cut off); the groups cut off have about the fraction of the rows."""
    codes, sizes = np.unique(groups[rows], return_counts=True)
    if len(codes) < 2:
        raise AzgenError("too few groups are left to split; use more groups, or smaller fractions")
    for _ in range(100):  # draws before giving up on every part holding every class
        order = random.permutation(len(codes))
        taken = int(np.searchsorted(np.cumsum(sizes[order]), fraction * len(rows))) + 1
        off = np.isin(groups[rows], codes[order[: min(taken, len(codes) - 1)]])
        if all_classes(classes, rows, [rows[~off], rows[off]]):
            return rows[~off], rows[off]
    raise AzgenError("no split of the groups was found that has every class on both sides; use more groups")


def group_folds(
    groups: Codes, classes: Codes | None, rows: Rows, count: int, random: np.random.Generator
) -> list[Rows]:
    """`count` disjoint parts of whole groups, of about equal size."""
    codes, sizes = np.unique(groups[rows], return_counts=True)
    if len(codes) < count:
        raise AzgenError(f"{count} folds are too many: {len(codes)} groups are left to search on")
    for _ in range(100):
        order = random.permutation(len(codes))
        order = order[np.argsort(-sizes[order], kind="stable")]  # largest first, ties in random order
        fold_of = np.empty(len(codes), dtype=np.intp)
        load = np.zeros(count)
        for position in order:
            fold_of[position] = int(np.argmin(load))
            load[fold_of[position]] += sizes[position]
        fold = fold_of[np.searchsorted(codes, groups[rows])]
        parts = [rows[fold == number] for number in range(count)]
        if all_classes(classes, rows, parts):
            return parts
    raise AzgenError("no folds of the groups were found that all have every class; use fewer folds")


def all_classes(classes: Codes | None, rows: Rows, parts: list[Rows]) -> bool:
    """Whether every part holds every class of the rows."""
    if classes is None:
        return True
    wanted = len(np.unique(classes[rows]))
    return all(len(np.unique(classes[part])) == wanted for part in parts)


def cut_time(order: Rows, time: NDArray[np.float64], fraction: float, what: str) -> tuple[Rows, Rows]:
    """(earlier, later) rows; the cut is moved to the nearest change of time."""
    times = time[order]
    changes = np.flatnonzero(np.diff(times) > 0) + 1
    if len(changes) == 0:
        raise AzgenError(f"all rows have the same time; the {what} rows cannot be the later ones")
    wanted = len(order) - round(fraction * len(order))
    position = int(changes[np.argmin(np.abs(changes - wanted))])
    return order[:position], order[position:]
