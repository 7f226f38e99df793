"""Tables as people have them: how a file is written makes no difference to what is read."""

import bz2
import gzip
import lzma
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azgen.errors import AzgenError
from azgen.tasks.readers import read_table
from azgen.tasks.readers.numerals import MISSING_IN_TEXT
from tests.tasks.tables import table_tasks

NAMES = ["a", "height, cm", "y"]
VALUES = np.random.default_rng(0).normal(size=(30, 3)).round(3) * [1, 1000, 10]


def _cell(text, delimiter):
    return f'"{text}"' if delimiter in text else text


def _lines(delimiter=",", decimal=".", values=VALUES):
    yield delimiter.join(_cell(name, delimiter) for name in NAMES)
    for row in values:
        yield delimiter.join(_cell(f"{value:.3f}".replace(".", decimal), delimiter) for value in row)


def _german(value):
    return f"{value:,.3f}".replace(",", "_").replace(".", ",").replace("_", ".")


def _written(way):
    """The same table, written in another way: its text, and the ending of the file's name."""
    plain = list(_lines())
    match way:
        case "plain":
            return plain, ".csv"
        case "semicolons and decimal commas":
            return list(_lines(";", ",")), ".csv"
        case "semicolons, decimal commas and dots between thousands":
            return [";".join(NAMES), *(";".join(map(_german, row)) for row in VALUES)], ".csv"
        case "commas and decimal commas":
            return list(_lines(",", ",")), ".csv"
        case "commas between thousands":
            return [plain[0], *(",".join(f'"{value:,.3f}"' for value in row) for row in VALUES)], ".csv"
        case "gaps between thousands":
            return [
                ";".join(NAMES),
                *(";".join(f"{v:,.3f}".replace(",", "\u202f") for v in row) for row in VALUES),
            ], ".csv"
        case "typographic minus signs":
            return [plain[0], *(line.replace("-", "\u2212") for line in plain[1:])], ".csv"
        case "bars":
            return list(_lines("|")), ".csv"
        case "blanks":
            return ['a   "height, cm" y', *("  " + line for line in list(_lines("   "))[1:])], ".txt"
        case "a first line sep=":
            return ["sep=;", *_lines(";")], ".csv"
        case "comment lines":
            return ["# exported 2026-01-02", "# units: m, kg, s, A", "", *plain], ".csv"
        case "a header that begins with #":
            return ["#" + plain[0], *plain[1:]], ".csv"
        case "a nameless index":
            return ["," + plain[0], *(f"{i},{line}" for i, line in enumerate(plain[1:]))], ".csv"
        case "row names of R":
            return ['"",' + plain[0], *(f'"r{i}",{line}' for i, line in enumerate(plain[1:]))], ".csv"
        case "row names that the header does not count":
            tabs = list(_lines("\t"))
            return [tabs[0], *(f"r{i}\t{line}" for i, line in enumerate(tabs[1:]))], ".tsv"
        case "a separator behind every line":
            return [line + "," for line in plain], ".csv"
        case "a separator behind every row":
            return [plain[0], *(line + "," for line in plain[1:])], ".csv"
        case "rows of nothing":
            return [*plain[:9], ",,", *plain[9:], ",,", ' , ,""'], ".csv"
        case "no header":
            return plain[1:], ".csv"
        case "UTF-16":
            return plain, ".csv"
        case "Latin-1":
            return [line.replace("height", "Höhe") for line in plain], ".csv"
        case "currency signs":
            signs = {True: "-", False: ""}
            cells = [[f'"{signs[bool(v < 0)]}$ {abs(v):,.3f}"' for v in row] for row in VALUES]
            return [plain[0], *map(",".join, cells)], ".csv"
        case "percent signs":
            return [plain[0], *(line.replace(",", " %,") + "%" for line in plain[1:])], ".csv"
        case "blanks around cells":
            return [plain[0], *(line.replace(",", " , ") + " " for line in plain[1:])], ".csv"
    raise AssertionError(way)


WAYS = [
    "plain",
    "semicolons and decimal commas",
    "semicolons, decimal commas and dots between thousands",
    "commas and decimal commas",
    "commas between thousands",
    "gaps between thousands",
    "typographic minus signs",
    "bars",
    "blanks",
    "a first line sep=",
    "comment lines",
    "a header that begins with #",
    "a nameless index",
    "row names of R",
    "row names that the header does not count",
    "a separator behind every line",
    "a separator behind every row",
    "rows of nothing",
    "blanks around cells",
    "no header",
    "UTF-16",
    "Latin-1",
    "currency signs",
    "percent signs",
]


@pytest.mark.parametrize("way", WAYS)
def test_a_table_is_the_same_however_it_is_written(tmp_path, way):
    lines, ending = _written(way)
    path = tmp_path / f"table{ending}"
    encoding = {"UTF-16": "utf-16", "Latin-1": "latin-1"}.get(way, "utf-8")
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    table = read_table(path)
    names = ["1", "2", "3"] if way == "no header" else NAMES
    assert [name.lstrip("#").replace("Höhe", "height") for name in table.names] == names
    np.testing.assert_array_equal(table.columns.to_numpy(), VALUES.round(3))
    assert len(table_tasks(path, names[-1]).feature_names) == 2


