"""Lane types: how many tasks and entries lie side by side decides how fast programs run, and no bit of what
they compute."""

from __future__ import annotations

import platform
from dataclasses import dataclass

import numpy as np
import pytest

from azgen.codegen import lanes as lane_choice
from azgen.codegen.lanes import MANY, LaneType, lane_type, lane_types
from azgen.codegen.packs import total_of_packs, totals_of_packs
from azgen.codegen.target import Target
from azgen.codegen.toolchain import find_toolchain
from azgen.execution.execute import compile_together, execute
from azgen.execution.layout import lay_out
from azgen.execution.native import NativeCode
from azgen.language import Program
from azgen.language.conditions import Conditions
from azgen.language.meaning import ordered_sum
from azgen.tasks.task import Task
from tests.agreement import exact, random_tasks
from tests.strategies import random_program


@pytest.mark.parametrize(("n_features", "dtype"), [(3, "float32"), (11, "float64"), (21, "float32")])
def test_programs_give_the_same_bits_in_all_lane_types(n_features: int, dtype: str) -> None:
    """F is no multiple of any pack here, and so the last pack of a vector is filled in part."""
    rng = np.random.default_rng(n_features)
    sample, shapes = [random_program(rng) for _ in range(12)], list(lane_types(dtype, n_features))
    tasks = random_tasks(rng, n_features, n_tasks=5)
    found: list[list[tuple[np.ndarray, np.ndarray]]] = []
    for lane in shapes:
        code, data = NativeCode(Target(n_features, lane, "rmse")), lay_out(tasks, lane)
        code.compile(sample)
        found.append([code.prepare(p).evaluate(data, with_predictions=True) for p in sample])
    assert len({(lane.lanes, lane.pack) for lane in shapes}) == len(shapes) > 1
    for program, *results in zip(sample, *found, strict=True):
        for fitness, predictions in results[1:]:
            np.testing.assert_array_equal(fitness, results[0][0], str(program))
            held = ~np.isnan(fitness)  # what a lane predicts after it has failed means nothing
            np.testing.assert_array_equal(predictions[held], results[0][1][held], str(program))
        if exact(program, "rmse"):
            expected = execute(program, tasks, "oracle", dtype=dtype)
            np.testing.assert_array_equal(np.nan_to_num(results[0][0]), expected.fitness, str(program))


def test_one_task_has_one_lane_and_many_have_all() -> None:
    narrow, wide = (lane_type("float32", 8, matrices=True, n_tasks=n) for n in (1, MANY))
    assert (narrow.lanes, wide.pack) == (1, 1) and narrow.pack <= wide.lanes
    assert lane_type("float32", 8, matrices=True, n_tasks=1000) == wide
    program = Program.parse("def Setup():\n  pass\ndef Predict():\n  s1 = mean(v0)\ndef Learn():\n  pass\n")
    tasks = random_tasks(np.random.default_rng(0), 8, n_tasks=1)
    size = {lane: lay_out(tasks, lane).arrays["x"].nbytes for lane in (narrow, wide)}
    assert size == {narrow: 8 * 4 * 12, wide: wide.lanes * 8 * 4 * 12}
    assert execute(program, tasks).fitness == execute(program, tasks, "oracle").fitness


