"""The language: op table, programs, their text and its errors, addresses and hashes."""

from __future__ import annotations

import ast
import math

import numpy as np
import pytest

from azgen.errors import AzgenError
from azgen.language import OPS, Address, Instruction, Memory, Op, OpTable, Program, load
from azgen.language import random as draws
from azgen.language.op import FAMILIES

LINEAR = """\
def Setup():
  s2 = 0.01
def Predict():
  s1 = dot(v1, v0)
def Learn():
  s3 = s0 - s1
  s3 = s2 * s3
  v2 = s3 * v0
  v1 = v1 + v2
"""


# ---- the op table


def test_table_has_the_65_ops_of_the_paper_in_order_then_a_root():
    assert [op.id for op in OPS] == list(range(66))
    assert len({op.name for op in OPS}) == len(OPS) == 66
    assert [op.name for op in OPS][65:] == ["scalar_sqrt"]  # rates that fall with a root of a sum of squares


@pytest.mark.parametrize("op", list(OPS), ids=lambda op: op.name)
def test_op_is_fully_described(op):
    assert op.doc.endswith(".") and len(op.doc) > 5
    assert op.listing and op.cython and op.python and callable(op.numpy)
    assert set(op.operands + op.result) <= set("svm")
    assert set(op.constants) <= {"value", "index", "mean", "stdev", "low", "high"}
    for spelling in (op.listing + op.target, op.cython, op.python):
        for name in "ab"[: len(op.operands)]:
            assert f"{{{name}}}" in spelling
        for name in "xyz"[: len(op.constants)]:
            assert f"{{{name}}}" in spelling
    assert op.cost(4) >= 0 and op.cost(8) >= op.cost(4)
    ast.parse(op.python.format(a="a", b="b", x="1.0", y="2.0", z="3.0", out="out"))
    assert not op.commutative or (len(op.operands) == 2 and op.operands[0] == op.operands[1])


@pytest.mark.parametrize("op", [op for op in OPS if op.commutative], ids=lambda op: op.name)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_commutative_ops_commute_to_the_last_bit(op, dtype):
    rng = np.random.default_rng(0)
    shape = {"s": (), "v": (37,), "m": (7, 7)}[op.operands[0]]
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e30, 1e-30])
    with np.errstate(all="ignore"):
        for _ in range(50):
            a, b = (
                np.where(rng.random(shape) < 0.2, rng.choice(special, shape), rng.normal(size=shape)).astype(
                    dtype
                )[()]
                for _ in range(2)
            )
            one, other = np.asarray(op.numpy(a, b)), np.asarray(op.numpy(b, a))
            assert np.array_equal(one, other, equal_nan=True)
            assert (np.signbit(one) == np.signbit(other))[~np.isnan(one)].all()


def test_edge_cases_of_meaning():
    def meaning(name, *operands):
        with np.errstate(all="ignore"):
            return OPS[name].numpy(*(np.asarray(o, dtype=np.float64)[()] for o in operands))

    zeros, nan = np.zeros(3), math.nan
    assert meaning("scalar_heaviside", 0.0) == 1
    assert meaning("vector_heaviside", zeros).tolist() == [0, 0, 0]
    assert meaning("matrix_heaviside", np.zeros((2, 2))).tolist() == [[0, 0], [0, 0]]
    assert meaning("scalar_heaviside", nan) == 0
    for name in ("scalar_min", "scalar_max"):
        assert math.isnan(meaning(name, nan, 1.0)) and meaning(name, 1.0, nan) == 1
    for name in ("vector_min", "vector_max", "matrix_min", "matrix_max"):
        shape = (2, 2) if name.startswith("matrix") else (2,)
        assert np.isnan(meaning(name, np.full(shape, nan), np.ones(shape))).all()
        assert (meaning(name, np.ones(shape), np.full(shape, nan)) == 1).all()
    assert meaning("scalar_division", 1.0, 0.0) == math.inf
    assert meaning("scalar_log", 0.0) == -math.inf and math.isnan(meaning("scalar_log", -1.0))
    assert meaning("vector_st_dev", np.full(5, 0.1)) < 1e-16
    assert meaning("vector_st_dev", [1.0, 3.0]) == 1
    m = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert meaning("matrix_column_norm", m) == pytest.approx(np.linalg.norm(m, axis=0))
    assert meaning("matrix_row_norm", m) == pytest.approx(np.linalg.norm(m, axis=1))
    assert meaning("matrix_row_mean", m).tolist() == [1.5, 3.5]
    assert meaning("vector_column_broadcast", [1.0, 2.0]).tolist() == [[1, 1], [2, 2]]
    assert meaning("vector_row_broadcast", [1.0, 2.0]).tolist() == [[1, 2], [1, 2]]
    assert OPS["vector_const_set"].numpy(np.zeros(4), 0.5, 7.0).tolist() == [0, 0, 7, 0]
    assert OPS["matrix_const_set"].numpy(np.zeros((2, 2)), 0.9, 0.4, 7.0).tolist() == [[0, 0], [7, 0]]


