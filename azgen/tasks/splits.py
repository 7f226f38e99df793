"""Which rows of one table are tested on, selected with and searched on.

The protocol, in this order: test rows are set aside; then selection rows; what is left are the search rows.
Every search task is a split of the search rows. Every selection task trains on some search rows, as many as a
search task does, and is scored on the selection rows. Every test task trains on all rows but the test rows,
each in an order of its own, and is scored on the test rows. So nothing that a selection or test task is
scored on was seen by an earlier stage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError

Rows: TypeAlias = NDArray[np.intp]
Codes: TypeAlias = NDArray[np.int64]
SplitMethod = Literal["random", "folds"]

_TRIES = 100  # draws of groups before giving up on every part holding every class


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers of one task: training rows in training order, and validation rows."""

    train: Rows
    valid: Rows


@dataclass(frozen=True, eq=False)
class SplitPlan:
    """Row numbers of all tasks of one table; `rest_rows` are all rows but `test_rows`."""

    search: tuple[Split, ...]
    select: tuple[Split, ...]
    test: tuple[Split, ...]
    rest_rows: Rows
    test_rows: Rows


@dataclass(frozen=True)
class SplitOptions:
    """How a table becomes tasks.

    Attributes:
        n_search, n_select, n_test: tasks of each set (one selection and one test task if rows are ordered in
            time).
        test_fraction: share of all rows that is set aside for the test.
        select_fraction: share of the other rows that is set aside for selection.
        valid_fraction: share of the search rows that each search task is scored on (random splits).
        method: "random": independent random splits; "folds": n_search folds, each scored on once.
        seed: fixes all splits; another seed sets other test rows aside, which must not happen within one
            search.
        redraw: another number gives other search tasks of the same seed, from the same search rows; selection
            and test tasks stay. (Windows in time are not drawn, so it does nothing to them.)
    """

    n_search: int = 10
    n_select: int = 10
    n_test: int = 10
    test_fraction: float = 0.2
    select_fraction: float = 0.2
    valid_fraction: float = 0.25
    method: SplitMethod = "random"
    seed: int = 0
    redraw: int = 0

    def __post_init__(self) -> None:
        for name in ("n_search", "n_select", "n_test"):
            if getattr(self, name) < 1:
                raise AzgenError(f"{name} is {getattr(self, name)}; it must be at least 1")
        for name in ("test_fraction", "select_fraction", "valid_fraction"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise AzgenError(f"{name} is {getattr(self, name)}; it must lie between 0 and 1")
        if self.method not in get_args(SplitMethod):
            raise AzgenError(
                f"the split method is {self.method!r}; it must be one of {get_args(SplitMethod)}"
            )
        if self.method == "folds" and self.n_search < 2:
            raise AzgenError("folds need n_search to be at least 2")
        for name in ("seed", "redraw"):
            if getattr(self, name) < 0:
                raise AzgenError(f"{name} is {getattr(self, name)}; it must be 0 or more")


def plan_random(n_rows: int, options: SplitOptions, classes: Codes | None = None) -> SplitPlan:
    """Rows are exchangeable. With classes (one code per row) every part has them in nearly equal shares."""
    cut = _RowCutter(classes)
    return _plan(np.arange(n_rows), options, cut.cut, cut.folds)


def plan_grouped(options: SplitOptions, groups: Codes, classes: Codes | None = None) -> SplitPlan:
    """Rows of one group (one code per row; one patient, say) are never on both sides of any split."""
    n_groups = len(np.unique(groups))
    least = 6 if options.method == "random" else 4 + options.n_search
    if n_groups < least:
        raise AzgenError(
            f"the rows form {n_groups} groups; at least {least} are needed to set whole groups aside for "
            "test and selection and still split the others"
        )
    cut = _GroupCutter(groups, classes)
    return _plan(np.arange(len(groups)), options, cut.cut, cut.folds)


def plan_ordered(options: SplitOptions, time: NDArray[np.float64], classes: Codes | None = None) -> SplitPlan:
    """Rows are ordered in time: everything is scored on rows later than those trained on.

    The last rows are for the test, those before them for selection. Search tasks are windows over the search
    rows, evenly spaced, three fifths of them long, scored on their last part. Rows of one moment stay
    together at the two cuts. Training rows are kept in their order.
    """
    if options.method == "folds":
        raise AzgenError("folds and an order in time exclude each other: a fold would train on later rows")
    order = np.argsort(time, kind="stable")
    rest, test = _cut_time(order, time, options.test_fraction, "test")
    search, select = _cut_time(rest, time, options.select_fraction, "selection")
    if len(search) < 4:
        raise AzgenError(
            f"only {len(search)} rows are left to search on, as rows of one time stay together; use finer "
            "times, or no order"
        )
    length = round(0.6 * len(search))
    n_valid = max(1, round(options.valid_fraction * length))
    n_train = length - n_valid
    starts = np.rint(np.linspace(0, len(search) - length, options.n_search)).astype(int)
    windows = [search[start : start + length] for start in starts]
    if classes is not None:
        parts = [part for window in windows for part in (window[:n_train], window[n_train:])]
        if not _all_classes(classes, np.arange(len(classes)), [*parts, search[-n_train:], select, test]):
            raise AzgenError(
                "in the order of time some part of the rows lacks a class; use longer parts (larger "
                "fractions), or no order"
            )
    return SplitPlan(
        search=tuple(Split(window[:n_train], window[n_train:]) for window in windows),
        select=(Split(search[-n_train:], select),),
        test=(Split(rest, test),),
        rest_rows=rest,
        test_rows=test,
    )


_Cut: TypeAlias = Callable[[Rows, float, np.random.Generator], tuple[Rows, Rows]]
_Folds: TypeAlias = Callable[[Rows, int, np.random.Generator], list[Rows]]


def _plan(rows: Rows, options: SplitOptions, cut: _Cut, folds: _Folds) -> SplitPlan:
    # A stream for each purpose: asking for more search tasks must not change the test rows.
    random_aside, random_search, random_select, random_test = (
        np.random.default_rng([options.seed, purpose, redraw])
        for purpose, redraw in enumerate((0, options.redraw, 0, 0))
    )
    rest, test = cut(rows, options.test_fraction, random_aside)
    search, select = cut(rest, options.select_fraction, random_aside)
    if options.method == "random":
        splits = [cut(search, options.valid_fraction, random_search) for _ in range(options.n_search)]
    else:
        parts = folds(search, options.n_search, random_search)
        splits = [(np.concatenate([p for p in parts if p is not part]), part) for part in parts]
    # Whole groups and folds differ a little in size, and lanes must not: the longer ones lose rows at random.
    n_train = min(len(train) for train, _ in splits)
    n_valid = min(len(valid) for _, valid in splits)
    return SplitPlan(
        search=tuple(
            Split(random_search.permutation(train)[:n_train], random_search.permutation(valid)[:n_valid])
            for train, valid in splits
        ),
        select=tuple(
            Split(random_select.permutation(search)[:n_train], select) for _ in range(options.n_select)
        ),
        test=tuple(Split(random_test.permutation(rest), test) for _ in range(options.n_test)),
        rest_rows=rest,
        test_rows=test,
    )


class _RowCutter:
    """Cuts single rows, class by class."""

    def __init__(self, classes: Codes | None) -> None:
        self._classes = classes

    def _by_class(self, rows: Rows) -> list[Rows]:
        if self._classes is None:
            return [rows]
        codes = self._classes[rows]
        return [rows[codes == code] for code in np.unique(codes)]

    def cut(self, rows: Rows, fraction: float, random: np.random.Generator) -> tuple[Rows, Rows]:
        """(kept, cut off); at least one row of each class on either side."""
        kept, off = [], []
        for members in self._by_class(rows):
            if len(members) < 2:
                raise AzgenError("too few rows are left to split; use more rows, or smaller fractions")
            shuffled = random.permutation(members)
            size = min(max(1, round(fraction * len(members))), len(members) - 1)
            off.append(shuffled[:size])
            kept.append(shuffled[size:])
        return np.sort(np.concatenate(kept)), np.sort(np.concatenate(off))

    def folds(self, rows: Rows, count: int, random: np.random.Generator) -> list[Rows]:
        """`count` disjoint parts, dealt class by class."""
        by_class = self._by_class(rows)
        if min(len(members) for members in by_class) < count:
            raise AzgenError(
                f"{count} folds are too many: some class, or the whole, has fewer rows left to search on"
            )
        dealt = np.concatenate([random.permutation(members) for members in by_class])
        return [dealt[start::count] for start in range(count)]


class _GroupCutter:
    """Cuts whole groups."""

    def __init__(self, groups: Codes, classes: Codes | None) -> None:
        self._groups = groups
        self._classes = classes

    def cut(self, rows: Rows, fraction: float, random: np.random.Generator) -> tuple[Rows, Rows]:
        """(kept, cut off); the groups cut off have about the fraction of the rows."""
        codes, sizes = np.unique(self._groups[rows], return_counts=True)
        if len(codes) < 2:
            raise AzgenError("too few groups are left to split; use more groups, or smaller fractions")
        for _ in range(_TRIES):
            order = random.permutation(len(codes))
            taken = int(np.searchsorted(np.cumsum(sizes[order]), fraction * len(rows))) + 1
            off = np.isin(self._groups[rows], codes[order[: min(taken, len(codes) - 1)]])
            if _all_classes(self._classes, rows, [rows[~off], rows[off]]):
                return rows[~off], rows[off]
        raise AzgenError(
            "no split of the groups was found that has every class on both sides; use more groups"
        )

    def folds(self, rows: Rows, count: int, random: np.random.Generator) -> list[Rows]:
        """`count` disjoint parts of whole groups, of about equal size."""
        codes, sizes = np.unique(self._groups[rows], return_counts=True)
        if len(codes) < count:
            raise AzgenError(f"{count} folds are too many: {len(codes)} groups are left to search on")
        for _ in range(_TRIES):
            order = random.permutation(len(codes))
            order = order[np.argsort(-sizes[order], kind="stable")]  # largest first, ties in random order
            fold_of = np.empty(len(codes), dtype=np.intp)
            load = np.zeros(count)
            for position in order:
                fold_of[position] = int(np.argmin(load))
                load[fold_of[position]] += sizes[position]
            fold = fold_of[np.searchsorted(codes, self._groups[rows])]
            parts = [rows[fold == number] for number in range(count)]
            if _all_classes(self._classes, rows, parts):
                return parts
        raise AzgenError("no folds of the groups were found that all have every class; use fewer folds")


def _all_classes(classes: Codes | None, rows: Rows, parts: list[Rows]) -> bool:
    """Whether every part holds every class of the rows."""
    if classes is None:
        return True
    wanted = len(np.unique(classes[rows]))
    return all(len(np.unique(classes[part])) == wanted for part in parts)


def _cut_time(order: Rows, time: NDArray[np.float64], fraction: float, what: str) -> tuple[Rows, Rows]:
    """(earlier, later) rows; the cut is moved to the nearest change of time."""
    times = time[order]
    changes = np.flatnonzero(np.diff(times) > 0) + 1
    if len(changes) == 0:
        raise AzgenError(f"all rows have the same time; the {what} rows cannot be the later ones")
    wanted = len(order) - round(fraction * len(order))
    position = int(changes[np.argmin(np.abs(changes - wanted))])
    return order[:position], order[position:]
