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
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from azgen.bounds import Bounded, Count
from azgen.errors import AzgenError
from azgen.tasks.cuts import (
    Codes,
    Rows,
    all_classes,
    cut_groups,
    cut_rows,
    cut_time,
    group_folds,
    random_for,
    row_folds,
)
from azgen.tasks.table_options import TableOptions


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
class Draw(Bounded):
    """Which of all splits.

    Attributes:
        seed: fixes all splits; another seed sets other test rows aside, which must not happen within one
            search.
        redraw: another number gives other search tasks of the same seed, from the same search rows; selection
            and test tasks stay. (Windows in time are not drawn, so it does nothing to them.)
    """

    seed: Count = 0
    redraw: Count = 0


def plan_random(n_rows: int, options: TableOptions, draw: Draw, classes: Codes | None = None) -> SplitPlan:
    """Rows are exchangeable. With classes (one code per row) every part has them in nearly equal shares."""
    cut, folds = partial(cut_rows, classes), partial(row_folds, classes)
    return _plan(np.arange(n_rows), options, draw, cut, folds)


def plan_grouped(groups: Codes, options: TableOptions, draw: Draw, classes: Codes | None = None) -> SplitPlan:
    """Rows of one group (one code per row; one patient, say) are never on both sides of any split."""
    n_groups = len(np.unique(groups))
    least = 4 + options.folds if options.folds else 6
    if n_groups < least:
        raise AzgenError(
            f"the rows form {n_groups} groups; at least {least} are needed to set whole groups aside for "
            "test and selection and still split the others"
        )
    cut, folds = partial(cut_groups, groups, classes), partial(group_folds, groups, classes)
    return _plan(np.arange(len(groups)), options, draw, cut, folds)


def plan_ordered(time: NDArray[np.float64], options: TableOptions, classes: Codes | None = None) -> SplitPlan:
    """Rows are ordered in time: everything is scored on rows later than those trained on.

    The last rows are for the test, those before them for selection. Search tasks are windows over the search
    rows, evenly spaced, three fifths of them long, scored on their last part. Rows of one moment stay
    together at the two cuts. Training rows are kept in their order. Nothing is drawn.
    """
    order = np.argsort(time, kind="stable")
    rest, test = cut_time(order, time, options.test_fraction, "test")
    search, select = cut_time(rest, time, options.select_fraction, "selection")
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
        if not all_classes(classes, np.arange(len(classes)), [*parts, search[-n_train:], select, test]):
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


def _plan(rows: Rows, options: TableOptions, draw: Draw, cut: _Cut, folds: _Folds) -> SplitPlan:
    # A stream for each purpose: asking for more search tasks must not change the test rows.
    random_aside, random_search, random_select, random_test = (
        random_for(draw.seed, purpose, redraw) for purpose, redraw in enumerate((0, draw.redraw, 0, 0))
    )
    rest, test = cut(rows, options.test_fraction, random_aside)
    search, select = cut(rest, options.select_fraction, random_aside)
    if options.folds:
        parts = folds(search, options.folds, random_search)
        splits = [(np.concatenate([p for p in parts if p is not part]), part) for part in parts]
    else:
        splits = [cut(search, options.valid_fraction, random_search) for _ in range(options.n_search)]
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
