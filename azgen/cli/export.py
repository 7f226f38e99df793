"""`azgen export`: a program in the forms that others run, compile and read."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import typer

from azgen.cli.commands.export import FORMS, ExportOptions
from azgen.cli.references import Reference, find, metric_of
from azgen.errors import AzgenError
from azgen.execution.layout import check_width
from azgen.exports.c import render_c
from azgen.exports.mathematics import render_latex, render_markdown
from azgen.exports.module import render_module
from azgen.exports.package import render_package
from azgen.exports.place import check_folder, check_place, write_export, write_folder
from azgen.exports.provenance import Provenance
from azgen.exports.structure import render_json
from azgen.exports.symbolic import render_sympy
from azgen.language.conditions import Conditions
from azgen.language.instruction import VECTOR
from azgen.language.metrics import Metric
from azgen.runs.directory import ENVIRONMENT
from azgen.settings.resolve import PICKS, parse_pick
from azgen.study.champion import BEST_START
from azgen.study.exporting import provenance_of
from azgen.tasks.reading import TableReading, table_reading
from azgen.version import azgen_version


@dataclass(frozen=True)
class Export:
    """What is exported, and how.

    Attributes:
        found: the program.
        metric: see `azgen.export`.
        conditions: number type and epochs, likewise.
        features, classes: how many there are; None: not said.
        provenance: where it comes from.
        table: what its run did to its table.
    """

    found: Reference
    metric: Metric
    conditions: Conditions
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
        if self.features is None:
            raise AzgenError("say how many features there are: --features F")
        several = self.found.program.form == VECTOR
        if self.classes and not several:
            raise AzgenError(f"--classes is for programs of several classes ({VECTOR})")
        classes = (self.classes or self.features) if several else 0
        check_width(self.features, classes)
        return self.features, classes


def _python(what: Export, path: Path) -> str:
    return render_module(
        what.found.program,
        metric=what.metric,
        dtype=what.conditions.dtype,
        epochs=what.conditions.epochs,
        provenance=what.provenance,
        table=what.table,
        module_name=path.stem,
    )


def _c(what: Export, path: Path) -> str:
    features, classes = what.sizes
    return render_c(
        what.found.program,
        features,
        metric=what.metric,
        conditions=what.conditions,
        classes=classes,
        provenance=what.provenance,
        name=path.stem,
    )


def _latex(what: Export, path: Path) -> str:
    return render_latex(what.found.program, metric=what.metric, provenance=what.provenance)


def _markdown(what: Export, path: Path) -> str:
    return render_markdown(what.found.program, metric=what.metric, provenance=what.provenance)


def _json(what: Export, path: Path) -> str:
    return render_json(what.found.program, metric=what.metric, provenance=what.provenance)


def _sympy(what: Export, path: Path) -> str:
    features, classes = what.sizes
    return render_sympy(
        what.found.program, features, metric=what.metric, classes=classes, provenance=what.provenance
    )


def _cython(what: Export, path: Path) -> dict[str, str]:
    features, classes = what.sizes
    return render_package(
        what.found.program,
        features,
        metric=what.metric,
        conditions=what.conditions,
        classes=classes,
        provenance=what.provenance,
        table=what.table,
        name=path.name,
    )


RENDERERS: Mapping[str, Callable[[Export, Path], str | dict[str, str]]] = {
    "python": _python,
    "c": _c,
    "latex": _latex,
    "markdown": _markdown,
    "cython": _cython,
    "json": _json,
    "sympy": _sympy,
}
"""What writes the text, by form."""


def export(reference: str, output: Path | None, wanted: ExportOptions) -> None:
    """Writes a program in one of the forms."""
    form = wanted.form
    if form not in FORMS:
        raise AzgenError(f"there is no form {form!r}; there are {', '.join(FORMS)}")
    ending, advice = FORMS[form]
    found = find(reference, wanted.ops, _which(wanted.rank, wanted.pick))
    path = output or Path(f"{found.name.replace('-', '_')}{ending}")
    if output is None and path.exists():
        raise AzgenError(f"{path} exists; name a file with -o (an existing one is replaced)")
    if form == "cython":
        check_folder(path)
    else:
        check_place(path)
    text = RENDERERS[form](_export_of(found, wanted), path)
    if isinstance(text, dict):
        write_folder(path, text)
    else:
        write_export(path, text)
    typer.echo(f"{path}: {advice}")
    if form == "python":
        typer.echo(f"run it on a table with: python {path} data.csv --target COLUMN")


def _export_of(found: Reference, wanted: ExportOptions) -> Export:
    """What is exported: as it was asked for, and else as the program's run says."""
    run = found.run
    knows = run.environment if run else {}
    return Export(
        found,
        metric_of(found, wanted.metric, wanted.ops),
        Conditions(
            dtype=wanted.dtype or (run.settings.dtype if run else "float32"),
            epochs=run.settings.execution.epochs if run else 1,
            fused=wanted.fused if wanted.fused is not None else bool(run and run.settings.execution.fused),
        ),
        wanted.features or knows.get("n_features"),
        wanted.classes or knows.get("classes") or None,
        _provenance(found),
        table_reading(run.environment.get("data", {}), str(run.path / ENVIRONMENT)) if run else None,
    )


def _provenance(found: Reference) -> Provenance:
    """Where the program comes from."""
    if found.run is not None and found.champion is not None:
        return provenance_of(found.run, found.champion)
    today = datetime.date.today().isoformat()
    return Provenance(note=f"The program is {found.given}.", version=azgen_version(), date=today)


def _which(rank: int | None, pick: str | None) -> str | int | None:
    """What `--member` or `--pick` say."""
    if rank is not None and pick is not None:
        raise AzgenError("--member and --pick exclude each other")
    return rank if pick is None else parse_pick(pick, (*PICKS, BEST_START))
