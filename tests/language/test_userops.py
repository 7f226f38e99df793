"""A user's own ops: what is refused, and that they run like the built-in ones."""

import dataclasses

import numpy as np
import pytest

from azgen.codegen.kernel_source import KernelSpec
from azgen.errors import AzgenError
from azgen.execution.execute import execute
from azgen.execution.kernel import Kernel
from azgen.execution.layout import lay_out
from azgen.exports.module import render_module
from azgen.language import OPS, Memory, Op, Program
from azgen.language.userfile import load_user_file
from azgen.language.userops import check_op, user_ops
from azgen.tasks.synthetic import linear_tasks

FILE = """
import numpy as np
from azgen.language import Op

def clipped(a, low, high):
    return np.minimum(np.maximum(a, low), high)

OPS = [
    Op(1000, "scalar_square", "s -> s", "square({a})", np.square, "{a} * {a}", "np.square({a})",
       lambda F: 1.0, "Square of a scalar."),
    Op(1001, "scalar_clip", "s -> s", "clip({a}, {x}, {y})", clipped,
       "lane_min(lane_max({a}, {x}), {y})", "np.minimum(np.maximum({a}, {x}), {y})",
       lambda F: 2.0, "Between two constants.", ("value", "value")),
    Op(1002, "vector_leaky", "sv -> v", "leaky({a}, {b})", lambda a, b: np.maximum(a * b, b),
       "lane_max({a} * {b}, {b})", "np.maximum({a} * {b}, {b})", lambda F: 2.0 * F, "Leaky ReLU."),
    Op(1003, "matrix_half", "m -> m", "half({a})", lambda a: a * a.dtype.type(0.5),
       "{a} * lane_splat(0.5)", "{a} * DTYPE(0.5)", lambda F: 1.0 * F * F, "Half of every entry."),
    Op(1004, "scalar_softplus", "s -> s", "softplus({a})", lambda a: np.log(a.dtype.type(1) + np.exp(a)),
       "lane_log(lane_splat(1) + lane_exp({a}))", "np.log(DTYPE(1) + np.exp({a}))",
       lambda F: 16.0, "Softplus."),
]
"""

PROGRAM = """def Setup():
  s2 = 0.01
  s5 = 0.9
  m0 = gaussian(0.0, 0.1, (n_features, n_features))
def Predict():
  v3 = leaky(s5, v0)
  m1 = half(m0)
  v4 = dot(m1, v3)
  s4 = mean(v4)
  s4 = square(s4)
  s4 = clip(s4, -0.5, 0.25)
  s1 = dot(v1, v3)
  s1 = s1 + s4
def Learn():
  s3 = s0 - s1
  s3 = s2 * s3
  v2 = s3 * v0
  v1 = v1 + v2
"""


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "my_ops.py"
    path.write_text(FILE)
    return load_user_file(path).table


def test_the_table_is_extended(table):
    assert [op.id for op in user_ops(table)] == [1000, 1001, 1002, 1003, 1004]
    assert len(table) == len(OPS) + 5 and len(user_ops(OPS)) == 0
    program = Program.parse(PROGRAM, ops=table)
    assert Program.parse(str(program), ops=table) == program
    with pytest.raises(AzgenError, match="no known instruction"):
        Program.parse(PROGRAM)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_oracle_kernel_and_candidate_agree(table, dtype):
    program = Program.parse(PROGRAM, ops=table)
    tasks = linear_tasks(5, 4, 60, 20)
    oracle = execute(program, tasks, "oracle", dtype=dtype)
    native = execute(program, tasks, "native", dtype=dtype)
    np.testing.assert_array_equal(oracle.predictions, native.predictions)
    names = tuple(sorted({i.op.name for i in program.instructions()}))
    kernel = Kernel(KernelSpec(4, Memory(8, 6, 2), "rmse", dtype, also=names, table=table))
    found, _ = kernel.evaluate(kernel.encode([program]), lay_out(tasks, kernel.spec.lane))
    np.testing.assert_array_equal(found[0], native.fitness)
    assert kernel.decode(kernel.encode([program])[0]) == program


def test_transcendental_functions_may_be_called(table):
    program = Program.parse(
        "def Setup():\n  pass\ndef Predict():\n  s2 = norm(v0)\n  s1 = softplus(s2)\ndef Learn():\n  pass\n",
        ops=table,
    )
    oracle, native = (execute(program, linear_tasks(5, 4, 9, 9), b) for b in ("oracle", "native"))
    np.testing.assert_allclose(native.predictions, oracle.predictions, rtol=1e-5)


