"""The command line: thin commands over azgen.study, each in the module of its group."""

from azgen.cli.app import app, main

# Each of these adds its commands to the app, in the order of `azgen --help`.
# isort: split
from azgen.cli import evolve, difficulty, programs, export, runs, execution, understand, tune  # noqa: F401, I001
from azgen.cli import data, reference, machine, bench  # noqa: F401

__all__ = ["app", "main"]
