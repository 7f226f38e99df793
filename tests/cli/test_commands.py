"""The table of commands, which is listed without their modules."""

import inspect
import subprocess
import sys
from importlib import import_module

import pytest
from typer.main import get_command

from azgen.cli import app
from azgen.cli.commands import COMMANDS, function_of, loaded
from azgen.cli.commands.export import FORMS
from azgen.cli.export import RENDERERS
from tests.commands import azgen


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_s_docstring_begins_with_what_the_list_says(name):
    first = " ".join(inspect.getdoc(function_of(name)).split("\n\n")[0].split())
    assert first == COMMANDS[name].summary


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_does_what_it_takes(name):
    """Declaration and work are two functions of one name: they must have the same parameters."""
    module, function = COMMANDS[name].place.split(".")
    work = getattr(import_module(f"azgen.cli.{module}"), function)
    taken = inspect.signature(inspect.unwrap(function_of(name))).parameters
    assert set(taken) == set(inspect.signature(work).parameters)


_HELP = """
import sys
from azgen.cli import app
from azgen.cli.commands import COMMANDS
for name in COMMANDS:
    try:
        app([name, "--help"])
    except SystemExit as ending:
        assert not ending.code, name
print(*sys.modules, file=sys.stderr)
"""


def test_help_imports_nothing_of_what_commands_do():
    asked = subprocess.run([sys.executable, "-c", _HELP], capture_output=True, text=True, check=True)
    assert asked.stdout.count("Usage: ") == len(COMMANDS)
    modules = set(asked.stderr.split())
    assert not modules & {"numpy", "jinja2", "multiprocess", "pandas", "sklearn"}
    ours = {name for name in modules if name.startswith("azgen.") and not name.startswith("azgen.cli")}
    assert ours <= {
        *(
            f"azgen.{name}"
            for name in ("caller", "codegen", "deadline", "errors", "files", "settings", "textual")
        ),
        "azgen.codegen.cache_folder",
        "azgen.settings.overrides",
    }
    works = {f"azgen.cli.{command.place.partition('.')[0]}" for command in COMMANDS.values()}
    assert not modules & works


def test_every_form_of_export_has_what_writes_it():
    assert RENDERERS.keys() == FORMS.keys()


def test_all_commands_are_listed_and_can_be_called():
    assert list(get_command(app).commands) == list(COMMANDS)
    assert loaded("evolve").name == "evolve"
    assert "--max-time" in azgen("resume", "--help")


def test_a_misspelt_command_is_named_with_the_right_one():
    assert "evolve" in azgen("evovle", status=2)
