"""Sources of tasks: each makes its own split, settings say the same, and redraws share no task."""

import dataclasses

import pytest

from azgen.plain import as_plain
from azgen.settings.reading import settings_from
from azgen.settings.tasks import SearchTasks
from azgen.tasks.sources import SOURCES as SOURCES_BY_NAME
from azgen.tasks.sources import ImageTasks, TableTasks, TeacherTasks

ARRAYS = ("x_train", "y_train", "x_valid", "y_valid")
COUNTS = {"n_search": 3, "n_select": 2, "n_test": 2}
SOURCES = [
    TeacherTasks("affine", n_train=(20, 30, 40), n_valid=(10, 11, 12), noise=0.1, **COUNTS),
    TeacherTasks("two-layer", data_seeds=(7,), param_seeds=(9, 5), kind="classification", **COUNTS),
    ImageTasks("digits", n_features=8, **COUNTS),
    ImageTasks("digits", classes="all", n_features=8, metric="log-loss", **COUNTS),
    TableTasks("wine", positive="class_1", **COUNTS),
    TableTasks("diabetes", folds=4, metric="r2", **COUNTS),
]


def told(tasks):
    return [(task.name, task.metric, *(getattr(task, name).tolist() for name in ARRAYS)) for task in tasks]


def same(tasks, others):
    return told(tasks) == told(others)


@pytest.mark.parametrize("source", SOURCES, ids=repr)
def test_search_tasks_alone_are_those_of_the_split(source):
    whole = source.split(3)
    assert same(source.search(3), whole.search)
    again = source.split(3, 2)
    assert same(source.search(3, 2), again.search)
    assert same(again.select, whole.select) and same(again.test, whole.test)
    seeded = isinstance(source, TeacherTasks) and source.data_seeds
    assert same(again.search, whole.search) == bool(seeded)


@pytest.mark.parametrize("source", SOURCES, ids=repr)
def test_settings_say_the_same(source):
    settings = settings_from({"tasks": as_plain(source)})
    assert settings.tasks == source
    assert same(settings.tasks.split(1).search, source.split(1).search)
    assert same(settings.tasks.search(1, 1), source.search(1, 1))


def test_a_setting_of_several_sources_means_the_same():
    """So that one of them can take another's place, and what both have stays."""
    known = {}
    for cls in SOURCES_BY_NAME.values():
        for field in dataclasses.fields(cls):
            if field.name not in ("source", "kind"):
                assert known.setdefault(field.name, field.default) == field.default, field.name
    assert {"n_search", "n_train", "metric", "data", "n_features"} < known.keys()


@pytest.mark.parametrize("counts", [{"n_search": 1}, {"n_search": 4}, {"n_search": 2, "n_test": 1}])
def test_an_islands_own_teacher_tasks_are_none_of_the_run(counts):
    run = SearchTasks(TeacherTasks("affine", **COUNTS), epochs=1)
    split = run.source.split(0)
    changed = run.changed(counts, "islands.tasks")
    names = {task.name for tasks in (split.search, split.select, split.test) for task in tasks}
    for redraw in range(4):
        drawn = {task.name for task in changed.beside(run, 0, redraw)}
        assert len(drawn) == changed.source.n_search and not drawn & names
        names |= drawn
    assert same(run.beside(run, 0), split.search)


def test_data_keep_sets_apart_by_the_seed_alone():
    for source in (ImageTasks("digits"), TableTasks("wine")):
        assert [source.redraw_beside(TeacherTasks(), number) for number in range(3)] == [0, 1, 2]
