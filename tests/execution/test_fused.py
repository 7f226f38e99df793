"""Sums of products by fused multiply-add: oracle, kernel, native code and C agree to the last bit, on all lanes."""

from __future__ import annotations

import numpy as np
import pytest

from azgen.codegen.lanes import lane_types
from azgen.codegen.target import Target
from azgen.execution.execute import execute
from azgen.execution.layout import lay_out
from azgen.execution.native import NativeCode
from azgen.language import OPS, Program
from tests.agreement import random_tasks

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


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_features", [1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 21, 35])
def test_native_code_of_all_lane_types_and_oracle_agree(n_features: int, dtype: str) -> None:
    tasks = random_tasks(np.random.default_rng(n_features), n_features, 3)
    expected = execute(PROGRAM, tasks, "oracle", dtype=dtype, fused=True)
    assert not expected.failed.any()
    for lane in lane_types(dtype, n_features):
        code, data = NativeCode(Target(n_features, lane, "rmse", fused=True)), lay_out(tasks, lane)
        code.compile([PROGRAM])
        fitness, predictions = code.prepare(PROGRAM).evaluate(data, with_predictions=True)
        np.testing.assert_array_equal(predictions, expected.predictions, f"{lane}")
        np.testing.assert_array_equal(fitness, expected.fitness, f"{lane}")
