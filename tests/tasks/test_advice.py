"""Tables that need a word: marks of empty cells, rows without a label; all that is needed, at once."""

import shlex
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azgen.errors import AzgenError
from azgen.tasks.advice import advise, command
from azgen.tasks.readers import read_table
from azgen.tasks.sources import TableTasks
from tests.commands import azgen
from tests.exports.test_table_part import exported, same_as_the_run
from tests.tasks.tables import table_tasks

VALUES = np.random.default_rng(3).normal(size=(60, 2)).round(3)
SPLITS = dict(n_search=2, n_select=1, n_test=2)


def written(path, mark="", gap="", n_unlabelled=0):
    lines = ["a,b,y"]
    for i, (a, b) in enumerate(VALUES):
        y = gap if i < n_unlabelled else f"{a - 2 * b:.3f}"
        lines.append(f"{mark if i % 9 == 4 else a},{b},{y}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("mark", ["?", ".", "-", "-999", "no data", '"a, b"'])
def test_a_word_for_an_empty_cell_is_as_good_as_nothing(tmp_path, mark):
    plain = written(tmp_path / "plain.csv")
    marked = written(tmp_path / "marked.csv", mark)
    expected = table_tasks(plain, "y", impute="mean", **SPLITS)
    found = table_tasks(marked, "y", impute="mean", missing=("zz", mark.strip('"')), **SPLITS)
    np.testing.assert_array_equal(found.test[0].x_train, expected.test[0].x_train)
    same_as_the_run(marked, found, exported(found))


@pytest.mark.parametrize("gap", ["", "NA"])
def test_rows_without_a_label_are_left_out_on_request(tmp_path, gap):
    path = written(tmp_path / "table.csv", "0", gap, n_unlabelled=7)
    with pytest.raises(AzgenError, match="empty in 7 rows"):
        table_tasks(path, "y", **SPLITS)
    found = table_tasks(path, "y", drop_unlabelled=True, **SPLITS)
    assert found.provenance["rows"]["all"] == 53
    assert "7 rows without a label left out" in found.description
    module = exported(found)
    table = module.Table(path)
    assert module.DROP_UNLABELLED
    table.keep([word is not None for word in table.words("y")])
    assert len(table.lines) == 53 and table.lines[0] == 9


@st.composite
def needy(draw):
    """A table of columns that need a word, or none."""
    n, random = draw(st.integers(40, 60)), np.random.default_rng(draw(st.integers(0, 2**20)))
    kinds = draw(
        st.lists(
            st.sampled_from(
                ["number", "gap", "mark", "text", "names", "constant", "bad", "mixed", "same", "days"]
            ),
            min_size=0,  # one feature is enough
            max_size=5,
        )
    )
    columns = {"first": random.normal(size=n).round(3).astype(object)}
    for place, kind in enumerate(kinds):
        cells = random.normal(size=n).round(3).astype(object)
        if kind in ("gap", "mark", "bad"):
            cells[[3, 17]] = {"gap": "", "mark": draw(st.sampled_from("?.-")), "bad": "oops"}[kind]
        elif kind == "text":
            cells = np.array(["low", "mid", "high"], dtype=object)[np.arange(n) % 3]
        elif kind == "names":
            cells = np.array([f"row {i}" for i in range(n)], dtype=object)
        elif kind == "constant":
            cells[:] = 1
        elif kind == "mixed":
            cells = np.array(["4", "f", "r"], dtype=object)[np.arange(n) % 3]
        elif kind == "same":
            cells[:] = "here"
        elif kind == "days":
            cells = np.array([f"2025-{1 + i // 28:02}-{1 + i % 28:02}" for i in range(n)], dtype=object)
        columns[draw(st.sampled_from(["c", "c, d", 'say "c"'])) + str(place)] = cells
    target = draw(st.sampled_from(["number", "gap", "mark", "counts", "classes"]))
    y = random.normal(size=n).round(3).astype(object)
    if target == "counts":
        y = np.r_[np.arange(n - 1) % 3, 9].astype(object)
    elif target == "classes":
        y = np.array(["yes", "no"], dtype=object)[np.arange(n) % 2]
    elif target != "number":
        y[[0, 5]] = "" if target == "gap" else "?"
    return pd.DataFrame(columns | {"y": y}), kinds, target


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(needy())
def test_what_is_advised_is_enough_and_no_more(tmp_path, drawn):
    frame, kinds, target = drawn
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    tasks = TableTasks(data=str(path), target="y", n_search=2, n_select=1, n_test=1)
    full, advice = advise(read_table(path), "y", tasks)
    assert all(a.setting for a in advice)
    full.split(0)
    told = " ".join(str(getattr(full, name)) for name in ("categorical", "drop"))
    for place, kind in enumerate(kinds):
        said = (
            full.categorical if kind in ("text", "mixed") else full.drop if kind in ("names", "days") else ()
        )
        assert sum(name.endswith(str(place)) for name in said) == (
            kind in ("text", "mixed", "names", "days")
        ), told
    if not set(kinds) - {"number"} and target in ("number", "classes"):
        assert not advice and full == tasks
    words = shlex.split(command(str(path), "y", full))
    assert words[:6] == ["azgen", "evolve", "--data", str(path), "--target", "y"]
    assert ("--drop-unlabelled" in words) == (target in ("gap", "mark"))
    assert ("--kind" in words) == (target == "counts")


def test_azgen_data_tells_all_at_once_and_the_command_that_works(tmp_path):
    rows = [(a, "?" if i == 3 else b, f"x{i % 3}", 1, i if i > 2 else "") for i, (a, b) in enumerate(VALUES)]
    lines = ["a,b,c,d,y", *(",".join(map(str, row)) for row in rows)]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = azgen("data", path, "--target", "y")
    for said in ("--missing ?", "--drop-unlabelled", "--categorical c", "--drop-constant", "--impute mean"):
        assert said in text
    line = next(line for line in text.splitlines() if line.startswith("azgen data") and "--draw" in line)
    drawn = azgen(*shlex.split(line.partition("#")[0])[1:])
    assert "57 rows, 5 features" in drawn
    message = azgen("evolve", "--data", path, "--target", "y", "--drop-unlabelled", status=2)
    assert "'?' is not a number" in message and "text is also in c" in message


def test_excel_files_are_tables(tmp_path):
    path, frame = tmp_path / "table.xlsx", pd.DataFrame({"a": VALUES[:, 0], "c": "x", "y": VALUES[:, 1]})
    pytest.importorskip("openpyxl")
    frame.to_excel(path)  # with an index, which has no name
    table = read_table(path)
    assert table.row_names == ("Unnamed: 0",)
    np.testing.assert_array_equal(table.columns[["a", "y"]], VALUES)
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(AzgenError, match="no readable Excel"):
        read_table(path)


def advice_for(tmp_path, text, **told):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    full, found = advise(read_table(path), "y", TableTasks(data=str(path), target="y", **told))
    full.split(0)  # it can be learned from
    return full, found


def lines(head, *columns):
    return head + "\n" + "\n".join(",".join(map(str, row)) for row in zip(*columns, strict=True)) + "\n"


def test_slips_and_infinities_among_numbers_may_count_as_empty(tmp_path):
    a, b = [f"{x:.3f}" for x in VALUES[:, 0]], [f"{x:.3f}" for x in VALUES[:, 1]]
    a[7], b[3], b[4] = "bad", "inf", "-inf"
    full, found = advice_for(tmp_path, lines("a,b,y", a, b, VALUES[:, 0]))
    assert set(full.missing) == {"bad", "inf", "-inf"} and full.impute == "mean" and not full.drop
    assert any("'bad' in line 9; correct it" in advice.why for advice in found)


def test_codes_with_leading_zeros_are_names(tmp_path):
    codes = ["01234", "1234", "00501"] * 20
    full, _ = advice_for(tmp_path, lines("code,b,y", codes, VALUES[:, 1], VALUES[:, 0]))
    assert full.categorical == ("code",)
    assert len(full.split(0).feature_names) == 4


def test_times_are_told_from_texts(tmp_path):
    days = [f"2025-{1 + i // 28:02d}-{1 + i % 28:02d}" for i in range(60)]
    full, found = advice_for(tmp_path, lines("day,b,y", days, VALUES[:, 1], VALUES[:, 0]))
    assert full.drop == ("day",) and "be scored on later rows" in found[0].why


def test_rows_of_rare_classes_can_be_left_out(tmp_path):
    classes = ["a", "b", "c"] * 19 + ["a", "b", "rare"]
    full, _ = advice_for(tmp_path, lines("a,b,y", VALUES[:, 0], VALUES[:, 1], classes))
    assert full.missing == ("rare",) and full.drop_unlabelled


def test_messages_name_options_on_the_command_line_and_keywords_in_python(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(lines('"a, b",c,y', ["x", "z"] * 30, VALUES[:, 1], VALUES[:, 0]), encoding="utf-8")
    with pytest.raises(AzgenError, match=r'tasks=\{"drop": \["a, b"\]\}'):
        TableTasks(data=str(path), target="y").split(0)
    told = azgen("evolve", "--data", path, "--target", "y", status=2)
    assert """--drop '"a, b"'""" in told
    assert f"With all of that: azgen evolve --data {path} --target y" in told
    assert "--folds is 1; at least 2" in azgen(
        "evolve", "--data", path, "--target", "y", "--folds", 1, status=2
    )
    assert "It is a data set: --data wine." in azgen("evolve", "wine", status=2)


def test_a_column_of_numbers_and_words_is_advised_as_categories(tmp_path):
    """Drives of cars are called 4, f and r."""
    full, needs = advice_for(tmp_path, lines("drv,x,y", ["4", "f", "r"] * 20, VALUES[:, 1], VALUES[:, 0]))
    assert full.categorical == ("drv",) and not full.drop
    assert [advice.columns for advice in needs] == [("drv",)]


def test_a_constant_column_of_text_is_left_out_as_one_of_numbers_is(tmp_path):
    text = lines("place,rownames,x,y", ["here"] * 60, range(60), VALUES[:, 1], VALUES[:, 0])
    full, needs = advice_for(tmp_path, text)
    assert full.drop_constant and [advice.setting for advice in needs] == ["drop_constant"]
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    assert replace(full, data=str(path)).split(0).feature_names == ("rownames", "x")


def test_a_first_column_that_is_called_as_row_names_are_is_no_feature(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(lines("rownames,x,y", range(60), VALUES[:, 1], VALUES[:, 0]), encoding="utf-8")
    split = TableTasks(data=str(path), target="y").split(0)
    assert split.feature_names == ("x",) and "row names left out: rownames" in split.description


def test_names_in_single_quotation_marks_are_names(tmp_path):
    path = tmp_path / "table.txt"
    rows = "\n".join(f"{a} {b}" for a, b in VALUES)
    path.write_text(f"'a' 'y'\n{rows}\n", encoding="utf-8")
    split = table_tasks(path, "y", n_search=2, n_select=1, n_test=2)
    assert split.feature_names == ("a",)
    same_as_the_run(path, split, exported(split))
    path.write_text(f"60,1,more\n{rows}\n".replace(" ", ","), encoding="utf-8")
    with pytest.raises(AzgenError, match="take the line above out"):
        read_table(path)
