"""A program as a compiled package: the exported Python module, and its estimator around the C99 export."""

from __future__ import annotations

from azgen.codegen.templates import environment
from azgen.errors import AzgenError
from azgen.exports.c import render_c
from azgen.exports.flow import Flow
from azgen.exports.module import class_name_of, render_module
from azgen.exports.names import Namer
from azgen.exports.provenance import Provenance
from azgen.language import Program
from azgen.language.instruction import VECTOR
from azgen.language.metrics import Metric, is_classification
from azgen.tasks.reading import TableReading


def render_package(
    program: Program,
    n_features: int,
    *,
    metric: Metric | None = None,
    dtype: str = "float32",
    epochs: int = 1,
    classes: int = 0,
    provenance: Provenance | None = None,
    table: TableReading | None = None,
    name: str = "winner",
) -> dict[str, str]:
    """Files of a folder that ``pip install`` builds, by path.

    Args:
        program: the program.
        n_features: number of features that it is compiled for; with several classes at least as many.
        metric, dtype, epochs, provenance, table: as for `azgen.export`.
        classes: how many there are, for programs of the vector form; else 0.
        name: of the package, an identifier.

    Raises:
        AzgenError: an argument makes no sense.
    """
    if not name.isidentifier() or not name.isascii():
        raise AzgenError(f"{name!r} is no name for a package; letters, digits and _ will do")
    several = program.form == VECTOR
    classifier = several or is_classification(metric or "rmse")
    flow = Flow(program, classifier)
    Namer(flow)  # names the parameters
    about = {
        "name": name,
        "F": n_features,
        "classes": classes if several else 0,
        "class_name": class_name_of(classifier),
        "dtype": dtype,
        "arguments": [parameter for parameter in flow.parameters if not parameter.literal],
        "stochastic": flow.program.stochastic,
    }

    def rendered(template: str) -> str:
        return environment().get_template(f"export/cython/{template}.j2").render(**about)

    header = render_c(
        program,
        n_features,
        metric=metric,
        dtype=dtype,
        classes=classes,
        provenance=provenance,
        constants_given=True,
    )
    module = render_module(
        program,
        metric=metric,
        dtype=dtype,
        epochs=epochs,
        provenance=provenance,
        table=table,
        module_name=name,
    )
    return {
        "pyproject.toml": rendered("pyproject.toml"),
        "setup.py": rendered("setup.py"),
        f"{name}/__init__.py": rendered("init.py"),
        f"{name}/_learner.pyx": rendered("learner.pyx"),
        f"{name}/learner.h": header,
        f"{name}/python.py": module,
    }
