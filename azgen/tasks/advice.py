"""What has to be said about a table before it can be learned from: all of it at once, as settings."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from azgen.caller import is_command_line, option, setting
from azgen.errors import AzgenError
from azgen.tasks.cells import LARGEST, numbers_of
from azgen.tasks.features import MOST_CATEGORIES
from azgen.tasks.labels import read_labels
from azgen.tasks.readers import read_table
from azgen.tasks.readers.base import Table, few
from azgen.tasks.readers.missing import labelled, with_missing
from azgen.tasks.sources import TableTasks
from azgen.tasks.table import MIN_ROWS_PER_CLASS
from azgen.tasks.task import FloatArray

_MARKS = ("?", ".", "-", "--", "---", "*", "..", "...", "na", "n.a.", "N.A.", "missing", "unknown", "Unknown")
"""What an empty cell among numbers may look like, beside what is taken for one anyway."""

_FEW_WORDS, _FEW_CELLS = 3, 0.05
"""So many different words in so small a share of a column's cells are slips among numbers."""


@dataclass(frozen=True)
class Advice:
    """Something that a table needs.

    Attributes:
        columns: of which it is true.
        why: what they hold.
        setting, value: of `TableTasks`, that would do; "" if nothing does but another table.
    """

    columns: tuple[str, ...]
    why: str
    setting: str = ""
    value: Any = None


def advise(table: Table, target: str, tasks: TableTasks) -> tuple[TableTasks, list[Advice]]:
    """Settings with which a table can be learned from, as far as that can be, and what is new in them.

    Args:
        table, target: what is to be learned.
        tasks: settings so far; what they say stays.
    """
    found: list[Advice] = []
    for look in (_missing, _target, _features):
        for advice in look(_as_told(table, target, tasks), target, tasks):
            found.append(advice)
            if advice.setting:
                before = getattr(tasks, advice.setting)
                value = (*before, *advice.value) if isinstance(before, tuple) else advice.value
                changes: dict[str, Any] = {advice.setting: value}
                tasks = replace(tasks, **changes)
    return tasks, found


def command(name: str, target: str, tasks: TableTasks) -> str:
    """`azgen evolve` with these settings, for a shell."""
    usual, words = TableTasks(), ["azgen", "evolve", "--data", name, "--target", target]
    for option_name in (
        "kind",
        "positive",
        "missing",
        "drop_unlabelled",
        "drop",
        "drop_constant",
        "categorical",
    ):
        words += _unusual(option_name, tasks, usual)
    for option_name in ("impute", "groups", "time", "folds", "test_fraction"):
        words += _unusual(option_name, tasks, usual)
    return shlex.join(words)


def with_all_needs(error: AzgenError, tasks: TableTasks) -> AzgenError:
    """An error about a table, with all that it needs, and on a command line the command that works; as it is
    if nothing more can be said."""
    try:
        table = read_table(tasks.data)
        target = tasks.target or table.default_target or ""
        full, needs = advise(table, target, tasks) if target in table.names else (tasks, [])
    except AzgenError:
        return error
    if not needs:
        return error
    lines = [str(error), "All that this table needs:"]
    for advice in needs:
        said = setting(advice.setting, advice.value) if advice.setting else ""
        about = f"{few(list(advice.columns), 5)}: {advice.why}"
        lines.append(f"  {said}   # {about}" if said else f"  {about}")
    try:
        full.split_of(table, 0)
    except AzgenError as remains:
        return AzgenError("\n".join([*lines, f"What remains: {remains}"]))
    if is_command_line():
        lines.append(f"With all of that: {command(tasks.data, target, full)}")
    return AzgenError("\n".join(lines))


def _unusual(name: str, tasks: TableTasks, usual: TableTasks) -> list[str]:
    value = getattr(tasks, name)
    return [] if value == getattr(usual, name) else option(name, value)


def _as_told(table: Table, target: str, tasks: TableTasks) -> Table:
    table = with_missing(table, tasks.missing)
    return labelled(table, target) if tasks.drop_unlabelled else table


def _feature_columns(table: Table, target: str, tasks: TableTasks) -> list[str]:
    aside = {target, tasks.groups, tasks.time, *tasks.drop, *tasks.categorical, *table.row_names}
    return [name for name in table.names if name not in aside]


def _missing(table: Table, target: str, tasks: TableTasks) -> Iterator[Advice]:
    """Marks of empty cells among numbers, slips among numbers, and infinities."""
    marks: dict[str, list[str]] = {}
    for name in (*_feature_columns(table, target, tasks), target):
        column = table.columns[name]
        numbers, text = numbers_of(column)
        for infinite in (np.inf, -np.inf):
            if (numbers == infinite).any():
                why = f"{infinite} in {table.where(numbers == infinite)}, which may count as empty"
                yield Advice((name,), why, "missing", (str(infinite),))
        words = set(column[text].astype("str").str.strip())
        if not words or np.isnan(numbers).all():
            continue
        if words <= set(_MARKS):
            for word in sorted(words):
                marks.setdefault(word, []).append(name)
        elif len(words) <= _FEW_WORDS and text.sum() <= _FEW_CELLS * len(table):
            shown = ", ".join(map(repr, sorted(words)))
            why = f"numbers, but {shown} in {table.where(text)}; correct it, or have it count as empty"
            yield Advice((name,), why, "missing", tuple(sorted(words)))
    for word, names in marks.items():
        yield Advice(tuple(names), f"numbers, and {word!r} where there is none", "missing", (word,))


