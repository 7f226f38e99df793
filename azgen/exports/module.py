"""Exporting a program: a Python module that needs NumPy alone and reads as if a person had written it."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path

from azgen.codegen.templates import environment
from azgen.errors import AzgenError
from azgen.exports.flow import SIGMOID, SOFTMAX, Flow, Function, Parameter, Value
from azgen.exports.names import Namer
from azgen.exports.place import check_place, write_export
from azgen.exports.provenance import Provenance
from azgen.exports.statements import Folder
from azgen.exports.table_part import table_part
from azgen.files import path_of
from azgen.language import Program
from azgen.language import random as draws
from azgen.language.conditions import Conditions
from azgen.language.instruction import VECTOR
from azgen.language.metrics import METRICS, Metric, UserMetric, is_classification
from azgen.tasks.reading import TableReading

_HELPERS = ("sigmoid", "softmax", "minimum", "maximum")
_WIDTH = 100


@dataclass(frozen=True)
class Argument:
    """A constant as an argument of the exported class."""

    name: str
    default: str
    description: str


def export(
    program: Program,
    path: str | Path,
    *,
    metric: Metric | None = None,
    dtype: str = "float32",
    epochs: int = 1,
    class_name: str | None = None,
    provenance: Provenance | None = None,
    table: TableReading | None = None,
) -> Path:
    """Writes a program as a standalone Python module.

    Args:
        program: the program.
        path: file to write, for example ``winner.py``; an existing one is replaced as a whole.
        metric: one of numbers (such as "rmse") gives a regressor, one of classes ("accuracy") a classifier:
            of two classes, or of several if the program is of the vector form. None: "rmse" for a program
            of the scalar form, else "accuracy".
        dtype: number type of the module's arithmetic, that in which the program was evolved.
        epochs: passes over the training examples that the module makes unless told otherwise.
        class_name: name of the class, EvolvedRegressor or EvolvedClassifier by default.
        provenance: where the program comes from; the module's docstring says so.
        table: what the program's run did to its table, which the module then does as well.

    Returns:
        The path of the module.

    Raises:
        AzgenError: no such folder, the file cannot be written, or an argument makes no sense.
    """
    target = path_of(path, "where a program is exported to")
    check_place(target)
    text = render_module(
        program,
        metric=metric,
        dtype=dtype,
        epochs=epochs,
        class_name=class_name,
        provenance=provenance,
        table=table,
        module_name=target.stem,
    )
    write_export(target, text)
    return target


def render_module(
    program: Program,
    *,
    metric: Metric | None = None,
    dtype: str = "float32",
    epochs: int = 1,
    class_name: str | None = None,
    provenance: Provenance | None = None,
    table: TableReading | None = None,
    module_name: str = "winner",
) -> str:
    """Source of the module that `export` writes.

    Args:
        module_name: name under which the docstring's example imports it; the others as in `export`.

    Raises:
        AzgenError: an argument makes no sense.
    """
    several = program.form == VECTOR
    metric = metric or ("accuracy" if several else "rmse")
    if not isinstance(metric, UserMetric) and metric not in METRICS:
        raise AzgenError(f"metric is {metric!r}; it must be one of {', '.join(METRICS)}")
    if several and not is_classification(metric):
        raise AzgenError(
            f"metric is '{metric}', but the program tells classes apart ({VECTOR}): take accuracy"
        )
    Conditions(epochs=epochs, dtype=dtype)  # checks both
    classifier = is_classification(metric)
    class_name = class_name or class_name_of(classifier)
    if (
        not isinstance(class_name, str)
        or not class_name.isidentifier()
        or iskeyword(class_name)
        or class_name in ("Learner", "Generator")
    ):
        raise AzgenError(
            f"class name {class_name!r} is no Python identifier, or one that the module needs itself"
        )
    flow = Flow(program, classifier)
    namer = Namer(flow)
    setup, predict, learn = ([line for line, _ in body] for body in bodies(flow, namer))
    arguments = [
        Argument(p.name, _number(p.value), namer.description(p)) for p in flow.parameters if not p.literal
    ]
    origin = provenance or Provenance()
    return (
        environment()
        .get_template("export/module.py.j2")
        .render(
            origin=[textwrap.fill(_quoted(s), _WIDTH) for s in origin.sentences()],
            discovered=bool(origin.program_number),
            module_name=module_name if module_name.isidentifier() else "winner",
            class_name=class_name,
            classifier=classifier,
            several=several,
            form=program.form,
            dtype=dtype,
            epochs=epochs,
            draws=draws,
            stochastic=flow.program.stochastic,
            helpers=[name for name in _HELPERS if _calls_helper([*setup, *predict, *learn], name)],
            signature=_signature(
                [
                    *("self", "n_features", *["n_classes"] * several),
                    *(*(a.name for a in arguments), *["rng"] * flow.program.stochastic),
                ]
            ),
            setup=setup,
            predict=predict,
            learn=learn,
            arguments=arguments,
            program=str(program),
            metric=str(metric),
            fitness=origin.test_fitness,
            tested=origin.test_tasks,
            is_normal=str(program) == str(flow.program),
            **table_part(table),
        )
    )


def _calls_helper(lines: list[str], name: str) -> bool:
    return any(f"{name}(" in line.replace(f"np.{name}(", "") for line in lines)


def class_name_of(classifier: bool) -> str:
    """Name of the exported class, unless another is asked for."""
    return "EvolvedClassifier" if classifier else "EvolvedRegressor"


@dataclass(frozen=True)
class SourceLine:
    """A line of the class Learner.

    Attributes:
        text: as it stands in the module.
        instructions: what it carries out: function (0 Setup, 1 Predict, 2 Learn) and number there, in the
            program's normal form.
    """

    text: str
    instructions: frozenset[tuple[int, int]]


def learner_source(
    program: Program, *, metric: Metric | None = None, dtype: str = "float32"
) -> tuple[SourceLine, ...]:
    """The class Learner of the module that `export` writes, and what of the program each line carries out.

    Args:
        program, metric, dtype: as in `export`.
    """
    text = render_module(program, metric=metric, dtype=dtype)
    (learner,) = (n for n in ast.parse(text).body if isinstance(n, ast.ClassDef) and n.name == "Learner")
    flow = Flow(program, is_classification(metric or ("accuracy" if program.form == VECTOR else "rmse")))
    places = {
        value: (function, number)
        for function, values in enumerate(flow.functions)
        for number, value in enumerate(values.steps)
        if value.op not in (SIGMOID, SOFTMAX)
    }
    written = iter([line for body in bodies(flow, Namer(flow)) for line in body])
    expected, found = next(written, None), []
    for line in text.splitlines()[learner.lineno - 1 : learner.end_lineno]:
        carried = frozenset[tuple[int, int]]()
        if expected and line.strip() == expected[0]:
            carried = frozenset(places[value] for value in expected[1] if value in places)
            expected = next(written, None)
        found.append(SourceLine(line, carried))
    return tuple(found)


def without_docstrings(lines: Sequence[str]) -> tuple[str, ...]:
    """Lines of source without docstrings and the blank lines after them."""
    found, inside, after = list[str](), False, False
    for line in lines:
        quotes = line.count('"""')
        if quotes or inside:
            inside, after = inside != (quotes % 2 == 1), True
        elif line.strip() or not after:
            found.append(line)
            after = False
    return tuple(found)