def test_the_exported_module_computes_the_same(table):
    program = Program.parse(PROGRAM, ops=table)
    source = render_module(program, dtype="float64")
    assert "np.square(" in source and "np.minimum(np.maximum(" in source


SQUARE = Op(
    1000, "scalar_square", "s -> s", "square({a})", np.square, "{a} * {a}", "np.square({a})",
    lambda F: 1.0, "Square of a scalar.",
)  # fmt: skip


@pytest.mark.parametrize(
    "change, message",
    [
        ({"id": 64}, "ids of your own go from 1000"),
        ({"id": "x"}, "ids of your own"),
        ({"name": "scalar_abs"}, "this name is taken"),
        ({"name": "square"}, "must begin with scalar_"),
        ({"name": "scalar_Square"}, "small letters"),
        ({"signature": "s, s -> s"}, "the signature is"),
        ({"signature": "sss -> s"}, "the signature is"),
        ({"signature": "v -> s"}, "a scalar comes from scalars"),
        ({"signature": "s -> v", "name": "vector_square"}, "entry by entry from vectors"),
        ({"listing": "square({b})"}, "listing 'square({b})' has the fields ['b']"),
        ({"listing": "square({a}"}, "listing fails: SyntaxError"),
        ({"python": "np.square({a}, {x})"}, "python 'np.square({a}, {x})' has the fields"),
        ({"python": "np.nonsense({a})"}, "python fails: AttributeError"),
        ({"python": "np.abs({a})"}, "give different results"),
        ({"cython": "{a} * 2.0"}, "numbers are written lane_splat"),
        ({"cython": "pow({a}, {a})"}, "uses pow"),
        ({"cython": "{a}; exit()"}, "uses exit"),
        ({"cython": "{a} ** {a}{b}"}, "has the fields"),
        ({"numpy": lambda a: a / 0}, None),
        ({"numpy": lambda a, b: a}, "numpy fails: TypeError"),
        ({"numpy": lambda a: np.array([a, a])}, "numpy gives shape (2,)"),
        ({"numpy": lambda a: np.float64(a) ** 2}, "must keep the number type"),
        ({"constants": ("index",)}, "at most three of"),
        ({"constants": ("low", "high")}, "draw random numbers"),
        ({"constants": ("value",), "signature": "v -> v", "name": "vector_x"}, "a scalar operand"),
        ({"cost": lambda F: float("nan")}, "its cost at F = 1 is nan"),
        ({"cost": lambda: 1}, "cost fails: TypeError"),
        ({"doc": ""}, "doc must be one sentence"),
        ({"commutative": True}, "only an op of two operands"),
        ({"target": "{out}[0]"}, "the target must be"),
    ],
)
def test_what_is_wrong_with_an_op_is_said(change, message):
    op = dataclasses.replace(SQUARE, **change)
    with pytest.raises(AzgenError) as caught:
        check_op(op)
    if message:
        assert message in str(caught.value)
    check_op(SQUARE)


def test_commutativity_is_tried():
    op = Op(
        1000, "scalar_twice", "ss -> s", "twice({a}, {b})", lambda a, b: a + b + b, "{a} + {b} + {b}",
        "{a} + {b} + {b}", lambda F: 2.0, "Sum, the second twice.", commutative=True,
    )  # fmt: skip
    with pytest.raises(AzgenError, match="exchanging the operands"):
        check_op(op)


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "it must define OPS"),
        ("OPS = []", "at least one"),
        ("OPS = [1]", "it must define OPS"),
        ("import numpy\n\nOPS = [", "line 3: SyntaxError"),
        ("x = 1\ny = x / 0\n", "line 2: ZeroDivisionError"),
        (FILE + "OPS += OPS[:1]", "declared twice"),
        (FILE.replace('"square({a})"', '"abs({a})"'), "reads as scalar_abs"),
    ],
)
def test_bad_files(tmp_path, text, message):
    path = tmp_path / "my_ops.py"
    path.write_text(text)
    with pytest.raises(AzgenError) as caught:
        load_user_file(path)
    assert message in str(caught.value) and "my_ops.py" in str(caught.value)


def test_no_file(tmp_path):
    with pytest.raises(AzgenError, match="no such file of ops"):
        load_user_file(tmp_path / "none.py")
    (tmp_path / "ops.txt").write_text(FILE)
    with pytest.raises(AzgenError, match=r"ends in \.py"):
        load_user_file(tmp_path / "ops.txt")
