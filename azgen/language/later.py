"""NumPy, imported when it is first needed: who only reads the op table computes nothing, and is done in half
the time."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class _NumPy:
    """The package, for what is computed in functions."""

    def __getattr__(self, name: str) -> Any:
        found = self.__dict__[name] = getattr(import_module("numpy"), name)
        return found


class _Function:
    """A function of NumPy, by name."""

    def __init__(self, name: str):
        self._name = name
        self._function: Any = None

    def __getattr__(self, name: str) -> _Function:
        if name.startswith("_"):  # what copying and inspecting ask for
            raise AttributeError(name)
        return _Function(f"{self._name}.{name}")

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        if self._function is None:
            self._function = numpy
            for name in self._name.split("."):
                self._function = getattr(self._function, name)
        return self._function(*arguments, **options)

    def __repr__(self) -> str:
        return f"numpy.{self._name}"


class _Functions:
    """The package, for functions that are only named."""

    def __getattr__(self, name: str) -> _Function:
        return _Function(name)


numpy: Any = _NumPy()
functions: Any = _Functions()
