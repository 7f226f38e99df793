"""Whole runs on tables: the test rows influence nothing before the test, and luck is not taken for skill."""

import numpy as np
import pandas as pd
import pytest

import azgen
from azgen.tasks.sources import TableTasks
from tests.tasks.tables import table_tasks


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def table(n=200, seed=0):
    random = np.random.default_rng(seed)
    columns = pd.DataFrame(random.normal(size=(n, 4)), columns=list("abcd"))
    columns["y"] = np.where(columns.a - 2 * columns.b + 0.3 * random.normal(size=n) > 0, "yes", "no")
    return columns


def evolve(columns, name, seed=1):
    columns.to_csv(f"{name}.csv", index=False)
    return azgen.evolve(
        data=f"{name}.csv", target="y", seed=seed, max_programs=2000, out=name, baselines="few"
    )


def test_a_marker_in_the_test_rows_changes_the_test_and_nothing_before():
    columns = table()
    clean = evolve(columns, "clean")
    marked = columns.copy()
    rows = clean.tasks.raw.test_lines - 2
    marked.loc[rows, ["a", "b", "c", "d"]] = 987654.0
    found = evolve(marked, "marked")
    assert found.champion.program == clean.champion.program
    assert found.champion.number == clean.champion.number
    for name in ("search", "select"):
        np.testing.assert_array_equal(getattr(found, name).fitness, getattr(clean, name).fitness)
    assert [c.program for c in found.hall_of_fame] == [c.program for c in clean.hall_of_fame]
    assert clean.test_fitness > 0.85
    assert found.test_fitness < clean.test_fitness - 0.1


def test_shuffled_labels_give_chance_level_on_the_test_rows():
    """The search fitness of the best of thousands is luck as well; the test shows it."""
    columns, random = table(240), np.random.default_rng(3)
    fitness = []
    for seed in range(4):
        columns["y"] = random.permutation(columns.y)
        fitness.append(evolve(columns, f"shuffled{seed}", seed))
    tested = [run.test_fitness for run in fitness]
    n_rows = len(fitness[0].tasks.raw.y_test) * len(fitness)
    assert abs(np.mean(tested) - 0.5) < 3 * np.sqrt(0.25 / n_rows)
    assert np.mean([run.champion.search_fitness for run in fitness]) > np.mean(tested)


def test_what_a_run_reports_about_a_table_is_about_its_own_rows():
    columns = table()
    run = evolve(columns, "run")
    split = table_tasks("run.csv", "y")
    assert len(run.tasks.raw.y_test) == len(split.raw.y_test)
    result = azgen.execute(run.champion.program, run.tasks.test, seed=1, epochs=run.settings.execution.epochs)
    np.testing.assert_array_equal(result.fitness, run.test.fitness)


@pytest.mark.parametrize("name", ["diabetes", "breast-cancer"])
def test_a_bundled_table_is_searched_by_its_name(name):
    split = TableTasks(name, n_search=3, n_select=2, n_test=2).split(seed=0)
    assert len(split.search) == 3 and len(split.raw.y_test) > 80
    assert split.metric == ("rmse" if name == "diabetes" else "accuracy")
    assert split.label_names in (("target",), ("benign", "malignant"))
