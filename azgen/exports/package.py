"""A program as a compiled package: the exported Python module, and its estimator around the C99 export."""

from __future__ import annotations

from typing import Any

from azgen.codegen.templates import environment
from azgen.errors import AzgenError
from azgen.exports.c import render_c
from azgen.exports.flow import Flow
from azgen.exports.module import class_name_of, render_module
from azgen.exports.names import Namer
from azgen.exports.provenance import Provenance
from azgen.language import Program
from azgen.language.conditions import USUAL, Conditions
from azgen.language.instruction import VECTOR
from azgen.language.metrics import Metric, is_classification
from azgen.tasks.reading import TableReading


def render_package(
    program: Program,
    n_features: int,
    *,
    metric: Metric | None = None,
    conditions: Conditions = USUAL,
    classes: int = 0,
    provenance: Provenance | None = None,
    table: TableReading | None = None,
    name: str = "winner",
) -> dict[str, str]:
    """Files of a folder that ``pip install`` builds, by path.

    Args:
        program: the program.
        n_features: number of features that it is compiled for; with several classes at least as many.
        metric, provenance, table: as for `azgen.export`.
        conditions: number type and epochs, likewise.
        classes: how many there are, for programs of the vector form; else 0.
        name: of the package, an identifier.

    Raises:
        AzgenError: an argument makes no sense.
    """
    if not name.isidentifier() or not name.isascii():
        raise AzgenError(f"{name!r} is no name for a package; letters, digits and _ will do")
    several = program.form == VECTOR
    classifier = several or is_classification(metric or "rmse")
    header = render_c(
        program,
        n_features,
        metric=metric,
        conditions=conditions,
        classes=classes,
        provenance=provenance,
        constants_given=True,
    )
    module = render_module(
        program,
        metric=metric,
        dtype=conditions.dtype,
        epochs=conditions.epochs,
        provenance=provenance,
        table=table,
        module_name=name,
    )
    about = {"name": name, "F": n_features, "classes": classes if several else 0, "dtype": conditions.dtype}
    around = {path: _rendered(program, classifier, template, about) for path, template in _AROUND.items()}
    files = around | {"{name}/learner.h": header, "{name}/python.py": module}
    return {path.format(name=name): text for path, text in files.items()}


_AROUND = {
    "pyproject.toml": "pyproject.toml",
    "setup.py": "setup.py",
    "{name}/__init__.py": "init.py",
    "{name}/_learner.pyx": "learner.pyx",
}
"""Templates of the files around both forms of the program, by path."""


def _rendered(program: Program, classifier: bool, template: str, about: dict[str, Any]) -> str:
    """A file of the package."""
    flow = Flow(program, classifier)
    Namer(flow)  # names the parameters
    return (
        environment()
        .get_template(f"export/cython/{template}.j2")
        .render(
            class_name=class_name_of(classifier),
            arguments=[parameter for parameter in flow.parameters if not parameter.literal],
            stochastic=flow.program.stochastic,
            **about,
        )
    )
