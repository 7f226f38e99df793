"""From settings to tasks."""

from __future__ import annotations

import dataclasses
from typing import TypedDict

from azgen.language.metrics import Metric
from azgen.language.userfile import NOTHING, UserFile
from azgen.settings.settings import DATA_SOURCES, Sizes, TaskSettings
from azgen.tasks.datasets import is_data_set, load_data_set
from azgen.tasks.features import FeatureOptions
from azgen.tasks.multiclass import multiclass_tasks
from azgen.tasks.projected import projected_tasks
from azgen.tasks.splits import SplitOptions
from azgen.tasks.synthetic import draw_seeds, teacher_split, teacher_tasks
from azgen.tasks.table import TableOptions, table_tasks, tasks_of_table
from azgen.tasks.task import Task, TaskSplit

_SYNTHETIC_TRAIN: Sizes = (100, 1000, 1000)
_SYNTHETIC_VALID: Sizes = (100, 100, 100)


def search_tasks(
    settings: TaskSettings, seed: int, redraw: int, user: UserFile = NOTHING
) -> tuple[Task, ...]:
    """The search tasks of `make_tasks` alone; cheaper, as restarts redraw them often."""
    if settings.source == "table":
        return make_tasks(settings, seed, redraw, user).search
    if settings.source == "projected" or settings.source == "multiclass":
        return make_tasks(dataclasses.replace(settings, n_select=1, n_test=1), seed, redraw, user).search
    n_other = settings.n_select + settings.n_test
    data, param = draw_seeds(settings.n_search * (1 + redraw) + n_other, seed)
    own = slice(-settings.n_search, None) if redraw else slice(settings.n_search)
    return teacher_tasks(
        settings.source,
        settings.n_search,
        settings.n_features,
        (_sizes(settings.n_train) or _SYNTHETIC_TRAIN)[0],
        (_sizes(settings.n_valid) or _SYNTHETIC_VALID)[0],
        data_seeds=settings.data_seeds or data[own],
        param_seeds=settings.param_seeds or param[own],
        noise=settings.noise,
        metric=_teacher_metric(settings, user),
    )


class _Counts(TypedDict):
    n_search: int
    n_select: int
    n_test: int


def make_tasks(settings: TaskSettings, seed: int, redraw: int = 0, user: UserFile = NOTHING) -> TaskSplit:
    """Search, selection and test tasks.

    Args:
        settings: see `TaskSettings`.
        seed: fixes everything; selection and test tasks depend on it alone.
        redraw: other search tasks for each number, which share no scored example with selection and test
            tasks.
        user: where a metric of the user's own is defined.

    Raises:
        AzgenError: the data cannot be used; says where and why.
    """
    counts = _Counts(n_search=settings.n_search, n_select=settings.n_select, n_test=settings.n_test)
    if settings.source == "table":
        options, target = table_options(settings, seed, redraw), settings.target or None
        if is_data_set(settings.data):
            split = tasks_of_table(load_data_set(settings.data).table(), target, options)
        else:
            split = table_tasks(settings.data, target, options)
        return split.with_metric(user.metric(settings.metric)) if settings.metric else split
    n_train, n_valid = _sizes(settings.n_train), _sizes(settings.n_valid)
    if settings.source == "projected" or settings.source == "multiclass":
        data = load_data_set(settings.data)
        make = projected_tasks if settings.source == "projected" else multiclass_tasks
        split = make(
            data.x,
            data.y,
            n_features=settings.n_features or None,
            **counts,
            n_train=n_train,
            n_valid=n_valid,
            own_test=data.own_test,
            class_names=data.class_names,
            seed=seed,
            redraw=redraw,
            source=settings.data,
        )
        return split.with_metric(user.metric(settings.metric)) if settings.metric else split
    return teacher_split(
        settings.source,
        settings.n_features,
        **counts,
        n_train=n_train or _SYNTHETIC_TRAIN,
        n_valid=n_valid or _SYNTHETIC_VALID,
        seed=seed,
        redraw=redraw,
        noise=settings.noise,
        metric=_teacher_metric(settings, user),
        data_seeds=settings.data_seeds or None,
        param_seeds=settings.param_seeds or None,
    )


def _teacher_metric(settings: TaskSettings, user: UserFile) -> Metric:
    """Of classification, labels are the signs of the teacher's outputs."""
    if settings.metric:
        return user.metric(settings.metric)
    return "accuracy" if settings.kind == "classification" else "rmse"


def table_options(settings: TaskSettings, seed: int, redraw: int = 0) -> TableOptions:
    """The options with which a table is read."""
    folds = settings.folds
    splits = SplitOptions(
        n_search=folds or settings.n_search,
        n_select=settings.n_select,
        n_test=settings.n_test,
        test_fraction=settings.test_fraction,
        select_fraction=settings.select_fraction,
        valid_fraction=settings.valid_fraction,
        method="folds" if folds else "random",
        seed=seed,
        redraw=redraw,
    )
    categorical = settings.categorical
    features = FeatureOptions(
        impute=settings.impute or None,
        drop_constant=settings.drop_constant,
        drop=settings.drop,
        categorical="auto" if categorical == ("auto",) else categorical,
    )
    return TableOptions(
        kind=settings.kind,
        positive=settings.positive or None,
        features=features,
        splits=splits,
        groups=settings.groups or None,
        time=settings.time or None,
    )


def search_redraw(run: TaskSettings, changed: TaskSettings, redraw: int) -> int:
    """Number of a redraw of an island's search tasks that shares no task with the run's selection and test
    tasks.

    Data sets and tables keep the examples of the three sets apart by the seed alone. Synthetic tasks are
    numbered one after the other, so that another number of search tasks needs numbers beyond those of the
    run.

    Args:
        run: settings of the run's tasks.
        changed: settings of the island's.
        redraw: number of the redraw by itself; 0 for an island's first population.
    """
    if changed == run or changed.source in DATA_SOURCES:
        return redraw
    used = run.n_search + run.n_select + run.n_test
    own = changed.n_search + changed.n_select + changed.n_test
    return redraw + 1 + -(-max(0, used - own) // changed.n_search)


def _sizes(sizes: Sizes) -> Sizes | None:
    return sizes if any(sizes) else None
