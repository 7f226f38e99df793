"""What evaluating random programs costs, without any cache, with dead code removed and with it kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.bench import original
from azgen.bench.effort import Effort
from azgen.bench.evaluation import kernel_work
from azgen.bench.figures import Figure, figure_of
from azgen.bench.timing import in_turns
from azgen.bench.workloads import (
    BASELINE_SIZES,
    N_TASKS,
    baseline_kernel,
    classification_tasks,
    demo_kernel,
    demo_settings,
)
from azgen.execution.kernel import Kernel
from azgen.execution.layout import LaneTasks, lay_out
from azgen.language.random import mix
from azgen.search.sources import make_tasks

DEMO_SIZES = (10, 2, 8)
BASELINE_FEATURES = 16
REMOVED, KEPT = "dead code removed", "dead code kept"


def random_programs(kernel: Kernel, sizes: tuple[int, int, int], count: int, seed: int) -> NDArray[Any]:
    """Programs of random instructions of the kernel's search space, in its own form."""
    programs = np.zeros(count, kernel.program)
    programs["size"] = sizes
    kernel.module.randomize(programs.ctypes.data, count, mix(seed))
    return programs


def measure_random(effort: Effort) -> list[Figure]:
    """µs per evaluation of random programs of the demo's and of the paper's baselines' sizes."""
    kernel, settings = demo_kernel(), demo_settings()
    data = lay_out(make_tasks(settings.tasks, 0).search, kernel.spec.lane)
    programs = random_programs(kernel, DEMO_SIZES, effort.random_programs, 1)
    what = f"{len(programs)} random programs of the demo's sizes, F = 4, 10 x (100 + 100)"
    figures = _measure(kernel, programs, data, what, original.RANDOM_DEMO, "", effort)

    kernel, n_train = baseline_kernel(BASELINE_FEATURES), effort.baseline_examples
    tasks, source = classification_tasks(BASELINE_FEATURES, n_train, n_train // 8)
    data = lay_out(tasks, kernel.spec.lane)
    programs = random_programs(kernel, BASELINE_SIZES, effort.baseline_programs, 2)
    what = (
        f"{len(programs)} random programs of the baseline's sizes, F = {BASELINE_FEATURES}, "
        f"{N_TASKS} x ({n_train} + {n_train // 8})"
    )
    return figures + _measure(kernel, programs, data, what, original.RANDOM_BASELINE, source, effort)


def _measure(
    kernel: Kernel,
    programs: NDArray[Any],
    data: LaneTasks,
    what: str,
    theirs: float,
    source: str,
    effort: Effort,
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
        goal = theirs / original.RANDOM_GOAL if by == REMOVED else None
        figures.append(
            figure_of("random", what, by, "µs", values, original=theirs, goal=goal, details=details)
        )
    return figures
