"""Checks that the settings of tasks agree with their source and with each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from azgen.errors import AzgenError
from azgen.language.metrics import is_classification

if TYPE_CHECKING:
    from azgen.settings.settings import Settings

_TABLE = (
    *("positive", "impute", "categorical", "drop", "drop_constant", "groups", "time", "folds"),
    *("test_fraction", "select_fraction", "valid_fraction"),
)
_SYNTHETIC = ("noise", "data_seeds", "param_seeds")


_IMAGES = ("projected", "multiclass")


def check_tasks(settings: Settings, need: Callable[[bool, str], None]) -> None:
    """Checks the settings of tasks.

    Args:
        need: raises its message unless its condition holds.
    """
    tasks = settings.tasks
    source, table, projected = tasks.source, tasks.source == "table", tasks.source in _IMAGES
    need(not (table or projected) or bool(tasks.data), f'tasks.data is needed for source "{source}"')
    usual = type(tasks)()
    for names, fits, what in (
        (_TABLE, table, "a table"),
        (_SYNTHETIC, not (table or projected), "a teacher"),
    ):
        for name in names:
            same = getattr(tasks, name) == getattr(usual, name)
            need(same or fits, f'tasks.{name} is for {what}, but tasks.source is "{source}"')
    need(
        table or tasks.kind != "multiclass",
        'tasks.kind "multiclass" is for tables; of images it is the source',
    )
    if table:
        _check_table(settings, need)
    else:
        # A kernel of one feature is built as any other; tables may have one column.
        least = 0 if projected else 3 if source == "two-layer" else 1
        need(
            tasks.n_features >= least,
            f"tasks.n_features is {tasks.n_features}; at least {least} for {source}",
        )
    seeded = bool(tasks.data_seeds or tasks.param_seeds)
    need(min((*tasks.data_seeds, *tasks.param_seeds, 0)) == 0, "tasks.data_seeds and param_seeds: 0 or more")
    need(
        not (seeded and tasks.redraw),
        "tasks.redraw draws new seeds, and tasks.data_seeds or param_seeds give them; leave one of them out",
    )
    _check_metric(settings, need)


def _check_table(settings: Settings, need: Callable[[bool, str], None]) -> None:
    tasks = settings.tasks
    need(
        not (tasks.groups and tasks.time), "tasks.groups and tasks.time exclude each other; give one of them"
    )
    need(
        not (tasks.folds and tasks.time),
        "tasks.folds and tasks.time exclude each other: a fold would train on later rows",
    )
    need(tasks.folds == 0 or tasks.folds >= 2, f"tasks.folds is {tasks.folds}; at least 2, or 0 for none")
    need(
        not (tasks.positive and tasks.kind == "regression"),
        'tasks.positive picks a class, but tasks.kind is "regression"; leave one of them out',
    )
    for name in ("test_fraction", "select_fraction", "valid_fraction"):
        need(0 < getattr(tasks, name) < 1, f"tasks.{name} is {getattr(tasks, name)}; between 0 and 1")


def _check_metric(settings: Settings, need: Callable[[bool, str], None]) -> None:
    tasks = settings.tasks
    need(
        not (tasks.source in _IMAGES and tasks.kind == "regression"),
        'tasks.kind is "regression", but images are told apart by their classes',
    )
    if not tasks.metric:
        return
    try:
        metric = settings.user.metric(tasks.metric)
    except AzgenError as error:
        need(False, f"tasks.metric: {error}")
    classes = is_classification(metric)
    rates = "classes" if classes else "numbers"
    need(
        classes or tasks.source not in _IMAGES,
        f"tasks.metric {tasks.metric} rates {rates}, but images are told apart by their classes",
    )
    need(
        tasks.kind == "auto" or classes == (tasks.kind in ("classification", "multiclass")),
        f'tasks.metric {tasks.metric} rates {rates}, but tasks.kind is "{tasks.kind}"',
    )
