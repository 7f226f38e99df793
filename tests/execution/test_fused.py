"""Sums of products by fused multiply-add: all executors agree to the last bit, in all lane types."""

from __future__ import annotations

import ctypes
import ctypes.util
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azgen.codegen.candidate_source import render_candidates
from azgen.codegen.lanes import LaneType, lane_types
from azgen.codegen.target import Target
from azgen.execution.bound import Result
from azgen.execution.execute import execute
from azgen.execution.layout import lay_out
from azgen.execution.native import NativeCode
from azgen.language import OPS, Program
from azgen.language.fused import fused_multiply_add
from tests.agreement import random_tasks
from tests.commands import azgen
from tests.thinned import few_of

FUSED = [op for op in OPS if op.fused]

PROGRAM = Program.parse("""
def Setup():
  s2 = 0.01
  m0 = gaussian(0.0, 0.5, (n_features, n_features))
def Predict():
  v1 = dot(m0, v0)
  s1 = dot(v1, v0)
  s3 = norm(v1)
  s1 = s1 + s3
  s3 = std(v1)
  s1 = s1 + s3
  s3 = norm(m0)
  s1 = s1 + s3
  s3 = std(m0)
  s1 = s1 + s3
  v2 = norm(m0, axis=0)
  s3 = dot(v2, v0)
  s1 = s1 + s3
  v2 = norm(m0, axis=1)
  s3 = dot(v2, v0)
  s1 = s1 + s3
  v2 = std(m0, axis=1)
  s3 = dot(v2, v0)
  s1 = s1 + s3
  m1 = matmul(m0, m0)
  v2 = dot(m1, v0)
  s3 = dot(v2, v0)
  s1 = s1 + s3
  s3 = 0.02
  s1 = s3 * s1
def Learn():
  s3 = s0 - s1
  s3 = s2 * s3
  v3 = s3 * v0
  m1 = outer(v3, v0)
  m0 = m0 + m1
""")


def test_the_program_has_every_sum_of_products() -> None:
    assert len(FUSED) == 10
    assert set(FUSED) <= {instruction.op for instruction in PROGRAM.live().instructions()}


FEATURES = [1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 21, 35]


def every_pack(n_features: int) -> Iterator[LaneType]:
    """A lane type for every pack of this machine, in one number type or the other: what sums are added up in
    depends on F and the pack."""
    by_pack: dict[int, list[LaneType]] = {}
    for dtype in ("float32", "float64"):
        for lane in lane_types(dtype, n_features):
            by_pack.setdefault(lane.pack, []).append(lane)
    for number, lanes in enumerate(by_pack.values(), start=n_features):
        yield lanes[number % len(lanes)]


@pytest.mark.parametrize("n_features", few_of(FEATURES, 1, 2, 3, 4, 5, 8, 13, 16, 17, 35))
def test_native_code_with_every_pack_and_oracle_agree(n_features: int) -> None:
    compare(n_features, every_pack(n_features))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_features", FEATURES)
def test_native_code_of_all_lane_types_and_oracle_agree(n_features: int, dtype: str) -> None:
    compare(n_features, lane_types(dtype, n_features))


def compare(n_features: int, lanes: Iterable[LaneType]) -> None:
    """PROGRAM's predictions and fitness by the oracle, and by native code in these lanes."""
    tasks = random_tasks(np.random.default_rng(n_features), n_features, 3, n_train=3, n_valid=2)
    expected: dict[str, Result] = {}
    for lane in lanes:
        if lane.dtype not in expected:
            expected[lane.dtype] = execute(PROGRAM, tasks, "oracle", dtype=lane.dtype, fused=True)
            assert not expected[lane.dtype].failed.any()
        code, data = NativeCode(Target(n_features, lane, "rmse", fused=True)), lay_out(tasks, lane)
        code.compile([PROGRAM])
        fitness, predictions = code.prepare(PROGRAM).evaluate(data, with_predictions=True)
        np.testing.assert_array_equal(predictions, expected[lane.dtype].predictions, f"{lane}")
        np.testing.assert_array_equal(fitness, expected[lane.dtype].fitness, f"{lane}")


