"""Values as text that files, messages and notebooks can hold: JSON that every reader takes, names, tables."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from azgen.errors import AzgenError
from azgen.files import read_text

_SHOWN = 60
"""Characters of a value that messages show."""


def finite(value: Any) -> Any:
    """Plain values that JSON can hold: NaN and infinities become None."""
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


_NUMBERS = re.compile(r"\[\s+(?:(?:[-+.\dEe]+|null),\s+)*(?:[-+.\dEe]+|null)\s+\]")


def to_json(value: Any, indent: int | None = None) -> str:
    """JSON that every reader takes: NaN and infinities, which JSON does not have, become null."""
    value = finite(value)
    text = json.dumps(value, indent=indent, allow_nan=False, ensure_ascii=False)
    if not is_utf8(text):  # a path of other bytes: escaped, it is read back as it was
        text = json.dumps(value, indent=indent, allow_nan=False)
    # Lists of numbers on one line: they are long, and nobody reads them down a page.
    return _NUMBERS.sub(lambda found: f"[{' '.join(found[0][1:-1].split())}]", text) if indent else text


def is_utf8(text: str) -> bool:
    """Whether a text can be written as UTF-8; a path of other bytes cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def from_json(text: str | bytes) -> Any:
    """What JSON says.

    Raises:
        ValueError, RecursionError: it is none, or holds a number that no float is: JSON has no infinities.
    """
    return json.loads(text, parse_float=_finite_float, parse_constant=_finite_float)


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no number that JSON can hold")
    return value


def read_json(path: Path) -> Any:
    """What a file of JSON says.

    Raises:
        FileNotFoundError: there is no such file.
        AzgenError: it cannot be read, or is no JSON.
    """
    try:
        return from_json(read_text(path))
    except (ValueError, RecursionError) as error:
        raise AzgenError(f"{path} is damaged: {error}") from None


def shown(value: Any) -> str:
    """A value as messages show it, however large it is."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits, or nested without end
        return f"a {type(value).__name__} too large to show"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def is_text(text: str) -> bool:
    """Whether a text is one that files can hold: neither a zero byte nor half of a surrogate pair is in it.
    (Names of files that are no UTF-8 hold halves from U+DC80 on, and come through.)"""
    if text.isascii():
        return "\0" not in text
    return "\0" not in text and not any("\ud800" <= c < "\udc80" or "\udcff" < c <= "\udfff" for c in text)


def html_table(rows: Sequence[Sequence[Any]], headers: Sequence[str] = ()) -> str:
    """A table for a notebook."""
    head = "".join(f"<th>{escape(text)}</th>" for text in headers)
    cells = ("".join(f"<td>{escape(str(cell))}</td>" for cell in row) for row in rows)
    body = "".join(f"<tr>{row}</tr>" for row in cells)
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if headers else ''}<tbody>{body}</tbody></table>"
