"""Settings: reading, mistakes, presets, overrides; and the documentation of every key."""

import dataclasses
import importlib.util
import tomllib
from pathlib import Path

import pytest
import tomli_w

import azgen
from azgen.cli.options import OVERRIDES, RESUME_OVERRIDES, TABLE
from azgen.errors import AzgenError
from azgen.settings.overrides import Overrides, ResumeOverrides
from azgen.settings.presets import DEFAULT, preset, preset_names, preset_text
from azgen.settings.reading import read_settings, settings_from
from azgen.settings.resolve import parse_duration, resolve_settings
from azgen.settings.values import as_mapping
from azgen.tasks.sources import TableTasks

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", preset_names())
def test_presets_are_complete_and_read_back_from_their_own_output(name):
    settings = preset(name)
    assert settings.name == name and settings.description.endswith((".", ")"))
    assert settings_from(tomllib.loads(tomli_w.dumps(as_mapping(settings)))) == settings
    assert tomllib.loads(preset_text(name))


def test_an_override_is_declared_once():
    assert {*OVERRIDES, "tasks"} == {*Overrides.__annotations__}
    assert {*RESUME_OVERRIDES} == {*ResumeOverrides.__annotations__} < {*Overrides.__annotations__}
    assert {*TABLE} < {field.name for field in dataclasses.fields(TableTasks)}
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'max_tim'\. Did you mean max_time"):
        azgen.evolve("linear", max_tim=3)
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'seed'\. There are max_time, "):
        azgen.resume("nowhere", seed=3)
    assert resolve_settings("linear", seed=None, data=None, tasks=None) == preset("linear")


def test_there_is_a_default_preset():
    assert DEFAULT in preset_names()
    assert resolve_settings() == preset(DEFAULT)


@pytest.mark.parametrize(
    "mapping, message",
    [
        ({"sead": 1}, "there is no setting sead. Did you mean seed?"),
        ({"tasks": {"n_serch": 1}}, "there is no setting tasks.n_serch. Did you mean tasks.n_search?"),
        ({"seed": "1"}, "seed is '1'; it must be a whole number"),
        ({"seed": True}, "seed is True; it must be a whole number"),
        ({"dtype": "float16"}, "dtype is 'float16'; it must be one of 'float32', 'float64'"),
        ({"tasks": 3}, "tasks must be a table of settings"),
        ({"tasks": {"n_train": [1, 2]}}, "tasks.n_train is [1, 2]; it must be a list of 3 numbers"),
        ({"learn": {"ops": ["scalar_summ"]}}, "Did you mean 'scalar_sum'?"),
        (
            {"learn": {"ops": ["matrix_sum"]}, "memory": {"matrices": 0}},
            "needs addresses that memory does not have",
        ),
        (
            {"learn": {"min_size": 5, "max_size": 3}},
            "learn.min_size 5 and learn.max_size 3 contradict each other",
        ),
        ({"memory": {"scalars": 1}}, "between 2 and 1000"),
        ({"evolution": {"mutation_probability": 1.5}}, "between 0 and 1"),
        ({"stop": {"max_seconds": 0}}, "nothing ends this run"),
        ({"ops_text": "OPS = []"}, "ops_text is read from the file that ops_file names; give that"),
        ({"tasks": {"source": "table"}}, "tasks.data is needed"),
        (
            {"tasks": {"source": "tabel"}},
            "tasks.source is 'tabel'; it must be one of 'teacher', 'images', 'table'",
        ),
        ({"execution": {"epochs": 0}}, "execution.epochs is 0; it must be at least 1"),
        ({"execution": {"max_abs_error": 0}}, "execution.max_abs_error is 0.0; it must be above 0"),
    ],
)
def test_mistakes_name_the_key(mapping, message):
    with pytest.raises(AzgenError) as caught:
        settings_from(mapping, "mine.toml")
    assert message in str(caught.value) and str(caught.value).startswith("mine.toml: ")


