"""Predict as SymPy: a module in which the prediction is an expression of features, constants and memory."""

from __future__ import annotations

from azgen.errors import AzgenError
from azgen.exports.flow import Flow
from azgen.exports.names import Namer
from azgen.exports.provenance import Provenance
from azgen.language import Address, Instruction, Program
from azgen.language.instruction import FEATURES, VECTOR
from azgen.language.meaning import element_index
from azgen.language.metrics import Metric, is_classification

_SCALAR = {
    "sum": "{a} + {b}",
    "difference": "{a} - {b}",
    "product": "{a} * {b}",
    "quotient": "{a} / {b}",
    "reciprocal": "1 / {a}",
    "absolute": "sp.Abs({a})",
    "step": "sp.Heaviside({a}, 1)",
    "minimum": "sp.Min({a}, {b})",
    "maximum": "sp.Max({a}, {b})",
    "norm": "_norm({a})",
    "inner_product": "({a}.T * {b})[0]",
    "mean": "_mean({a})",
    "st_dev": "_st_dev({a})",
}
_FUNCTIONS = {"arcsin": "asin", "arccos": "acos", "arctan": "atan"}
_ARRAY = {
    "sum": "{a} + {b}",
    "difference": "{a} - {b}",
    "product": "{a}.multiply_elementwise({b})",
    "quotient": "{a}.multiply_elementwise({b}.applyfunc(lambda e: 1 / e))",
    "reciprocal": "{a}.applyfunc(lambda e: 1 / e)",
    "absolute": "{a}.applyfunc(sp.Abs)",
    "step": "{a}.applyfunc(lambda e: sp.Heaviside(e, 0))",
    "minimum": "_each(sp.Min, {a}, {b})",
    "maximum": "_each(sp.Max, {a}, {b})",
    "broadcast": "{a} * sp.ones(F, 1)",
    "columns": "{a} * sp.ones(1, F)",
    "rows": "sp.ones(F, 1) * {a}.T",
    "outer_product": "{a} * {b}.T",
    "matrix_product": "{a} * {b}",
    "transpose": "{a}.T",
    "column_norm": "sp.Matrix([_norm({a}.col(j)) for j in range(F)])",
    "row_norm": "sp.Matrix([_norm({a}.row(i)) for i in range(F)])",
    "row_mean": "sp.Matrix([_mean({a}.row(i)) for i in range(F)])",
    "row_st_dev": "sp.Matrix([_st_dev({a}.row(i)) for i in range(F)])",
}

# Their names begin with what no name of an algorithm's own does.
_HELPERS = {
    "_each": "def _each(function, a, b):\n    return sp.Matrix(*a.shape, [function(*e) for e in zip(a, b)])",
    "_mean": "def _mean(a):\n    return sum(a) / len(a)",
    "_norm": "def _norm(a):\n    return sp.sqrt(sum(e**2 for e in a))",
    "_st_dev": "def _st_dev(a):\n    middle = sum(a) / len(a)\n"
    "    return sp.sqrt(sum((e - middle) ** 2 for e in a) / len(a))",
}


def render_sympy(
    program: Program,
    n_features: int,
    *,
    metric: Metric | None = None,
    classes: int = 0,
    provenance: Provenance | None = None,
) -> str:
    """A module that gives the prediction as a SymPy expression.

    What the program remembers when it predicts is symbols, named as in the exported Python. SymPy reckons
    with real numbers: where the program divides by zero, or memory is infinite, it may have no value.

    Args:
        program: the program; its Predict draws no random numbers.
        n_features: number of features.
        metric, provenance: as for `azgen.export`.
        classes: how many there are, for programs of the vector form; else 0.

    Raises:
        AzgenError: Predict is no closed formula.
    """
    several = program.form == VECTOR
    classifier = several or is_classification(metric or "rmse")
    flow = Flow(program, classifier)
    namer, live = Namer(flow), flow.program
    lines = [f"{_statement(i, n_features)}  # {i}" for i in live.predict]
    code = "\n".join(lines)
    helpers = [text for name, text in _HELPERS.items() if f"{name}(" in code]
    origin = "\n".join((provenance or Provenance()).sentences()).replace("\\", "/").replace('"""', "'''")
    return "\n".join(
        [
            '"""What an algorithm by azgen predicts, as a SymPy expression: `prediction`.\n',
            *([origin, ""] if origin else []),
            "Features, and what it remembers when it predicts, are symbols; `constants` has the evolved",
            'numbers: `prediction.subs(constants)`.\n"""\n',
            "import sympy as sp\n",
            f"F = {n_features}",
            *(f"\n\n{text}" for text in helpers),
            *(["\n"] if helpers else []),
            f'features = v0 = sp.Matrix(sp.symbols("x:{n_features}", real=True))',
            *_memory(flow, namer, n_features),
            f"\n# Predict: {len(lines)} instruction{'' if len(lines) == 1 else 's'}",
            *lines,
            *_result(several, classifier, classes),
            '\nif __name__ == "__main__":',
            "    sp.pprint(prediction)",
        ]
    ) + "\n"  # fmt: skip


