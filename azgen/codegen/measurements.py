"""What was measured on this machine, kept in the compile cache: small JSON files, one per key.

They follow the rules of compiled modules: written whole under another name and renamed, never changed, read
only if nobody else could have written them. A damaged one counts as absent and is measured anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from azgen.codegen.cache_directory import (
    build_directory,
    cache_entries,
    check_trusted,
    disk_errors,
    make_private,
    remove_entry,
    temporary_folder,
)

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
    folder = build_directory() / kind / key
    with disk_errors(folder):
        try:
            for path in (folder, folder / _NAME):
                check_trusted(path, os.lstat(path))
            record = json.loads((folder / _NAME).read_bytes())
            values: dict[str, Any] = record["values"]
            if record["sha256"] != _checksum(values):
                return None
            if touch:
                with suppress(OSError):
                    os.utime(folder)
            return values
        except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
            return None


def write_measured(kind: str, key: str, values: Mapping[str, Any]) -> None:
    """Keeps plain values under a key, in place of what is there.

    Raises:
        CacheError: the folder cannot be used, or the disk is full.
    """
    parent = build_directory() / kind
    make_private(parent)
    with disk_errors(parent), temporary_folder(parent) as temporary:
        path = temporary / _NAME
        record = {"sha256": _checksum(values), "values": values}
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        path.chmod(0o600)
        remove_entry(parent / key)
        with suppress(OSError):  # another process was faster
            os.rename(temporary, parent / key)


def all_measured(kind: str) -> list[dict[str, Any]]:
    """Everything that was measured of a kind, the most recently used first."""
    keys = [entry.key for entry in cache_entries() if entry.kind == kind]
    return [values for key in keys if (values := read_measured(kind, key, touch=False)) is not None]


def _checksum(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
