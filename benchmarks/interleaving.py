"""What lane groups side by side bring native code. ("Lane groups side by side" in docs/performance.md.)

    python benchmarks/interleaving.py [--features 4 8 16 32] [--tasks 10] [--programs linear neural-net]

µs of CPU of one evaluation, 1000 + 100 examples, by native code as `azgen.execute` and as `azgen.prepare`
have it, and ms of CPU to compile either. The two take turns; medians. What is printed is a table in Markdown.
With CC="cc -mno-avx512f" lane types are those of a machine with AVX2.
"""

from __future__ import annotations

import argparse
from statistics import median

import numpy as np

from azgen.bench.evaluation import Work, native_work
from azgen.bench.timing import Stopwatch, in_turns
from azgen.bench.workloads import regression_tasks
from azgen.codegen.cache_folder import fresh_build_directory
from azgen.codegen.target import Target
from azgen.execution.execute import native_code, target_for
from azgen.execution.native import NativeCode
from azgen.language.conditions import USUAL
from azgen.language.program import Program
from azgen.language.zoo import zoo


def compiling(program: Program, target: Target) -> float:
    """ms of CPU to compile a program, with nothing compiled before but what runs all candidates."""
    native_code(target).compile([zoo("affine")])
    with fresh_build_directory(), Stopwatch() as watch:
        NativeCode(target).compile([program])
    return 1e3 * watch.cpu


def row(name: str, n_features: int, n_tasks: int, runs: int) -> str:
    """One evaluation both ways, which must give the same bits."""
    tasks = (regression_tasks(n_features, 1000) * -(-n_tasks // 10))[:n_tasks]
    program, works, compiled = zoo(name), dict[str, Work](), dict[str, float]()
    for often in (False, True):
        target = target_for(program, tasks[0], USUAL, n_tasks, often)
        key = f"{target.lane.lanes}x{target.lane.pack}"
        key += f", {target.interleaved} groups" if target.interleaved > 1 else ""
        works[key] = native_work(program, tasks, often=often)
        works[key]()
        works[key].total()
        compiled[key] = median(compiling(program, target) for _ in range(3))
    fitness = [work.fitness for work in works.values()]
    if not all(np.array_equal(other, fitness[0]) for other in fitness):
        raise AssertionError(f"{name}, F = {n_features}: groups side by side differ in their fitness")
    found = {key: median(values) for key, values in in_turns(works, runs, 0.005).items()}
    first, last = (list(found)[place] for place in (0, -1))
    what = f"{name}, F = {n_features}, {n_tasks} tasks | {first} | {found[first]:.3g} "
    if first == last:
        return f"| {what}| | | | {compiled[first]:.0f} | |"
    gain = found[first] / found[last]
    return (
        f"| {what}| {last} | {found[last]:.3g} | {gain:.2f} | {compiled[first]:.0f} | {compiled[last]:.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--features", type=int, nargs="+", default=[4, 8, 16, 32])
    parser.add_argument("--tasks", type=int, nargs="+", default=[10])
    parser.add_argument("--programs", nargs="+", default=["linear", "neural-net"])
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    print("| work | one by one | µs | side by side | µs | times as fast | compiling, ms | then |")
    print("|---|---|--:|---|--:|--:|--:|--:|")
    for name in options.programs:
        for n_features in options.features:
            for n_tasks in options.tasks:
                print(row(name, n_features, n_tasks, options.runs), flush=True)


if __name__ == "__main__":
    main()
