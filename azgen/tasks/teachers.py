"""Synthetic tasks as a source of a run's tasks; `synthetic` makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Annotated, Literal

from azgen.bounds import Bounds, Count, NotNegative, Positive
from azgen.errors import AzgenError
from azgen.language.metrics import Metric, is_classification
from azgen.language.userfile import NOTHING, UserFile
from azgen.tasks.source import Sizes, TaskSource
from azgen.tasks.synthetic import Teacher, teacher_tasks
from azgen.tasks.task import Task, TaskSplit
from azgen.tasks.teacher_seeds import draw_seeds, extend_seeds

_FRESH = 1
"""Which numbers of a seed fresh tasks are drawn by."""

_TEACHER_TRAIN: Sizes = (100, 1000, 1000)
_TEACHER_VALID: Sizes = (100, 100, 100)


@dataclass(frozen=True)
class TeacherTasks(TaskSource):
    """Synthetic tasks, whose labels a teacher gives.

    Attributes:
        teacher: "linear", "affine", "two-layer" (two units zeroed, as the original), "two-layer-live" or
            "quadratic" (features interact).
        n_features: F; at least 3 for "two-layer".
        kind: "classification": labels are the signs of the teacher's outputs; else they are the outputs, or
            what the metric asks for.
        noise: standard deviation of noise on labels.
        centred: labels have the mean 0 on the training examples of each task, so that learning their mean is
            no stepping stone; departs from the paper.
        n_fresh: further tasks on which a program must not fail for its fitness to end the run; see
            `fresh`.
        data_seeds, param_seeds: seeds of the examples and of the teachers of search tasks; a list that is too
            short goes on with its last number + 1, + 2 and so on. Empty: drawn by the seed.
    """

    source: Literal["teacher"] = field(default="teacher", kw_only=True)
    teacher: Teacher = "linear"
    n_features: Positive = 4
    kind: Literal["auto", "regression", "classification"] = "auto"
    noise: NotNegative = 0.0
    centred: bool = False
    n_fresh: Count = 0
    data_seeds: Annotated[tuple[int, ...], Bounds(0)] = ()
    param_seeds: Annotated[tuple[int, ...], Bounds(0)] = ()

    def split(self, seed: int, redraw: int = 0, user: UserFile = NOTHING) -> TaskSplit:
        """See `TaskSource.split`; every task has seeds of its own."""
        metric, seeds = self._metric(user), self._seeds(seed, redraw)
        counts, (trains, valids) = (self.n_search, self.n_select, self.n_test), self._examples()
        ends = accumulate(counts)
        sizes = zip(counts, ends, trains, valids, strict=True)
        search, select, test = (
            self._tasks(seeds[end - n : end], n_train, n_valid, metric) for n, end, n_train, n_valid in sizes
        )
        extra = f", noise {self.noise:g}" if self.noise else ""
        extra += ", labels centred" if self.centred else ""
        kind = "sign of" if is_classification(metric) else "regression on"
        names = ("output at most 0", "output above 0") if is_classification(metric) else ("teacher output",)
        return TaskSplit(
            search,
            select,
            test,
            description=f"synthetic: {kind} a {self.teacher} teacher, {self.n_features} features{extra}; "
            f"{self.n_search} search, {self.n_select} selection and {self.n_test} test tasks",
            label_names=names,
            provenance={
                "source": "synthetic",
                "teacher": self.teacher,
                "n_features": self.n_features,
                "n_train": list(trains),
                "n_valid": list(valids),
                "seed": seed,
                "redraw": redraw,
                "noise": self.noise,
                "centred": self.centred,
                "metric": str(metric),
                "data_seeds": [data for data, _ in seeds],
                "param_seeds": [param for _, param in seeds],
            },
        )

    def search(self, seed: int, redraw: int = 0, user: UserFile = NOTHING) -> tuple[Task, ...]:
        """The search tasks of `split`; no other is made, only its seeds are drawn."""
        train, valid = self._examples()
        own = self._seeds(seed, redraw)[: self.n_search]
        return self._tasks(own, train[0], valid[0], self._metric(user))

    def fresh(self, seed: int, user: UserFile = NOTHING) -> tuple[Task, ...]:
        """`n_fresh` tasks, see `TaskSource.fresh`; they have random numbers of their own."""
        if not self.n_fresh:
            return ()
        seeds = list(zip(*draw_seeds(self.n_fresh, seed, _FRESH), strict=True))
        (_, n_train, _), (_, n_valid, _) = self._examples()
        return self._tasks(seeds, n_train, n_valid, self._metric(user))

    def redraw_beside(self, run: TaskSource, redraw: int) -> int:
        """See `TaskSource.redraw_beside`. Synthetic tasks are numbered one after the other, so that another
        number of search tasks needs numbers beyond those of the run.
        """
        used = run.n_search + run.n_select + run.n_test
        own = self.n_search + self.n_select + self.n_test
        return redraw + 1 + -(-max(0, used - own) // self.n_search)

    def check(self, user: UserFile = NOTHING, at: str = "") -> None:
        """See `TaskSource.check`."""
        super().check(user, at)
        if self.teacher == "two-layer" and self.n_features < 3:
            raise AzgenError(f"{at}n_features is {self.n_features}; at least 3 for two-layer")
        if self.redraw and (self.data_seeds or self.param_seeds):
            raise AzgenError(
                f"{at}redraw draws new seeds, and {at}data_seeds or param_seeds give them; leave one of them "
                "out"
            )

    def _labels(self, at: str) -> tuple[bool | None, str]:
        return None if self.kind == "auto" else self.kind == "classification", f'{at}kind is "{self.kind}"'

    def _seeds(self, seed: int, redraw: int) -> list[tuple[int, int]]:
        """Data and parameter seed of each task, those of search tasks first; given ones are theirs alone."""
        if redraw < 0:
            raise AzgenError(f"redraw is {redraw}; it must be 0 or more")
        n_search, count = self.n_search, self.n_search + self.n_select + self.n_test
        both = []
        drawn = draw_seeds(count + redraw * n_search, seed)
        for given, seeds in zip((self.data_seeds, self.param_seeds), drawn, strict=True):
            # Redrawn ones are the latest, which no other task has.
            own = (
                extend_seeds(given, n_search) if given else seeds[-n_search:] if redraw else seeds[:n_search]
            )
            both.append((*own, *seeds[n_search:count]))
        shared = set(both[0][:n_search]) & set(both[0][n_search:])
        if shared:
            raise AzgenError(
                f"data seed {min(shared)} is also that of a selection or test task; choose another"
            )
        return list(zip(*both, strict=True))

    def _tasks(
        self, seeds: Sequence[tuple[int, int]], n_train: int, n_valid: int, metric: Metric
    ) -> tuple[Task, ...]:
        return teacher_tasks(
            self.teacher,
            len(seeds),
            self.n_features,
            n_train,
            n_valid,
            data_seeds=[data for data, _ in seeds],
            param_seeds=[param for _, param in seeds],
            noise=self.noise,
            metric=metric,
            centred=self.centred,
        )

    def _examples(self) -> tuple[Sizes, Sizes]:
        return (
            self.n_train if any(self.n_train) else _TEACHER_TRAIN,
            self.n_valid if any(self.n_valid) else _TEACHER_VALID,
        )

    def _metric(self, user: UserFile) -> Metric:
        if self.metric:
            return user.metric(self.metric)
        return "accuracy" if self.kind == "classification" else "rmse"
