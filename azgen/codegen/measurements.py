"""What was measured on this machine, kept in the store: small JSON files, one per key.

They follow the rules of compiled modules. A damaged one counts as absent and is measured anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from azgen.codegen import cache_folder, store

CALIBRATION = "calibration"
"""Kind of what `--backend auto` decides by, one per search kernel (azgen/search/rating/cost_model.py)."""

_NAME = "measured.json"


def read_measured(kind: str, key: str, *, touch: bool = True) -> dict[str, Any] | None:
    """What was measured under a key (64 hexadecimal digits); None if nothing was.

    Args:
        kind, key: what it is, and under which key.
        touch: whether this counts as use, for `prune`.

    Raises:
        CacheError: somebody else could have written it, or the folder cannot be used.
    """
    entry = cache_folder.build_directory() / kind / key
    with cache_folder.disk_errors(entry):
        try:
            if _NAME not in store.verify(entry, {"kind": kind}):
                return None
            values = json.loads((entry / _NAME).read_bytes())
        except (store.Absent, store.Damaged, FileNotFoundError, ValueError, RecursionError):
            return None
        if not isinstance(values, dict):
            return None
        if touch:
            with suppress(OSError):
                os.utime(entry)
        return values


def write_measured(kind: str, key: str, values: Mapping[str, Any]) -> None:
    """Keeps plain values under a key, in place of what is there.

    Raises:
        CacheError: the folder cannot be used, or the disk is full.
    """
    entry = store.kind_directory(kind) / key
    with cache_folder.disk_errors(entry.parent), store.publishing(entry, {"kind": kind}) as temporary:
        (temporary / _NAME).write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
        store.remove_entry(entry)


def all_measured(kind: str) -> list[dict[str, Any]]:
    """Everything that was measured of a kind, the most recently used first."""
    keys = [entry.key for entry in store.entries() if entry.kind == kind]
    return [values for key in keys if (values := read_measured(kind, key, touch=False)) is not None]
