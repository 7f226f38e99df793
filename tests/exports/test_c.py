"""The C99 export: compiles without a warning, allocates nothing, and means what the native code means."""

import ctypes
import re
import shutil
import subprocess

import numpy as np
import pytest

from azgen.errors import AzgenError
from azgen.execution.execute import execute
from azgen.exports.c import render_c
from azgen.exports.provenance import Provenance
from azgen.language import OPS, Instruction, Program
from azgen.language.conditions import Conditions
from azgen.language.instruction import VECTOR
from azgen.language.userfile import load_user_file
from azgen.language.zoo import zoo, zoo_names
from tests.agreement import TOLERANCE, TRANSCENDENTAL, compile_all, exact, random_tasks, sensitive
from tests.commands import azgen
from tests.execution.test_fused import PROGRAM as EVERY_SUM_OF_PRODUCTS
from tests.strategies import lively_program
from tests.thinned import few_of

FLAGS = ("-std=c99", "-pedantic", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")

HARNESS = """
#include "learner.h"
void run(const number *x, const {label} *y, int n_train, int n, number *out, int width);
void run(const number *x, const {label} *y, int n_train, int n, number *out, int width)
{{
    static learner model;
    int i, c;
    learner_setup(&model, 0);
    for (i = 0; i < n; i++) {{
        {result} p = learner_predict(&model, x + i * N_FEATURES);
        for (c = 0; c < width; c++) out[i * width + c] = {entry};
        if (i < n_train) learner_learn(&model, x + i * N_FEATURES, y[i]);
    }}
}}
"""


def compiled(program, task, dtype, folder, classes=0, fused=False):
    """What the C code predicts for a task's validation examples."""
    conditions = Conditions(dtype=dtype, fused=fused)
    source = render_c(program, task.n_features, metric=task.metric, conditions=conditions, classes=classes)
    assert not re.search(r"\b(m|c|re)alloc\b", source)
    (folder / "learner.h").write_text(source)
    label, result, entry = (
        ("int", "const number *", "p[c]") if classes else ("number", "number", "c == 0 ? p : 0")
    )
    (folder / "run.c").write_text(HARNESS.format(label=label, result=result, entry=entry))
    library = folder / f"run-{len(list(folder.glob('*.so')))}.so"
    line = ["cc", *FLAGS, str(folder / "run.c"), "-o", str(library), "-lm"]
    made = subprocess.run(line, capture_output=True, text=True)
    assert made.returncode == 0, f"{made.stderr}\n{source}"
    x = np.ascontiguousarray(np.concatenate([task.x_train, task.x_valid]), dtype)
    y = task.y_train.argmax(axis=1).astype(np.int32) if classes else task.y_train.astype(dtype)
    width = classes or 1
    out = np.zeros((len(x), width), dtype)
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (x, y)]
    function = ctypes.CDLL(str(library)).run
    function(*pointers, len(y), len(x), ctypes.c_void_p(out.ctypes.data), width)
    return out[len(y) :] if classes else out[len(y) :, 0]


def check(program, task, dtype, folder, classes=0, fused=False):
    """Whether C and native code agree: to the last bit where no transcendental function is involved."""
    native = execute(program, [task], "native", dtype=dtype, fused=fused)
    ours = compiled(program, task, dtype, folder, classes, fused)
    theirs = native.predictions[0]
    if native.failed[0]:
        return  # after a failure in training there are no predictions to compare
    if exact(program, task.metric) and not classes:
        np.testing.assert_array_equal(ours, theirs.astype(dtype), err_msg=str(program))
        return
    with np.errstate(all="ignore"):
        same = np.allclose(ours, theirs, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype], equal_nan=True)
    assert same or sensitive(program, [task], dtype), str(program)


pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler called cc")


def _of_the_zoo(name):
    """Metric and number of classes that a program of the zoo is tried on."""
    classes = 3 if zoo(name).form == VECTOR else 0
    return "accuracy" if classes or name == "affine" else "rmse", classes


FEW = (
    *("affine", "neural-net", "skip-net", "discovered-quadratic", "best-evolved-raw", "noisy-relu"),
    *("softmax-ridge-net", "softmax-mean-weight-rate"),
)
"""Between them they have what the others have: regression, classes, draws, matrices, dead code."""


@pytest.fixture(scope="module")
def _zoo_compiled(request):
    """One by one they would take several times as long to compile."""
    kinds = {}
    for name in FEW if "not slow" in request.config.getoption("markexpr") else zoo_names():
        kinds.setdefault(_of_the_zoo(name), []).append(zoo(name))
    for (metric, classes), programs in kinds.items():
        compile_all(programs, 5, metric, "float32", classes, n_tasks=1)


@pytest.mark.parametrize("name", few_of(zoo_names(), *FEW))
def test_the_zoo(name, tmp_path, _zoo_compiled):
    program, (metric, classes) = zoo(name), _of_the_zoo(name)
    (task,) = random_tasks(np.random.default_rng(0), 5, 1, metric, classes=classes)
    check(program, task, "float32", tmp_path, classes)


