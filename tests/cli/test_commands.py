"""The table of commands, which is listed without their modules."""

import inspect

import pytest
from typer.main import get_command

from azgen.cli import app
from azgen.cli.commands import COMMANDS, function_of, loaded
from tests.commands import azgen


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_s_docstring_begins_with_what_the_list_says(name):
    first = " ".join(inspect.getdoc(function_of(name)).split("\n\n")[0].split())
    assert first == COMMANDS[name].summary


def test_all_commands_are_listed_and_can_be_called():
    assert list(get_command(app).commands) == list(COMMANDS)
    assert loaded("evolve").name == "evolve"
    assert "--max-time" in azgen("resume", "--help")


def test_a_misspelt_command_is_named_with_the_right_one():
    assert "evolve" in azgen("evovle", status=2)
