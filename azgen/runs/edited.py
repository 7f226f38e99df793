"""What generated source that a person had edited came to: kept with the run, and marked.

overrides/<first 12 digits of the source's SHA-256>.pyx     the edited source, as it was run
overrides/<the same>.json                                   what came of it
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from azgen.errors import AzgenError
from azgen.files import trouble, write_file
from azgen.textual import read_json, to_json

FOLDER = "overrides"


def keep_edited(run: Path, source: str, record: Mapping[str, Any]) -> Path:
    """Keeps an edited source and what came of it in a run's directory; the same source takes its own place.

    Returns:
        Where the source is.

    Raises:
        AzgenError: it cannot be written.
    """
    folder, name = run / FOLDER, hashlib.sha256(source.encode()).hexdigest()[:12]
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise AzgenError(f"cannot write {folder}: {trouble(error)}") from None
    write_file(folder / f"{name}.pyx", source)
    write_file(folder / f"{name}.json", to_json(record, indent=2) + "\n")
    return folder / f"{name}.pyx"


def edited_sources(run: Path) -> list[tuple[Path, dict[str, Any]]]:
    """The edited sources that were run, with what came of them; what is damaged is left out."""
    found = []
    for path in sorted((run / FOLDER).glob("*.json")):
        try:
            record = read_json(path)
        except (OSError, AzgenError, ValueError):
            continue
        if isinstance(record, dict):
            found.append((path.with_suffix(".pyx"), record))
    return found
