"""The user's own table as tasks: test rows set aside first, then repeated splits of the rest, each a lane.

    split = tasks_of_table(read_table("wine.csv"), TableTasks(target="quality"))
    split.search, split.select, split.test     # tasks; features and regression labels are standardised
    split.raw.x_test, split.raw.y_test         # the same test rows in the user's units, for baselines

`splits` says which rows go where; every task imputes and standardises by its own training rows alone.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.caller import setting
from azgen.errors import AzgenError
from azgen.language.metrics import Metric
from azgen.tasks.cells import numbers_of
from azgen.tasks.features import Features, imputer, read_features
from azgen.tasks.labels import Labels, read_labels
from azgen.tasks.large import shortened
from azgen.tasks.readers import Table
from azgen.tasks.readers.memory import refuse_if_too_large
from azgen.tasks.readers.missing import labelled, with_missing
from azgen.tasks.reading import TableReading
from azgen.tasks.splits import Draw, Split, SplitPlan, plan_grouped, plan_ordered, plan_random
from azgen.tasks.standardize import Standardizer
from azgen.tasks.table_options import TableOptions
from azgen.tasks.task import FloatArray, RawRows, Task, TaskSplit

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
    return _build(table, replace(options, target=target), draw, labels, features, plan)


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


def _build(
    table: Table, options: TableOptions, draw: Draw, labels: Labels, features: Features, plan: SplitPlan
) -> TaskSplit:
    x, y = features.x, labels.values
    n_zeros = max(0, len(labels.names) - len(features.names)) if labels.kind == "multiclass" else 0
    impute = options.impute

    def task(split: Split, name: str) -> Task:
        fill = imputer(x[split.train], impute)
        x_train, x_valid = fill(x[split.train]), fill(x[split.valid])
        scaler = Standardizer.fit(x_train)
        y_train, y_valid = y[split.train], y[split.valid]
        if labels.kind == "regression":
            offset, scale = _label_statistics(y_train)
            y_train, y_valid = (y_train - offset) / scale, (y_valid - offset) / scale
        elif labels.kind == "multiclass":
            one_hot = np.eye(len(labels.names))
            y_train, y_valid = one_hot[y_train.astype(int)], one_hot[y_valid.astype(int)]
        metric: Metric = "rmse" if labels.kind == "regression" else "accuracy"
        x_train, x_valid = (np.pad(scaler.apply(part), ((0, 0), (0, n_zeros))) for part in (x_train, x_valid))
        return Task(x_train, y_train, x_valid, y_valid, metric=metric, name=name)

    raw = RawRows(
        x,
        y,
        plan.rest_rows,
        plan.test_rows,
        table.lines[plan.test_rows],
        imputer(x[plan.rest_rows] if impute else x, impute),
    )
    rows = {
        "all": len(table),
        "test": len(plan.test_rows),
        "selection": len(plan.select[0].valid),
        "search_train": len(plan.search[0].train),
        "search_valid": len(plan.search[0].valid),
    }
    how = f", whole groups of {options.groups}" if options.groups else ""
    how = f", ordered by {options.time}" if options.time else how
    if n_zeros:
        how += f"; {n_zeros} features of zeros added, so that vectors have an entry for every class"
    description = (
        f"{table.source}: {labels.why}; {len(table)} rows, {len(features.names)} features; {rows['test']} "
        f"test rows set aside, {rows['selection']} rows for selection, {len(plan.search)} search tasks of "
        f"{rows['search_train']} + {rows['search_valid']} rows{how}{_shares(plan)}"
    )
    return TaskSplit(
        search=tuple(task(split, f"search split {i}") for i, split in enumerate(plan.search)),
        select=tuple(task(split, f"selection split {i}") for i, split in enumerate(plan.select)),
        test=tuple(task(split, f"test, training order {i}") for i, split in enumerate(plan.test)),
        description="; ".join([description, *table.remarks, *features.remarks]),
        feature_names=(*features.names, *(f"zero {i + 1}" for i in range(n_zeros))),
        label_names=labels.names,
        provenance={
            "source": table.source,
            "sha256": table.sha256,
            "kind": labels.kind,
            "target": options.target,
            "rows": rows,
            "remarks": [*table.remarks, *features.remarks],
            "options": asdict(options),
            "draw": asdict(draw),
            "reading": asdict(_reading(table, options, draw, labels, features)),
            "standardization": _standardization(raw, regression=labels.kind == "regression"),
        },
        raw=raw,
    )


def _shares(plan: SplitPlan) -> str:
    """What to say of a large table, whose test tasks are a part of it."""
    train, valid = len(plan.test[0].train), len(plan.test[0].valid)
    if (train, valid) == (len(plan.rest_rows), len(plan.test_rows)):
        return ""
    return f"; the table is large, and each of {len(plan.test)} test tasks is {train} + {valid} rows of it"


def _reading(
    table: Table, options: TableOptions, draw: Draw, labels: Labels, features: Features
) -> TableReading:
    positive = labels.names[1] if options.positive else ""
    return TableReading(
        target=options.target,
        kind=labels.kind,
        classes=() if labels.kind == "regression" else labels.names,
        positive=positive,
        columns=features.columns,
        impute=options.impute,
        groups=options.groups,
        time=options.time,
        missing=options.missing,
        drop_unlabelled=options.drop_unlabelled,
        seed=draw.seed,
        test_fraction=options.test_fraction,
        sha256=table.sha256,
    )


def _standardization(raw: RawRows, regression: bool) -> dict[str, Any]:
    """Offsets and scales by the rows that test tasks train on; a scale of 0 marks a constant column."""
    features = Standardizer.fit(raw.x_train)
    offset, scale = _label_statistics(raw.y_train) if regression else (0.0, 1.0)
    return {
        "feature_offset": features.offset.tolist(),
        "feature_scale": features.scale.tolist(),
        "label_offset": offset,
        "label_scale": scale,
    }


def _label_statistics(y: FloatArray) -> tuple[float, float]:
    """Mean and standard deviation of training labels; 1 for 0, lest validation labels vanish as well."""
    statistics = Standardizer.fit(y[:, None])
    return float(statistics.offset[0]), float(statistics.scale[0]) or 1.0