def test_kernel_and_native_code_agree_with_it_and_without_it_they_say_something_else() -> None:
    tasks = random_tasks(np.random.default_rng(0), 5, 3)
    fused, kernel, without = (
        execute(PROGRAM, tasks, backend, fused=how)
        for backend, how in (("native", True), ("kernel", True), ("native", False))
    )
    np.testing.assert_array_equal(fused.predictions, kernel.predictions)
    assert not np.array_equal(fused.predictions, without.predictions)
    np.testing.assert_allclose(fused.predictions, without.predictions, rtol=1e-2)


LIBM = ctypes.CDLL(ctypes.util.find_library("m"))
for _function, _number in ((LIBM.fma, ctypes.c_double), (LIBM.fmaf, ctypes.c_float)):
    _function.restype, _function.argtypes = _number, [_number] * 3

SPECIAL = [0.0, -0.0, 1.0, 0.5, 3.0, float("inf"), float("-inf"), float("nan")]
SPECIAL += [1.401298464324817e-45, 3.4028234663852886e38, 1.1754943508222875e-38]
SINGLES = st.floats(width=32) | st.sampled_from(SPECIAL)
DOUBLES = st.floats() | st.sampled_from([*SPECIAL, 5e-324, 1.7976931348623157e308, 2.2250738585072014e-308])


@given(SINGLES, SINGLES, SINGLES, st.booleans())
def test_between_singles_it_is_what_c_computes(a: float, b: float, c: float, near: bool) -> None:
    _compare(LIBM.fmaf, np.float32, a, b, c, near)


@given(DOUBLES, DOUBLES, DOUBLES, st.booleans())
def test_between_doubles_it_is_what_c_computes(a: float, b: float, c: float, near: bool) -> None:
    _compare(LIBM.fma, np.float64, a, b, c, near)


def _compare(function, number, a: float, b: float, c: float, near: bool) -> None:
    """`near`: c is nearly the opposite of the product, of which only the rounding error is left."""
    with np.errstate(all="ignore"):
        a, b = number(a), number(b)
        c = -(a * b) if near else number(c)
        found = fused_multiply_add(a, b, c)
    expected = number(function(a.item(), b.item(), c.item()))
    assert found.dtype == number
    assert found.tobytes() == expected.tobytes() or (np.isnan(found) and np.isnan(expected))


def test_without_such_an_instruction_the_bits_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler is told that the processor has none: C's function takes its place."""
    monkeypatch.setenv("AZGEN_CFLAGS", "-mno-fma -mno-avx512f")
    lane, tasks = LaneType("float32", 4, x86=True), random_tasks(np.random.default_rng(3), 5, 3)
    expected = execute(PROGRAM, tasks, "oracle", fused=True)
    code, data = NativeCode(Target(5, lane, "rmse", fused=True)), lay_out(tasks, lane)
    code.compile([PROGRAM])
    found = code.prepare(PROGRAM).evaluate(data, with_predictions=True)[1]
    np.testing.assert_array_equal(found, expected.predictions)


def test_source_says_it_and_is_as_ever_without() -> None:
    lane = LaneType("float32", 16, x86=True)
    with_it, without = (
        render_candidates([PROGRAM], Target(8, lane, "rmse", fused=fused)) for fused in (True, False)
    )
    assert "fused multiply-add" in with_it["candidates.pyx"] and "lane_fma(" in with_it["candidates.pyx"]
    assert not any("fma" in text or "fused" in text for text in without.values())


def test_a_run_keeps_the_choice(tmp_path: Path) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    evolve = ("evolve", "linear", "--fused", "--seed", "1", "--target-fitness", "1", "--baselines", "few")
    azgen(*evolve, "--max-programs", "4000", "--out", whole)
    azgen(*evolve, "--max-programs", "2000", "--out", halves)
    azgen("resume", halves, "--max-programs", "4000")
    champions = [(folder / "champion.az").read_text().partition("def Setup")[2] for folder in (whole, halves)]
    assert champions[0] == champions[1]
    assert "fused = true" in (halves / "config.toml").read_text()
    assert json.loads((halves / "result.json").read_text())["fused"] is True
    assert "float32, fused multiply-add)" in azgen("show", halves)
    assert json.loads(azgen("run", halves, "--json"))["fused"] is True
    assert "fused" not in json.loads(azgen("run", halves, "--no-fused", "--json"))
