"""The command line: thin commands over azgen.study, each in the module of its group."""

from azgen.cli.app import app, main

__all__ = ["app", "main"]
