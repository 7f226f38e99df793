"""From how many evaluations on compiling a program costs less than going on on the kernel."""

from __future__ import annotations

import tempfile

from azgen.codegen.render import STRANDS
from azgen.execution.native import NativeCode
from azgen.language.program import Program
from azgen.language.zoo import zoo
from azgen.study.benchmark.compiling import fresh_build_directory
from azgen.study.benchmark.effort import Effort
from azgen.study.benchmark.evaluation import INTERLEAVED, NATIVE, evaluation_works, work_name
from azgen.study.benchmark.figures import Figure, figure_of
from azgen.study.benchmark.timing import Stopwatch, in_turns
from azgen.study.benchmark.workloads import PROGRAMS, search_kernel


def measure_crossover(effort: Effort) -> list[Figure]:
    """Evaluations of a program from which on compiling it costs less than going on on the kernel.

    One evaluation is that of 10 tasks x (1000 + 100) examples; twice the examples halve the figure.
    """
    figures = []
    with tempfile.TemporaryDirectory() as folder, fresh_build_directory(folder):
        for name in PROGRAMS:
            for n_features in effort.features:
                works = evaluation_works(name, n_features, effort.n_train)
                measured = in_turns(works, effort.runs, effort.seconds)
                kernel, native = min(measured[INTERLEAVED]) / STRANDS, min(measured[NATIVE])
                for batch in effort.batches if kernel > native else ():
                    runs = range(effort.compile_runs)
                    cost = min(_compile_seconds(name, n_features, batch, run) for run in runs)
                    details = {
                        "F": n_features,
                        "program": name,
                        "batch": batch,
                        "kernel_us": kernel,
                        "native_us": native,
                        "compile_ms": 1e3 * cost,
                    }
                    what = work_name(name, n_features, effort.n_train)
                    by = "compiled alone" if batch == 1 else f"compiled {batch} to a module"
                    pays = [1e6 * cost / (kernel - native)]
                    figures.append(figure_of("crossover", what, by, "evaluations", pays, details=details))
    return figures


def _compile_seconds(name: str, n_features: int, count: int, run: int) -> float:
    """CPU seconds per candidate of compiling variants of a program, others in each run."""
    kernel, text = search_kernel(name, n_features), str(zoo(name))
    # Additions and subtractions at the end of Predict spell a number, so that structures differ.
    width = max(4 * count - 1, 3).bit_length()
    numbers = [f"{4 * number + run:0{width}b}" for number in range(count)]
    endings = ["".join(f"  s1 = s1 {'+-'[int(bit)]} s2\n" for bit in digits) for digits in numbers]
    programs = [Program.parse(text.replace("def Learn", ending + "def Learn")) for ending in endings]
    code = NativeCode(n_features, kernel.spec.lane, kernel.spec.metric)
    with Stopwatch() as watch:
        code.compile(programs)
    return watch.cpu / count
