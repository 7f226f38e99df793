"""Exporting a program: a Python module that needs NumPy alone and reads as if a person had written it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path

from azgen.codegen.templates import environment
from azgen.errors import AzgenError
from azgen.exports.flow import Flow, Parameter
from azgen.exports.names import Namer
from azgen.exports.provenance import Provenance
from azgen.exports.statements import Folder
from azgen.exports.table_part import table_part
from azgen.files import write_whole
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
    target = Path(path)
    if not target.parent.is_dir():
        raise AzgenError(f"cannot export to {target}: there is no folder {target.parent}; create it first")
    if target.is_dir():
        raise AzgenError(
            f"cannot export to {target}: that is a folder; name a file, such as {target / 'winner.py'}"
        )
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
    try:
        write_whole(target, text)
    except OSError as error:
        raise AzgenError(f"cannot export to {target}: {error.strerror or error}") from None
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
    class_name = class_name or ("EvolvedClassifier" if classifier else "EvolvedRegressor")
    if not class_name.isidentifier() or iskeyword(class_name) or class_name in ("Learner", "Generator"):
        raise AzgenError(
            f"class name {class_name!r} is no Python identifier, or one that the module needs itself"
        )
    flow = Flow(program, classifier)
    namer = Namer(flow)
    used: set[Parameter] = set()
    predict = Folder(flow, flow.predict, namer, used).lines
    learn = Folder(flow, flow.learn, namer, used).lines
    # Setup comes last: by now it is known which constants the object must keep.
    setup = _setup_lines(flow, namer, used, draws_later="self.rng." in "".join(predict + learn))
    arguments = [
        Argument(p.name, _number(p.value), namer.description(p)) for p in flow.parameters if not p.literal
    ]
    origin = provenance or Provenance()
    return (
        environment()
        .get_template("export/module.py.j2")
        .render(
            origin=[textwrap.fill(_quoted(s), _WIDTH) for s in origin.sentences()],
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
            **table_part(table),
        )
    )


def _calls_helper(lines: list[str], name: str) -> bool:
    return any(f"{name}(" in line.replace(f"np.{name}(", "") for line in lines)


def _setup_lines(flow: Flow, namer: Namer, used: set[Parameter], draws_later: bool) -> list[str]:
    lines = ["self.n_classes = n_classes"] if flow.program.form == VECTOR else []
    lines += [f"self.{p.name} = DTYPE({p.name})" for p in flow.parameters if p in used]
    if draws_later:
        lines.append("self.rng = rng")
    lines += Folder(flow, flow.setup, namer, used).lines
    zeros = {
        "s": "DTYPE(0.0)",
        "v": "np.zeros(n_features, DTYPE)",
        "m": "np.zeros((n_features, n_features), DTYPE)",
    }
    lines += [f"self.{namer.attribute(address)} = {zeros[address.kind]}" for address in flow.starts_at_zero()]
    return lines


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
