"""A program as mathematics: the statements of its Python module as LaTeX formulas, and in a Markdown page."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from azgen.exports.flow import Flow
from azgen.exports.learner import bodies
from azgen.exports.names import Namer
from azgen.exports.provenance import Provenance
from azgen.language import Program
from azgen.language.instruction import VECTOR
from azgen.language.metrics import Metric, is_classification

_GIVEN = {
    "features": r"\mathbf{x}",
    "label": "y",
    "prediction": r"\hat{y}",
    "n_features": "F",
    "n_classes": "C",
}
_FUNCTIONS = {"sin": r"\sin", "cos": r"\cos", "tan": r"\tan", "arcsin": r"\arcsin", "arccos": r"\arccos"}
_FUNCTIONS |= {"arctan": r"\arctan", "exp": r"\exp", "log": r"\log", "sigmoid": r"\sigma"}
_STATISTICS = {"mean": r"\mathrm{mean}", "std": r"\mathrm{std}"}
_EXTREMES = {"minimum": r"\min", "maximum": r"\max", "fmin": r"\min", "fmax": r"\max"}
_SUM, _PRODUCT, _ATOM = 0, 1, 2


@dataclass(frozen=True)
class Formula:
    """A formula.

    Attributes:
        text: LaTeX.
        kind: of its value: "s", "v" or "m".
        level: how tightly it holds together: a sum, a product, or what needs no parentheses.
    """

    text: str
    kind: str
    level: int = _ATOM

    def within(self, level: int) -> str:
        """The text as an operand, in parentheses if need be."""
        return self.text if self.level >= level else rf"\left({self.text}\right)"


def formulas(program: Program, metric: Metric | None = None) -> dict[str, list[str]]:
    """A LaTeX formula per constant and per statement of the exported Python: "Constants", "Setup", "Predict",
    "Learn".

    Vectors and matrices are bold; a circled dot is the entrywise product, an upper T the transpose.

    Args:
        program, metric: as for `azgen.export`.
    """
    several = program.form == VECTOR
    flow = Flow(program, is_classification(metric or ("accuracy" if several else "rmse")))
    namer = Namer(flow)
    found = bodies(flow, namer)  # which gives the parameters their names
    kinds = {f"self.{namer.attribute(address)}": address.kind for address in flow.attributes}
    kinds |= {"features": "v", "label": "v" if several else "s", "prediction": "s", "probabilities": "v"}
    constants = [parameter for parameter in flow.parameters if not parameter.literal]
    result = {"Constants": [rf"{_scalar(p.name)} = {_number(p.value)}" for p in constants]}
    for name, body in zip(("Setup", "Predict", "Learn"), found, strict=True):
        writer = _Writer(dict(kinds), several)
        statements = (ast.parse(line).body[0] for line, _ in body)
        result[name] = [text for statement in statements if (text := writer.statement(statement))]
    return result


def render_latex(
    program: Program, *, metric: Metric | None = None, provenance: Provenance | None = None
) -> str:
    """The formulas as LaTeX to be put into a document, with the package amsmath."""
    lines = [f"% {sentence}" for sentence in (provenance or Provenance()).sentences()]
    lines += [f"% {line}" for line in _READING] + [r"\begin{align*}"]
    for name, texts in formulas(program, metric).items():
        lines += [rf"&\textbf{{{name}}} \\"] if texts else []
        lines += [
            text.replace(" = ", " &= ", 1).replace(r" \leftarrow ", r" &\leftarrow ", 1) + r" \\"
            for text in texts
        ]
    lines[-1] = lines[-1].removesuffix(r" \\")
    return "\n".join([*lines, r"\end{align*}"]) + "\n"


def render_markdown(
    program: Program,
    *,
    metric: Metric | None = None,
    provenance: Provenance | None = None,
    title: str = "A learning algorithm by azgen",
) -> str:
    """The formulas as a Markdown page with mathematics between dollars, and the program itself."""
    parts = [f"# {title}", *(provenance or Provenance()).sentences(), " ".join(_READING)]
    about = {
        "Constants": "Found by evolution:",
        "Setup": "Once, before the first example:",
        "Predict": "For every example:",
        "Learn": "And for every example to learn from, after it was predicted:",
    }
    for name, texts in formulas(program, metric).items():
        parts += [f"## {name}", about[name] if texts else "Nothing.", *(f"$$\n{text}\n$$" for text in texts)]
    parts += ["## The evolved program", f"```python\n{str(program).rstrip()}\n```"]
    return "\n\n".join(parts) + "\n"


_READING = (
    "x are the features, y is the label, ŷ the prediction, F the number of features;",
    "what is not set starts at 0. Vectors and matrices are bold, a circled dot multiplies entry by entry,",
    "[condition] is 1 where it holds, else 0.",
)


class _Writer:
    """Writes a method's statements; `kinds` grows by its local variables."""

    def __init__(self, kinds: dict[str, str], several: bool):
        self._kinds, self._several = kinds, several

    def statement(self, node: ast.stmt) -> str:
        """A formula; "" for what is no mathematics."""
        if isinstance(node, ast.Return):
            assert node.value
            result = self._name("probabilities" if self._several else "prediction")
            return f"{result} = {self.of(node.value).text}"
        if isinstance(node, ast.AugAssign):
            target = self.of(node.target)
            whole = self.of(ast.BinOp(node.target, node.op, node.value))
            return rf"{target.text} \leftarrow {whole.text}"
        assert isinstance(node, ast.Assign)
        (place,) = node.targets
        if ast.unparse(place) in ("self.rng", "self.n_classes"):
            return ""
        value = self.of(node.value)
        if isinstance(place, ast.Name | ast.Attribute):
            name = ast.unparse(place)
            if ast.unparse(node.value) == f"DTYPE({name.removeprefix('self.')})":
                return ""  # a constant under its own name
            self._kinds[name] = value.kind
        arrow = r"\leftarrow" if self._reads_itself(place, node.value) else "="
        return rf"{self.of(place).text} {arrow} {value.text}"

    @staticmethod
    def _reads_itself(place: ast.expr, value: ast.expr) -> bool:
        return ast.unparse(place) in {
            ast.unparse(node) for node in ast.walk(value) if isinstance(node, ast.expr)
        }

    def of(self, node: ast.expr) -> Formula:
        """An expression's formula."""
        if isinstance(node, ast.Constant):
            return Formula(_number(float(str(node.value))), "s")
        if isinstance(node, ast.Name):
            return Formula(self._name(node.id), self._kinds.get(node.id, "s"))
        if isinstance(node, ast.Attribute):
            if node.attr == "T":
                inner = self.of(node.value)
                return Formula(rf"{inner.within(_ATOM)}^\top", inner.kind, _PRODUCT)
            name = ast.unparse(node)
            return Formula(self._name(name), self._kinds.get(name, "s"))
        if isinstance(node, ast.UnaryOp):
            inner = self.of(node.operand)
            return Formula(f"-{inner.within(_PRODUCT)}", inner.kind, _SUM)
        if isinstance(node, ast.BinOp):
            return self._operation(node)
        if isinstance(node, ast.Compare):
            inner = self.of(node.left)
            sign = r"\geq" if isinstance(node.ops[0], ast.GtE) else ">"
            return Formula(rf"\left[{inner.text} {sign} 0\right]", inner.kind)
        if isinstance(node, ast.Subscript):
            return self._element(node)
        assert isinstance(node, ast.Call), ast.dump(node)
        return self._call(node)

    def _name(self, name: str) -> str:
        if name == "probabilities":
            return r"\hat{\mathbf{y}}"
        if name == "label" and self._several:
            return r"\mathbf{y}"
        if name in _GIVEN:
            return _GIVEN[name]
        if self._kinds.get(name, "s") == "s":
            return _scalar(name)
        words = name.removeprefix("self.").replace("_", r"\ ")
        return rf"\mathbf{{{words}}}"

    def _operation(self, node: ast.BinOp) -> Formula:
        a, b = self.of(node.left), self.of(node.right)
        kind = max(a.kind, b.kind, key="svm".index)
        if isinstance(node.op, ast.Add | ast.Sub):
            sign = "+" if isinstance(node.op, ast.Add) else "-"
            return Formula(f"{a.text} {sign} {b.within(_PRODUCT)}", kind, _SUM)
        if isinstance(node.op, ast.Div):
            return Formula(rf"\frac{{{a.text}}}{{{b.text}}}", kind, _PRODUCT)
        if isinstance(node.op, ast.MatMult):
            if a.kind == b.kind == "v":
                return Formula(rf"{a.within(_ATOM)}^\top {b.within(_PRODUCT)}", "s", _PRODUCT)
            return Formula(rf"{a.within(_PRODUCT)} \, {b.within(_PRODUCT)}", b.kind, _PRODUCT)
        between = r"\odot" if "s" not in (a.kind, b.kind) else r"\,"
        return Formula(f"{a.within(_PRODUCT)} {between} {b.within(_PRODUCT)}", kind, _PRODUCT)

    def _element(self, node: ast.Subscript) -> Formula:
        inner = self.of(node.value)
        if isinstance(node.slice, ast.Tuple) and isinstance(node.slice.elts[0], ast.Slice):
            return Formula(rf"{inner.within(_ATOM)} \mathbf{{1}}^\top", "m", _PRODUCT)  # a column, repeated
        places = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        text = ", ".join(rf"\lfloor {self.of(_argument(place)).text} \rfloor" for place in places)
        return Formula(rf"{inner.text}_{{{text}}}", "s")

    def _call(self, node: ast.Call) -> Formula:
        function = ast.unparse(node.func)
        name = function.rsplit(".", 1)[-1]
        if name == "copy" or name == "astype":
            assert isinstance(node.func, ast.Attribute)
            return self.of(node.func.value)
        if function == "DTYPE":
            return self.of(node.args[0])
        if name == "zeros":
            return Formula(r"\mathbf{0}", self._shape(node.args[0]))
        if name in ("uniform", "normal"):
            return self._draw(name, node)
        arguments = [self.of(argument) for argument in node.args[: 2 if name in ("outer", *_EXTREMES) else 1]]
        a, axis = arguments[0], {keyword.arg for keyword in node.keywords} >= {"axis"}
        simple: Mapping[str, Callable[[], Formula]] = {
            "outer": lambda: Formula(
                rf"{a.within(_ATOM)} \, {arguments[1].within(_ATOM)}^\top", "m", _PRODUCT
            ),
            "norm": lambda: self._norm(a, node, axis),
            "abs": lambda: Formula(rf"\left|{a.text}\right|", a.kind),
            "softmax": lambda: Formula(rf"\mathrm{{softmax}}\left({a.text}\right)", "v"),
            "full": lambda: Formula(
                rf"{self.of(node.args[1]).within(_PRODUCT)} \, \mathbf{{1}}", "v", _PRODUCT
            ),
            "tile": lambda: self._tiled(node),
            "square": lambda: Formula(rf"{a.within(_ATOM)}^2", a.kind, _PRODUCT),
            "sqrt": lambda: Formula(rf"\sqrt{{{a.text}}}", a.kind),
        }
        if name in simple:
            return simple[name]()
        if name in _FUNCTIONS:
            return Formula(rf"{_FUNCTIONS[name]}\left({a.text}\right)", a.kind, _PRODUCT)
        if name in _EXTREMES:
            kind = max((argument.kind for argument in arguments), key="svm".index)
            text = ", ".join(argument.text for argument in arguments)
            return Formula(rf"{_EXTREMES[name]}\left({text}\right)", kind, _PRODUCT)
        if name in _STATISTICS:
            rows = r"_{\mathrm{rows}}" if axis else ""
            return Formula(rf"{_STATISTICS[name]}{rows}\left({a.text}\right)", "v" if axis else "s", _PRODUCT)
        texts = ", ".join(self.of(argument).text for argument in node.args)
        words = name.replace("_", r"\ ")
        return Formula(rf"\mathrm{{{words}}}\left({texts}\right)", a.kind, _PRODUCT)

    def _norm(self, a: Formula, node: ast.Call, axis: bool) -> Formula:
        if not axis:
            return Formula(rf"\left\|{a.text}\right\|", "s")
        over = ast.unparse(node.keywords[0].value)
        return Formula(rf"\left\|{a.text}\right\|_{{\mathrm{{{'columns' if over == '0' else 'rows'}}}}}", "v")

    def _tiled(self, node: ast.Call) -> Formula:
        inner = self.of(node.args[0])
        if inner.kind == "m":
            return inner  # a column that is repeated already
        return Formula(rf"\mathbf{{1}} \, {inner.within(_ATOM)}^\top", "m", _PRODUCT)

    def _draw(self, name: str, node: ast.Call) -> Formula:
        low, high = (self.of(argument) for argument in node.args[:2])
        kind = self._shape(node.args[2]) if len(node.args) > 2 else "s"
        if name == "uniform":
            return Formula(rf"\mathcal{{U}}\left({low.text}, {high.text}\right)", kind)
        return Formula(rf"\mathcal{{N}}\left({low.text}, {high.within(_ATOM)}^2\right)", kind)

    @staticmethod
    def _shape(node: ast.expr) -> str:
        return "m" if isinstance(node, ast.Tuple) else "v"


def _scalar(name: str) -> str:
    words = name.removeprefix("self.").replace("_", r"\ ")
    return rf"\mathit{{{words}}}"


def _argument(node: ast.expr) -> ast.expr:
    """The x of int(x)."""
    assert isinstance(node, ast.Call)
    return node.args[0]


def _number(value: float) -> str:
    """A number with as many digits as it has, powers of ten as such."""
    text = repr(value)
    if "e" in text:
        digits, power = text.split("e")
        return rf"{digits} \cdot 10^{{{int(power)}}}"
    return {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\mathrm{NaN}"}.get(text, text.removesuffix(".0"))