def test_machines_with_other_registers_add_in_the_same_order() -> None:
    """The shuffles, carried out on numbers: what AVX-512 does is checked on any machine."""
    rng = np.random.default_rng(0)
    for lanes, pack in ((1, 4), (1, 8), (1, 16), (4, 4), (8, 2), (2, 2)):
        lane = LaneType("float32", lanes, pack=pack)
        for count in range(1, 17):
            values = rng.normal(size=(count, lanes)).astype(np.float32)
            padded = np.full((-(-count // pack) * pack, lanes), np.nan, np.float32)
            padded[:count] = values
            registers = {
                f"p{k}": part.reshape(-1) for k, part in enumerate(np.split(padded, len(padded) // pack))
            }
            _carry_out(total_of_packs(count, lane), registers)
            np.testing.assert_array_equal(registers["p0"][:lanes], ordered_sums(values))
        rows = rng.normal(size=(pack, pack, lanes)).astype(np.float32)
        registers = {f"p{k}": row.reshape(-1) for k, row in enumerate(rows)}
        _carry_out(totals_of_packs(lane), registers)
        np.testing.assert_array_equal(
            registers["p0"].reshape(pack, lanes), [ordered_sums(row) for row in rows]
        )


def ordered_sums(values: np.ndarray) -> list[np.float32]:
    """Of entries x lanes, the ordered sum in each lane."""
    return [ordered_sum(column) for column in values.T]


def _carry_out(statements: list[str], registers: dict[str, np.ndarray]) -> None:
    """Executes C statements that shuffle and add."""
    size = len(registers["p0"])
    names = {
        "PACK_SHUFFLE": lambda a, b, *entries: np.concatenate([a, b])[list(entries)],
        "PACK_NEUTRAL": np.full(size, -0.0, np.float32),
    }
    for statement in statements:
        exec(statement.rstrip(";"), names, registers)


NARROWER = {512: "-mno-avx512f", 256: "-mno-avx"}
"""What makes a compiler leave a register's width out."""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="registers of x86")
def test_narrower_registers_by_option_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """CC="cc -mno-avx512f" takes AVX2 on a machine with AVX-512, CC="cc -mno-avx" takes SSE."""
    rng = np.random.default_rng(5)
    sample, tasks = [random_program(rng) for _ in range(12)], random_tasks(rng, 8, n_tasks=10)
    found, widths = [], []
    for option in ("", *NARROWER.values()):
        monkeypatch.setenv("CC", f"cc {option}".strip())
        widths.append(find_toolchain().vector_bits())
        compile_together(sample, tasks[0], Conditions(), len(tasks))
        found.append([execute(program, tasks, "native") for program in sample])
    assert widths == sorted(widths, reverse=True) and widths[-1] == 128
    for program, *results in zip(sample, *found, strict=True):
        for other in results[1:]:
            same = np.array_equal(results[0].fitness, other.fitness)
            assert same or not exact(program, "rmse"), str(program)
            np.testing.assert_allclose(results[0].fitness, other.fitness, atol=1e-4, err_msg=str(program))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_probabilities_of_far_scores_are_exact(dtype: str) -> None:
    """What does not go through the vector exp: 0 and 1 are what 1 / (1 + exp(-s)) rounds to there."""
    program = Program.parse("def Setup():\n  pass\ndef Predict():\n  s1 = mean(v0)\ndef Learn():\n  pass\n")
    scores = np.array([-3e38, -1000, -711, -709, -90, -88.9, -87.5, -80.1, -3, 0, 3, 79.9, 80.1, 800, 3e38])
    x, y = np.repeat(scores[:, None], 2, axis=1), np.arange(len(scores)) % 2.0
    tasks = [Task(x[:2], y[:2], x, y, metric="accuracy")] * 3
    native, oracle = (execute(program, tasks, backend, dtype=dtype) for backend in ("native", "oracle"))
    np.testing.assert_allclose(native.predictions, oracle.predictions, rtol=1e-6)
    far = np.abs(scores) > 720
    assert set(native.predictions[:, far].ravel()) == {0.0, 1.0}
    np.testing.assert_array_equal(native.predictions[:, far], oracle.predictions[:, far])


@dataclass
class Registers:
    """A compiler for a processor with registers of so many bits."""

    bits: int
    target: str = "x86_64-linux-gnu"

    def vector_bits(self) -> int:
        """Width of the registers."""
        return self.bits

    def vector_math(self) -> frozenset[str]:
        """None of the vector library's functions."""
        return frozenset()


@pytest.mark.parametrize(
    ("bits", "n_features", "n_tasks", "kernel", "native"),
    [
        # Measured, docs/performance.md: a net's lanes x pack for the kernel, and natively without matrices.
        (512, 8, 10, (16, 1), (16, 1)),
        (512, 16, 16, (8, 2), (16, 1)),
        (512, 16, 100, (8, 2), (16, 1)),
        (512, 32, 10, (4, 4), (8, 2)),
        (512, 64, 10, (1, 16), (4, 4)),
        (512, 64, 1, (1, 16), (1, 16)),
        (256, 16, 10, (4, 2), (8, 1)),
        (256, 16, 100, (8, 1), (8, 1)),
        (256, 32, 10, (4, 2), (8, 1)),
        (256, 64, 10, (1, 8), (4, 2)),
    ],
)
def test_the_lane_type_chosen_is_what_was_measured_to_be_fast(
    monkeypatch: pytest.MonkeyPatch,
    bits: int,
    n_features: int,
    n_tasks: int,
    kernel: tuple[int, int],
    native: tuple[int, int],
) -> None:
    monkeypatch.setattr(lane_choice, "find_toolchain", lambda: Registers(bits))
    net = lane_type("float32", n_features, matrices=True, n_tasks=n_tasks)
    linear = lane_type("float32", n_features, n_tasks=n_tasks, natively=True)
    assert (net.lanes, net.pack) == kernel
    assert (linear.lanes, linear.pack) == native
