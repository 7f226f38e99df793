"""A program as C99: one header, no allocation, an instruction a statement, sums in azgen's own order."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from azgen.codegen.templates import environment, statement
from azgen.errors import AzgenError
from azgen.exports.flow import Flow, is_literal
from azgen.exports.names import Namer
from azgen.exports.provenance import Provenance
from azgen.language import Address, Instruction, Program
from azgen.language import random as draws
from azgen.language.conditions import USUAL, Conditions
from azgen.language.instruction import FEATURES, VECTOR, Function
from azgen.language.meaning import element_index
from azgen.language.metrics import Metric, is_classification
from azgen.language.op import Op

_SIZES = {"s": "1", "v": "N_FEATURES", "m": "N_FEATURES * N_FEATURES"}
_IN_PLACE = ("matrix_vector_product", "matrix_transpose", "matrix_matrix_product")
"""Ops whose result must not lie where an operand does."""

_NEEDS = {
    "number_sigmoid": ("number_exp",),
    "norm": ("dot",),
    "st_dev": ("mean",),
    "dot": ("folded",),
    "mean": ("folded",),
}
"""What helpers call in their turn."""

_CALLS = {
    "inner_product": "dot",
    "matrix_product": "dot",
    "norm": "norm",
    "row_norm": "norm",
    "mean": "mean",
    "row_mean": "mean",
    "st_dev": "st_dev",
    "row_st_dev": "st_dev",
    "uniform": "uniform",
    "normal": "gaussian",
}
"""Helpers by the family of the op that calls them."""

_WORDS = (
    "auto break case char const continue default do double else enum extern float for goto if inline int "
)
_WORDS += (
    "long register restrict return short signed sizeof static struct switch typedef union unsigned void "
)
_WORDS += "volatile while number dot mean norm st_dev softmax folded"


@dataclass(frozen=True)
class Line:
    """A statement, and the line of program text that it carries out."""

    code: str
    text: str


@dataclass(frozen=True)
class Body:
    """A function's statements, and which of its arguments they read: features, label."""

    lines: tuple[Line, ...]
    reads: frozenset[str]


@dataclass(frozen=True)
class Register:
    """A member of the struct, and what it is."""

    declaration: str
    note: str


def render_c(
    program: Program,
    n_features: int,
    *,
    metric: Metric | None = None,
    conditions: Conditions = USUAL,
    classes: int = 0,
    provenance: Provenance | None = None,
    name: str = "learner",
    constants_given: bool = False,
) -> str:
    """C99 source of a program: a header with a struct and the functions ``name_setup``, ``name_predict`` and
    ``name_learn``.

    Args:
        program: the program.
        n_features: number of features, at least as many as classes.
        metric, provenance: as for `azgen.export`.
        conditions: number type, and whether sums of products are by fused multiply-add, C99's fma.
        classes: how many there are, for programs of the vector form; else 0.
        name: of the struct, a C identifier.
        constants_given: whether ``name_setup`` takes the evolved constants as an array, in the order in which
            the exported Python names them, rather than having them written in place.

    Raises:
        AzgenError: an argument makes no sense.
    """
    several = program.form == VECTOR
    _check(name, several, classes, n_features)
    classifier = several or is_classification(metric or "rmse")
    live = program.normalized()
    numbers = count() if constants_given else None
    setup, predict, learn = (_body(live, function, n_features, numbers) for function in live.functions)
    about = _about(live, classifier, classes if several else 0, conditions)
    told = (provenance or Provenance()).sentences()
    text = environment().get_template("export/c/learner.h.j2").render(
        **about,
        origin=[_comment(s) for s in told],
        name=name,
        file=f"{name}.h",
        F=n_features,
        form=program.form,
        constants_given=constants_given,
        n_constants=next(numbers) if numbers else 0,
        setup=setup,
        predict=predict,
        learn=learn,
        program=str(live),
    )  # fmt: skip
    return re.sub(r"\n{3,}", "\n\n", re.sub(r" +\n", "\n", text))


def _check(name: str, several: bool, classes: int, n_features: int) -> None:
    if re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII) is None or name in _WORDS.split():
        raise AzgenError(f"{name!r} is no name for a struct in C; letters, digits and _ will do")
    if several and not 2 <= classes <= n_features:
        raise AzgenError(
            f"{classes} classes and {n_features} features: give 2 classes or more, and as many features"
        )


