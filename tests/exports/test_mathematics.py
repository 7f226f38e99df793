"""LaTeX, Markdown and SymPy: every formula can be typeset, SymPy's prediction is the program's."""

import copy
import re
import types
import warnings
from itertools import chain

import numpy as np
import pytest

from azgen.errors import AzgenError
from azgen.exports.mathematics import formulas, render_latex, render_markdown
from azgen.exports.module import render_module
from azgen.exports.provenance import Provenance
from azgen.exports.symbolic import render_sympy
from azgen.language import OPS, Program
from azgen.language.instruction import SCALAR, VECTOR
from azgen.language.zoo import zoo, zoo_names
from tests.commands import azgen
from tests.reference import examples
from tests.strategies import lively_program, programs_of_every_op
from tests.thinned import few_of


def test_a_linear_model_reads_like_one():
    text = render_latex(zoo("linear"), provenance=Provenance(note="By chance."))
    assert text.startswith("% By chance.") and r"\begin{align*}" in text and text.endswith("\\end{align*}\n")
    assert r"\hat{y} &= \mathbf{weights}^\top \mathbf{x} \\" in text
    step = r"\mathit{learning\ rate} \, \left(y - \hat{y}\right) \, \mathbf{x}"
    assert rf"\mathbf{{weights}} &\leftarrow \mathbf{{weights}} + {step}" in text


def test_a_network_reads_like_one():
    page = render_markdown(zoo("neural-net"), metric="accuracy")
    for line in (
        r"\mathbf{hidden} = \max\left(\mathbf{pre\ activation}, 0\right)",
        r"\hat{y} = \sigma\left(\mathbf{output\ weights}^\top \mathbf{hidden} + \mathit{output\ bias}\right)",
        r"\mathit{step} \, \mathbf{output\ weights} \odot \left[\mathbf{pre\ activation} > 0\right]",
        r"\leftarrow \mathbf{hidden\ weights} + \mathbf{hidden\ update} \, \mathbf{x}^\top",
        str(zoo("neural-net")).rstrip(),
    ):
        assert line in page
    assert page.count("$$") % 2 == 0


def test_every_formula_can_be_typeset():
    """As matplotlib's parser of TeX sees it, which knows what ours may use."""
    mathtext = pytest.importorskip("matplotlib.mathtext", reason="matplotlib is not installed")
    parser = mathtext.MathTextParser("path")
    programs = [zoo(name) for name in ("neural-net", "best-evolved", "softmax-ridge-net")]
    programs += programs_of_every_op()
    steps = "def Setup():\n  s2 = heaviside(s3, 1.0)\ndef Predict():\n  s1 = heaviside(s2, 1.0)\n"
    programs.append(Program.parse(steps + "def Learn():\n  pass\n"))
    programs += [lively_program(np.random.default_rng(i), (SCALAR, VECTOR)[i % 2]) for i in range(2)]
    found = [formulas(program) for program in programs]
    assert all(list(each) == ["Constants", "Setup", "Predict", "Learn"] for each in found)
    for text in sorted({text for each in found for text in chain.from_iterable(each.values())}):
        assert text.count("{") == text.count("}")
        parser.parse(f"${text}$")


def module_of(text):
    module = types.ModuleType("winner")
    exec(compile(text, "winner.py", "exec", dont_inherit=True), module.__dict__)
    return module


CLOSED = [
    op for op in OPS if not op.stochastic and op.name not in ("scalar_log", "scalar_arcsin", "scalar_arccos")
]


@pytest.mark.parametrize("case", few_of([*zoo_names(), *range(16)], *zoo_names(), *range(4)))
def test_sympy_predicts_what_the_trained_module_predicts(case):
    program = zoo(case) if isinstance(case, str) else lively_program(np.random.default_rng(case), ops=CLOSED)
    classes = 3 if program.form == VECTOR else 0
    check_sympy(program, "accuracy" if classes or case in ("affine", 3) else "rmse", classes)


def test_sympy_knows_every_op():
    for program in programs_of_every_op(per_program=4):
        check_sympy(program, "rmse")


SUMS = """
def Setup():
  s2 = 0.5
def Predict():
  v1 = dot(m0, v0)
  s1 = mean(v1)
  s1 = s1 + s3
def Learn():
  m1 = outer(v0, v0)
  m0 = m0 + m1
  s5 = dot(v0, v0)
  s3 = s3 + s5
"""


def test_no_two_numbers_of_memory_are_one_symbol():
    """A matrix running_sum has an entry 2, and there is a scalar running_sum_2."""
    text = render_sympy(Program.parse(SUMS), 3)
    assert "running_sum_2 = " in text and "running_sum[:3][:3]" in text
    check_sympy(Program.parse(SUMS), "rmse")


MEAN = """
def Setup():
  pass
def Predict():
  s1 = mean(v0)
  s2 = dot(v1, v3)
  s1 = s1 + s2
  v1 = maximum(v1, v0)
def Learn():
  v3 = mean(m0, axis=1)
  m0 = outer(v0, v1)
"""


def test_memory_may_be_called_like_a_function():
    text = render_sympy(Program.parse(MEAN), 3)
    assert "v2 = mean = " in text
    check_sympy(Program.parse(MEAN), "rmse")


def check_sympy(program, metric, classes=0, n_features=3):
    """Whether SymPy's prediction is that of the exported module, once that is trained."""
    x, y, new = examples(0, n_features, metric)
    if classes:
        y = np.arange(len(x)) % 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = module_of(render_module(program, metric=metric, dtype="float64"))
        estimator = module.EvolvedClassifier if metric == "accuracy" else module.EvolvedRegressor
        learner = estimator(standardize=False).fit(x, y).learner_
        memory = copy.deepcopy(vars(learner))  # Predict may change it in place
        try:
            with np.errstate(divide="raise", invalid="raise", over="raise"):
                expected = learner.predict(new[0].copy())
        except FloatingPointError:
            return  # what has no value in real numbers has none in SymPy
    if not np.isfinite(expected).all():
        return
    if any(instruction.op.stochastic for instruction in program.live().predict):
        with pytest.raises(AzgenError, match="draws random numbers"):
            render_sympy(program, n_features, metric=metric)
        return
    symbolic = module_of(render_sympy(program, n_features, metric=metric, classes=classes))
    values = {str(symbol): value for symbol, value in symbolic.constants.items()}
    values |= {f"x{i}": value for i, value in enumerate(new[0])}
    for name, value in memory.items():
        if name == "rng":
            continue
        values |= {name + "".join(f"[{i}]" for i in at): v for at, v in np.ndenumerate(value)}
    numbers = {s: values[str(s)] for s in symbolic.prediction.free_symbols}
    if not np.isfinite(list(numbers.values())).all():  # memory too: a minimum may leave NaN aside
        return
    # All at once: one by one, minima and maxima of what is left are simplified again and again.
    found = symbolic.prediction.xreplace({s: symbolic.sp.Float(v) for s, v in numbers.items()}).evalf()
    found = np.array(found.tolist(), float).ravel() if classes else float(found)
    np.testing.assert_allclose(found, expected[:classes] if classes else expected, rtol=1e-6, atol=1e-9)


def test_the_command_writes_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for form, name, sign in (
        ("latex", "linear.tex", r"\begin{align*}"),
        ("markdown", "linear.md", "## Learn"),
        ("sympy", "linear_sympy.py", "import sympy"),
    ):
        assert name in azgen("export", "zoo:linear", "--form", form, "--features", 3)
        assert sign in (tmp_path / name).read_text()
    assert re.search("how many features", azgen("export", "zoo:affine", "--form", "sympy", status=2))
