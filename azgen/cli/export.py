"""`azgen export`: a program in the forms that others run, compile and read."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from azgen.cli.app import app
from azgen.cli.options import OpsOption
from azgen.cli.programs import PANEL, REFERENCE, MemberOption, Reference, find, metric_of
from azgen.errors import AzgenError

if TYPE_CHECKING:
    from azgen.exports.provenance import Provenance
    from azgen.language.metrics import Metric
    from azgen.tasks.reading import TableReading


@dataclass(frozen=True)
class Export:
    """What is exported, and how.

    Attributes:
        found: the program.
        metric, dtype, epochs: see `azgen.export`.
        features, classes: how many there are; None: not said.
        provenance: where it comes from.
        table: what its run did to its table.
    """

    found: Reference
    metric: Metric
    dtype: str
    epochs: int
    features: int | None
    classes: int | None
    provenance: Provenance
    table: TableReading | None

    @property
    def sizes(self) -> tuple[int, int]:
        """Number of features and of classes, 0 for the scalar form.

        Raises:
            AzgenError: they are not known.
        """
        from azgen.execution.layout import check_width
        from azgen.language.instruction import VECTOR

        if self.features is None:
            raise AzgenError("say how many features there are: --features F")
        several = self.found.program.form == VECTOR
        if self.classes and not several:
            raise AzgenError(f"--classes is for programs of several classes ({VECTOR})")
        classes = (self.classes or self.features) if several else 0
        check_width(self.features, classes)
        return self.features, classes


def _python(what: Export, path: Path) -> str:
    from azgen.exports.module import render_module

    return render_module(
        what.found.program,
        metric=what.metric,
        dtype=what.dtype,
        epochs=what.epochs,
        provenance=what.provenance,
        table=what.table,
        module_name=path.stem,
    )


def _c(what: Export, path: Path) -> str:
    from azgen.exports.c import render_c

    features, classes = what.sizes
    return render_c(
        what.found.program,
        features,
        metric=what.metric,
        dtype=what.dtype,
        classes=classes,
        provenance=what.provenance,
        name=path.stem,
    )


def _latex(what: Export, path: Path) -> str:
    from azgen.exports.mathematics import render_latex

    return render_latex(what.found.program, metric=what.metric, provenance=what.provenance)


def _markdown(what: Export, path: Path) -> str:
    from azgen.exports.mathematics import render_markdown

    return render_markdown(what.found.program, metric=what.metric, provenance=what.provenance)


def _sympy(what: Export, path: Path) -> str:
    from azgen.exports.symbolic import render_sympy

    features, classes = what.sizes
    return render_sympy(
        what.found.program, features, metric=what.metric, classes=classes, provenance=what.provenance
    )


def _cython(what: Export, path: Path) -> dict[str, str]:
    from azgen.exports.package import render_package

    features, classes = what.sizes
    return render_package(
        what.found.program,
        features,
        metric=what.metric,
        dtype=what.dtype,
        epochs=what.epochs,
        classes=classes,
        provenance=what.provenance,
        table=what.table,
        name=path.name,
    )


FORMS: Mapping[str, tuple[str, Callable[[Export, Path], str | dict[str, str]], str]] = {
    "python": (".py", _python, "read the class Learner at its top"),
    "c": (".h", _c, "C99 without allocation; its first lines say how to use it"),
    "latex": (".tex", _latex, "formulas for a document that uses amsmath"),
    "markdown": (".md", _markdown, "formulas on a page"),
    "cython": ("", _cython, "a package of the same estimator, compiled: pip install it"),
    "sympy": ("_sympy.py", _sympy, "import `prediction` from it"),
}
"""Ending of the file, what writes its text, and what to say about it, by form."""


@app.command(rich_help_panel=PANEL)
def export(
    reference: str = typer.Argument(..., metavar="RUN | PROGRAM", help=REFERENCE),
    output: Path | None = typer.Option(
        None, "-o", "--out", "--output", metavar="FILE", help="File to write (cython: a folder)."
    ),
    metric: str | None = typer.Option(
        None,
        metavar="METRIC",
        help="rmse for a regressor (default), accuracy for a classifier (default for several classes); a run "
        "knows its own.",
    ),
    ops: OpsOption = None,
    dtype: str | None = typer.Option(
        None, metavar="TYPE", help="Number type: float32 (default) or float64; a run knows its own."
    ),
    rank: MemberOption = None,
    form: str = typer.Option(
        "python", metavar="FORM", help=f"What to write: {', '.join(FORMS)} (default python)."
    ),
    features: int | None = typer.Option(
        None, min=1, metavar="F", help="For c, cython and sympy: number of features; a run knows its own."
    ),
    classes: int | None = typer.Option(
        None,
        min=2,
        metavar="C",
        help="For these, and programs of several classes: how many (default: as many as features).",
    ),
    pick: str | None = typer.Option(
        None,
        metavar="RULE | N",
        help="Of a run, what this rule picks out of its hall of fame: best, cheapest-within-error, "
        "best-start (the zoo's best, tuned), or a rank.",
    ),
) -> None:
    """Write a program as a Python module that needs NumPy alone, or in other forms."""
    from azgen.exports.place import check_folder, check_place, write_export, write_folder
    from azgen.exports.provenance import Provenance
    from azgen.runs.directory import ENVIRONMENT
    from azgen.study.exporting import provenance_of
    from azgen.tasks.reading import table_reading
    from azgen.version import azgen_version

    if form not in FORMS:
        raise AzgenError(f"there is no form {form!r}; there are {', '.join(FORMS)}")
    ending, render, advice = FORMS[form]
    found = find(reference, ops, _which(rank, pick))
    run = found.run
    path = output or Path(f"{found.name.replace('-', '_')}{ending}")
    if output is None and path.exists():
        raise AzgenError(f"{path} exists; name a file with -o (an existing one is replaced)")
    if form == "cython":
        check_folder(path)
    else:
        check_place(path)
    made: dict[str, Any] = {"version": azgen_version(), "date": datetime.date.today().isoformat()}
    told = (
        Provenance(note=f"The program is {reference}.", **made)
        if run is None or found.champion is None
        else provenance_of(run, found.champion)
    )
    knows = run.environment if run else {}
    what = Export(
        found,
        metric_of(found, metric, ops),
        dtype or (run.settings.dtype if run else "float32"),
        run.settings.execution.epochs if run else 1,
        features or knows.get("n_features"),
        classes or knows.get("classes") or None,
        told,
        table_reading(run.environment.get("data", {}), str(run.path / ENVIRONMENT)) if run else None,
    )
    text = render(what, path)
    if isinstance(text, dict):
        write_folder(path, text)
    else:
        write_export(path, text)
    typer.echo(f"{path}: {advice}")
    if form == "python":
        typer.echo(f"run it on a table with: python {path} data.csv --target COLUMN")


def _which(rank: int | None, pick: str | None) -> str | int | None:
    """What `--member` or `--pick` say."""
    from azgen.settings.resolve import PICKS, parse_pick
    from azgen.study.champion import BEST_START

    if rank is not None and pick is not None:
        raise AzgenError("--member and --pick exclude each other")
    return rank if pick is None else parse_pick(pick, (*PICKS, BEST_START))
