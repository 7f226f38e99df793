"""azgen's version, as its installation states it."""

from importlib.metadata import PackageNotFoundError, version


def azgen_version() -> str:
    """Version of the installed package; "unknown" for source that was never installed."""
    try:
        return version("azgen")
    except PackageNotFoundError:
        return "unknown"
