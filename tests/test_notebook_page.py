"""docs/notebook.ipynb is executed as Jupyter does, and the page of the site shows what is in it."""

import re
from pathlib import Path

import pytest

from docs.pages import notebook

NOTEBOOK = Path(__file__).parents[1] / "docs" / "notebook.ipynb"


def test_the_notebook_runs_from_top_to_bottom(tmp_path, accept):
    nbformat = pytest.importorskip("nbformat", reason="Jupyter's nbclient is not installed")
    pytest.importorskip("ipykernel", reason="Jupyter's kernel is not installed")
    from nbclient import NotebookClient

    book = nbformat.read(NOTEBOOK, as_version=4)
    if not accept:  # as it is for readers, but for a quarter of the time
        book.cells[1].source = book.cells[1].source.replace('max_time="8s"', 'max_time="2s"')
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(book, timeout=300, kernel_name="python3", resources=resources).execute()
    outputs = [output for cell in book.cells for output in cell.get("outputs", ())]
    assert not [o for o in outputs if o.get("name") == "stderr"], "no warning"
    shown = str([o.get("data", o.get("text")) for o in outputs])
    for part in (
        "test fitness",
        "champion",
        "linear model:",
        "Predict: s1 = dot(",
        "report.html",
        "winner.py",
    ):
        assert part in shown
    assert (tmp_path / "runs/notebook/report.html").is_file() and (tmp_path / "winner.py").is_file()
    score = float(book.cells[-1].outputs[-1]["data"]["text/plain"])
    assert 0.3 < score < 0.7
    if accept:
        for cell in book.cells:
            cell.metadata.clear()
        nbformat.write(book, NOTEBOOK)


def test_what_is_kept_of_its_output_is_small_and_on_the_page():
    assert NOTEBOOK.stat().st_size < 60_000
    page = "\n".join(notebook())
    assert page.startswith("# A search in a notebook") and page.count("```") == 2 * page.count("```\n")
    assert "<table" in page and "gradient step:" in page and "run.report()" in page
    assert not re.search(r"/(?:tmp|home|work|root)/", page), "no place on the machine that wrote it"