@pytest.mark.parametrize("seed", few_of(range(8), 0, 3, 4, 7))
def test_random_programs(seed, tmp_path):
    rng = np.random.default_rng(seed)
    dtype = ("float32", "float64")[seed % 2]
    n_features = (1, 3, 8, 17)[seed // 2]
    for metric in ("rmse", "accuracy"):
        (task,) = random_tasks(rng, n_features, 1, metric)
        check(lively_program(rng), task, dtype, tmp_path)
    if n_features >= 3:
        (task,) = random_tasks(rng, n_features, 1, "accuracy", classes=3)
        check(lively_program(rng, VECTOR), task, dtype, tmp_path, classes=3)


@pytest.mark.parametrize(
    ("n_features", "dtype"),
    few_of(
        [(n_features, dtype) for n_features in (1, 4, 5, 17) for dtype in ("float32", "float64")],
        *((1, "float64"), (4, "float32"), (5, "float64"), (17, "float32")),
    ),
)
def test_fused_multiply_add(n_features, dtype, tmp_path):
    (task,) = random_tasks(np.random.default_rng(n_features), n_features, 1)
    check(EVERY_SUM_OF_PRODUCTS, task, dtype, tmp_path, fused=True)
    if n_features == 4:
        check(EVERY_SUM_OF_PRODUCTS, task, dtype, tmp_path)


@pytest.mark.parametrize(("dtype", "left_out"), [("float32", set()), ("float64", TRANSCENDENTAL)])
def test_every_op(dtype, left_out, tmp_path):
    """All ops in one program, each result added to the prediction."""
    add = {"s": ["s1 = s1 + s3"], "v": ["s3 = dot(v2, v0)", "s1 = s1 + s3"]}
    add["m"] = ["v2 = dot(m1, v0)", *add["v"]]
    lines = ["s1 = 0.1"]
    for op in OPS:
        if op.result and op.name not in left_out:
            out = {"s": 3, "v": 2, "m": 1}[op.result]
            operands = [{"s": 2, "v": 3, "m": 0}[kind] for kind in op.operands]
            constants = tuple(0.4 for _ in op.constants)
            lines += [str(Instruction.of(op, out, operands, constants)), *add[op.result]]
    program = Program.parse(
        EVERY_OP + "".join(f"  {line}\n" for line in lines) + "def Learn():\n  s2 = s1 * s2\n"
    )
    assert {i.op.name for i in program.live().predict} >= {op.name for op in OPS if op.result} - left_out
    assert exact(program, "rmse") == bool(left_out)
    (task,) = random_tasks(np.random.default_rng(3), 17, 1)
    check(program, task, dtype, tmp_path)


EVERY_OP = """
def Setup():
  m0 = gaussian(0.3, 0.2, (n_features, n_features))
  v3 = gaussian(0.5, 0.1, n_features)
  s2 = 0.01
def Predict():
"""

IN_PLACE = """
def Setup():
  m0 = gaussian(0.0, 0.5, (n_features, n_features))
  m1 = gaussian(0.0, 0.5, (n_features, n_features))
def Predict():
  v1 = v0 + v0
  v1 = dot(m0, v1)
  m1 = matmul(m0, m1)
  m1 = transpose(m1)
  v1 = dot(m1, v1)
  s1 = dot(v1, v0)
def Learn():
  s2 = s0 - s1
  m0 = s2 * m0
"""


def test_results_that_are_operands(tmp_path):
    program = Program.parse(IN_PLACE)
    assert render_c(program, 3).count("m->scratch,") == 8
    (task,) = random_tasks(np.random.default_rng(1), 3, 1)
    check(program, task, "float32", tmp_path)


def test_a_users_own_op(tmp_path):
    path = tmp_path / "my_ops.py"
    path.write_text(OWN_OPS)
    table = load_user_file(path).table
    text = "def Setup():\n  pass\ndef Predict():\n  v1 = leaky(s2, v0)\n  s1 = dot(v1, v0)\ndef Learn():\n"
    program = Program.parse(text + "  s2 = s0 - s1\n", "own", table)
    (task,) = random_tasks(np.random.default_rng(1), 3, 1)
    check(program, task, "float32", tmp_path)


OWN_OPS = """
import numpy as np
from azgen.language import Op

OPS = [
    Op(
        1001, "vector_leaky", "sv -> v", "leaky({a}, {b})", lambda a, b: np.maximum(a * b, b),
        "lane_max({a} * {b} + lane_splat(0.5), {b})", "np.maximum({a} * {b} + 0.5, {b})",
        lambda F: 2.0 * F, "Leaky ReLU.",
    ),
]
""".replace("np.maximum(a * b, b)", "np.maximum(a * b + a.dtype.type(0.5), b)")


def test_origin_is_a_comment_and_names_are_checked():
    text = render_c(zoo("linear"), 3, provenance=Provenance(note="Found */ by /* chance."), name="winner")
    assert (
        "Found * / by / * chance." in text and "winner_learn(winner *m" in text and "#ifndef WINNER_H" in text
    )
    for name in ("1st", "a-b", "int", ""):
        with pytest.raises(AzgenError, match="no name for a struct"):
            render_c(zoo("linear"), 3, name=name)
    with pytest.raises(AzgenError, match="give 2 classes or more"):
        render_c(zoo("softmax-linear"), 3, classes=5)


def test_the_command_writes_a_header(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "neural_net.h" in azgen("export", "zoo:neural-net", "--form", "c", "--features", 6)
    assert "N_FEATURES = 6" in (tmp_path / "neural_net.h").read_text()
    azgen("export", "zoo:softmax-linear", "--form", "c", "--features", 6, "--classes", 4, "-o", "four.h")
    assert "N_CLASSES = 4" in (tmp_path / "four.h").read_text()
    assert "how many features" in azgen("export", "zoo:linear", "--form", "c", status=2)
    assert "no form 'rust'; there are python, c" in azgen("export", "zoo:linear", "--form", "rust", status=2)
    assert "exists" in azgen("export", "zoo:neural-net", "--form", "c", "--features", 6, status=2)
