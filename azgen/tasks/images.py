"""Images of a data set as tasks: dealt to search, selection and test, projected, told apart by class."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np

from azgen.bounds import Count
from azgen.language.userfile import NOTHING, UserFile
from azgen.tasks.all_classes import AllClasses
from azgen.tasks.datasets import DataSet, load_data_set
from azgen.tasks.pairs import Pairs, PairsOfClasses
from azgen.tasks.projection import (
    Dealt,
    check_labelled,
    deal_examples,
    frozen,
    names_of,
    project,
    task_random,
)
from azgen.tasks.readers.memory import refuse_if_too_large
from azgen.tasks.source import TaskSource, need_data
from azgen.tasks.task import SET_NAMES, SetName, Task, TaskSplit

FRACTIONS = (0.5, 0.2, 0.3)
"""Shares of each class's examples that search, select and test tasks draw from."""

_Ways = PairsOfClasses | AllClasses


@dataclass(frozen=True)
class ImageTasks(TaskSource):
    """Images of a data set, told apart by their classes.

    Attributes:
        data: name of the data set.
        classes: "pairs": a task is two of the classes; "all": all of them at once, with one-hot labels.
        n_features: F, to which images are projected; 0: as they are, without a projection.
    """

    source: Literal["images"] = field(default="images", kw_only=True)
    data: str = ""
    classes: Literal["pairs", "all"] = "pairs"
    n_features: Count = 4

    def split(self, seed: int, redraw: int = 0, user: UserFile = NOTHING) -> TaskSplit:
        """See `TaskSource.split`."""
        return self._rated(tasks_of_images(load_data_set(self.data), self, seed, redraw), user)

    def search(self, seed: int, redraw: int = 0, user: UserFile = NOTHING) -> tuple[Task, ...]:
        """The search tasks of `split`, with only one other task of each set."""
        return replace(self, n_select=1, n_test=1).split(seed, redraw, user).search

    def check(self, user: UserFile = NOTHING, at: str = "") -> None:
        """See `TaskSource.check`."""
        super().check(user, at)
        need_data(self.data, self.source, at)

    def _labels(self, at: str) -> tuple[bool | None, str]:
        return True, "images are told apart by their classes"


def tasks_of_images(
    data: DataSet,
    wanted: ImageTasks,
    seed: int = 0,
    redraw: int = 0,
    *,
    fractions: tuple[float, float, float] = FRACTIONS,
    pairs: Pairs | None = None,
) -> TaskSplit:
    """Tasks from a labelled data set.

    Args:
        data: examples, their classes, and the rows of the data set's own test part if it has one: test tasks
            then draw from these alone, and search and select tasks from the others, in the proportion of the
            first two fractions.
        wanted: how many tasks of which size; which data set it names does not matter here.
        seed: fixes everything; another seed deals examples and pairs anew, so tasks of different seeds share
            them.
        redraw: another number gives other search tasks of the same seed: other projections of other examples,
            from the search set's own share (and pairs). Selection and test tasks stay as they are.
        fractions: shares of each class's examples that search, select and test tasks draw from; they must sum
            to 1.
        pairs: which pairs of classes each set uses, such as ``{"select": ORIGINAL_SELECT_PAIRS, "test":
            ORIGINAL_TEST_PAIRS}``; see `PairsOfClasses`.

    Returns:
        Tasks with metric "accuracy". Task names say which pair; ``provenance["pairs"]`` lists them.

    Raises:
        AzgenError: an argument out of range, or more examples asked for than the scarcest class of a set has.
    """
    dealt = _dealt(data, fractions, seed)
    ways = PairsOfClasses(dealt, pairs, seed) if wanted.classes == "pairs" else AllClasses(dealt)
    sizes = _sizes(wanted, ways)
    width = wanted.n_features or dealt.x.shape[1]
    _refuse_if_too_large(sizes, width)

    def task(name: SetName, number: int) -> Task:
        random = task_random(seed, name, number, redraw)
        drawn = ways.draw(name, number, (sizes[name].train, sizes[name].valid), random)
        x_train, x_valid = project(dealt.x, drawn.train, drawn.valid, wanted.n_features or None, random)
        labels = frozen(drawn.y_train), frozen(drawn.y_valid)
        what = f"{drawn.what}, projection {number}"
        return Task(x_train, labels[0], x_valid, labels[1], metric="accuracy", name=what)

    search, select, test = (tuple(task(s, n) for n in range(sizes[s].tasks)) for s in SET_NAMES)
    description, told = _told(data, ways, sizes, width, wanted.n_features > 0)
    told |= {"seed": seed, "redraw": redraw}
    return TaskSplit(search, select, test, description, label_names=ways.label_names, provenance=told)


def _told(
    data: DataSet, ways: _Ways, sizes: dict[SetName, _Size], width: int, projected: bool
) -> tuple[str, dict[str, Any]]:
    """What the tasks are, in words and as plain values."""
    dimension = f"projected to {width} features" if projected else f"all {width} features"
    numbers = ", ".join(
        f"{size.tasks} {name} tasks{ways.of(name)} ({size.train} + {size.valid} examples)"
        for name, size in sizes.items()
    )
    return f"{data.name}: {ways.description}, {dimension}; {numbers}", {
        "source": data.name,
        "kind": ways.kind,
        "n_features": width,
        "projected": projected,
        "sizes": {name: asdict(size) for name, size in sizes.items()},
        **ways.provenance,
        "own_test": data.own_test is not None,
    }


def _dealt(data: DataSet, fractions: tuple[float, float, float], seed: int) -> Dealt:
    x, y = check_labelled(data.x, data.y, data.name)
    names = names_of(np.unique(y), data.class_names or None)
    return Dealt(data.name, x, y, names, deal_examples(y, fractions, data.own_test, seed))


@dataclass(frozen=True)
class _Size:
    """Of a task set: how many tasks, and training and validation examples of each."""

    tasks: int
    train: int
    valid: int

    @property
    def examples(self) -> int:
        """Of all its tasks."""
        return self.tasks * (self.train + self.valid)


def _refuse_if_too_large(sizes: dict[SetName, _Size], width: int) -> None:
    n_tasks, examples = sum(s.tasks for s in sizes.values()), sum(s.examples for s in sizes.values())
    refuse_if_too_large(f"a set of {n_tasks} tasks of {width} features", 8 * examples * width)


def _sizes(wanted: ImageTasks, ways: _Ways) -> dict[SetName, _Size]:
    """By set."""
    counts = wanted.n_search, wanted.n_select, wanted.n_test
    trains, valids = (given if any(given) else (None,) * 3 for given in (wanted.n_train, wanted.n_valid))
    return {
        name: _Size(count, *ways.sizes(name, n_train, n_valid))
        for name, count, n_train, n_valid in zip(SET_NAMES, counts, trains, valids, strict=True)
    }
