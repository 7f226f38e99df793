"""`azgen report` and `azgen plot`: runs as pages and figures."""

from __future__ import annotations

from pathlib import Path

import typer

from azgen.cli.options import use_build_directory
from azgen.cli.output import size
from azgen.cli.references import find_run
from azgen.errors import AzgenError
from azgen.files import check_file_place, trouble, write_file
from azgen.study.report.page import render_report
from azgen.study.report.plots import chosen, require_matplotlib, save


def report(reference: str, output: Path | None, worth: bool, build_dir: Path | None) -> None:
    """Writes a run as one HTML page."""
    use_build_directory(build_dir)
    run = find_run(reference)
    output = output or run.path / "report.html"
    check_file_place(output)
    text = render_report(run, worth=worth)
    write_file(output, text)
    typer.echo(f"{output}: {size(output.stat().st_size)}, everything inside; open it in a browser")


def plot(reference: str, names: list[str] | None, output: Path | None, png: bool) -> None:
    """Writes a run's figures, each as a file of its own."""
    require_matplotlib()
    run = find_run(reference)
    found = chosen(run, names or ())
    output = output or run.path / "plots"
    try:
        output.mkdir(exist_ok=True)
    except OSError as error:
        raise AzgenError(f"cannot write into {output}: {trouble(error)}") from None
    for each in found:
        path = output / f"{each.name}.{'png' if png else 'svg'}"
        save(each, path)
        typer.echo(f"{path}: {each.title.lower()}")
