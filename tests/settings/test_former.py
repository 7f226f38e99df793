"""Configurations of before are read as what they are called now."""

import dataclasses
import tomllib
import warnings
from pathlib import Path

import pytest

from azgen.errors import AzgenError, FormerName
from azgen.runs.saved import saved_settings
from azgen.settings.presets import preset
from azgen.settings.reading import read_settings, settings_from
from azgen.settings.resolve import resolve_settings
from azgen.settings.tasks import island_tasks, own_tasks, stage_tasks
from azgen.tasks.sources import ImageTasks, TableTasks, TeacherTasks
from tests.commands import azgen

EVERY_SETTING = """
source = "{source}"
data = "{data}"
metric = ""
target = ""
kind = "auto"
positive = ""
n_features = 16
n_search = 8
n_select = 9
n_test = 7
n_train = [30, 20, 10]
n_valid = [3, 2, 1]
epochs = 3
tune_epochs = true
impute = ""
categorical = []
drop = []
drop_constant = false
groups = ""
time = ""
folds = 0
test_fraction = 0.2
select_fraction = 0.2
valid_fraction = 0.25
noise = 0.0
data_seeds = []
param_seeds = []
redraw = true
max_abs_error = 50.0
"""
"""All settings of tasks, as every run saved them whatever the source was."""

COMMON = {
    "n_search": 8, "n_select": 9, "n_test": 7, "n_train": (30, 20, 10), "n_valid": (3, 2, 1), "redraw": True
}  # fmt: skip


@pytest.fixture
def saved(tmp_path):
    def write(text, name="mine.toml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


def silent(read, *given, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read(*given, **options)


@pytest.mark.parametrize(
    "source, data, expected",
    [
        ("affine", "", TeacherTasks("affine", n_features=16, **COMMON)),
        ("two-layer-live", "digits", TeacherTasks("two-layer-live", n_features=16, **COMMON)),
        ("projected", "digits", ImageTasks("digits", "pairs", 16, **COMMON)),
        ("multiclass", "digits", ImageTasks("digits", "all", 16, **COMMON)),
        ("table", "wine", TableTasks("wine", **COMMON)),
    ],
)
def test_what_runs_saved_is_read_in_silence(saved, source, data, expected):
    path = saved("[tasks]" + EVERY_SETTING.format(source=source, data=data), "run/config.toml")
    settings = silent(saved_settings, path.parent)
    assert settings.tasks == expected
    how = settings.execution
    assert (how.epochs, how.tune_epochs, how.max_abs_error) == (3, True, 50.0)
    with pytest.warns(FormerName, match=r"mine.toml: tasks.epochs is execution.epochs now; "):
        assert read_settings(saved(path.read_text())) == settings


def test_one_line_says_what_it_is_called_now(saved):
    text = '[tasks]\nsource = "projected"\ndata = "digits"\nepochs = 2\n'
    with pytest.warns(FormerName) as told:
        settings = read_settings(saved(text))
    (line,) = (str(warning.message) for warning in told)
    assert line.endswith(
        "mine.toml: tasks.epochs is execution.epochs now; "
        'tasks.source = "projected" is source = "images", classes = "pairs" now'
    )
    assert settings.tasks == ImageTasks("digits") and settings.execution.epochs == 2
    noted = azgen("evolve", saved(text), "--target", "x", status=2)
    assert noted.count("Note: ") == 1 and 'classes = "pairs" now' in noted.replace("\n", " ")


def test_words_of_today_need_no_notice():
    text = '[tasks]\nsource = "images"\ndata = "digits"\n[execution]\nepochs = 2\n'
    assert silent(settings_from, tomllib.loads(text)).execution.epochs == 2
    for name in ("linear", "digits", "ten-digits", "two-layer", "table", "paper"):
        silent(preset, name)
    silent(resolve_settings, data="digits", classes="all", epochs=3)


def test_a_kind_of_images_is_which_classes_a_task_has_now():
    with pytest.warns(FormerName, match='tasks.kind = "multiclass" is classes = "all" for images now'):
        every = resolve_settings(data="digits", kind="multiclass")
    assert every == resolve_settings(data="digits", classes="all")


def test_islands_and_stages_are_read_likewise():
    given = {
        "tasks": {"source": "linear", "n_features": 8, "n_search": 4},
        "islands": {"count": 3, "tasks": [{}, {"source": "affine", "epochs": 3}, {"n_search": 2}]},
        "evolution": {"strategy": "archive"},
        "stages": [{"tasks": {"source": "two-layer", "n_search": 3}}],
    }
    with pytest.warns(FormerName, match=r'islands.tasks.2.source = "affine" is source = "teacher"'):
        settings = settings_from(given)
    run = settings.tasks
    islands = [island_tasks(settings, number) for number in range(3)]
    assert [tasks.epochs for tasks in islands] == [1, 3, 1]
    assert [tasks.source for tasks in islands] == [
        run,
        dataclasses.replace(run, teacher="affine"),
        dataclasses.replace(run, n_search=2),
    ]
    stage = stage_tasks(own_tasks(settings), settings.stages[0]).source
    assert stage == dataclasses.replace(run, teacher="two-layer", n_search=3)
    limits = {"islands": {"count": 2, "tasks": [{"max_abs_error": 5.0}]}}
    with pytest.raises(AzgenError, match=r"islands.tasks.1.max_abs_error is the same for all"):
        settings_from(limits)


def test_overrides_are_read_likewise():
    with pytest.warns(FormerName, match=r"tasks.epochs is execution.epochs now"):
        settings = resolve_settings("digits", tasks={"source": "affine", "epochs": 7})
    assert settings.tasks == TeacherTasks(
        "affine", n_features=16, n_search=32, n_select=256, n_test=320
    )  # what both sources have stays
    assert settings.execution.epochs == 7 and not settings.execution.tune_epochs


@pytest.mark.filterwarnings("ignore::azgen.errors.FormerName")
def test_a_setting_of_another_source_is_refused_as_before():
    with pytest.raises(AzgenError, match=r'tasks.noise is for source "teacher", but tasks.source is "ima'):
        settings_from({"tasks": {"source": "projected", "data": "digits", "noise": 0.1}})
    with pytest.raises(AzgenError, match="told apart by their classes"):
        settings_from({"tasks": {"source": "multiclass", "data": "digits", "kind": "regression"}})


def test_checkpoints_of_before_have_such_configurations():
    for name in ("checkpoint-1", "checkpoint-2"):
        path = Path(__file__).parents[1] / "data" / name
        assert 'source = "linear"' in (path / "config.toml").read_text()
        settings = silent(saved_settings, path)
        assert isinstance(settings.tasks, TeacherTasks) and settings.tasks.teacher == "linear"