def _about(live: Program, classifier: bool, classes: int, how: Conditions) -> dict[str, Any]:
    """What the template needs for the struct, and the functions that the program's lines call."""
    ops, used, short = _ops(live), _used(live, classifier), how.dtype == "float32"
    about = {
        "classes": classes,
        "classifier": classifier,
        "stochastic": live.stochastic,
        "ctype": "float" if short else "double",
        "fused": how.fused,
    }
    helpers = environment().get_template("export/c/helpers.h.j2").render(
        **about,
        used=used,
        ops=ops,
        names=[op.name for op in ops],
        sizes=_SIZES,
        suffix="f" if short else "",
        bits=23 if short else 52,
        itype="int32_t" if short else "int64_t",
        random=draws,
    )  # fmt: skip
    return about | {
        "helpers": helpers,
        "registers": _registers(live, classifier),
        "scratch": _scratch(live),
        "transcendental": sorted(n.removeprefix("number_") for n in used if n in _TRANSCENDENTAL),
    }


def _ops(program: Program) -> list[Op]:
    """The ops of a program, as the table has them."""
    return sorted({i.op for i in program.instructions()}, key=lambda op: op.id)


_TRANSCENDENTAL = {f"number_{name}" for name in ("sin", "cos", "tan", "asin", "acos", "atan", "exp", "log")}


def _body(program: Program, function: Function, n_features: int, numbers: Iterator[int] | None) -> Body:
    reads = {address for instruction in function for address in instruction.reads}
    arguments = {FEATURES: "features", program.form.label: "label"}
    lines = tuple(Line(_statement(program, i, n_features, numbers), str(i)) for i in function)
    return Body(lines, frozenset(word for address, word in arguments.items() if address in reads))


def _statement(
    program: Program, instruction: Instruction, n_features: int, numbers: Iterator[int] | None
) -> str:
    op = instruction.op
    assert instruction.writes is not None
    out = f"m->{instruction.writes}"
    operands = [_spelled(program, address) for address in instruction.reads[: len(op.operands)]]
    constants = [
        str(element_index(value, n_features))
        if kind == "index"
        else _number(value)
        if numbers is None or is_literal(kind, value)
        else f"m->constant[{next(numbers)}]"
        for kind, value in zip(op.constants, instruction.constants, strict=True)
    ]
    aside = op.name in _IN_PLACE and out in operands
    place = "m->scratch" if aside else out
    code = statement(op, place, operands, constants, n_features, "&m->random").replace("lane_", "number_")
    return f"{code}; memcpy({out}, m->scratch, sizeof {out});" if aside else f"{code};"


def _spelled(program: Program, address: Address) -> str:
    if address == FEATURES:
        return "features"
    scalar_label = address == program.form.label and address.kind == "s"
    return "label" if scalar_label else f"m->{address}"


def _number(value: float) -> str:
    """A constant as C source, in full precision."""
    text = repr(float(value))
    text = {"inf": "INFINITY", "-inf": "-INFINITY", "nan": "NAN"}.get(text, text)
    return f"(number){text}"


def _used(program: Program, classifier: bool) -> set[str]:
    """Helpers that are called, also by one another."""
    ops = _ops(program)
    used = {f"number_{name}" for op in ops for name in re.findall(r"\blane_(\w+)\(", op.cython)}
    used |= {_CALLS[op.family] for op in ops if op.family in _CALLS}
    used |= {"number_exp", "folded"} if classifier else set()
    while more := {name for each in used for name in _NEEDS.get(each, ())} - used:
        used |= more
    return used


def _registers(program: Program, classifier: bool) -> list[Register]:
    """Members of the struct: every address but features and a scalar label, the vector label included."""
    flow = Flow(program, classifier)
    namer = Namer(flow)
    addresses = {a for i in program.instructions() for a in (*i.reads, i.writes) if a is not None}
    form = program.form
    addresses |= {form.prediction} | ({form.label} if form == VECTOR else set())
    addresses -= {FEATURES} if form == VECTOR else {FEATURES, form.label}
    notes = {form.label: "label", form.prediction: "probabilities" if form == VECTOR else "prediction"}
    found = []
    for address in sorted(addresses, key=lambda a: ("svm".index(a.kind), a.number)):
        size = "" if address.kind == "s" else f"[{_SIZES[address.kind]}]"
        note = notes.get(address) or (namer.attribute(address) if address in flow.attributes else "")
        if address in flow.constants:
            note = flow.constants[address].parameters[0].name
        found.append(Register(f"number {address}{size};", note.replace("_", " ")))
    return found


def _scratch(program: Program) -> str:
    """Size of the scratch array; "" if none is needed."""
    kinds: Sequence[str] = [
        i.op.result
        for i in program.instructions()
        if i.op.name in _IN_PLACE and i.writes in i.reads[: len(i.op.operands)]
    ]
    return _SIZES["m"] if "m" in kinds else _SIZES["v"] if kinds else ""


def _comment(text: str) -> str:
    """Text that is safe in a comment, indented."""
    safe = text.replace("*/", "* /").replace("/*", "/ *")
    return textwrap.fill(safe, 100, initial_indent="   ", subsequent_indent="   ")