Body = list[tuple[str, frozenset[Value]]]
"""Lines of a method, each with the values that it makes."""


def bodies(flow: Flow, namer: Namer) -> tuple[Body, Body, Body]:
    """Of `__init__`, predict and learn."""
    used: set[Parameter] = set()
    predict, learn = (_written(flow, function, namer, used) for function in (flow.predict, flow.learn))
    # Setup comes last: by now it is known which constants the object must keep.
    draws_later = any("self.rng." in line for line, _ in predict + learn)
    registers = {f"self.{namer.attribute(address)}": str(address) for address in sorted(flow.attributes)}
    registers |= {f"self.{c.parameters[0].name}": str(address) for address, c in flow.constants.items()}
    setup = _setup(flow, namer, used, draws_later)
    return tuple(_with_registers(body, registers) for body in (setup, predict, learn))  # type: ignore[return-value]


def _with_registers(body: Body, registers: dict[str, str]) -> Body:
    """The lines, with the program's register beside a name where it is given its first value."""
    found: Body = []
    for line, values in body:
        register = registers.pop(line.split(" = ")[0], "")
        found.append((f"{line}  # {register}" if register else line, values))
    return found


def _written(flow: Flow, function: Function, namer: Namer, used: set[Parameter]) -> Body:
    folder = Folder(flow, function, namer, used)
    return list(zip(folder.lines, folder.sources, strict=True))


def _setup(flow: Flow, namer: Namer, used: set[Parameter], draws_later: bool) -> Body:
    none = frozenset[Value]()
    body: Body = [("self.n_classes = n_classes", none)] if flow.program.form == VECTOR else []
    body += [(f"self.{p.name} = DTYPE({p.name})", frozenset({p.owner})) for p in flow.parameters if p in used]
    if draws_later:
        body.append(("self.rng = rng", none))
    body += _written(flow, flow.setup, namer, used)
    zeros = {
        "s": "DTYPE(0.0)",
        "v": "np.zeros(n_features, DTYPE)",
        "m": "np.zeros((n_features, n_features), DTYPE)",
    }
    body += [
        (f"self.{namer.attribute(address)} = {zeros[address.kind]}", none)
        for address in flow.starts_at_zero()
    ]
    return body


def _quoted(text: str) -> str:
    """Text that is safe inside a docstring."""
    return (
        text.replace("\\", "\\\\").replace('"', '\\"')
        if "\\" in text or '"""' in text or text.endswith('"')
        else text
    )


def _signature(names: list[str]) -> str:
    """Arguments of a method, on one line where they fit."""
    line = ", ".join(names)
    return line if len(line) <= 75 else "\n" + "".join(f"        {name},\n" for name in names) + "    "


def _number(value: float) -> str:
    """A default as Python source, in full precision."""
    text = repr(float(value))
    return text if value - value == 0 else {"inf": "np.inf", "-inf": "-np.inf"}.get(text, "np.nan")
