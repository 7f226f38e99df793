"""azgen's version, as its installation states it."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def azgen_version() -> str:
    """Version of the installed package; "unknown" for source that was never installed."""
    try:
        return version("azgen")
    except PackageNotFoundError:
        return "unknown"
