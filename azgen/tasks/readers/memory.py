"""How much memory there is, so that a file that does not fit is refused before it is read."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from azgen.errors import AzgenError


def available_memory() -> int | None:
    """Bytes that can be had without swapping, on the machine and in its container; None if unknown."""
    found: list[int] = []
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) * 1024)
    with suppress(
        OSError, ValueError
    ):  # a container's limit (control groups, version 2), less what is in use
        group = Path("/sys/fs/cgroup")
        limit = (group / "memory.max").read_text().strip()
        if limit != "max":
            found.append(max(0, int(limit) - int((group / "memory.current").read_text())))
    if not found:
        with suppress(OSError, ValueError, AttributeError):
            found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min(found, default=None)


def refuse_if_too_large(source: str, size: int, factor: float = 1.0) -> None:
    """Raise AzgenError if `size` bytes, which take factor times as much memory, are more than there is."""
    available = available_memory()
    if available is not None and size * factor > available:
        raise AzgenError(
            f"{source} holds {human_size(size)}; reading it takes about {human_size(size * factor)} of "
            f"memory, and {human_size(available)} is available; use fewer rows or columns, or a machine with "
            "more memory"
        )


def human_size(size: float) -> str:
    """1536 -> "1.5 KiB"."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
