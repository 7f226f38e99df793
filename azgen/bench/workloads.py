"""What is measured: tasks of given shapes, hand-designed and random programs, the search spaces of these."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.codegen.kernel_source import KernelSpec
from azgen.execution.kernel import Kernel, build_kernel
from azgen.execution.kernel_calls import truth_values
from azgen.language.instruction import Memory
from azgen.language.metrics import Metric
from azgen.language.program import Program
from azgen.language.random import mix
from azgen.language.zoo import zoo
from azgen.search.island_state import island_dtype
from azgen.search.task_set import kernel_spec
from azgen.settings.presets import preset
from azgen.settings.settings import Settings
from azgen.tasks.sources import TeacherTasks
from azgen.tasks.task import Task

PROGRAMS = ("linear", "neural-net")
"""Programs of the zoo that the original measures too (automl-zero: linear regression, a two-layer net)."""

N_TASKS = 10
N_VALID = 100

_SET_OPS = (
    "scalar_const_set", "scalar_uniform_set", "vector_uniform_set", "matrix_uniform_set",
    "scalar_gaussian_set", "vector_gaussian_set", "matrix_gaussian_set",
)  # fmt: skip
_PREDICT_OPS = ("scalar_sum", "vector_sum", "vector_inner_product", "matrix_vector_product", "vector_max")
_LEARN_OPS = (
    "scalar_sum", "scalar_diff", "scalar_product", "vector_heaviside", "scalar_vector_product", "vector_sum",
    "vector_product", "vector_outer_product", "matrix_sum",
)  # fmt: skip


@lru_cache(maxsize=8)
def regression_tasks(n_features: int, n_train: int, n_valid: int = N_VALID) -> tuple[Task, ...]:
    """Ten linear tasks whose labels have variance 1: no program diverges, every example is executed."""
    random = np.random.default_rng(n_features)
    tasks = []
    for _ in range(N_TASKS):
        x = random.normal(size=(n_train + n_valid, n_features))
        y = x @ random.normal(size=n_features) / np.sqrt(n_features)
        tasks.append(Task(x[:n_train], y[:n_train], x[n_train:], y[n_train:]))
    return tuple(tasks)


def search_kernel(program: str, n_features: int, n_tasks: int = N_TASKS) -> Kernel:
    """The kernel of a search space that a program of the zoo is found in: the demo's ops, or the baseline's.

    Of either kind of address there are as many as the program needs: the demo has a matrix, but no op for it.
    """
    found = zoo(program)
    if program == "linear":
        demo = demo_settings()
        ops = demo.setup.ops, demo.predict.ops, demo.learn.ops
        memory = found.memory
        return build_kernel(
            KernelSpec(n_features, memory, "rmse", "float32", ops, capacity=21, n_tasks=n_tasks)
        )
    return build_kernel(replace(baseline_spec(n_features, "rmse"), n_tasks=n_tasks))


def variants(program: str, count: int) -> list[Program]:
    """Programs of one structure with slightly different constants."""
    found = zoo(program)
    return [
        found.with_constants(tuple(c * (1 - 0.01 * number) for c in found.constants))
        for number in range(count)
    ]


def demo_settings() -> Settings:
    """Settings of the original's demo."""
    return preset("demo")


def demo_kernel() -> Kernel:
    """The demo's search kernel."""
    settings = demo_settings()
    assert isinstance(settings.tasks, TeacherTasks)
    return build_kernel(kernel_spec(settings, settings.tasks.n_features, "rmse"))


DEMO_SIZES = (10, 2, 8)
BASELINE_SIZES = (7, 11, 23)
"""Instructions of Setup, Predict and Learn in the demo, and in the baselines of the paper's section S10."""


def random_programs(kernel: Kernel, sizes: tuple[int, int, int], count: int, seed: int) -> NDArray[Any]:
    """Programs of random instructions of the kernel's search space, in its own form."""
    programs = np.zeros(count, kernel.program)
    programs["size"] = sizes
    island = np.zeros(1, island_dtype(kernel.program))  # its zeros say that constants are drawn uniformly
    every = truth_values([True] * 3)
    kernel.calls.randomize(programs.ctypes.data, count, every, island.ctypes.data, mix(seed))
    return programs


def baseline_spec(n_features: int, metric: Metric) -> KernelSpec:
    """The baseline's search space."""
    ops = _SET_OPS, _PREDICT_OPS, _LEARN_OPS
    return KernelSpec(n_features, Memory(5, 9, 2), metric, "float32", ops, capacity=sum(BASELINE_SIZES) + 1)