def test_table_refuses_doubles_and_unknown_ops():
    with pytest.raises(AzgenError, match="declared twice"):
        OPS.extended([OPS[1]])
    with pytest.raises(AzgenError, match="no op 'frobnicate'"):
        OPS["frobnicate"]
    with pytest.raises(AzgenError, match="no op 66"):
        OPS[66]


def test_own_ops_extend_the_language():
    square = Op(
        1000,
        "scalar_square",
        "s -> s",
        "square({a})",
        np.square,
        "{a} * {a}",
        "{a} ** 2",
        lambda F: 1.0,
        "Square.",
    )
    ops = OPS.extended([square])
    assert isinstance(ops, OpTable) and len(ops) == 67
    text = LINEAR.replace("s3 = s0 - s1\n", "s3 = s0 - s1\n  s3 = square(s3)\n")
    assert str(Program.parse(text, ops=ops)) == text
    with pytest.raises(AzgenError, match="line 7, column 3"):
        Program.parse(text)


# ---- text


def test_text_round_trips_and_is_python():
    program = Program.parse(LINEAR)
    assert str(program) == LINEAR
    assert Program.parse(str(program)) == program
    ast.parse(LINEAR)
    assert program.memory == Memory(4, 3, 0)
    assert str(program.learn[0]) == "s3 = s0 - s1"


def test_text_may_have_comments_and_any_order_of_blank_lines():
    text = "# a program\n\n" + LINEAR.replace("0.01", "1e-2  # the rate")
    assert Program.parse(text) == Program.parse(LINEAR)


@pytest.mark.parametrize(
    "value", [0.1 + 0.2, 1e-300, -0.0, math.inf, -math.inf, 5e-324, 1.7976931348623157e308]
)
def test_constants_keep_every_bit(value):
    program = Program.parse(LINEAR).with_constants((value,))
    (again,) = Program.parse(str(program)).constants
    assert np.float64(again).tobytes() == np.float64(value).tobytes()


def test_nan_is_a_constant():
    program = Program.parse(LINEAR).with_constants((math.nan,))
    assert math.isnan(Program.parse(str(program)).constants[0])


def test_an_empty_function_is_written_pass():
    assert str(Program()) == "def Setup():\n  pass\ndef Predict():\n  pass\ndef Learn():\n  pass\n"
    assert Program.parse(str(Program())) == Program()