def _result(several: bool, classifier: bool, classes: int) -> list[str]:
    """What becomes of Predict's result."""
    if several:
        return [
            f"scores = [sp.exp(e) for e in list(v2)[:{classes}]]",
            "prediction = sp.Matrix([e / sum(scores) for e in scores])  # probabilities of the classes",
        ]
    if classifier:
        return ["prediction = 1 / (1 + sp.exp(-s1))  # probability of the second class"]
    return ["prediction = s1"]


def _memory(flow: Flow, namer: Namer, n_features: int) -> list[str]:
    """What Predict finds when it starts: symbols, or zeros where nothing is ever kept."""
    written, found, constants = set[Address](), list[str](), list[str]()
    entry: list[Address] = []
    for instruction in flow.program.predict:
        entry += [a for a in instruction.reads if a not in written and a not in entry and a != FEATURES]
        written |= {instruction.writes} if instruction.writes else set()
    if flow.prediction not in written and flow.prediction not in entry:
        entry.append(flow.prediction)
    zeros = {"s": "sp.Integer(0)", "v": "sp.zeros(F, 1)", "m": "sp.zeros(F, F)"}
    for address in entry:
        if address in flow.constants:
            (parameter,) = flow.constants[address].parameters
            found.append(f'{address} = {parameter.name} = sp.Symbol("{parameter.name}", real=True)')
            constants.append(f"{parameter.name}: {parameter.value!r}")
        elif address not in flow.attributes:
            found.append(f"{address} = {zeros[address.kind]}")
        else:
            name = namer.attribute(address)
            each = f"[:{n_features}]"  # no other name ends so, while many end in _2
            symbols = f'sp.symbols("{name}{each * "svm".index(address.kind)}", real=True)'
            text = {"s": "{}", "v": "sp.Matrix({})", "m": "sp.Matrix(F, F, {})"}[address.kind].format(symbols)
            found.append(f"{address} = {name} = {text}")
    return [*found, f"constants = {{{', '.join(constants)}}}"]


def _statement(instruction: Instruction, n_features: int) -> str:
    op, out = instruction.op, instruction.writes
    fields = dict(zip("ab", map(str, instruction.reads), strict=False))
    if op.stochastic:
        raise AzgenError("Predict draws random numbers, so that the prediction is no closed formula")
    if op.family == "constant":
        return f"{out} = {instruction.constants[0]!r}"
    if op.family == "element":
        *places, value = instruction.constants
        where = ", ".join(str(element_index(place, n_features)) for place in places)
        return f"{out} = {out}.copy(); {out}[{where}] = {value!r}"
    if op.family == "function":
        name = op.listing.split("(")[0]
        return f"{out} = sp.{_FUNCTIONS.get(name, name)}({fields['a']})"
    spellings = _SCALAR if op.result == "s" else _ARRAY
    if op.family not in spellings:
        raise AzgenError(f"{op.name} is an op of your own, which has no SymPy")
    text = spellings[op.family].format(**fields)
    if op.family == "product" and op.operands[0] == "s":
        text = "{a} * {b}".format(**fields)
    return f"{out} = {text}"
