"""Options of tables as they are typed: lists add up, and any column can be named."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azgen.cli.values import listed_names
from azgen.errors import AzgenError
from azgen.runs.saved import load_run
from tests.commands import azgen

NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).filter(
    lambda name: name == name.strip()
)


@given(st.lists(NAMES, max_size=5))
def test_any_names_can_be_said_in_one_option(names):
    text = io.StringIO()
    csv.writer(text, lineterminator="", quoting=csv.QUOTE_ALL).writerow(names)
    assert listed_names(text.getvalue()) == names


def test_names_without_quotation_marks_stand_between_commas():
    assert listed_names("a, b ,,c d") == ["a", "b", "c d"]


def test_an_open_quotation_mark_is_said():
    with pytest.raises(AzgenError, match="quotation mark"):
        listed_names('a,"b')


def _table(path):
    rows = [f"{i % 7},{i},{3 * i},{'red' if i % 3 else 'blue'},{i % 2},{i % 5 + 0.5 * i}" for i in range(40)]
    path.write_text("\n".join(['a,id,"y, next year",colour,zip,y', *rows]) + "\n")
    return path


@pytest.mark.parametrize(
    "options",
    [
        ("--drop", "id", "--drop", '"y, next year"'),
        ("--drop", 'id,"y, next year"'),
        ("--drop", '"y, next year"', "--drop", "id", "--drop", "id"),
    ],
)
def test_dropped_columns_add_up(tmp_path, options):
    path = _table(tmp_path / "table.csv")
    text = azgen("data", path, "--target", "y", *options, "--categorical", "colour", "--draw", "--json")
    assert '"features": ["a", "colour=red", "zip"]' in text, text


def test_auto_joins_with_named_categories(tmp_path):
    path = _table(tmp_path / "table.csv")
    drop = ("--drop", 'id,"y, next year",a')
    text = azgen(
        "data",
        path,
        "--target",
        "y",
        *drop,
        "--categorical",
        "auto",
        "--categorical",
        "zip",
        "--draw",
        "--json",
    )
    assert '"features": ["colour=red", "zip=1"]' in text, text


def test_the_run_keeps_what_was_dropped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = _table(tmp_path / "table.csv")
    azgen(
        "evolve", "--data", path, "--target", "y", "--drop", "id",
        "--drop", '"y, next year"', "--categorical", "auto", "--max-programs", 2000, "--baselines", "few",
    )  # fmt: skip
    assert load_run("runs/table-table-0").settings.tasks.drop == ("id", "y, next year")
