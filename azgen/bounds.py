"""Bounds of numbers, declared beside the fields of dataclasses; no value is made out of them.

@dataclass(frozen=True)
class Some(Bounded):
    n_search: Positive = 10
    batch: Annotated[int, Bounds(1, 64)] = 16
    engine: Literal["workers", "dask"] = "workers"
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import cache
from numbers import Real
from typing import Annotated, Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

from azgen.errors import FieldError


@dataclasses.dataclass(frozen=True)
class Bounds:
    """Where a number must lie; of a tuple every one.

    Attributes:
        least, most: limits.
        inside: whether the limits themselves are out of bounds.
    """

    least: float = -math.inf
    most: float = math.inf
    inside: bool = False

    def __contains__(self, number: Any) -> bool:
        if not isinstance(number, int | float | Real):  # asking for Real alone takes long
            return False
        value: Any = number
        return bool(self.least < value < self.most if self.inside else self.least <= value <= self.most)

    def __str__(self) -> str:
        if self.most == math.inf:
            return f"{'above' if self.inside else 'at least'} {self.least:g}"
        if self.inside:
            return f"above {self.least:g} and below {self.most:g}"
        return f"between {self.least:g} and {self.most:g}"


Count: TypeAlias = Annotated[int, Bounds(0)]
Positive: TypeAlias = Annotated[int, Bounds(1)]
NotNegative: TypeAlias = Annotated[float, Bounds(0)]
AboveZero: TypeAlias = Annotated[float, Bounds(0, inside=True)]
Share: TypeAlias = Annotated[float, Bounds(0, 1)]
ProperShare: TypeAlias = Annotated[float, Bounds(0, 1, inside=True)]
"""A share that is neither none nor all."""


class _Words(tuple[Any, ...]):
    """The values of a Literal."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"one of {', '.join(map(repr, self))}"


class Bounded:
    """A dataclass whose values are what its fields declare, however they are made: read, called, replaced.

    Raises:
        FieldError: a number is out of bounds, or a word is none of its field's; names the field.
    """

    def __post_init__(self) -> None:
        cls: type = type(self)
        for name, allowed in _allowed(cls).items():
            found = getattr(self, name)
            for item in found if isinstance(found, tuple) else (found,):
                if item not in allowed:
                    shown = list(found) if isinstance(found, tuple) else found
                    number = "" if isinstance(item, Real) or isinstance(allowed, _Words) else "a number "
                    raise FieldError(f"{{at}}{name} is {shown!r}; it must be {number}{allowed}")


@cache
def _allowed(cls: type) -> Mapping[str, Bounds | _Words]:
    """What the values of a dataclass's fields must be in, by name."""
    hints = get_type_hints(cls)
    words = {name: _Words(get_args(hint)) for name, hint in hints.items() if get_origin(hint) is Literal}
    return {**words, **bounds_of(cls)}


@cache
def bounds_of(cls: type) -> Mapping[str, Bounds]:
    """The bounds of a dataclass's fields, by name."""
    found = {}
    for name, hint in get_type_hints(cls, include_extras=True).items():
        for part in get_args(hint)[1:] if get_origin(hint) is Annotated else ():
            if isinstance(part, Bounds):
                found[name] = part
    return found
