"""The command `azgen`: its subcommands, and what becomes of errors and interruptions."""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import suppress
from typing import Any

import typer
from typer.core import TyperGroup, TyperOption

from azgen.caller import on_command_line
from azgen.cli.coercion import leave_values_as_given
from azgen.cli.commands import SETTINGS, list_in, loaded
from azgen.cli.options import with_flags
from azgen.deadline import work_goes_on
from azgen.errors import AzgenError, FormerName


class Commands(TyperGroup):
    """Runs a command: mistakes of the user end in one message and exit status 2, Ctrl-C in 130."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is called, whose module is imported now."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed if name is None else loaded(name), rest

    def invoke(self, ctx: Any) -> Any:
        """Invokes the command."""
        try:
            with warnings.catch_warnings(), on_command_line():
                warnings.simplefilter("always", FormerName)
                others = warnings.showwarning
                warnings.showwarning = lambda message, category, *where, **more: (
                    typer.echo(f"Note: {message}", err=True)
                    if issubclass(category, FormerName)
                    else others(message, category, *where, **more)
                )
                result = super().invoke(ctx)
                sys.stdout.flush()  # what cannot be written is told now, not as Python ends
                return result
        except AzgenError as error:
            text = with_flags(str(error))
            typer.echo(typer.style("Error:", fg="red", bold=True) + f" {text}", err=True)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            typer.echo("Interrupted.", err=True)
            raise typer.Exit(130) from None
        except BrokenPipeError:
            _give_up_output()  # whoever read it has enough
            raise typer.Exit(0) from None


def _without_type_of_flags() -> None:
    """Has help show no type beside an option that takes no value."""
    shown = getattr(TyperOption, "display_type_rich", None)
    if shown is not None:
        hidden = lambda self, ctx: None if self.is_flag else shown(self, ctx)  # noqa: E731
        TyperOption.display_type_rich = hidden  # type: ignore[method-assign]


def _end_at_once(ending: SystemExit) -> None:
    """Ends the process if it would wait for work that was given up."""
    if work_goes_on() and isinstance(ending.code, int | None):
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(ending.code or 0)


def _give_up_output() -> None:
    """What is still buffered must not raise again as Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


_without_type_of_flags()
leave_values_as_given()

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings=SETTINGS,
)
list_in(app)


def _version(value: bool) -> None:
    if value:
        from azgen.version import azgen_version

        typer.echo(f"azgen {azgen_version()}")
        raise typer.Exit


@app.callback()
def azgen(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Evolves machine-learning algorithms from basic maths, and exports them as readable Python."""


def main() -> None:
    """Entry point of the command `azgen`."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever called us, who wants to hear nothing
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (open until the end)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that knows no "±" gets a question mark in its place, and no traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        app(prog_name="azgen")
    except SystemExit as ending:
        _end_at_once(ending)
        raise
    except OSError as error:
        if error.errno is None:  # a mistake of azgen's
            raise
        # What files and folders do wrong is an AzgenError where they are used; the output is left.
        _give_up_output()
        where = error.filename or "the output cannot be written"
        typer.echo(
            typer.style("Error:", fg="red", bold=True)
            + f" {where}: {error.strerror or error}; look at the disk, or send the output elsewhere",
            err=True,
        )
        sys.exit(2)
