"""Why a module was compiled although there was one like it: what its key was made of, beside another's."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azgen.codegen import store
from azgen.errors import CacheError

_LINES = 6


@dataclass(frozen=True)
class Difference:
    """What differs between the keys of two entries.

    Attributes:
        name: of the ingredient, such as "flags" or "sources..pyx".
        here, there: its values in words; of sources the lines that differ.
    """

    name: str
    here: str
    there: str


def why(key: str) -> tuple[store.Entry, store.Entry | None, tuple[Difference, ...]]:
    """An entry, the nearest of its kind (fewest different ingredients), and what differs.

    Args:
        key: of the entry, or how it begins.

    Raises:
        CacheError: there is none, or there are several.
    """
    entries = store.entries()
    found = [entry for entry in entries if entry.key.startswith(key.lower())]
    if len(found) != 1:
        several = f"{len(found)} modules whose keys begin with" if found else "no module with the key"
        raise CacheError(f"the cache has {several} {key!r}; keys are the names of its folders")
    (entry,) = found
    mine, best = _ingredients(entry), None
    for other in entries:
        if other.kind != entry.kind or other.key == entry.key:
            continue
        theirs = _ingredients(other)
        names = [name for name in mine | theirs if mine.get(name) != theirs.get(name)]
        # Of two with as many different ingredients, the one whose source has more in common.
        rank = len(names), -_in_common(entry, other) if len(entries) < 200 else 0
        if best is None or rank < best[0]:
            best = rank, other, names, theirs
    if best is None:
        return entry, None, ()
    _, nearest, names, theirs = best
    return entry, nearest, tuple(_difference(n, entry, nearest, mine, theirs) for n in names)


def _ingredients(entry: store.Entry) -> dict[str, Any]:
    """By name, those of sources one for each file."""
    try:
        manifest = json.loads((entry.directory / store.MANIFEST).read_text(encoding="utf-8"))
        found = dict(manifest["ingredients"])
        sources: Mapping[str, str] = found.pop("sources", {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}  # a damaged entry, which is built again when it is asked for
    return found | {f"source {name}": digest for name, digest in sources.items()}


def _difference(
    name: str, entry: store.Entry, other: store.Entry, mine: Mapping[str, Any], theirs: Mapping[str, Any]
) -> Difference:
    if not name.startswith("source "):
        return Difference(name, _words(mine.get(name)), _words(theirs.get(name)))
    here, there = (_source(e, name.removeprefix("source ")).splitlines() for e in (entry, other))
    changed = list(difflib.unified_diff(there, here, lineterm="", n=0))[2:]  # without the files' names
    added, removed = ([line[1:] for line in changed if line[0] == mark][:_LINES] for mark in "+-")
    return Difference(name, "\n".join(added), "\n".join(removed))


def _words(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _source(entry: store.Entry, name: str) -> str:
    paths = sorted(entry.directory.glob("*.pyx")) if name == ".pyx" else [entry.directory / name]
    try:
        return "".join(path.read_text(encoding="utf-8") for path in paths)
    except OSError:
        return ""


def _in_common(entry: store.Entry, other: store.Entry) -> int:
    """Lines of source that two entries share."""
    lines = [set(_source(e, ".pyx").splitlines()) for e in (entry, other)]
    return len(lines[0] & lines[1])