def test_files_that_are_none_are_named(tmp_path):
    with pytest.raises(AzgenError, match="no such configuration file"):
        read_settings(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("a = [")
    with pytest.raises(AzgenError, match="not valid TOML"):
        read_settings(tmp_path / "bad.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AzgenError, match="cannot be read"):
        read_settings(tmp_path / "binary.toml")


@pytest.mark.parametrize(
    "text, seconds",
    [
        ("90", 90),
        ("90s", 90),
        ("10m", 600),
        ("1h30m", 5400),
        ("1h 30m 5s", 5405),
        ("0.5m", 30),
        ("2min", 120),
        (7, 7),
    ],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "10x", "m", "-5", "0", "0s", "ten minutes", "nan", "inf", float("nan"), -1, 0]
)
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(AzgenError, match="is no duration"):
        parse_duration(text)


def test_an_unknown_preset_is_named_and_another_suggested():
    with pytest.raises(AzgenError, match=r"there is no preset 'linaer'\. Did you mean 'linear'\?"):
        resolve_settings("linaer")
    with pytest.raises(AzgenError, match=r"there is no preset 'x'\. There are affine, "):
        resolve_settings("x")


def test_overrides_take_the_place_of_the_preset():
    settings = resolve_settings("linear", seed=5, dtype="float64", backend="kernel", target_fitness=0.5)
    assert (settings.seed, settings.dtype, settings.backend, settings.stop.target_fitness) == (
        5,
        "float64",
        "kernel",
        0.5,
    )
    assert settings.evolution == preset("linear").evolution


def test_a_limit_that_is_given_replaces_both_limits():
    assert preset("linear").stop.max_seconds > 0
    stop = resolve_settings("linear", max_programs=1000).stop
    assert (stop.max_programs, stop.max_seconds) == (1000, 0)
    stop = resolve_settings("linear", max_time="2m").stop
    assert (stop.max_programs, stop.max_seconds) == (0, 120)
    stop = resolve_settings("linear", max_time=5, max_programs=7).stop
    assert (stop.max_programs, stop.max_seconds) == (7, 5)


def test_overrides_are_checked():
    with pytest.raises(AzgenError, match="dtype is 'float16'"):
        resolve_settings("linear", dtype="float16")
    with pytest.raises(AzgenError, match="backend is 'gpu'"):
        resolve_settings("linear", backend="gpu")
    with pytest.raises(AzgenError, match="seed is -1"):
        resolve_settings("linear", seed=-1)
    with pytest.raises(AzgenError, match="at least 1"):
        resolve_settings("linear", max_programs=0)
    with pytest.raises(AzgenError, match="only for tables"):
        resolve_settings("linear", target="price")


def test_data_decides_the_source_of_tasks(tmp_path):
    table = tmp_path / "houses.csv"
    table.write_text("a,price\n1,2\n")
    settings = resolve_settings(data=table, target="price", kind="regression")
    assert (settings.tasks.source, settings.tasks.data, settings.tasks.target) == (
        "table",
        str(table),
        "price",
    )
    assert settings.name == "houses" and settings.memory == preset("table").memory
    assert resolve_settings("linear", data=table).memory == preset("linear").memory
    images = resolve_settings(data="digits")
    assert (images.tasks.source, images.tasks.data) == ("images", "digits")
    assert resolve_settings(data="diabetes").tasks.source == "table"
    with pytest.raises(AzgenError, match="no such file, nor a data set"):
        resolve_settings(data="nowhere")


def test_all_classes_of_images_at_once(tmp_path):
    every = resolve_settings(data="digits", classes="all")
    assert every.tasks == preset("ten-digits").tasks
    assert resolve_settings("digits", classes="all").tasks.classes == "all"
    # A configuration for all classes at once stays one, whatever the data.
    assert resolve_settings("ten-digits", data="digits").tasks.classes == "all"
    table = resolve_settings("ten-digits", data="wine").tasks
    assert (table.source, table.kind) == ("table", "multiclass")
    with pytest.raises(AzgenError, match="images are told apart by their classes"):
        resolve_settings(data="digits", kind="regression")
    with pytest.raises(AzgenError, match=r'tasks.classes is for source "images", but .* is "table"'):
        resolve_settings(data="wine", classes="all")
    with pytest.raises(AzgenError, match=r"tasks.classes is 'some'; it must be one of 'pairs', 'all'"):
        resolve_settings(data="digits", classes="some")


def test_settings_may_be_given_in_any_form(tmp_path):
    (tmp_path / "mine.toml").write_text(preset_text("linear"))
    assert resolve_settings(tmp_path / "mine.toml") == preset("linear")
    assert resolve_settings(preset("linear")) == preset("linear")
    assert resolve_settings(tomllib.loads(preset_text("linear"))) == preset("linear")


def test_the_documentation_describes_every_setting():
    path = ROOT / "docs" / "configuration.py"
    spec = importlib.util.spec_from_file_location("configuration", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert text == module.page(), (
        f"docs/configuration.md is not up to date: run python {path.relative_to(ROOT)}"
    )
