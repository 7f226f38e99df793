"""What has to be said about a table before it can be learned from: all of it at once, as settings."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from azgen.errors import AzgenError
from azgen.tasks.cells import LARGEST, numbers_of
from azgen.tasks.features import MOST_CATEGORIES
from azgen.tasks.labels import read_labels
from azgen.tasks.readers.base import Table, few
from azgen.tasks.readers.missing import labelled, with_missing
from azgen.tasks.sources import TableTasks
from azgen.tasks.table import MIN_ROWS_PER_CLASS

_MARKS = ("?", ".", "-", "--", "---", "*", "..", "...", "na", "n.a.", "N.A.", "missing", "unknown", "Unknown")
"""What an empty cell among numbers may look like, beside what is taken for one anyway."""


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
    for setting in ("kind", "positive", "missing", "drop_unlabelled", "drop", "drop_constant", "categorical"):
        words += option(setting, getattr(tasks, setting), getattr(usual, setting))
    for setting in ("impute", "groups", "time", "folds", "test_fraction"):
        words += option(setting, getattr(tasks, setting), getattr(usual, setting))
    return shlex.join(words)


def option(setting: str, value: Any, usual: Any = None) -> list[str]:
    """A setting as words of a command line; none if it is as usual."""
    flag = "--" + setting.replace("_", "-")
    if value == usual:
        return []
    if isinstance(value, bool):
        return [flag]
    if isinstance(value, tuple):
        return [flag, ",".join(_quoted(name) for name in value)]
    return [flag, str(value)]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if "," in name or '"' in name else name


def _as_told(table: Table, target: str, tasks: TableTasks) -> Table:
    table = with_missing(table, tasks.missing)
    return labelled(table, target) if tasks.drop_unlabelled else table


def _feature_columns(table: Table, target: str, tasks: TableTasks) -> list[str]:
    aside = {target, tasks.groups, tasks.time, *tasks.drop, *tasks.categorical, *table.row_names}
    return [name for name in table.names if name not in aside]


def _missing(table: Table, target: str, tasks: TableTasks) -> Iterator[Advice]:
    """Marks of empty cells among numbers."""
    marks: dict[str, list[str]] = {}
    for name in (*_feature_columns(table, target, tasks), target):
        column = table.columns[name]
        numbers, text = numbers_of(column)
        words = set(column[text].astype("str").str.strip())
        if words and words <= set(_MARKS) and not np.isnan(numbers).all():
            for word in sorted(words):
                marks.setdefault(word, []).append(name)
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
    else:
        yield Advice((target,), f"{why}: merge classes, take those rows out, or pick one class (--positive)")


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
        elif (np.abs(numbers) > LARGEST).any():
            yield Advice((name,), "a number that is infinite, or beyond float32", "drop", (name,))
            continue
        if filled < len(table) and distinct >= 2:
            gaps.append(name)
    # Named as categories by the user: gaps in them count as well.
    gaps += [n for n in tasks.categorical if n in table.names and table.columns[n].isna().any()]
    if constant and not tasks.drop_constant:
        yield Advice(tuple(constant), "the same everywhere, or nothing", "drop_constant", True)
    if gaps and not tasks.impute:
        yield Advice(tuple(gaps), "empty cells", "impute", "mean")


def _of_text(table: Table, name: str, n_text: int, filled: int, distinct: int) -> Advice:
    if n_text < filled:
        text = numbers_of(table.columns[name])[1]
        more = f" and {n_text - 1} more" if n_text > 1 else ""
        why = f"numbers, but {table.columns[name][text].iloc[0]!r} in {table.where(text)}{more}"
        return Advice((name,), f"{why}; correct it, or leave the column out", "drop", (name,))
    if distinct > MOST_CATEGORIES:
        return Advice((name,), f"{distinct} different texts, too many for categories", "drop", (name,))
    return Advice((name,), f"text, {distinct} categories", "categorical", (name,))
