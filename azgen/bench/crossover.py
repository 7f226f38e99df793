"""When compiling a program costs less than going on on the kernel, as measured and by the cost model."""

from __future__ import annotations

from azgen.bench.compiling import fresh_build_directory
from azgen.bench.effort import Effort
from azgen.bench.evaluation import INTERLEAVED, NATIVE, evaluation_works, work_name
from azgen.bench.figures import Figure, figure_of
from azgen.bench.timing import Stopwatch, in_turns
from azgen.bench.workloads import (
    BASELINE_SIZES,
    DEMO_SIZES,
    PROGRAMS,
    random_programs,
    regression_tasks,
    search_kernel,
)
from azgen.codegen.kernel_source import STRANDS
from azgen.execution.kernel import Kernel
from azgen.execution.layout import LaneTasks, lay_out
from azgen.execution.native import NativeCode
from azgen.language.program import Program
from azgen.language.zoo import zoo
from azgen.search.rating.cost_model import CostModel, cost_model


def measure_crossover(effort: Effort) -> list[Figure]:
    """Evaluations of a program from which on compiling it costs less than staying on the kernel.

    One evaluation is that of 10 tasks x (1000 + 100) examples; twice the examples halve the figure.
    """
    figures = []
    for name in PROGRAMS:  # the benchmark "compile" counts kernels
        for n_features in effort.features:
            search_kernel(name, n_features)
    with fresh_build_directory():
        for name in PROGRAMS:
            for n_features in effort.features:
                figures += _evaluations(name, n_features, effort)
    return figures


def _evaluations(name: str, n_features: int, effort: Effort) -> list[Figure]:
    """From how many evaluations on compiling pays for a program, as measured and by the cost model."""
    works = evaluation_works(name, n_features, effort.n_train)
    measured = in_turns(works, effort.runs, effort.seconds)
    kernel, native = min(measured[INTERLEAVED]) / STRANDS, min(measured[NATIVE])
    if kernel <= native:
        return []
    figures, model, data = [], *_model(name, n_features, effort.n_train)
    for batch in effort.batches:
        runs = range(effort.compile_runs)
        cost = min(_compile_seconds(name, n_features, batch, run) for run in runs)
        expected = model.evaluations(search_kernel(name, n_features), zoo(name), data, batch)
        details = {
            "F": n_features,
            "program": name,
            "batch": batch,
            "kernel_us": kernel,
            "native_us": native,
            "compile_ms": 1e3 * cost,
            "model": expected if expected < float("inf") else None,
        }
        what = work_name(name, n_features, effort.n_train)
        by = "compiled alone" if batch == 1 else f"compiled {batch} to a module"
        pays = [1e6 * cost / (kernel - native)]
        figures.append(figure_of("crossover", what, by, "evaluations", pays, details=details))
    return figures


def _model(name: str, n_features: int, n_train: int) -> tuple[CostModel, LaneTasks]:
    """The cost model of a program's search space, and the tasks."""
    kernel: Kernel = search_kernel(name, n_features)
    data = lay_out(regression_tasks(n_features, n_train), kernel.spec.lane)
    sizes = DEMO_SIZES if name == "linear" else BASELINE_SIZES
    model = cost_model(kernel, lambda: random_programs(kernel, sizes, 2000, 0), data)
    if model is None:
        raise AssertionError(f"{name}, F = {n_features}: random programs do not allow a cost model")
    return model, data


def _compile_seconds(name: str, n_features: int, count: int, run: int) -> float:
    """CPU seconds per candidate of compiling variants of a program, others in each run."""
    kernel, text = search_kernel(name, n_features), str(zoo(name))
    # Additions and subtractions at the end of Predict spell a number, so that structures differ.
    width = max(4 * count - 1, 3).bit_length()
    numbers = [f"{4 * number + run:0{width}b}" for number in range(count)]
    endings = ["".join(f"  s1 = s1 {'+-'[int(bit)]} s2\n" for bit in digits) for digits in numbers]
    programs = [Program.parse(text.replace("def Learn", ending + "def Learn")) for ending in endings]
    code = NativeCode(kernel.spec.target)
    with Stopwatch() as watch:
        code.compile(programs)
    return watch.cpu / count
