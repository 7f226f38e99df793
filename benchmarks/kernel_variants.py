"""Alternatives to how kernels are built: strands, flags, lanes ("What was tried" in docs/performance.md).

    python benchmarks/kernel_variants.py [--features 4 16 32]

µs of CPU per evaluation of the linear program and the neural net, 10 tasks x (1000 + 100), interleaved
as far as the variant does; best of several runs that take turns.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from unittest.mock import patch

from azgen.bench.evaluation import Work, kernel_work
from azgen.bench.timing import in_turns
from azgen.bench.workloads import PROGRAMS, regression_tasks, search_kernel, variants
from azgen.codegen import compiler, kernel_source, lanes, target
from azgen.codegen.cache_folder import fresh_build_directory
from azgen.execution import kernel as execution
from azgen.execution.kernel import Kernel
from azgen.execution.layout import lay_out

FLAGS = compiler.DEFAULT_FLAGS
UNROLL = execution.UNROLLING_FLAGS


@contextmanager
def built_with(
    strands: int = 0, flags: tuple[str, ...] = (), unroll: bool | None = None, n_lanes: int = 0
) -> Iterator[None]:
    """Kernels that are built inside differ from the usual in what is given."""
    with ExitStack() as stack:
        if strands:
            stack.enter_context(patch.object(kernel_source, "STRANDS", strands))
            stack.enter_context(patch.object(kernel_source, "L1_BYTES", 1 << 30))
        if flags:
            stack.enter_context(patch.object(execution, "DEFAULT_FLAGS", flags))
        if unroll is not None:
            usual = flags or FLAGS
            stack.enter_context(patch.object(execution, "DEFAULT_FLAGS", usual + (UNROLL if unroll else ())))
            stack.enter_context(patch.object(execution, "UNROLLING_FLAGS", ()))
        if n_lanes:
            width = lanes.lane_type("float32", 1).lanes

            def narrower(dtype: str, n_features: int, **_: object) -> lanes.LaneType:
                shapes = lanes.lane_types(dtype, n_features)
                return next(shape for shape in shapes if shape.lanes <= min(n_lanes, width))

            stack.enter_context(patch.object(target, "lane_type", narrower))
        yield


VARIANTS = {
    "as it is": {},
    "1 strand": {"strands": 1},
    "2 strands": {"strands": 2},
    "4 strands, always": {"strands": 4},
    "8 strands, always": {"strands": 8},
    "-O1": {"flags": ("-O1", *FLAGS[1:])},
    "-O3": {"flags": ("-O3", *FLAGS[1:])},
    "not unrolled": {"unroll": False},
    "unrolled": {"unroll": True},
    "fused multiply-add": {"flags": tuple(f.replace("contract=off", "contract=fast") for f in FLAGS)},
    "16 lanes": {"n_lanes": 16},
    "8 lanes": {"n_lanes": 8},
    "4 lanes": {"n_lanes": 4},
}


def work_of(name: str, n_features: int, variant: dict[str, object]) -> Work:
    spec = replace(search_kernel(name, n_features).spec)
    with built_with(**variant):  # type: ignore[arg-type]
        kernel = Kernel(spec)
        lane = spec.lane
    data = lay_out(regression_tasks(n_features, 1000), lane)
    return kernel_work(kernel, kernel.encode(variants(name, 8)), data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--features", type=int, nargs="+", default=[4, 16, 32])
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    columns = [(name, F) for name in PROGRAMS for F in options.features]
    print(f"{'':20}" + "".join(f"{f'{name} {F}':>16}" for name, F in columns))
    found: dict[tuple[str, int], dict[str, float]] = {}
    with fresh_build_directory():
        for name, n_features in columns:
            works = {title: work_of(name, n_features, variant) for title, variant in VARIANTS.items()}
            values = in_turns(works, options.runs, 0.01)
            found[name, n_features] = {title: min(values[title]) / 8 for title in works}
    for title in VARIANTS:
        print(f"{title:20}" + "".join(f"{found[column][title]:16.1f}" for column in columns))


if __name__ == "__main__":
    main()
