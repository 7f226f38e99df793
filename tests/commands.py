"""Commands of azgen, as a user gives them."""

from __future__ import annotations

import os

import pytest
from typer.testing import CliRunner

from azgen.cli import app
from azgen.codegen.cache_folder import ENVIRONMENT_VARIABLE


def azgen(*arguments: object, status: int = 0) -> str:
    """Output of a command that must end with this status; of one that fails, its error."""
    # A command may choose the compile cache's folder (--build-dir), for its own process: not for later tests.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, ENVIRONMENT_VARIABLE, os.environ.get(ENVIRONMENT_VARIABLE, ""))
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status, result.output
    return result.stdout if status == 0 else result.stderr