def text_with(line: str) -> str:
    return f"def Setup():\n  {line}\ndef Predict():\n  pass\ndef Learn():\n  pass\n"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (text_with("s2 = frobnicate(s1)"), (2, 3), "`s2 = frobnicate(s1)` is no known instruction"),
        (text_with("s2 = s1 + v1"), (2, 3), "no known instruction"),
        (text_with("v2 = s1 + s1"), (2, 3), "no known instruction"),
        (text_with("s2 = s1 + s1 + s1"), (2, 3), "no known instruction"),
        (text_with("s2 = heaviside(s1, 0.0)"), (2, 3), "no known instruction"),
        (text_with("v2 = heaviside(v1, 1.0)"), (2, 3), "no known instruction"),
        (text_with("s02 = 0.1"), (2, 3), "no known instruction"),
        (text_with("s2 = True"), (2, 3), "no known instruction"),
        (text_with("import os"), (2, 3), "no known instruction"),
        (text_with("s2 = __import__('os')"), (2, 3), "no known instruction"),
        (text_with("s2 ="), (2, 7), "not valid syntax"),
        (text_with("s0 = 0.5"), (2, 3), "s0 holds the label and is never written"),
        (text_with("v0 = abs(v1)"), (2, 3), "v0 holds the features and is never written"),
        (text_with("s2 = s1 + s1000"), (2, 13), "address s1000 is out of range"),
        (text_with("v1[1.5] = 0.5"), (2, 3), "element position 1.5 is not a fraction in [0, 1)"),
        (text_with("v1[-0.5] = 0.5"), (2, 3), "element position -0.5 is not a fraction"),
        ("def Setup():\n  pass\n", (3, 1), "there is no `def Predict():`"),
        (LINEAR + "def Learn():\n  pass\n", (10, 1), "Learn is defined twice"),
        (LINEAR + "s2 = 0.1\n", (10, 1), "expected one of"),
        ("def Setup(x):\n  pass\n", (1, 1), "expected one of"),
        ("def Sleep():\n  pass\n", (1, 1), "expected one of"),
        ("", (1, 1), "there is no `def Setup():`"),
    ],
)
def test_bad_text_is_explained_with_line_and_column(text, place, message):
    with pytest.raises(AzgenError) as caught:
        Program.parse(text, source="mine.az")
    line, column = place
    assert str(caught.value).startswith(f"mine.az, line {line}, column {column}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["\0", "x" * 2_000_000, "(" * 5000, "-" * 100_000 + "1"])
def test_hostile_text_is_refused(text):
    with pytest.raises(AzgenError):
        Program.parse(text)
    with pytest.raises(AzgenError):
        Program.parse(text_with(f"s2 = {text}"))


def test_programs_are_read_from_files(tmp_path):
    path = tmp_path / "linear.az"
    path.write_text(LINEAR)
    assert load(path) == Program.parse(LINEAR)
    with pytest.raises(AzgenError, match="no such program file"):
        load(tmp_path / "missing.az")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AzgenError, match="cannot be read as program text"):
        load(path)
    path.write_text("def Setup():\n  s2 = 1\n  s2 = 2 +\n")
    with pytest.raises(AzgenError, match=r"linear\.az, line 3"):
        load(path)


# ---- addresses, memory, cost


def test_instructions_know_what_they_touch():
    setter = Instruction(OPS["vector_const_set"], 2, constants=(0.5, 1.0))
    assert setter.reads == (Address("v", 2),) and setter.writes == Address("v", 2)
    product = Instruction(OPS["scalar_vector_product"], 1, 3, 0)
    assert product.reads == (Address("s", 3), Address("v", 0)) and product.writes == Address("v", 1)
    nothing = Instruction(OPS["no_op"])
    assert nothing.reads == () and nothing.writes is None


def test_memory_is_the_smallest_that_holds_all():
    assert Program().memory == Memory(2, 1, 0)
    assert Memory(4, 1, 0) | Memory(2, 3, 1) == Memory(4, 3, 1)
    assert Address("v", 2) in Memory(2, 3, 0) and Address("m", 0) not in Memory(2, 3, 0)
    assert str(Memory(4, 3, 1)) == "4/3/1"


def test_cost_adds_up():
    program = Program.parse(LINEAR)
    setup, predict, learn = program.cost(8)
    assert (setup, predict) == (1, 16) and learn == 1 + 1 + 8 + 8


# ---- dead code and normal form


def test_dead_code_goes_and_state_stays():
    text = LINEAR.replace("s2 = 0.01\n", "s2 = 0.01\n  s3 = 0.5\n  NoOp()\n")
    text = text.replace("v1 = v1 + v2\n", "v1 = v1 + v2\n  s2 = s2 * s2\n  v2 = v2 + v2\n")
    live = str(Program.parse(text).live())
    assert live == LINEAR.replace("v1 = v1 + v2\n", "v1 = v1 + v2\n  s2 = s2 * s2\n")


def test_an_accumulator_that_nobody_reads_is_dead():
    text = LINEAR.replace("v1 = v1 + v2\n", "v1 = v1 + v2\n  v3 = v3 + v0\n")
    assert str(Program.parse(text).live()) == LINEAR


def test_the_label_is_dead_before_predict_and_alive_in_learn():
    program = Program.parse(
        "def Setup():\n  s1 = 0.5\ndef Predict():\n  pass\ndef Learn():\n  s1 = abs(s0)\n"
    )
    assert program.live() == program


def test_normal_form_ignores_names_and_operand_order():
    other = """\
def Setup():
  s7 = 0.01
def Predict():
  s1 = dot(v0, v5)
def Learn():
  s2 = s0 - s1
  s2 = s2 * s7
  v9 = s2 * v0
  s9 = exp(s7)
  v5 = v9 + v5
"""
    one, two = Program.parse(LINEAR), Program.parse(other)
    assert one != two
    assert one.normalized() == two.normalized()
    assert one.hash == two.hash and one.structure_hash == two.structure_hash


def test_hashes_tell_constants_and_structure_apart():
    program = Program.parse(LINEAR)
    tuned = program.with_constants((0.02,))
    assert len(program.hash) == len(program.structure_hash) == 16
    assert program.hash != tuned.hash and program.structure_hash == tuned.structure_hash
    changed = Program.parse(LINEAR.replace("s0 - s1", "s0 + s1"))
    assert program.structure_hash != changed.structure_hash


# ---- random draws


def test_draws_are_reproducible_and_as_distributed():
    for dtype in (np.float32, np.float64):
        one, two = (draws.Generator(draws.task_state(5, 3), dtype) for _ in range(2))
        sample = one.normal(1.0, 2.0, (200_000,))
        assert sample.dtype == dtype and (sample == two.normal(1.0, 2.0, (200_000,))).all()
        assert sample.mean() == pytest.approx(1, abs=0.02) and sample.std() == pytest.approx(2, abs=0.02)
        sample = one.uniform(0.6, 0.2, (100_000,))
        assert 0.2 < sample.min() < 0.201 and 0.599 < sample.max() < 0.6
        assert one.uniform(0.5, 0.5) == dtype(0.5)


def test_draws_in_pieces_are_draws_at_once():
    whole = draws.Generator(7).unit((6,))
    pieces = draws.Generator(7)
    assert [pieces.unit((2,)).tolist(), pieces.unit((4,)).tolist()] == [
        whole[:2].tolist(),
        whole[2:].tolist(),
    ]


def test_tasks_and_seeds_draw_different_numbers():
    states = {draws.task_state(seed, task) for seed in range(50) for task in range(50)}
    assert len(states) == 2500


def test_normal_quantile_is_the_inverse_of_the_distribution():
    from scipy.stats import norm

    u = np.linspace(1e-7, 1 - 1e-7, 100_001)
    assert np.abs(draws.normal_quantile(u) - norm.ppf(u)).max() < 2e-5


def test_every_op_has_a_family_and_ops_of_one_family_read_alike():
    assert {op.family for op in OPS} == {"", *FAMILIES}
    spellings: dict[str, set[str]] = {}
    for op in OPS:
        if op.family not in ("", "function"):
            spellings.setdefault(op.family, set()).add(
                op.listing.split("(")[0] if "(" in op.listing else op.listing
            )
    several = {family for family, texts in spellings.items() if len(texts) > 1}
    assert several == {"matrix_product", "element"}  # dot and matmul; entries of vectors and of matrices
    texts = [text for family, found in spellings.items() for text in found if family not in several]
    shared = {text for text in texts if texts.count(text) > 1}
    assert shared <= {"bcast", "norm", "mean", "std"}  # along other axes
