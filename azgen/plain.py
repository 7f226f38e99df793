"""Dataclasses to and from plain values: what JSON, TOML and messages between processes can hold.

`as_plain` writes, `read` reads what came from outside and checks every type on the way; a mistake is named
by its path, such as `islands.tasks.2.n_features`. So no value reaches the rest of azgen that is of another
type than its field, out of the bounds beside it, or one that no file can hold. A type that is no dataclass,
such as a program, is written and read by a function that the caller gives.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from azgen.errors import AzgenError, FieldError, suggest
from azgen.textual import is_text, shown

T = TypeVar("T")

Writers = Mapping[type, Callable[[Any], Any]]
"""What makes values of a type plain."""

Readers = Mapping[Any, Callable[[Any, str], Any]]
"""What reads values of an annotated type: from the plain value and its path; it raises an AzgenError."""

_LEAST, _MOST = -(2**63), 2**64 - 1
"""Whole numbers that the rest of the world can hold: NumPy, native code, TOML."""

_WORDS = {int: "a whole number", float: "a number", str: "a text in quotes", bool: "true or false"}

_PLAIN = frozenset({type(None), bool, int, float, str})


class PlainError(AzgenError):
    """A plain value is not what it should be; the message names it by its path."""


def as_plain(
    value: Any,
    writers: Writers | None = None,
    leave_out: tuple[str, ...] = (),
    names: Mapping[str, str] | None = None,
) -> Any:
    """A value as nested dicts, lists, texts, numbers, bools and None.

    Args:
        value: a dataclass, or anything made of dataclasses, mappings, sequences, numbers and arrays of NumPy.
        writers: for values of other types, which come before all but numbers, texts and None.
        leave_out: fields of `value` itself that do not come along.
        names: of fields of `value` itself that are called otherwise there.

    Raises:
        TypeError: something in it has no plain form.
    """
    if type(value) in _PLAIN:
        return value
    for kind, write in (writers or {}).items():
        if isinstance(value, kind):
            return write(value)
    if isinstance(value, int | float | str):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [name for name in _fields(type(value)) if name not in leave_out]
        called = names or {}
        return {called.get(field, field): as_plain(getattr(value, field), writers) for field in fields}
    if isinstance(value, Mapping):
        return {str(key): as_plain(item, writers) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [item if type(item) in _PLAIN else as_plain(item, writers) for item in value]
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no plain form")


def read(
    cls: type[T],
    value: Any,
    source: str,
    path: str = "",
    *,
    readers: Readers | None = None,
    given: Mapping[str, Any] | None = None,
    extra: bool = False,
) -> T:
    """A dataclass from a mapping.

    Args:
        cls: a dataclass whose fields are annotated with bool, int, float, str, None, Literal, unions, tuple,
            list, dict or Mapping of such, dataclasses, or what `readers` know.
        value: plain values by field.
        source: what messages begin with, such as the file.
        path: where `value` is in it, such as "tasks"; "" for all of it.
        readers: for other annotations, which come before all but numbers and texts.
        given: fields that are known already, in place of what the mapping has.
        extra: whether a mapping, and those in it, may have keys that are no fields; a misspelt one is then
            not noticed.

    Raises:
        PlainError: no mapping, an unknown or a missing key, or a value of another type or out of bounds.
    """
    if not isinstance(value, Mapping):
        raise PlainError(f"{source}: {path or 'it'} must be a table of settings, not {shown(value)}")
    hints, given = _hints(cast(type, cls)), given or {}
    unknown = [key for key in value if key not in hints]
    if unknown and not extra:
        hint = (
            suggest(str(unknown[0]), hints, lambda name: _at(path, name)) or f"Known are {', '.join(hints)}"
        )
        raise PlainError(f"{source}: there is no setting {_at(path, unknown[0])}. {hint}")
    missing = [name for name in _required(cast(type, cls)) if name not in value and name not in given]
    if missing:
        raise PlainError(f"{source}: {_at(path, missing[0])} is missing")
    reading = _Reading(source, readers or {}, extra)
    found = {
        key: reading.value(hints[key], item, _at(path, key))
        for key, item in value.items()
        if key in hints and key not in given
    }
    try:
        return cls(**found, **given)
    except FieldError as error:
        raise PlainError(f"{source}: {error.under(path and path + '.')}") from None


def read_value(hint: Any, value: Any, source: str, path: str, readers: Readers | None = None) -> Any:
    """A value of an annotated type; the arguments and errors are those of `read`."""
    return _Reading(source, readers or {}).value(hint, value, path)


@dataclasses.dataclass(frozen=True)
class _Reading:
    """Values of one source."""

    source: str
    readers: Readers
    extra: bool = False

    def value(self, hint: Any, value: Any, path: str) -> Any:
        """A value of an annotated type."""
        if hint is type(value) and hint in _PLAIN:  # nearly all are: nothing has to be found out
            return self._scalar(hint, value, path)
        for known, reader in self.readers.items():
            if hint == known:
                return reader(value, path)
        if dataclasses.is_dataclass(hint):
            return read(cast(type, hint), value, self.source, path, readers=self.readers, extra=self.extra)
        kind = get_origin(hint)
        if kind in (Union, types.UnionType):
            return self._one_of(hint, value, path)
        if kind is Literal:
            if not any(value == option and type(value) is type(option) for option in get_args(hint)):
                self._wrong(path, value, f"one of {', '.join(map(repr, get_args(hint)))}")
            return value
        if kind in (tuple, list):
            return kind(self._items(hint, value, path))
        if kind in (dict, Mapping) or (isinstance(kind, type) and issubclass(kind, Mapping)):
            if not isinstance(value, Mapping):
                self._wrong(path, value, "a table")
            of_item = get_args(hint)[1]
            return {
                self._text(str(key), path): self.value(of_item, item, _at(path, key))
                for key, item in value.items()
            }
        return self._scalar(hint, value, path)

    def _scalar(self, hint: Any, value: Any, path: str) -> Any:
        if hint is Any or (hint in (None, type(None)) and value is None):
            return value
        if isinstance(value, int) and not _LEAST <= value <= _MOST and hint in (int, float):
            self._wrong(path, value, f"{_WORDS[hint]} of at most 64 bits")
        if hint is type(value) and hint is not str:
            return value
        if hint is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if not isinstance(hint, type) or not isinstance(value, hint):
            self._wrong(path, value, _WORDS.get(hint, str(hint)))
        if isinstance(value, bool) and hint is not bool:
            self._wrong(path, value, _WORDS.get(hint, str(hint)))
        return self._text(value, path) if isinstance(value, str) else value

    def _text(self, text: str, path: str) -> str:
        """A text that can stand in every file that azgen writes."""
        if not is_text(text):
            self._wrong(path, text, "a text without zero bytes and halves of surrogate pairs")
        return text

    def _one_of(self, hint: Any, value: Any, path: str) -> Any:
        if value is None and type(None) in get_args(hint):
            return None
        tag = tag_of(hint)
        if tag and isinstance(value, Mapping):
            return self._tagged(tag, hint, value, path)
        problem: AzgenError | None = None
        for option in get_args(hint):
            if option is type(None):
                continue
            try:
                return self.value(option, value, path)
            except AzgenError as error:
                problem = problem or error
        raise problem or PlainError(f"{self.source}: {path} is {shown(value)}")

    def _tagged(self, tag: str, hint: Any, value: Mapping[str, Any], path: str) -> Any:
        """One of several dataclasses, told by a field; without it, it is the first."""
        kinds = tagged(hint)
        name = value.get(tag, next(iter(kinds)))
        if not isinstance(name, str) or name not in kinds:
            self._wrong(_at(path, tag), name, f"one of {', '.join(map(repr, kinds))}")
        for key in value:
            owners = [other for other, kind in kinds.items() if key in _hints(kind)]
            if owners and name not in owners:
                whose = " or ".join(f'"{owner}"' for owner in owners)
                raise PlainError(
                    f'{self.source}: {_at(path, key)} is for {tag} {whose}, but {_at(path, tag)} is "{name}"'
                )
        return read(kinds[name], value, self.source, path, readers=self.readers, extra=self.extra)

    def _items(self, hint: Any, value: Any, path: str) -> list[Any]:
        inner = get_args(hint)
        fixed = get_origin(hint) is tuple and inner[-1] is not ...
        if not isinstance(value, list | tuple) or (fixed and len(value) != len(inner)):
            what = "numbers" if set(inner) <= {int, float} else "values"
            self._wrong(path, value, "a list" + (f" of {len(inner)} {what}" if fixed else ""))
        kinds = inner if fixed else (inner[0],) * len(value)
        places = [f"{path}.{number}" for number in range(1, len(value) + 1)]
        return [self.value(*each) for each in zip(kinds, value, places, strict=True)]

    def _wrong(self, path: str, value: Any, should: str) -> None:
        raise PlainError(f"{self.source}: {path} is {shown(value)}; it must be {should}")


def _at(path: str, key: object) -> str:
    name = key if isinstance(key, str) else shown(key)
    return f"{path}.{name}" if path else name


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


@cache
def tag_of(hint: Any) -> str:
    """The field that tells the dataclasses of a union apart, a Literal in each; "" if there is none."""
    options = get_args(hint)
    if len(options) < 2 or not all(dataclasses.is_dataclass(option) for option in options):
        return ""
    for name in _hints(options[0]):
        tags = [_hints(option).get(name) for option in options]
        if all(get_origin(tag) is Literal and len(get_args(tag)) == 1 for tag in tags):
            return name
    return ""


@cache
def tagged(hint: Any) -> dict[str, type]:
    """The dataclasses of a union by what their tag says; see `tag_of`."""
    tag = tag_of(hint)
    return {get_args(_hints(option)[tag])[0]: option for option in get_args(hint)}


@cache
def _fields(cls: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(cast(Any, cls)))


@cache
def _required(cls: type) -> tuple[str, ...]:
    missing = dataclasses.MISSING
    fields = dataclasses.fields(cast(Any, cls))
    return tuple(f.name for f in fields if f.default is missing and f.default_factory is missing)
