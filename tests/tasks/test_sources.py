"""Sources of tasks: each makes its own split, settings say the same, and redraws share no task."""

import dataclasses

import pytest

from azgen.settings.tasks import TaskSettings
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
    given = {field.name: getattr(source, field.name) for field in dataclasses.fields(source)}
    classes = {"pairs": "projected", "all": "multiclass"}
    name = classes[given.pop("classes")] if "classes" in given else given.pop("teacher", "table")
    settings = TaskSettings(source=name, **given)
    assert settings.origin == source
    assert same(settings.split(1).search, source.split(1).search)
    assert same(settings.search(1, 1), source.search(1, 1))


def test_no_setting_of_tasks_is_lost():
    of_execution = {"source", "epochs", "tune_epochs", "redraw", "max_abs_error"}
    of_sources = {f.name for cls in (TeacherTasks, ImageTasks, TableTasks) for f in dataclasses.fields(cls)}
    names = {field.name for field in dataclasses.fields(TaskSettings)}
    assert names - of_execution == of_sources - {"teacher", "classes"}
    usual = TaskSettings()
    for cls in (TeacherTasks, ImageTasks, TableTasks):
        for field in dataclasses.fields(cls):
            if field.name in names:
                assert field.default == getattr(usual, field.name), field.name


@pytest.mark.parametrize("counts", [{"n_search": 1}, {"n_search": 4}, {"n_search": 2, "n_test": 1}])
def test_an_islands_own_teacher_tasks_are_none_of_the_run(counts):
    run = TaskSettings(source="affine", **COUNTS)
    split = run.split(0)
    changed = dataclasses.replace(run, **counts)
    names = {task.name for tasks in (split.search, split.select, split.test) for task in tasks}
    for redraw in range(4):
        drawn = {task.name for task in changed.search_beside(run, 0, redraw)}
        assert len(drawn) == changed.n_search and not drawn & names
        names |= drawn
    assert same(run.search_beside(run, 0), split.search)


def test_data_keep_sets_apart_by_the_seed_alone():
    for source in (ImageTasks("digits"), TableTasks("wine")):
        assert [source.redraw_beside(TeacherTasks(), number) for number in range(3)] == [0, 1, 2]
