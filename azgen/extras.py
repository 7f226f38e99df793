"""Packages that need not be installed: which extra brings each, and what is said when it is missing."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from azgen.errors import AzgenError

EXTRAS = {
    "pandas": ("pandas", "tables"),
    "openpyxl": ("openpyxl", "excel"),
    "pyarrow": ("pyarrow", "parquet"),
    "scipy": ("SciPy", "scipy"),
    "sklearn": ("scikit-learn", "baselines"),
    "sympy": ("SymPy", "explain"),
    "matplotlib": ("matplotlib", "report"),
    "distributed": ("Dask", "cluster"),
    "tensorboardX": ("tensorboardX", "tensorboard"),
}
"""By package as Python imports it: its name for people, and the extra of pyproject.toml that brings it."""


class MissingExtraError(AzgenError, ImportError):
    """A package that an extra brings is not installed."""


def missing(package: str, who: str) -> MissingExtraError:
    """What to raise for a package of `EXTRAS` that is not installed.

    Args:
        who: needs it, with the verb, such as "tables need".
    """
    name, extra = EXTRAS[package]
    return MissingExtraError(f"{who} {name}, which is not installed: pip install 'azgen[{extra}]'")


def need(module: str, who: str) -> Any:
    """A module of a package of `EXTRAS`, imported.

    Args:
        who: see `missing`.

    Raises:
        MissingExtraError: its package is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        raise missing(module.partition(".")[0], who) from None


def installed(package: str) -> bool:
    """Whether a package is there; it is not imported."""
    return find_spec(package) is not None
