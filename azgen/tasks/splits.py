"""Which rows of one table are tested on, selected with and searched on.

The protocol, in this order: test rows are set aside; then selection rows; what is left are the search rows.
Every search task is a split of the search rows. Every selection task trains on some search rows, as many as a
search task does, and is scored on the selection rows. Every test task trains on all rows but the test rows,
each in an order of its own, and is scored on the test rows. So nothing that a selection or test task is
scored on was seen by an earlier stage.

Cross-validation tasks, of numbers, are folds of all rows but the test rows: what has no more than a few
constants from the search rows, as tuned programs of the zoo have, is compared on these, which train on nearly
as many rows as there will be in the end. (Of classes they were no better than search and selection tasks; see
docs/discovery.md.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
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
    """Row numbers of all tasks of one table; `rest_rows` are all rows but `test_rows`.

    `cross` is empty of classes, of rows in the order of time, where search tasks are drawn anew, and where
    there are too few rows or groups.
    """

    search: tuple[Split, ...]
    select: tuple[Split, ...]
    test: tuple[Split, ...]
    rest_rows: Rows
    test_rows: Rows
    cross: tuple[Split, ...] = ()


FOLDS, REPEATS = 8, 3
"""Of cross-validation: folds, and how often they are cut anew."""

_CROSS = 4  # purpose of its random numbers, beside those that `random_for` names
_LEAST_CROSS = 5 * FOLDS
"""Rows, without the test rows, from which on there is cross-validation."""


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
    plan = _plan(np.arange(n_rows), options, draw, cut, folds)
    return plan if classes is not None or draw.redraw else _with_cross(plan, draw, folds)


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
    plan = _plan(np.arange(len(groups)), options, draw, cut, folds)
    return plan if classes is not None or draw.redraw else _with_cross(plan, draw, folds)


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
        pairs = _folded(folds(search, options.folds, random_search))
    else:
        pairs = [cut(search, options.valid_fraction, random_search) for _ in range(options.n_search)]
    splits = _of_one_size(pairs, random_search)
    n_train = len(splits[0].train)
    return SplitPlan(
        search=splits,
        select=tuple(
            Split(random_select.permutation(search)[:n_train], select) for _ in range(options.n_select)
        ),
        test=tuple(Split(random_test.permutation(rest), test) for _ in range(options.n_test)),
        rest_rows=rest,
        test_rows=test,
    )


def _with_cross(plan: SplitPlan, draw: Draw, folds: _Folds) -> SplitPlan:
    """A plan with cross-validation, where there are rows and groups enough."""
    random = random_for(draw.seed, _CROSS)
    if len(plan.rest_rows) < _LEAST_CROSS:
        return plan
    try:
        pairs = [pair for _ in range(REPEATS) for pair in _folded(folds(plan.rest_rows, FOLDS, random))]
    except AzgenError:  # fewer groups than folds
        return plan
    return replace(plan, cross=_of_one_size(pairs, random))


def _folded(parts: list[Rows]) -> list[tuple[Rows, Rows]]:
    """(training, validation) rows, each part being the validation rows once."""
    return [(np.concatenate([p for p in parts if p is not part]), part) for part in parts]


def _of_one_size(pairs: list[tuple[Rows, Rows]], random: np.random.Generator) -> tuple[Split, ...]:
    """Pairs of training and validation rows as splits.

    Whole groups and folds differ a little in size, and lanes must not: the longer ones lose rows at random.
    """
    n_train = min(len(train) for train, _ in pairs)
    n_valid = min(len(valid) for _, valid in pairs)
    return tuple(
        Split(random.permutation(train)[:n_train], random.permutation(valid)[:n_valid])
        for train, valid in pairs
    )
