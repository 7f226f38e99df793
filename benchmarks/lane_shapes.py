"""Lanes and packs: is the choice of azgen/codegen/lanes.py near the best? ("Lanes" in docs/performance.md.)

    python benchmarks/lane_shapes.py [--by native kernel] [--features 8 16 32 64] [--tasks 1 4 10 16 100]

µs of CPU of one evaluation, 1000 + 100 examples, by every lane type of the machine; the kernel runs four
programs interleaved. Lane types take turns; medians. What is printed is a table in Markdown. With
CC="cc -mno-avx512f" lane types are those of a machine with AVX2.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from unittest.mock import patch

import numpy as np

from azgen.bench.evaluation import Work, kernel_work, native_work
from azgen.bench.timing import in_turns
from azgen.bench.workloads import regression_tasks, variants
from azgen.codegen import target
from azgen.codegen.kernel_source import STRANDS, KernelSpec
from azgen.codegen.lanes import LaneType, lane_type, lane_types
from azgen.execution.kernel import build_kernel
from azgen.execution.layout import lay_out
from azgen.language.zoo import zoo
from azgen.tasks.task import Task

PROGRAMS = ("linear", "neural-net", "mean-weight-rate")
"""Without matrices; a net; a net that reads all of its matrix besides."""


def natively(name: str, tasks: Sequence[Task], lane: LaneType) -> Work:
    """Evaluation of a program's native code."""
    return native_work(zoo(name), tasks, lane)


def on_kernel(name: str, tasks: Sequence[Task], lane: LaneType) -> Work:
    """Evaluation of four programs by a kernel that has the program's ops alone and does not evolve."""
    program = zoo(name)
    ops = tuple(sorted({instruction.op.name for instruction in program.instructions()}))
    spec = KernelSpec(tasks[0].n_features, program.memory, "rmse", "float32", also=ops, evolves=False)
    with patch.object(target, "lane_type", lambda *_, **__: lane):
        assert spec.lane == lane  # decided and kept here
    kernel = build_kernel.__wrapped__(spec)
    return kernel_work(kernel, kernel.encode(variants(name, STRANDS)), lay_out(tasks, lane))


WAYS = {"native": natively, "kernel": on_kernel}


def measured(by: str, name: str, n_features: int, n_tasks: int, runs: int) -> dict[LaneType, float]:
    """Median µs by lane type; all must give the same bits."""
    tasks = (regression_tasks(n_features, 1000) * -(-n_tasks // 10))[:n_tasks]
    shapes = {str(lane): lane for lane in lane_types("float32", n_features)}
    works = {key: WAYS[by](name, tasks, lane) for key, lane in shapes.items()}
    for work in works.values():
        work()
        work.total()
        if not np.array_equal(work.fitness, next(iter(works.values())).fitness):
            raise AssertionError(f"{name}, F = {n_features}: lane types differ in their fitness")
    found = in_turns(works, runs, 0.005)
    return {shapes[key]: median(values) / len(works[key].fitness) for key, values in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--by", nargs="+", choices=tuple(WAYS), default=tuple(WAYS))
    parser.add_argument("--features", type=int, nargs="+", default=[8, 16, 32, 64])
    parser.add_argument("--tasks", type=int, nargs="+", default=[1, 4, 10, 16, 100])
    parser.add_argument("--programs", nargs="+", default=PROGRAMS)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--json", type=Path, help="file for the figures")
    options = parser.parse_args()
    rows = []
    print("| by | work | µs by lanes x packs | chosen | of the best |\n|---|---|---|---|--:|")
    for by in options.by:
        for n_features in options.features:
            for name in options.programs:
                for n_tasks in options.tasks:
                    found = measured(by, name, n_features, n_tasks, options.runs)
                    some = zoo(name).memory.matrices > 0
                    lane = lane_type(
                        "float32", n_features, matrices=some, n_tasks=n_tasks, natively=by == "native"
                    )
                    ratio = found[lane] / min(found.values())
                    times = ", ".join(f"{s.lanes}x{s.pack}: {us:.3g}" for s, us in found.items())
                    what = f"{name}, F = {n_features}, {n_tasks} tasks"
                    print(f"| {by} | {what} | {times} | {lane.lanes}x{lane.pack} | {ratio:.2f} |", flush=True)
                    times_by_shape = {f"{s.lanes}x{s.pack}": us for s, us in found.items()}
                    rows.append([by, name, n_features, n_tasks, times_by_shape])
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
