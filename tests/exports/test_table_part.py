"""Exported files do to a table what the run did: columns, categories, fills, classes, test rows, scaling."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azgen.errors import AzgenError
from azgen.exports.module import render_module
from azgen.exports.provenance import Provenance
from azgen.language.zoo import zoo
from azgen.tasks.reading import table_reading
from azgen.tasks.standardize import Standardizer
from tests.exports.test_module import load_text
from tests.tasks.tables import table_tasks

WORDS = ["red", "None", "01", "1", "a b", 'say "x"', "naïve", "x;y"]
GAPS = ["", "NA", " ", "nan"]


def exported(split, **more):
    """The module of a program whose run was on these tasks."""
    metric = "rmse" if split.raw is not None and split.provenance["kind"] == "regression" else "accuracy"
    program = zoo("softmax-linear" if split.provenance["kind"] == "multiclass" else "linear")
    reading = table_reading(split.provenance, "the test")
    return load_text(render_module(program, metric=metric, table=reading, **more))


def same_as_the_run(path, split, module):
    """Compares what the module makes of the run's table with the run's tasks."""
    table = module.Table(path)
    x, names = module.features_of(table, module.COLUMNS)
    y = module.labels_of(table, module.TARGET)
    options = module.argparse.Namespace(seed=module.SEED, test_fraction=module.TEST_FRACTION)
    train, test = module.set_aside(table, y, options)
    n_own = len(split.feature_names) - sum(name.startswith("zero ") for name in split.feature_names)
    assert names == split.feature_names[:n_own]
    fill = module.imputer(x[train], module.FILL)
    np.testing.assert_array_equal(np.array(table.lines)[test], split.raw.test_lines)
    np.testing.assert_allclose(fill(x[test]), split.raw.x_test, rtol=1e-12)
    np.testing.assert_array_equal(y[test], split.raw.y_test)
    # The first test task: the same examples in the same order, scaled by the same rule.
    first = split.test[0]
    model = module.EvolvedRegressor() if hasattr(module, "EvolvedRegressor") else module.EvolvedClassifier()
    model._start(None, fill(x[train]), y[train])
    with np.errstate(over="ignore"):
        expected = first.x_train.astype(module.DTYPE)
    np.testing.assert_allclose(model._scaled(fill(x[train])), expected, rtol=1e-6, atol=1e-6)


@st.composite
def tables(draw):
    """Text of a table, its target, and the options that azgen needs to take it."""
    n, seed = draw(st.integers(40, 70)), draw(st.integers(0, 2**20))
    random = np.random.default_rng(seed)
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    comma = delimiter != "," and draw(st.booleans())
    odd = st.text(st.characters(codec="utf-8", exclude_characters='\r\n"\0#', exclude_categories=("C", "Z")))
    names = draw(st.lists(odd.filter(lambda name: name.strip()), min_size=2, max_size=6, unique=True))
    names = [f"{name} x" for name in names]
    columns, categorical, gaps = {}, [], False
    for name in names[:-1]:
        kind = draw(st.sampled_from(["numbers", "gaps", "words", "booleans"]))
        if kind == "words":
            categorical.append(name)
            cells = list(random.choice(draw(st.permutations(WORDS))[:4], n))
            cells[:8] = list(draw(st.permutations(WORDS))[:4]) * 2
        elif kind == "booleans":
            cells = ["TRUE", "FALSE"] * 2 + list(random.choice(["TRUE", "FALSE"], n - 4))
        else:
            scale = 10.0 ** draw(st.integers(-30, 30))
            cells = [f"{value:.6g}" for value in random.normal(size=n) * scale]
            cells = [cell.replace(".", ",") for cell in cells] if comma else cells
        if kind == "gaps":
            gaps = True
            for place in random.choice(n, 4, replace=False):
                cells[place] = GAPS[place % len(GAPS)]
        columns[name] = cells
    wide = draw(st.sampled_from([0, 0, 0, 0, 120, 295]))
    for place in range(wide):
        cells = [f"{value:.4g}" for value in random.normal(size=n)]
        columns[f"wide {place}"] = [cell.replace(".", ",") for cell in cells] if comma else cells
    labels = draw(st.sampled_from(["numbers", "two classes", "classes"]))
    values = random.normal(size=n)
    if labels == "numbers":
        target = [f"{value:.6g}".replace(".", "," if comma else ".") for value in values]
    else:
        count = 2 if labels == "two classes" else 3
        target = [WORDS[place % count] for place in range(n)]
    columns[names[-1]] = target

    def cell(text):
        return '"' + text.replace('"', '""') + '"' if set(text) & {delimiter, '"'} else text

    lines = [delimiter.join(map(cell, row)) for row in [columns, *zip(*columns.values(), strict=True)]]
    features = dict(impute="mean" if gaps else "", categorical=tuple(categorical))
    return "\n".join(lines) + "\n", names[-1], features, seed


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables())
def test_an_exported_file_makes_of_a_table_what_the_run_made_of_it(tmp_path, drawn):
    text, target, features, seed = drawn
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    splits = dict(n_search=2, n_select=1, n_test=2, seed=seed)
    try:
        split = table_tasks(path, target, **features, **splits)
    except AzgenError as error:
        # The draw of words may leave a category that looks like an empty cell out; nothing else is refused.
        assert "constant" in str(error)
        return
    same_as_the_run(path, split, exported(split))


ROWS = np.random.default_rng(1).normal(size=(60, 2)).round(4)


def written(path, header, rows):
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("way", ["time", "groups", "positive", "numbers of classes", "tiny", "truth"])
def test_options_of_the_run_are_the_exports(tmp_path, way):
    days = [f"2025-{1 + i // 28:02}-{1 + i % 28:02}" for i in range(60)]
    cells = {
        "time": [f"{a},{b},{day},{a - b:.4f}" for (a, b), day in zip(ROWS, days[::-1], strict=True)],
        "groups": [f"{a},{b},g{i // 5},{a - b:.4f}" for i, (a, b) in enumerate(ROWS)],
        "positive": [f"{a},{b},0,{'abc'[i % 3]}" for i, (a, b) in enumerate(ROWS)],
        "numbers of classes": [f"{a},{b},0,{(10, 9, 2)[i % 3]}.0" for i, (a, b) in enumerate(ROWS)],
        "tiny": [f"{a}e-200,{b}e-150,0,{a - b:.4f}e-200" for a, b in ROWS],
        "truth": [f"{a},{b},0,{a > b}" for a, b in ROWS],
    }[way]
    path = written(tmp_path / "table.csv", "a,b,c,y", cells)
    options = dict(
        drop=() if way in ("time", "groups") else ("c",),
        time="c" if way == "time" else "",
        groups="c" if way == "groups" else "",
        positive="b" if way == "positive" else "",
        n_search=2,
        n_select=1,
        n_test=2,
        seed=5,
        test_fraction=0.3,
    )
    split = table_tasks(path, "y", **options)
    module = exported(split)
    same_as_the_run(path, split, module)
    names = {"positive": ("not b", "b"), "numbers of classes": ("2", "9", "10"), "truth": ("False", "True")}
    if way in names:
        assert module.CLASSES == names[way] == split.label_names


SCALING = load_text(render_module(zoo("linear"))).column_scaling


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 5), st.integers(2, 30), st.integers(-200, 200), st.integers(0, 2**20))
def test_scaling_is_azgens(n_features, n, exponent, seed):
    x = np.random.default_rng(seed).normal(size=(n, n_features)) * 10.0**exponent
    x[:, 0] = 0.1 * 10.0**exponent
    scaler = Standardizer.fit(x)
    offset, scale = SCALING(x)
    np.testing.assert_array_equal(offset, scaler.offset)
    np.testing.assert_array_equal(scale, scaler.scale)
    assert scale[0] == 0


def script(folder, module_text, *arguments):
    (folder / "champion.py").write_text(module_text, encoding="utf-8")
    command = [sys.executable, "champion.py", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def test_new_rows_are_predicted_by_what_all_rows_of_the_table_teach(tmp_path):
    path = written(
        tmp_path / "table.csv",
        "size;colour;note;sold",
        [
            f"{str(a).replace('.', ',')};{'red' if b > 0 else 'blue'};x;{'yes' if b > 0 else 'no'}"
            for a, b in ROWS
        ],
    )
    features = dict(categorical=("colour",), drop=("note",), impute="median")
    split = table_tasks(path, "sold", **features)
    text = render_module(
        zoo("linear"),
        metric="accuracy",
        provenance=Provenance(test_fitness=0.75, test_tasks=10, test_spread=(0.7, 0.8)),
        table=table_reading(split.provenance, "the test"),
    )
    # Other columns in another order, another separator, a gap, and a colour that nobody has seen.
    written(tmp_path / "new.csv", "colour,other,size", ["red,1,0.5", "blue,2,", "green,3,1e3"])
    done = script(tmp_path, text, "table.csv", "--target", "sold", "--predict", "new.csv", "-o", "out.csv")
    assert done.returncode == 0, done.stderr
    assert (
        "60 rows, 2 features, predicting 'sold'" in done.stdout
        and "features: size, colour=red" in done.stdout
    )
    told = next(line for line in done.stdout.splitlines() if line.startswith("the run, on the same rows"))
    assert told.endswith("0.75  (0.7 to 0.8 over 10 orders of training; this is the first)")
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0] == "prediction,probability of no,probability of yes"
    assert [line.split(",")[0] for line in lines[1:3]] == ["yes", "no"] and len(lines) == 4
    missing = script(tmp_path, text, "table.csv", "--predict", "table2.csv")
    assert missing.returncode == 2 and "there is no such file" in missing.stderr
    written(tmp_path / "less.csv", "size", ["1"])
    lacking = script(tmp_path, text, "table.csv", "--predict", "less.csv")
    assert lacking.returncode == 2 and "no column 'colour'; it has size" in lacking.stderr
