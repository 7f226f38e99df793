"""Every bad table gets one clear message: the file, the line, the column, what to do."""

import numpy as np
import pandas as pd
import pytest

from azgen.errors import AzgenError
from azgen.tasks import read_table
from azgen.tasks.readers import memory
from tests.tasks.tables import table_tasks


def rows(n=20):
    return [["a", "b", "y"], *([str(i * 1.5), str(i * i % 17), str(i * 0.25)] for i in range(n))]


def message(tmp_path, content, target="y", name="bad.csv", **options):
    """What table_tasks says about a file with this content: bytes, text, or rows of cells."""
    path = tmp_path / name
    if isinstance(content, list):
        content = "\n".join(",".join(row) for row in content) + "\n"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(AzgenError) as caught:
        table_tasks(path, target, **options)
    text = str(caught.value)
    assert str(path) in text
    assert "\n" not in text
    return text


def test_a_missing_file_suggests_its_neighbour(tmp_path):
    (tmp_path / "wine.csv").write_text("a,y\n1,2\n")
    with pytest.raises(AzgenError, match=r"wines.csv: there is no such file\. Did you mean .*wine\.csv\?"):
        table_tasks(tmp_path / "wines.csv", "y")
    with pytest.raises(AzgenError, match=r"there is no such file$"):
        table_tasks(tmp_path / "no" / "where.csv", "y")


def test_a_folder_a_device_and_an_unknown_format(tmp_path):
    with pytest.raises(AzgenError, match=r"is a folder; a file is needed"):
        table_tasks(tmp_path, "y")
    with pytest.raises(AzgenError, match="is not an ordinary file"):
        table_tasks("/dev/null", "y")
    with pytest.raises(AzgenError, match="is no file name"):
        table_tasks("a\0b.csv", "y")
    (tmp_path / "d.docx").write_bytes(b"PK")
    with pytest.raises(AzgenError, match=r"a file that ends in '\.docx' cannot be read .* \.csv, \.tsv"):
        table_tasks(tmp_path / "d.docx", "y")


def test_empty_files(tmp_path):
    assert "is empty" in message(tmp_path, b"")
    assert "nothing but blank lines" in message(tmp_path, "\n\n  \n")
    assert "a header line but no rows of data" in message(tmp_path, "a,b,y\n")


def test_a_missing_target_lists_the_columns_and_suggests_the_closest(tmp_path):
    text = message(tmp_path, rows(), target="Y ")
    assert "there is no target column 'Y '. Did you mean 'y'? The columns are: a, b, y" in text
    assert "which column is the target? The columns are: a, b, y" in message(tmp_path, rows(), target="")
    assert "is the header line missing?" in message(tmp_path, rows()[1:])
    wide = [[f"c{i}" for i in range(50)], *[["1"] * 50] * 3]
    assert "… (50 in all)" in message(tmp_path, wide)


def test_text_in_a_feature_column_is_named_by_line_and_column(tmp_path):
    bad = rows()
    bad[7][1] = "n.a. (see notes)"
    bad[12][1] = "other"
    text = message(tmp_path, bad)
    assert "line 8, column 'b': 'n.a. (see notes)' is not a number" in text
    assert 'tasks={"drop": ["b"]}' in text and 'tasks={"categorical": ["b"]}' in text
    # A column that is all text but one number is not silently taken for categories.
    mixed = [["a", "y"], *([f"t{i % 3}", str(i)] for i in range(20)), ["5", "1"]]
    text = message(tmp_path, mixed, categorical=("auto",))
    assert "line 2, column 'a': 't0' is not a number" in text


def test_lines_are_counted_over_quoted_line_ends_and_blank_lines(tmp_path):
    lines = ["a,note,y", '1,"two\nlines",3', "", *[f"{i},1,{i}" for i in range(20)], "4,5,bad", "6,7,8"]
    text = message(tmp_path, "\n".join(lines), drop=("note",))
    assert "line 25, column 'y': 'bad' is not a number; correct it" in text


def test_constant_columns(tmp_path):
    bad = [[*row, "k" if i == 0 else "7"] for i, row in enumerate(rows())]
    text = message(tmp_path, bad)
    assert "a constant column tells nothing: k (always 7)" in text and "drop_constant" in text


def test_empty_cells_are_counted(tmp_path):
    bad = rows()
    bad[5][0] = ""
    bad[3][1] = "NaN"
    bad[9][1] = "NA"
    text = message(tmp_path, bad)
    assert "3 feature cells are empty or NaN, in a, b; the first is in line 4, column 'b'" in text
    assert 'tasks={"impute": "mean"} or tasks={"impute": "median"}' in text
    bad[6][2] = ""
    assert "the target column 'y' is empty in 1 rows, first in line 7; remove those rows" in message(
        tmp_path, bad
    )


