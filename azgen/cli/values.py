"""Options that reach a command as one value: those of a dataclass, or the ones that were given, by name."""

from __future__ import annotations

import copy
import csv
import inspect
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, fields
from functools import wraps
from importlib import import_module
from typing import Annotated, Any, get_args, get_type_hints

from azgen.errors import AzgenError

Command = Callable[..., None]

_LISTS = ("categorical", "drop", "missing")


def declared(command: Command) -> Command:
    """A command that says what it takes, in `azgen.cli.commands`.

    What it does is the function of its name in the module of `azgen.cli` that is called like its own; this is
    imported when the command is called, which takes half a second.
    """
    module = command.__module__.replace(".commands.", ".")

    @wraps(command)
    def work(**given: Any) -> None:
        getattr(import_module(module), command.__name__)(**given)

    return work


def grouped(into: str) -> Callable[[Command], Command]:
    """Gives a command the options that are the fields of a dataclass; they reach it as one such value.

    Args:
        into: the command's parameter whose annotation is the dataclass; the options stand in its place.
    """

    def decorate(command: Command) -> Command:
        group = inspect.signature(command, eval_str=True).parameters[into].annotation
        hints = get_type_hints(group, include_extras=True)
        options = [_parameter(field.name, hints[field.name], _default(field)) for field in fields(group)]
        return _standing_for(command, into, options, lambda values: group(**values))

    return decorate


def gathered(into: str, options: dict[str, Any]) -> Callable[[Command], Command]:
    """Gives a command options that reach it as one dictionary: those that were given, by name.

    Args:
        into: the command's keyword-only parameter; the options stand in its place.
        options: their annotations, by name; without a value each is None.
    """
    shared = [_parameter(name, hint, None) for name, hint in options.items()]

    def given(values: dict[str, Any]) -> dict[str, Any]:
        return {name: _listed(name, value) for name, value in values.items() if value not in (None, [])}

    return lambda command: _standing_for(command, into, shared, given)


def _parameter(name: str, hint: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)


def _default(field: Field[Any]) -> Any:
    return inspect.Parameter.empty if field.default is MISSING else field.default


def _standing_for(
    command: Command, into: str, options: Sequence[inspect.Parameter], value: Callable[[dict[str, Any]], Any]
) -> Command:
    """The command with options in the place of a parameter, whose value is made of them."""
    signature = inspect.signature(command, eval_str=True)
    parameters: list[inspect.Parameter] = []
    for name, parameter in signature.parameters.items():
        own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)]
        parameters += options if name == into else own

    @wraps(command)
    def wrapped(**given: Any) -> None:
        values = {option.name: given.pop(option.name) for option in options}
        command(**given, **{into: value(values)})

    wrapped.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # Typer reads it
    wrapped.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return wrapped


def in_panels(options: dict[str, Any], panels: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """Options, each in its group of a command's help.

    Args:
        options: annotations by name.
        panels: names of options by group.
    """
    group = {name: panel for panel, names in panels.items() for name in names}
    found = {}
    for name, hint in options.items():
        kind, option = get_args(hint)
        option = copy.copy(option)
        option.rich_help_panel = group.get(name)
        found[name] = Annotated[kind, option]
    return found


def _listed(name: str, value: Any) -> Any:
    """What an option's value is to the settings: lists are those of all its mentions, one after the other."""
    return [part for text in value for part in listed_names(text)] if name in _LISTS else value


def listed_names(text: str) -> list[str]:
    """Names between commas, as a line of a CSV file: one that holds a comma stands in double quotes.

    Raises:
        AzgenError: a quotation mark is left open.
    """
    if '"' not in text:
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        cells = next(csv.reader([text], skipinitialspace=True, strict=True))
    except csv.Error:
        raise AzgenError(
            f"{text!r}: a quotation mark is left open, or text follows one; write a name that holds a "
            "comma or a quotation mark as in a CSV file, between quotation marks that are doubled inside"
        ) from None
    return [cell for cell in cells if cell.strip()]
