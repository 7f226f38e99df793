"""When compiling pays, as measured and by the cost model that `--backend auto` decides by."""

from __future__ import annotations

from dataclasses import replace

from azgen.bench.compiling import measure_crossover
from azgen.bench.figures import Figure
from azgen.bench.workloads import BASELINE_SIZES, DEMO_SIZES, random_programs, regression_tasks, search_kernel
from azgen.codegen.cache_folder import fresh_build_directory
from azgen.execution.layout import lay_out
from azgen.language.zoo import zoo
from azgen.search.rating.cost_model import cost_model
from benchmarks.effort import FullEffort


def measure_crossover_and_model(effort: FullEffort) -> list[Figure]:
    """Evaluations of a program from which on compiling it costs less than staying on the kernel.

    As measured, and by the cost model. One evaluation is that of 10 tasks x (1000 + 100) examples; twice the
    examples halve the figure.
    """
    figures = measure_crossover(effort)
    with fresh_build_directory():
        return [_with_model(figure, effort.n_train) for figure in figures]


def _with_model(figure: Figure, n_train: int) -> Figure:
    """The figure with what the cost model of the program's search space says; None: it never pays."""
    name, n_features, batch = (figure.details[key] for key in ("program", "F", "batch"))
    kernel = search_kernel(name, n_features)
    data = lay_out(regression_tasks(n_features, n_train), kernel.spec.lane)
    sizes = DEMO_SIZES if name == "linear" else BASELINE_SIZES
    model = cost_model(kernel, lambda: random_programs(kernel, sizes, 2000, 0), data)
    if model is None:
        raise AssertionError(f"{name}, F = {n_features}: random programs do not allow a cost model")
    expected = model.evaluations(kernel, zoo(name), data, batch)
    return replace(figure, details={**figure.details, "model": expected if expected < float("inf") else None})
