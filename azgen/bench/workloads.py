"""What is measured: tasks of given shapes, hand-designed programs, the search spaces of random ones."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from azgen.codegen.kernel_source import KernelSpec
from azgen.execution.kernel import Kernel, build_kernel
from azgen.language.instruction import Memory
from azgen.language.metrics import Metric
from azgen.language.program import Program
from azgen.language.zoo import zoo
from azgen.search.space import kernel_spec
from azgen.settings.presets import preset
from azgen.settings.settings import Settings
from azgen.tasks.datasets import load_data_set
from azgen.tasks.image_sets import IMAGE_SETS
from azgen.tasks.projected import projected_tasks
from azgen.tasks.task import Task

PROGRAMS = ("linear", "neural-net")
"""Programs of the zoo that the original measures too (automl-zero: linear regression, a two-layer net)."""

N_TASKS = 10
N_VALID = 100

DEMO = "linear"
"""Preset of the original's demo."""

_SET_OPS = (
    "scalar_const_set", "scalar_uniform_set", "vector_uniform_set", "matrix_uniform_set",
    "scalar_gaussian_set", "vector_gaussian_set", "matrix_gaussian_set",
)  # fmt: skip
_PREDICT_OPS = ("scalar_sum", "vector_sum", "vector_inner_product", "matrix_vector_product", "vector_max")
_LEARN_OPS = (
    "scalar_sum", "scalar_diff", "scalar_product", "vector_heaviside", "scalar_vector_product", "vector_sum",
    "vector_product", "vector_outer_product", "matrix_sum",
)  # fmt: skip

_IMAGES = ("cifar10", "fashion-mnist", "mnist")
"""Image sets that may be on this machine, in order of preference."""


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


def search_kernel(program: str, n_features: int) -> Kernel:
    """The kernel of a search space that a program of the zoo is found in: the demo's ops, or the baseline's.

    Of either kind of address there are as many as the program needs: the demo has a matrix, but no op for it.
    """
    found = zoo(program)
    if program == "linear":
        demo = preset(DEMO)
        ops = demo.setup.ops, demo.predict.ops, demo.learn.ops
        return build_kernel(KernelSpec(n_features, found.memory, "rmse", "float32", ops, capacity=21))
    return build_kernel(_baseline_spec(n_features, "rmse"))


def variants(program: str, count: int) -> list[Program]:
    """Programs of one structure with slightly different constants."""
    found = zoo(program)
    return [
        found.with_constants(tuple(c * (1 - 0.01 * number) for c in found.constants))
        for number in range(count)
    ]


def demo_settings() -> Settings:
    """Settings of the original's demo."""
    return preset(DEMO)


def demo_kernel() -> Kernel:
    """The demo's search kernel."""
    settings = demo_settings()
    return build_kernel(kernel_spec(settings, settings.tasks.n_features, "rmse"))


BASELINE_SIZES = (7, 11, 23)
"""Instructions of Setup, Predict and Learn in the baselines of the paper's section S10."""


def baseline_kernel(n_features: int) -> Kernel:
    """The kernel of the baseline's search space, for classification."""
    return build_kernel(_baseline_spec(n_features, "accuracy"))


def _baseline_spec(n_features: int, metric: Metric) -> KernelSpec:
    ops = _SET_OPS, _PREDICT_OPS, _LEARN_OPS
    return KernelSpec(n_features, Memory(5, 9, 2), metric, "float32", ops, capacity=sum(BASELINE_SIZES) + 1)


@lru_cache(maxsize=2)
def classification_tasks(n_features: int, n_train: int, n_valid: int) -> tuple[tuple[Task, ...], str]:
    """Ten projected tasks of two classes, and where they come from.

    Of an image set that is on this machine and large enough, else of synthetic classes of the same shape.
    """
    for name in _IMAGES:
        if name in IMAGE_SETS and IMAGE_SETS[name].locate() is not None:
            data = load_data_set(name)
            # Nearly all images for the search tasks: a class has 6000 or more, and 4500 are needed.
            split = projected_tasks(
                data.x, data.y, n_features=n_features, n_search=N_TASKS, n_select=1, n_test=1,
                n_train=(n_train, 10, 10), n_valid=(n_valid, 10, 10), fractions=(0.9, 0.05, 0.05),
            )  # fmt: skip
            return split.search, f"pairs of classes of {name}, projected to {n_features}"
    random, tasks, n = np.random.default_rng(0), [], n_train + n_valid
    for _ in range(N_TASKS):
        y = np.resize([0.0, 1.0], n)
        x = random.normal(size=(n, n_features)) + np.outer(y - 0.5, random.normal(size=n_features) / 2)
        tasks.append(Task(x[:n_train], y[:n_train], x[n_train:], y[n_train:], "accuracy"))
    return tuple(tasks), f"synthetic classes (no image set on this machine; looked for {', '.join(_IMAGES)})"
