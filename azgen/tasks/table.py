"""The user's own table as tasks: test rows set aside first, then repeated splits of the rest, each a lane.

    split = tasks_of_table(read_table("wine.csv"), TableTasks(target="quality"))
    split.search, split.select, split.test     # tasks; features and regression labels are standardised
    split.raw.x_test, split.raw.y_test         # the same test rows in the user's units, for baselines

`splits` says which rows go where; every task imputes and standardises by its own training rows alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from azgen.caller import setting
from azgen.errors import AzgenError
from azgen.tasks.cells import numbers_of
from azgen.tasks.features import read_features
from azgen.tasks.labels import Labels, read_labels
from azgen.tasks.large import shortened
from azgen.tasks.readers import Table
from azgen.tasks.readers.memory import refuse_if_too_large
from azgen.tasks.readers.missing import labelled, with_missing
from azgen.tasks.splits import Draw, SplitPlan, plan_grouped, plan_ordered, plan_random
from azgen.tasks.table_options import TableOptions
from azgen.tasks.table_read import TableRead
from azgen.tasks.task import FloatArray, TaskSplit

MIN_ROWS = 10
MIN_ROWS_PER_CLASS = 5  # one each for test, selection and validation, and two to learn from


def tasks_of_table(table: Table, options: TableOptions, seed: int = 0, redraw: int = 0) -> TaskSplit:
    """Tasks from named columns.

    Args:
        table: the columns.
        options: what is said about them; `data` is not looked at.
        seed, redraw: see `Draw`.

    Returns:
        Regression tasks (metric "rmse", labels standardised by each task's training rows) or classification
        tasks ("accuracy"; labels 0 and 1, or one-hot rows for more classes, whose tasks get features that are
        0 if there are more classes than features). ``raw`` has the rows in the user's units.
        ``provenance["standardization"]`` has the offsets and scales of the test tasks, which train on all
        rows but the test rows: value = label * label_scale + label_offset.

    Raises:
        AzgenError: anything in the table that cannot be learned from, with its place and advice.
    """
    draw = Draw(seed, redraw)
    target = options.target or table.default_target
    if not target:
        raise AzgenError(
            f"{table.source}: which column is the target? The columns are: {', '.join(table.names)}"
        )
    table.require(target, "target")
    table = with_missing(table, options.missing)
    if options.drop_unlabelled:
        table = labelled(table, target)
    aside = _named_columns(table, target, options)
    if len(table) < MIN_ROWS:
        raise AzgenError(f"{table.source} has {len(table)} rows of data; at least {MIN_ROWS} are needed")
    labels = read_labels(table, target, options.kind, options.positive or None)
    _check_class_sizes(table, labels)
    plan = _plan(table, labels, options, draw)
    names = [name for name in table.names if name != target and name not in (*aside, *table.row_names)]
    features = read_features(table, names, plan.rest_rows, options)
    width = max(len(features.names), len(labels.names) if labels.kind == "multiclass" else 0)
    plan = shortened(plan, width, seed=seed, ordered=bool(options.time))
    _check_memory(table, plan, width)
    table = table.without_cells()  # of a large one they take as much memory as the features
    return TableRead(table, replace(options, target=target), draw, labels, features, plan).split()


def _check_memory(table: Table, plan: SplitPlan, width: int) -> None:
    """Refuse tasks that do not fit into memory: 8 bytes a number, and as much again in lanes."""
    sets = (plan.search, plan.select, plan.test)
    n_examples = sum(len(tasks) * (len(tasks[0].train) + len(tasks[0].valid)) for tasks in sets)
    n_tasks = sum(map(len, sets))
    what = f"{table.source}, as {n_tasks} tasks of {n_examples} examples x {width} features in all,"
    refuse_if_too_large(what, n_examples * width * 8, factor=2)


def _named_columns(table: Table, target: str, options: TableOptions) -> set[str]:
    """Columns that are no features, after checking that they exist and are not the target."""
    named = [(name, "dropped") for name in options.drop]
    named += [(name, role) for name, role in ((options.groups, "group"), (options.time, "time")) if name]
    for name, role in named:
        table.require(name, role)
        if name == target:
            raise AzgenError(
                f"{table.source}: column {name!r} cannot be both the target and the {role} column"
            )
    return {name for name, _ in named}


def _check_class_sizes(table: Table, labels: Labels) -> None:
    if labels.classes is None:
        return
    for number, count in enumerate(np.bincount(labels.classes, minlength=len(labels.names)).tolist()):
        if count < MIN_ROWS_PER_CLASS:
            rows = "1 row" if count == 1 else f"{count} rows"
            way = (
                f"merge it with another, take its rows out, or pick one class: {setting('positive', 'CLASS')}"
            )
            if labels.of_numbers:
                way = f"if these are counts and no classes, give {setting('kind', 'regression')}"
            raise AzgenError(
                f"{table.source}: class {labels.names[number]!r} has {rows}; at least {MIN_ROWS_PER_CLASS} "
                f"of each class are needed; {way}"
            )


def _plan(table: Table, labels: Labels, options: TableOptions, draw: Draw) -> SplitPlan:
    import pandas as pd

    try:
        if options.groups:
            column = table.columns[options.groups]
            _refuse_empty(table, options.groups, column.isna().to_numpy(dtype=bool))
            groups = pd.factorize(column)[0].astype(np.int64)
            return plan_grouped(groups, options, draw, labels.classes)
        if options.time:
            return plan_ordered(_times(table, options.time), options, labels.classes)
        return plan_random(len(table), options, draw, labels.classes)
    except AzgenError as problem:
        raise problem if table.source in str(problem) else AzgenError(f"{table.source}: {problem}") from None


def _times(table: Table, name: str) -> FloatArray:
    import pandas as pd

    column = table.columns[name]
    _refuse_empty(table, name, column.isna().to_numpy(dtype=bool))
    numbers, text = numbers_of(column)
    if not text.any():
        return numbers
    times = pd.to_datetime(column.astype("str"), errors="coerce", utc=True, format="ISO8601")
    bad = times.isna().to_numpy(dtype=bool)
    if bad.any():
        cell = str(column.iloc[int(np.argmax(bad))])
        raise AzgenError(
            f"{table.source}, {table.where(bad)}, column {name!r}: {cell!r} is neither a number nor a time "
            "such as 2024-03-31 or 2024-03-31T12:30"
        )
    return np.asarray((times - times.min()).dt.total_seconds(), dtype=np.float64)


def _refuse_empty(table: Table, name: str, empty: NDArray[np.bool_]) -> None:
    if empty.any():
        raise AzgenError(
            f"{table.source}: column {name!r} is empty in {empty.sum()} rows, first in {table.where(empty)}; "
            "fill the cells in, or remove those rows"
        )
