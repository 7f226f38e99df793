"""`azgen report` and `azgen plot`: runs as pages and figures."""

from __future__ import annotations

from pathlib import Path

import typer

from azgen.cli.options import BuildDirOption, use_build_directory
from azgen.cli.output import size
from azgen.cli.references import RUN, find_run
from azgen.errors import AzgenError
from azgen.files import check_file_place, trouble, write_file
from azgen.study.report.page import render_report
from azgen.study.report.plots import chosen, require_matplotlib, save


def report(
    reference: str = RUN,
    output: Path | None = typer.Option(
        None, "-o", "--out", "--output", metavar="FILE.html", help="File to write (default RUN/report.html)."
    ),
    worth: bool = typer.Option(
        True, "--worth/--no-worth", help="Say what each line of the champion is worth, which executes it."
    ),
    build_dir: BuildDirOption = None,
) -> None:
    """Write a run as one HTML page: figures, sources side by side, explanation, tables. Needs matplotlib."""
    use_build_directory(build_dir)
    run = find_run(reference)
    output = output or run.path / "report.html"
    check_file_place(output)
    text = render_report(run, worth=worth)
    write_file(output, text)
    typer.echo(f"{output}: {size(output.stat().st_size)}, everything inside; open it in a browser")


def plot(
    reference: str = RUN,
    names: list[str] = typer.Argument(None, metavar="[PLOT]...", help="Which plots; without any, all."),
    output: Path | None = typer.Option(
        None, "-o", "--out", "--output", metavar="DIR", help="Folder to write into (default RUN/plots)."
    ),
    png: bool = typer.Option(False, "--png", help="PNG in place of SVG."),
) -> None:
    """Write a run's figures, each as a file of its own. Needs matplotlib."""
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
