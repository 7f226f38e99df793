"""A search finds the same whatever lies side by side in its registers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from azgen.codegen.kernel_source import KernelSpec
from azgen.codegen.lanes import MANY
from azgen.execution.kernel import build_kernel
from azgen.execution.layout import lay_out
from azgen.search.island import Island
from azgen.search.task_set import kernel_spec
from azgen.settings.presets import preset
from azgen.settings.settings import Settings


def evolved(settings: Settings, spec: KernelSpec) -> tuple[dict[str, int], Any, list[str]]:
    """What became of the programs of a population; its fitness; its programs."""
    kernel = build_kernel(spec)
    tasks = lay_out(settings.tasks.split(1).search, kernel.spec.lane)
    island = Island(kernel, settings, tasks, 1)
    island.evolve(4000)
    programs = [str(kernel.decode(record)) for record in island.arrays["population"]]
    return island.counts, island.arrays["fitness"], programs


def test_a_search_does_not_depend_on_its_lanes() -> None:
    """The tables of known fitness are small here, so that what they forget shows."""
    settings = preset("demo")
    tasks = replace(settings.tasks, n_search=1, n_select=1, n_test=1)
    evolution = replace(settings.evolution, population=100, cache_size=512)
    settings = replace(settings, tasks=tasks, evolution=evolution)
    spec = kernel_spec(settings, 4, "rmse")
    wide = replace(spec, n_tasks=MANY)
    assert spec.n_tasks == spec.lane.lanes == 1 < wide.lane.lanes
    counts, fitness, programs = evolved(settings, spec)
    others = evolved(settings, wide)
    assert counts == others[0] and counts["equivalent"] > 0
    np.testing.assert_array_equal(fitness, others[1])
    assert programs == others[2]