@pytest.mark.parametrize(
    ("lines", "has_header"),
    [
        (["5.1,3.5,setosa", "4.9,3.0,setosa", "4.7,3.2,virginica"], False),
        (["2019,2020,2021", "1.5,2,3", "2.5,3,4", "3,4,5"], True),
        (["0,1,2", "1.5,2,3", "2.5,3,4", "3,4,5"], True),
        (["city,2019", "Rome,2", "Oslo,3", "Bern,4"], True),
        (["id,2019,x", "1,2,3", "2,3,4", "3,4,5"], True),
        (["a,b", "x,y", "y,z", "z,x"], True),
    ],
)
def test_a_header_is_told_from_a_row_of_data(tmp_path, lines, has_header):
    path = tmp_path / "table.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    table = read_table(path)
    assert len(table) == len(lines) - has_header
    assert has_header == (table.names == lines[0].split(","))


@pytest.mark.parametrize(("ending", "module"), [(".gz", gzip), (".bz2", bz2), (".xz", lzma), (".zip", None)])
def test_compressed_files(tmp_path, ending, module):
    path = tmp_path / f"table.csv{ending}"
    text = ("\n".join(_lines()) + "\n").encode()
    if module:
        path.write_bytes(module.compress(text))
    else:
        path = tmp_path / "table.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("folder/table.csv", text)
    whole = path.read_bytes()
    np.testing.assert_array_equal(read_table(path).columns.to_numpy(), VALUES.round(3))
    for damaged in (whole[:60], b"no such stream", whole[:30] + bytes(40) + whole[70:]):
        path.write_bytes(damaged)
        with pytest.raises(AzgenError, match=r"table\.(csv|zip)"):
            read_table(path)


def test_what_was_read_in_an_unusual_way_is_said(tmp_path):
    for way, words in (
        ("a nameless index", "row names left out: the first column, which has no name"),
        ("semicolons and decimal commas", "numbers with decimal commas: a, height, cm, y"),
        ("rows of nothing", "3 rows of nothing left out"),
    ):
        lines, ending = _written(way)
        path = tmp_path / f"table{ending}"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        split = table_tasks(path, "y")
        assert words in split.description and words in split.provenance["remarks"]


def test_lines_are_counted_from_the_top_of_the_file(tmp_path):
    lines, _ = _written("comment lines")
    lines[10] = "1,2,bad"
    (tmp_path / "t.csv").write_text("\n".join(lines))
    with pytest.raises(AzgenError, match="line 11, column 'y': 'bad'"):
        table_tasks(tmp_path / "t.csv", "y")


CATEGORIES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Z")), min_size=1, max_size=6).filter(
    lambda text: text not in MISSING_IN_TEXT
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CATEGORIES, min_size=3, max_size=6, unique=True))
def test_named_categories_and_classes_keep_their_text(tmp_path, categories):
    number = np.arange(90) % len(categories)
    frame = pd.DataFrame({"kind": np.array(categories, dtype=object)[number], "x": np.sin(np.arange(90.0))})
    frame["y"] = number + 0.01 * frame.x
    frame["class"] = [f"class {category}" for category in frame.kind]
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False, quoting=1, encoding="utf-8")
    options = dict(categorical=("kind",), drop=("class",))
    assert set(table_tasks(path, "y", **options).feature_names) == {*(f"kind={c}" for c in categories), "x"}
    options = dict(categorical=("kind",), drop=("y",))
    assert set(table_tasks(path, "class", **options).label_names) == set(frame["class"])


def test_zip_codes_and_none(tmp_path):
    rows = [
        f"{('1234', '01234', '00501')[i % 3]},{('None', 'Wire', 'NA')[i % 3]},{i},{i % 3}" for i in range(60)
    ]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["zip,fence,x,y", *rows]))
    features = dict(categorical=("zip", "fence"), impute="mean")
    split = table_tasks(path, "y", kind="regression", **features)
    assert split.feature_names == ("zip=00501", "zip=01234", "zip=1234", "fence=Wire", "x")
    assert "20 empty cells" in split.description


def test_a_class_can_be_called_none(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["x,fence", *(f"{i * i % 7},{('None', 'Wire')[i % 2]}" for i in range(60))]))
    assert table_tasks(path, "fence").label_names == ("None", "Wire")


def test_the_stored_index_of_a_parquet_file_is_no_feature(tmp_path):
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    frame = pd.DataFrame(VALUES, columns=["a", "b", "y"])
    for index in (
        frame.sample(frac=1, random_state=0),
        frame.set_index(pd.Index([f"customer {i}" for i in range(30)], name="customer")),
    ):
        index.to_parquet(tmp_path / "t.parquet")
        split = table_tasks(tmp_path / "t.parquet", "y")
        assert split.feature_names == ("a", "b") and "row names left out" in split.description