def _target(table: Table, target: str, tasks: TableTasks) -> Iterator[Advice]:
    """Rows without a label, and classes of too few rows."""
    empty = int(table.text(target).isna().sum())
    if empty and not tasks.drop_unlabelled:
        yield Advice((target,), f"empty in {empty} of {len(table)} rows", "drop_unlabelled", True)
        table = labelled(table, target)
    try:
        labels = read_labels(table, target, tasks.kind, tasks.positive or None)
    except AzgenError as error:
        yield Advice((target,), str(error).removeprefix(f"{table.source}: "))
        return
    if labels.classes is None:
        return
    counts = np.bincount(labels.classes, minlength=len(labels.names))
    rare = [labels.names[number] for number in np.flatnonzero(counts < MIN_ROWS_PER_CLASS)]
    if not rare:
        return
    numeric = not numbers_of(table.columns[target])[1].any()
    why = f"{few(rare)} in fewer than {MIN_ROWS_PER_CLASS} rows each, as classes"
    if numeric and tasks.kind == "auto" and not tasks.positive:
        yield Advice((target,), why, "kind", "regression")
    elif _can_be_left_out(table, target, rare, int(counts.sum())):
        yield Advice((target,), f"{why}; their rows can be left out", "missing", tuple(rare))
        yield Advice((target,), "rows without a label then", "drop_unlabelled", True)
    else:
        yield Advice((target,), f"{why}: merge classes, take those rows out, or pick one class (--positive)")


def _can_be_left_out(table: Table, target: str, rare: list[str], n_rows: int) -> bool:
    """Whether rows of rare classes are few, and their classes' names stand nowhere else in the table."""
    count = int(table.text(target).isin(rare).sum())
    elsewhere = (table.columns[name].astype("str").isin(rare).any() for name in table.names if name != target)
    return count <= _FEW_CELLS * n_rows and not any(elsewhere)


def _features(table: Table, target: str, tasks: TableTasks) -> Iterator[Advice]:
    """Columns that are no numbers, hold one value alone, or have gaps."""
    auto = "auto" in tasks.categorical
    constant: list[str] = []
    gaps: list[str] = []
    for name in _feature_columns(table, target, tasks):
        column = table.columns[name]
        numbers, text = numbers_of(column)
        filled, distinct = int(column.notna().sum()), column.nunique()
        if distinct < 2:
            constant.append(name)
        elif text.any() and not (auto and int(text.sum()) == filled):
            advice = _of_text(table, name, int(text.sum()), filled, distinct)
            yield advice
            if advice.setting != "categorical":
                continue
        elif _leading_zeros(table, name, numbers):
            why = f"numbers with leading zeros, which are names: {distinct} categories"
            if table.text(name).nunique() <= MOST_CATEGORIES:
                yield Advice((name,), why, "categorical", (name,))
        elif (np.abs(numbers) > LARGEST).any():
            yield Advice((name,), "a number beyond float32", "drop", (name,))
            continue
        if filled < len(table) and distinct >= 2:
            gaps.append(name)
    # Named as categories by the user: gaps in them count as well.
    gaps += [n for n in tasks.categorical if n in table.names and table.columns[n].isna().any()]
    if constant and not tasks.drop_constant:
        yield Advice(tuple(constant), "the same everywhere, or nothing", "drop_constant", True)
    if gaps and not tasks.impute:
        yield Advice(tuple(gaps), "empty cells", "impute", "mean")


def _leading_zeros(table: Table, name: str, numbers: FloatArray) -> bool:
    """Whether whole numbers are written as codes are: 01234."""
    some = numbers[~np.isnan(numbers)]
    if not len(some) or (some != np.floor(some)).any():
        return False
    return bool(table.text(name).str.match(r"0\d").any())


def _are_times(table: Table, name: str) -> bool:
    import pandas as pd

    cells = table.columns[name].dropna().astype("str")
    return bool(pd.to_datetime(cells, errors="coerce", utc=True, format="ISO8601").notna().all())


def _are_mixed_names(table: Table, name: str, n_text: int, filled: int, distinct: int) -> bool:
    """Whether a column of numbers and words holds names, as "4", "f" and "r" are of drives: few different
    ones, the numbers among them whole, and no word that stands for an empty cell."""
    if distinct > min(MOST_CATEGORIES, filled // 5) or n_text <= _FEW_CELLS * filled:
        return False
    column = table.columns[name]
    numbers, text = numbers_of(column)
    some = numbers[~np.isnan(numbers)]
    words = set(column[text].astype("str").str.strip())
    return bool((some == np.floor(some)).all()) and not words & set(_MARKS)


def _of_text(table: Table, name: str, n_text: int, filled: int, distinct: int) -> Advice:
    if n_text < filled and _are_mixed_names(table, name, n_text, filled, distinct):
        return Advice((name,), f"numbers and words, {distinct} categories", "categorical", (name,))
    if n_text < filled:
        text = numbers_of(table.columns[name])[1]
        more = f" and {n_text - 1} more" if n_text > 1 else ""
        why = f"numbers, but {table.columns[name][text].iloc[0]!r} in {table.where(text)}{more}"
        return Advice((name,), f"{why}; correct it, or leave the column out", "drop", (name,))
    if _are_times(table, name):
        why = "times; leave them out, or be scored on later rows: " + setting("time", name)
        return Advice((name,), why, "drop", (name,))
    if distinct > min(MOST_CATEGORIES, filled // 2):
        why = f"{distinct} different texts in {filled} rows, too many for categories"
        return Advice((name,), why, "drop", (name,))
    return Advice((name,), f"text, {distinct} categories", "categorical", (name,))
