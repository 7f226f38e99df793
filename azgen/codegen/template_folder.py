"""Where the templates lie; apart from `azgen.codegen.templates`, as finding them needs no Jinja2."""

from __future__ import annotations

from pathlib import Path


def template_directory() -> Path:
    """Where the templates lie: top-level in a checkout, inside the package when installed."""
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent / "templates"
    return checkout if checkout.is_dir() else package / "_templates"
