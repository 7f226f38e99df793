"""Option values as Typer makes them, without Pydantic where nothing has to be made of them.

Typer has Pydantic check every value, also those that nobody gave; importing it takes a third of a short
command's time. This is a matter of speed alone: a Typer that works otherwise is left as it is.
"""

from __future__ import annotations

from typing import Any

import typer.core

_build = getattr(typer.core, "build_runtime_param", None)
_Base: Any = getattr(typer.core, "RuntimeParam", object)


class _AsGiven(_Base):
    """Text stays as it is, what is not there too; for all else Typer's own is built."""

    def __init__(self, descriptor: Any):
        super().__init__(parameter_info=descriptor.parameter_info, annotation=descriptor.annotation)
        object.__setattr__(self, "descriptor", descriptor)  # Typer's class is frozen

    def _coerce_value(self, value: Any, param: Any, ctx: Any) -> Any:
        if self.annotation is str and type(value) is str and self.parameter_info.parser is None:
            return value
        assert _build is not None
        return _build(self.descriptor)._coerce_value(value, param=param, ctx=ctx)


def leave_values_as_given() -> None:
    """Has Typer build what checks a value when there is one to check."""
    if _build is not None and hasattr(_Base, "_coerce_value") and hasattr(_Base, "coerce"):
        typer.core.build_runtime_param = _AsGiven  # type: ignore[attr-defined]
