"""Bounds of numbers, declared beside the fields of dataclasses and read by one check.

n_search: Positive = 10
batch: Annotated[int, Bounds(1, 64)] = 16
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, TypeAlias, get_args, get_origin, get_type_hints

from azgen.errors import AzgenError


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

    def __contains__(self, number: float) -> bool:
        if self.inside:
            return self.least < number < self.most
        return self.least <= number <= self.most

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


def check_bounds(value: Any, at: str = "") -> None:
    """Checks the numbers of a dataclass, and of those in it, against the bounds beside their fields.

    Args:
        value: the dataclass.
        at: where it is, for messages, such as "tasks.".

    Raises:
        AzgenError: a number is out of bounds; names the field.
    """
    cls: type = type(value)
    known = bounds_of(cls)
    for field in dataclasses.fields(value):
        found, name = getattr(value, field.name), f"{at}{field.name}"
        if field.name in known:
            for number in found if isinstance(found, tuple) else (found,):
                if number not in known[field.name]:
                    shown = list(found) if isinstance(found, tuple) else found
                    raise AzgenError(f"{name} is {shown}; it must be {known[field.name]}")
        for place, item in enumerate(found if isinstance(found, tuple) else (found,), 1):
            if dataclasses.is_dataclass(item):
                check_bounds(item, f"{name}.{place}." if isinstance(found, tuple) else f"{name}.")


@cache
def bounds_of(cls: type) -> Mapping[str, Bounds]:
    """The bounds of a dataclass's fields, by name."""
    found = {}
    for name, hint in get_type_hints(cls, include_extras=True).items():
        for part in get_args(hint)[1:] if get_origin(hint) is Annotated else ():
            if isinstance(part, Bounds):
                found[name] = part
    return found