def test_one_class_only(tmp_path):
    text = message(tmp_path, [[*row[:2], "y" if i == 0 else "spam"] for i, row in enumerate(rows())])
    assert "is spam in every row (one class only, or a constant); there is nothing to learn" in text
    assert "is 3 in every row" in message(
        tmp_path, [[*row[:2], "y" if i == 0 else "3"] for i, row in enumerate(rows())]
    )


def test_too_few_rows(tmp_path):
    assert "has 9 rows of data; at least 10 are needed" in message(tmp_path, rows(9))
    bad = [[*row[:2], "y" if i == 0 else ("rare" if i < 4 else "common")] for i, row in enumerate(rows())]
    assert "class 'rare' has 3 rows; at least 5 of each class are needed" in message(tmp_path, bad)


@pytest.mark.parametrize("cell", ["inf", "-inf", "1e39", "-4e38", "1e400", "9" * 50])
def test_values_beyond_float32(tmp_path, cell):
    bad = rows()
    bad[4][0] = cell
    text = message(tmp_path, bad)
    assert "line 5, column 'a'" in text and "beyond the range of float32" in text
    bad = rows()
    bad[6][2] = cell
    assert "line 7, column 'y'" in message(tmp_path, bad)


def test_duplicate_and_missing_names(tmp_path):
    assert "two columns are called 'a'" in message(tmp_path, [["a", " a", "y"], *rows()[1:]])
    assert "column 2 has no name" in message(tmp_path, [["a", "", "y"], *rows()[1:]])


def test_ragged_rows(tmp_path):
    for cells in (["1", "2"], ["1", "2", "3", "4"]):
        bad = rows()
        bad[10] = cells
        assert f"line 11: {len(cells)} cells, but the header has 3" in message(tmp_path, bad)
    short_header = [["a", "y"], *rows()[1:]]
    assert "line 2: 3 cells, but the header has 2" in message(tmp_path, short_header)


def test_what_is_no_text(tmp_path):
    assert "not UTF-8" in message(tmp_path, "a,b,y\nm\x81de,1,2\n".encode("latin-1"))
    assert "1 rows of data" in message(tmp_path, "a,b,y\n1,1,2\n".encode("utf-16"))
    assert "a zero byte" in message(tmp_path, b"a,b,y\n1,2,3\n1,\0,3\n")
    noise = np.random.default_rng(0).integers(0, 256, 5000).astype(np.uint8).tobytes()
    assert "not a text file" in message(tmp_path, noise) or "not UTF-8" in message(tmp_path, noise)


def test_an_open_quotation_mark(tmp_path):
    assert "is a quotation mark left open?" in message(tmp_path, 'a,b,y\n1,"2,3\n4,5,6\n')


def test_identifiers_are_no_categories(tmp_path):
    columns = pd.DataFrame(
        {"id": [f"user{i:04d}" for i in range(200)], "x": range(200), "y": np.arange(200) * 0.5}
    )
    columns.to_csv(tmp_path / "d.csv", index=False)
    with pytest.raises(AzgenError, match=r"column 'id' has 160 categories, more than 50; .*drop.*id"):
        table_tasks(tmp_path / "d.csv", "y", categorical=("id",))
    with pytest.raises(AzgenError, match="column 'y' is categorical, but it is no feature column"):
        table_tasks(tmp_path / "d.csv", "y", categorical=("y",))


def test_no_feature_column(tmp_path):
    text = message(tmp_path, [["y"], *[[str(i)] for i in range(20)]])
    assert "there is no feature column to learn from" in text


def test_a_lone_empty_cell(tmp_path):
    assert "line 4: the only cell is empty" in message(tmp_path, 'y\n1\n2\n""\n3\n')


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".arff"])
def test_a_file_larger_than_memory_is_refused_before_it_is_read(tmp_path, ending):
    """A sparse file of 4 TiB takes no room on the disk, and reading it would take hours."""
    path = tmp_path / f"huge{ending}"
    with path.open("wb") as file:
        file.write(b"a,b,y\n")
        file.truncate(4 * 2**40)
    with pytest.raises(AzgenError, match=r"huge\.\w+ holds 4\.0 TiB; reading it takes about .* is available"):
        read_table(path)


def test_available_memory_is_a_sensible_number():
    available = memory.available_memory()
    assert available is not None and 2**20 < available < 2**50


def test_an_unreadable_file(tmp_path, monkeypatch):
    path = tmp_path / "d.csv"
    path.write_text("a,y\n1,2\n")
    path.chmod(0)
    try:
        path.read_bytes()
    except PermissionError:
        with pytest.raises(AzgenError, match="cannot be read: Permission denied"):
            read_table(path)
    else:
        pytest.skip("the superuser can read every file")
