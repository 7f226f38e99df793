"""What compiling programs costs, alone and in batches, and from how many evaluations on it pays."""

from __future__ import annotations

from collections.abc import Sequence

from azgen.bench.effort import Effort
from azgen.bench.evaluation import INTERLEAVED, NATIVE, evaluation_works, work_name
from azgen.bench.figures import Figure, figure_of
from azgen.bench.timing import Stopwatch, in_turns
from azgen.bench.workloads import DEMO_SIZES, PROGRAMS, demo_kernel, random_programs, search_kernel
from azgen.codegen.cache_folder import fresh_build_directory
from azgen.codegen.kernel_source import STRANDS
from azgen.execution.kernel import Kernel
from azgen.execution.native import NativeCode
from azgen.language.instruction import FEATURES
from azgen.language.program import Program
from azgen.language.zoo import zoo

WHOLE = "all stages and the cache"
LEAST_ALIVE = 6


def candidates(count: int, seed: int) -> list[Program]:
    """Random programs of the demo's sizes, of different structure, that have earned to be compiled.

    At least six of their instructions are alive, one of which reads the features.
    """
    kernel, found = demo_kernel(), dict[str, Program]()
    for record in random_programs(kernel, DEMO_SIZES, 500 * count, seed):
        program = kernel.decode(record)
        live = list(program.normalized().instructions())
        if len(live) >= LEAST_ALIVE and any(FEATURES in instruction.reads for instruction in live):
            found.setdefault(program.structure_hash, Program(*program.functions))  # no normal form known yet
        if len(found) == count:
            break
    return list(found.values())


def compile_time(programs: Sequence[Program], kernel: Kernel) -> Stopwatch:
    """Time of compiling programs as a search on this kernel does."""
    code = NativeCode(kernel.spec.target)
    with Stopwatch() as watch:
        code.compile(programs)
    return watch


def measure_compile(effort: Effort) -> list[Figure]:
    """ms of CPU per candidate, as a whole through the cache."""
    kernel, figures = demo_kernel(), []
    with fresh_build_directory():
        compile_time(candidates(1, 0), kernel)  # what is done once on a machine
        for batch in effort.batches:
            what = "candidate of the demo's sizes, " + ("alone" if batch == 1 else f"{batch} to a module")
            sets = [candidates(batch, 1 + run) for run in range(effort.compile_runs)]
            watches = [compile_time(programs, kernel) for programs in sets]
            live = [sum(1 for p in programs for _ in p.normalized().instructions()) for programs in sets]
            details = {
                "batch": batch,
                "wall_ms": min(1e3 * watch.wall / batch for watch in watches),
                "alive": sum(live) / batch / len(sets),
            }
            values = [1e3 * watch.cpu / batch for watch in watches]
            figures.append(figure_of("compile", what, WHOLE, "ms", values, details=details))
    return figures


def measure_crossover(effort: Effort) -> list[Figure]:
    """Evaluations of a program from which on compiling it costs less than staying on the kernel.

    One evaluation is that of 10 tasks x (1000 + 100) examples; twice the examples halve the figure.
    """
    spaces = [(name, n_features) for name in PROGRAMS for n_features in effort.features]
    for space in spaces:
        search_kernel(*space)  # the benchmark "compile" counts kernels
    with fresh_build_directory():
        return [figure for space in spaces for figure in _crossover(*space, effort)]


def _crossover(name: str, n_features: int, effort: Effort) -> list[Figure]:
    works = evaluation_works(name, n_features, effort.n_train)
    measured = in_turns(works, effort.runs, effort.seconds)
    on_kernel, natively = min(measured[INTERLEAVED]) / STRANDS, min(measured[NATIVE])
    if on_kernel <= natively:
        return []
    kernel, figures = search_kernel(name, n_features), []
    for batch in effort.batches:
        sets = [_variants(name, batch, run) for run in range(effort.compile_runs)]
        cost = min(compile_time(programs, kernel).cpu for programs in sets) / batch
        details = {
            "F": n_features,
            "program": name,
            "batch": batch,
            "kernel_us": on_kernel,
            "native_us": natively,
            "compile_ms": 1e3 * cost,
        }
        what = work_name(name, n_features, effort.n_train)
        by = "compiled alone" if batch == 1 else f"compiled {batch} to a module"
        pays = [1e6 * cost / (on_kernel - natively)]
        figures.append(figure_of("crossover", what, by, "evaluations", pays, details=details))
    return figures


def _variants(name: str, count: int, run: int) -> list[Program]:
    """A program of the zoo in so many structures, others in each run."""
    # Additions and subtractions at the end of Predict spell a number, so that structures differ.
    width = max(4 * count - 1, 3).bit_length()
    numbers = [f"{4 * number + run:0{width}b}" for number in range(count)]
    endings = ["".join(f"  s1 = s1 {'+-'[int(bit)]} s2\n" for bit in digits) for digits in numbers]
    return [Program.parse(str(zoo(name)).replace("def Learn", ending + "def Learn")) for ending in endings]
