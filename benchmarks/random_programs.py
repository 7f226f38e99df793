"""What evaluating random programs costs, without any cache, with dead code removed and with it kept."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.bench.evaluation import kernel_work
from azgen.bench.figures import Figure, figure_of
from azgen.bench.timing import in_turns
from azgen.bench.workloads import (
    BASELINE_SIZES,
    DEMO_SIZES,
    N_TASKS,
    baseline_spec,
    demo_kernel,
    demo_settings,
    random_programs,
)
from azgen.execution.kernel import Kernel, build_kernel
from azgen.execution.layout import LaneTasks, lay_out
from azgen.tasks.datasets import load_data_set
from azgen.tasks.image_sets import IMAGE_SETS
from azgen.tasks.images import ImageTasks, tasks_of_images
from azgen.tasks.task import Task
from benchmarks.effort import FullEffort

BASELINE_FEATURES = 16
REMOVED, KEPT = "dead code removed", "dead code kept"


_IMAGES = ("cifar10", "fashion-mnist", "mnist")
"""Image sets that may be on this machine, in order of preference."""


def baseline_kernel(n_features: int) -> Kernel:
    """The kernel of the baseline's search space, for classification."""
    return build_kernel(baseline_spec(n_features, "accuracy"))


@lru_cache(maxsize=2)
def classification_tasks(n_features: int, n_train: int, n_valid: int) -> tuple[tuple[Task, ...], str]:
    """Ten projected tasks of two classes, and where they come from.

    Of an image set that is on this machine and large enough, else of synthetic classes of the same shape.
    """
    for name in _IMAGES:
        if name in IMAGE_SETS and IMAGE_SETS[name].locate() is not None:
            data = load_data_set(name)
            # Nearly all images for the search tasks: a class has 6000 or more, and 4500 are needed.
            wanted = ImageTasks(
                name, n_features=n_features, n_search=N_TASKS, n_select=1, n_test=1,
                n_train=(n_train, 10, 10), n_valid=(n_valid, 10, 10),
            )  # fmt: skip
            split = tasks_of_images(replace(data, own_test=None), wanted, fractions=(0.9, 0.05, 0.05))
            return split.search, f"pairs of classes of {name}, projected to {n_features}"
    random, tasks, n = np.random.default_rng(0), [], n_train + n_valid
    for _ in range(N_TASKS):
        y = np.resize([0.0, 1.0], n)
        x = random.normal(size=(n, n_features)) + np.outer(y - 0.5, random.normal(size=n_features) / 2)
        tasks.append(Task(x[:n_train], y[:n_train], x[n_train:], y[n_train:], "accuracy"))
    return tuple(tasks), f"synthetic classes (no image set on this machine; looked for {', '.join(_IMAGES)})"


def measure_random(effort: FullEffort) -> list[Figure]:
    """µs per evaluation of random programs of the demo's and of the paper's baselines' sizes."""
    kernel, settings = demo_kernel(), demo_settings()
    data = lay_out(settings.tasks.split(0).search, kernel.spec.lane)
    programs = random_programs(kernel, DEMO_SIZES, effort.random_programs, 1)
    what = f"{len(programs)} random programs of the demo's sizes, F = 4, 10 x (100 + 100)"
    figures = _measure(kernel, programs, data, what, "", effort)

    kernel, n_train = baseline_kernel(BASELINE_FEATURES), effort.baseline_examples
    tasks, source = classification_tasks(BASELINE_FEATURES, n_train, n_train // 8)
    data = lay_out(tasks, kernel.spec.lane)
    programs = random_programs(kernel, BASELINE_SIZES, effort.baseline_programs, 2)
    what = (
        f"{len(programs)} random programs of the baseline's sizes, F = {BASELINE_FEATURES}, "
        f"{N_TASKS} x ({n_train} + {n_train // 8})"
    )
    return figures + _measure(kernel, programs, data, what, source, effort)


def _measure(
    kernel: Kernel,
    programs: NDArray[Any],
    data: LaneTasks,
    what: str,
    source: str,
    effort: FullEffort,
) -> list[Figure]:
    works = {
        REMOVED: kernel_work(kernel, programs, data),
        KEPT: kernel_work(kernel, programs, data, keep_dead_code=True),
    }
    measured = in_turns(works, effort.random_runs, effort.seconds)
    fitness = {by: np.nan_to_num(work.fitness) for by, work in works.items()}
    # Dead instructions of the demo draw no random numbers, so here all must be equal to the last bit.
    if not any(op.stochastic for op in kernel.spec.ops) and not np.array_equal(
        fitness[REMOVED], fitness[KEPT]
    ):
        raise AssertionError("programs with and without their dead code have different fitness")
    failed = float(np.isnan(works[REMOVED].fitness).mean())
    figures = []
    for by in works:
        values = [value / len(programs) for value in measured[by]]
        details = {"source": source or "linear teachers", "failed": failed}
        details |= {"fitness_sum": float(fitness[by].sum()), "lanes": kernel.spec.lane.lanes}
        figures.append(figure_of("random", what, by, "µs", values, details=details))
    return figures
