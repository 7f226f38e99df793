"""Tasks of whatever a name says: a table file, a data set, or a synthetic teacher."""

from __future__ import annotations

from pathlib import Path

from azgen.errors import AzgenError
from azgen.tasks.datasets import data_set_names, load_data_set
from azgen.tasks.multiclass import multiclass_tasks
from azgen.tasks.projected import projected_tasks
from azgen.tasks.synthetic import TEACHERS, teacher_split
from azgen.tasks.table import TableOptions, table_tasks, tasks_of_table
from azgen.tasks.task import TaskSplit

_N_TASKS = 10


def is_data_set(name: str) -> bool:
    """Whether a name is a data set's; otherwise it is a file's, which has a suffix or exists.

    Raises:
        AzgenError: it is neither; names the closest data set.
    """
    if name in data_set_names():
        return True
    if Path(name).suffix or Path(name).exists():
        return False
    load_data_set(name)
    return True  # in another spelling, such as Fashion_MNIST


def draw_split(
    name: str, target: str | None, n_features: int | None, seed: int, options: TableOptions
) -> TaskSplit:
    """Search, selection and test tasks, ten of each (of whole images one).

    Args:
        name: a table file, a data set or a teacher.
        target: the table's column to predict; None: its own.
        n_features: F of images and teachers, 16 and 4 by default; 0: images without projection. Tables have
            as many features as columns.
        seed: decides teachers and projections.
        options: of tables, with a seed of their own; of images the kind counts: "multiclass" for all classes
            at once.

    Raises:
        AzgenError: no such data, data that cannot be used, or a number of features where it means nothing.
    """
    if name in TEACHERS:
        if n_features == 0:
            raise AzgenError("a teacher needs features: give --features 2 or more")
        return teacher_split(
            name,
            n_features or 4,
            n_search=_N_TASKS,
            n_select=_N_TASKS,
            n_test=_N_TASKS,
            n_train=100,
            n_valid=100,
            seed=seed,
        )
    images = is_data_set(name) and load_data_set(name)
    if images and images.is_images:
        n_tasks = 1 if n_features == 0 else _N_TASKS  # a task of whole images takes a lot of memory
        make = multiclass_tasks if options.kind == "multiclass" else projected_tasks
        return make(
            images.x,
            images.y,
            n_features=None if n_features == 0 else n_features or 16,
            n_search=n_tasks,
            n_select=n_tasks,
            n_test=n_tasks,
            own_test=images.own_test,
            class_names=images.class_names,
            seed=seed,
            source=images.name,
        )
    if n_features is not None:
        raise AzgenError("--features is for images and teachers; a table's features are its columns (--drop)")
    return tasks_of_table(images.table(), target, options) if images else table_tasks(name, target, options)
