"""What all sources of tasks have in common; `sources` names them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from azgen.bounds import Bounded, Bounds, Positive
from azgen.errors import AzgenError
from azgen.language.metrics import is_classification
from azgen.language.userfile import NOTHING, UserFile
from azgen.tasks.task import Task, TaskSplit

Sizes: TypeAlias = tuple[int, int, int]
"""One number each for search, selection and test tasks."""


@dataclass(frozen=True, kw_only=True)
class TaskSource(Bounded, ABC):
    """What all sources have in common.

    Attributes:
        source: "teacher" (synthetic tasks), "images" (of a data set) or "table" (the user's own).
        n_search, n_select, n_test: number of tasks of each set; of a table n_search and n_select are splits.
        n_train, n_valid: examples per task of each set; 0: as many as there are, as always with tables.
        metric: what fitness is: "rmse" or "r2"; "accuracy", "balanced-accuracy" or "log-loss"; or one of the
            user's own file. Empty: rmse for regression, accuracy for classes.
        redraw: new search tasks at every restart.
    """

    source: str
    n_search: Positive = 10
    n_select: Positive = 100
    n_test: Positive = 100
    n_train: Annotated[Sizes, Bounds(0)] = (0, 0, 0)
    n_valid: Annotated[Sizes, Bounds(0)] = (0, 0, 0)
    metric: str = ""
    redraw: bool = False

    @abstractmethod
    def split(self, seed: int, redraw: int = 0, user: UserFile = NOTHING) -> TaskSplit:
        """Search, selection and test tasks.

        Args:
            seed: fixes everything; selection and test tasks depend on it alone.
            redraw: other search tasks for each number, which share no scored example with selection and test
                tasks.
            user: where a metric of the user's own is defined.

        Raises:
            AzgenError: the data cannot be used; says where and why.
        """

    def search(self, seed: int, redraw: int = 0, user: UserFile = NOTHING) -> tuple[Task, ...]:
        """The search tasks of `split` alone; cheaper where it can be, as restarts redraw them often."""
        return self.split(seed, redraw, user).search

    def redraw_beside(self, run: TaskSource, redraw: int) -> int:
        """Number of a redraw of other search tasks than the run's own that shares no task with the run's
        selection and test tasks.

        Data sets and tables keep the examples of the three sets apart by the seed alone.

        Args:
            run: where the run's own tasks come from.
            redraw: number of the redraw by itself; 0 for an island's first population.
        """
        return redraw

    def check(self, user: UserFile = NOTHING, at: str = "") -> None:
        """Checks that there are data, and that the metric fits them.

        Args:
            user: where a metric of the user's own is defined.
            at: what comes before names in messages, such as "tasks.".

        Raises:
            AzgenError: it does not; says which setting, and what to do.
        """
        if not self.metric:
            return
        try:
            classes = is_classification(user.metric(self.metric))
        except AzgenError as error:
            raise AzgenError(f"{at}metric: {error}") from None
        known, why = self._labels(at)
        if known is not None and known != classes:
            rates = "classes" if classes else "numbers"
            raise AzgenError(f"{at}metric {self.metric} rates {rates}, but {why}")

    def fresh(self, seed: int, user: UserFile = NOTHING) -> tuple[Task, ...]:
        """Further tasks like the selection tasks, which no set has. A program that would end the run must
        not fail on them. None where there are no more.

        Args:
            seed, user: see `split`.
        """
        return ()

    @abstractmethod
    def _labels(self, at: str) -> tuple[bool | None, str]:
        """Whether labels are known to be classes (True) or numbers (False), and what says so."""

    def _rated(self, split: TaskSplit, user: UserFile) -> TaskSplit:
        return split.with_metric(user.metric(self.metric)) if self.metric else split


def need_data(data: str, source: str, at: str) -> None:
    """Checks that data are named; see `TaskSource.check`."""
    if not data:
        raise AzgenError(f'{at}data is needed for {at}source "{source}"')
