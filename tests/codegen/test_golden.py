"""Generated source compared whole with what stands in tests/golden; `pytest --accept` takes what is new.

The lanes are given here, so that the sources are the same on every machine.
"""

from itertools import pairwise
from pathlib import Path

import pytest

from azgen.codegen.candidate_source import candidate_source, render_candidates, render_runner
from azgen.codegen.kernel_source import KernelSpec, render_kernel
from azgen.codegen.lanes import LaneType
from azgen.codegen.target import Target
from azgen.exports.module import render_module
from azgen.language import OPS, Memory
from azgen.language.zoo import zoo

GOLDEN = Path(__file__).parents[1] / "golden"
LANE = LaneType("float32", 16, frozenset(), True)
ONE_LANE = LaneType("float64", 1, frozenset())
PACKED = LaneType("float32", 4, frozenset({"_ZGVbN4v_expf"}), True, 4)
LINEAR = ("scalar_diff", "scalar_product", "vector_inner_product", "vector_sum", "scalar_vector_product")
EVERY = tuple(op.name for op in OPS)


def kernel(
    target: Target, memory: Memory, names: tuple[str, ...], capacity: int = 24, archive: bool = False
) -> dict[str, str]:
    """Source of a kernel for lanes that need not be this machine's."""
    spec = KernelSpec(
        target.n_features, memory, target.metric, target.lane.dtype, (names,) * 3, capacity=capacity,
        classes=target.classes, archive=archive,
    )  # fmt: skip
    vars(spec)["target"] = target  # in place of the machine's own
    return render_kernel(spec)


def candidate(*names: str, target: Target) -> str:
    return render_candidates([zoo(name) for name in names], target)["candidates.pyx"]


def runner(file: str) -> str:
    return render_runner(Target(8, LANE, "log-loss", 3))[file]


SOURCES = {
    "kernel-linear.pyx": lambda: kernel(Target(4, LANE, "rmse"), Memory(4, 3), LINEAR)["kernel.pyx"],
    "kernel-linear-tables.h": lambda: kernel(Target(4, LANE, "rmse"), Memory(4, 3), LINEAR)["tables.h"],
    "kernel-every-op.pyx": lambda: kernel(
        Target(16, PACKED, "accuracy"), Memory(5, 9, 2), EVERY, archive=True
    )["kernel.pyx"],
    "kernel-classes.pyx": lambda: kernel(Target(33, ONE_LANE, "log-loss", 3), Memory(4, 4, 1), LINEAR)[
        "kernel.pyx"
    ],
    "lane.h": lambda: kernel(Target(4, LANE, "rmse"), Memory(4, 3), LINEAR)["lane.h"],
    "lane-packed-classes.h": lambda: kernel(Target(16, PACKED, "log-loss", 3), Memory(4, 4, 1), LINEAR)[
        "lane.h"
    ],
    "candidate-linear.pyx": lambda: candidate("linear", target=Target(4, LANE, "rmse")),
    "candidate-batch.pyx": lambda: candidate("affine", "neural-net", target=Target(16, LANE, "accuracy")),
    "candidate-packed.pyx": lambda: candidate("neural-net", target=Target(64, PACKED, "accuracy")),
    "candidate-fused.pyx": lambda: candidate("neural-net", target=Target(8, LANE, "rmse", fused=True)),
    "candidate-classes.pyx": lambda: candidate("softmax-linear", target=Target(8, ONE_LANE, "log-loss", 3)),
    "candidate-interleaved.pyx": lambda: candidate(
        "neural-net", target=Target(16, PACKED, "accuracy", interleaved=3)
    ),
    "candidate-copy.pyx": lambda: candidate_source(
        zoo("neural-net"),
        Target(4, LANE, "rmse"),
        ["Champion of run demo-7.", "Fitness 0.9 on search tasks."],
    ),
    "candidate-learner.pyx": lambda: render_candidates(
        [zoo("neural-net")], Target(4, LANE, "rmse"), keeps_memory=True
    )["candidates.pyx"],
    "evaluate-classes.h": lambda: runner("evaluate.h"),
    "groups-classes.h": lambda: runner("groups.h"),
    "groups-interleaved.h": lambda: render_runner(Target(8, LANE, "log-loss", 3, interleaved=2))["groups.h"],
    "runner-classes.pyx": lambda: runner("runner.pyx"),
    "export-linear.py": lambda: render_module(zoo("linear")),
    "export-softmax.py": lambda: render_module(zoo("softmax-linear")),
}


@pytest.mark.parametrize("name", SOURCES)
def test_generated_source_is_as_it_was(name: str, accept: bool) -> None:
    source, path = SOURCES[name](), GOLDEN / name
    if accept:
        path.write_text(source, encoding="utf-8")
    assert source == path.read_text(encoding="utf-8"), "if the change is wanted: pytest --accept"


@pytest.mark.parametrize("name", [name for name in SOURCES if name.endswith(".pyx")])
def test_generated_cython_is_laid_out_for_readers(name: str) -> None:
    lines = SOURCES[name]().splitlines()
    assert not any(line.startswith("    total = ") and len(line) > 110 for line in lines)
    for before, line in pairwise(lines):
        assert before or line, "two blank lines"
        if line[:1].strip() and before[:1] == " ":
            assert line.startswith(")"), f"no blank line before {line!r}"


def test_golden_holds_nothing_else() -> None:
    assert {path.name for path in GOLDEN.iterdir() if path.is_file()} == set(SOURCES)
