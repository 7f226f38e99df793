"""Exporting a program: a Python module that needs NumPy alone and reads as if a person had written it."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path
from typing import Any

from azgen.codegen.templates import environment
from azgen.errors import AzgenError
from azgen.exports.columns import lines_for_columns
from azgen.exports.flow import SIGMOID, SOFTMAX, Flow
from azgen.exports.learner import bodies, helpers
from azgen.exports.names import Namer
from azgen.exports.place import check_place, write_export
from azgen.exports.provenance import Provenance
from azgen.exports.table_part import table_part
from azgen.files import path_of
from azgen.language import Program
from azgen.language import random as draws
from azgen.language.conditions import Conditions
from azgen.language.instruction import VECTOR
from azgen.language.metrics import METRICS, Metric, UserMetric, is_classification
from azgen.tasks.reading import TableReading

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
    metric = _checked_metric(metric or ("accuracy" if several else "rmse"), several)
    Conditions(epochs=epochs, dtype=dtype)  # checks both
    classifier = is_classification(metric)
    class_name = _checked_class_name(class_name or class_name_of(classifier))
    flow = Flow(program, classifier)
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
            program=str(program),
            metric=str(metric),
            **origin.tested(),
            is_normal=str(program) == str(flow.program),
            **_learner(flow),
            **table_part(table),
        )
    )


def _checked_metric(metric: Metric, several: bool) -> Metric:
    if not isinstance(metric, UserMetric) and metric not in METRICS:
        raise AzgenError(f"metric is {metric!r}; it must be one of {', '.join(METRICS)}")
    if several and not is_classification(metric):
        raise AzgenError(
            f"metric is '{metric}', but the program tells classes apart ({VECTOR}): take accuracy"
        )
    return metric


def _checked_class_name(name: str) -> str:
    taken = ("Learner", "Generator")
    if not isinstance(name, str) or not name.isidentifier() or iskeyword(name) or name in taken:
        raise AzgenError(f"class name {name!r} is no Python identifier, or one that the module needs itself")
    return name


def _learner(flow: Flow) -> dict[str, Any]:
    """What the template needs for the class Learner, and the constants that can be set from outside."""
    namer = Namer(flow)
    setup, predict, learn = ([line for line, _ in body] for body in bodies(flow, namer))
    arguments = [
        Argument(p.name, _number(p.value), namer.description(p)) for p in flow.parameters if not p.literal
    ]
    sizes = ["n_features", "n_classes"] if flow.program.form == VECTOR else ["n_features"]
    rng = ["rng"] * flow.program.stochastic
    return {
        "arguments": arguments,
        "setup": setup,
        "predict": predict,
        "learn": learn,
        "columns": lines_for_columns(flow),
        "rows_at_once": _rows_at_once(flow),
        "helpers": helpers([*setup, *predict, *learn]),
        "signature": _signature(["self", *sizes, *(a.name for a in arguments), *rng]),
    }


def _rows_at_once(flow: Flow) -> str:
    """How many examples are predicted at once: as many as the processor's cache holds what Predict makes of.

    Where a matrix is multiplied with them, few enough for BLAS to take no second thread for small ones: that
    took fifty times as long on a busy machine.
    """
    matrices = any(step.kind == "m" for step in flow.predict.steps)
    return "max(1, 2**16 // n_features**2)" if matrices else "max(256, 2**18 // n_features**2)"


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
