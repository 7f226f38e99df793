"""Commands of azgen, as a user gives them."""

from __future__ import annotations

from typer.testing import CliRunner

from azgen.cli import app


def azgen(*arguments: object, status: int = 0) -> str:
    """Output of a command that must end with this status; of one that fails, its error."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    return result.stdout if status == 0 else result.stderr
