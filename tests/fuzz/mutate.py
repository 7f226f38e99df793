"""Changing an input a little: its bytes, or the values that it holds."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

ODD_BYTES = (b"\0", b"\xff", b"\x7f", b"\x80", b"\n", b'"', b"'", b"(", b"[", b"{", b"9" * 30, b"-", b"m999")

ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 255, 2**31, 2**53, 2**63, 2**64, -(2**63), 10**30, 10**400, 16**5000),
    *(0.0, 0.5, -0.5, 1e308, 1e-320, float("nan"), float("inf"), float("-inf")),
    *("", "x", "0", "\0", "\ud800", "\n", "../..", "nan", "x" * 5000, "def Setup():\n  pass\n"),
    *([], {}, [[]], [1], ["a"], {"a": 1}, {"": {}}, [None] * 40),
)


def mutated_bytes(data: bytes, source: random.Random) -> bytes:
    """One to five changes of bytes: flipped, replaced, inserted, removed, repeated, cut off."""
    found = bytearray(data)
    for _ in range(source.choice((1, 1, 2, 3, 5))):
        at = source.randrange(len(found) + 1)
        some = source.randrange(1, 1 + source.choice((1, 4, 16, 200)))
        kind = source.randrange(6)
        if kind == 0 and at < len(found):
            found[at] ^= 1 << source.randrange(8)
        elif kind == 1 and at < len(found):
            found[at] = source.randrange(256)
        elif kind == 2:
            found[at:at] = source.choice(ODD_BYTES)
        elif kind == 3:
            del found[at : at + some]
        elif kind == 4:
            found[at:at] = found[at : at + some]
        elif source.random() < 0.2:
            del found[at:]
    return bytes(found)


def mutated_value(value: Any, source: random.Random) -> Any:
    """Plain values of which one to three are another, gone, twice there, or moved to another's place."""
    value = copy.deepcopy(value)
    for _ in range(source.choice((1, 1, 1, 2, 3))):
        places = list(_places(value))
        if not places:
            return source.choice(ODD_VALUES)
        holder, key = source.choice(places)
        kind = source.randrange(8)
        if kind < 4:
            holder[key] = copy.deepcopy(source.choice(ODD_VALUES))
        elif kind == 4:
            del holder[key]
        elif kind == 5:
            other, at = source.choice(places)
            if at in other if isinstance(other, dict) else at < len(other):
                holder[key] = copy.deepcopy(other[at])
        elif kind == 6 and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        elif kind == 6:
            holder[source.choice(("extra", "", "\0", str(key) + "x"))] = copy.deepcopy(holder[key])
        elif isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
            number = holder[key]
            holder[key] = source.choice(
                (number + 1, -number, number * 1000, float(min(number, 1e300)), str(number)[:9])
            )
        elif isinstance(holder[key], str):
            text = mutated_bytes(holder[key].encode(errors="replace"), source)
            holder[key] = text.decode("utf-8", "surrogateescape" if source.random() < 0.1 else "replace")
    return value


def mutated_json(data: bytes, source: random.Random) -> bytes:
    """The same of a text of JSON; now and then its bytes."""
    if source.random() < 0.1:
        return mutated_bytes(data, source)
    try:
        return json.dumps(mutated_value(json.loads(data), source)).encode()
    except (ValueError, RecursionError):  # damaged already, or a number that JSON's own writer refuses
        return mutated_bytes(data, source)


def _places(value: Any, depth: int = 0) -> Any:
    """Every dict or list in a value with a key of it; of long lists some."""
    if depth > 12 or not isinstance(value, dict | list):
        return
    keys = list(value) if isinstance(value, dict) else list(range(min(len(value), 12)))
    for key in keys:
        yield value, key
        yield from _places(value[key], depth + 1)
