"""Who rates the programs of islands in this process: their kernels, native code, or both."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from azgen.execution.native import NativeCode
from azgen.search.island import Island
from azgen.search.rating.chooser import Chooser
from azgen.search.rating.cost_model import CostModel, cost_model, is_measured, may_pay
from azgen.search.rating.hook import RatingHook
from azgen.search.space import SearchSpace
from azgen.search.task_set import TaskSet

_SAMPLE, _MUTATIONS = 512, 30
"""Programs to measure the cost model with, and how often each is mutated."""

_LEAST_LIMIT = 30.0
"""Time limit of a search, in seconds, from which on it pays to measure what compiling costs."""


class Raters:
    """Native code by target, and what it costs by kernel.

    Args:
        space: kernels and tasks.
    """

    def __init__(self, space: SearchSpace):
        self._space = space
        self._native: dict[tuple[int, str, int], NativeCode] = {}
        self._models: dict[str, CostModel | None] = {}

    @property
    def compiled(self) -> int:
        """Structures that this process has compiled."""
        return sum(map(len, self._native.values()))

    def native(self, tasks: TaskSet) -> NativeCode:
        """This process's compiled candidates for a task set's lanes."""
        spec = tasks.kernel.spec
        key = (spec.n_features, str(spec.metric), spec.classes)
        if key not in self._native:
            self._native[key] = NativeCode(spec.target)
        return self._native[key]

    def hook(self, island: int, tasks: TaskSet) -> RatingHook | None:
        """What rates an island's programs natively, all or some of them; None if the kernel rates all."""
        settings, chooser = self._space.settings, None
        if settings.backend == "kernel":
            return None
        if settings.backend == "auto":
            if not may_pay(tasks.kernel.spec.n_features, tasks.lanes):
                return None
            key, limit = tasks.kernel.built.key, settings.stop.max_seconds
            if 0 < limit < _LEAST_LIMIT and not is_measured(tasks.kernel):
                return None
            if key not in self._models:
                self._models[key] = cost_model(
                    tasks.kernel, lambda: self.examples(island, tasks), tasks.lanes
                )
            model = self._models[key]
            if model is None:
                return None
            chooser = Chooser(model, tasks.kernel, tasks.lanes, settings.evolution.population)
        return RatingHook(tasks.kernel, self.native(tasks), tasks.lanes, chooser)

    def examples(self, island: int, tasks: TaskSet) -> NDArray[Any]:
        """Programs of the search space, to measure with: an initial population, mutated many times."""
        example = Island(tasks.kernel, self._space.settings, tasks.lanes, island, born=False)
        example.populate(*self._space.start(0))
        return example.mutants(_SAMPLE, _MUTATIONS)
