"""Numbers and names as people read them, the same on a terminal and on a page."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

SET_NAMES = {"search": "search", "select": "selection", "test": "test"}
"""Of the task sets, for people."""


def thousands(number: int) -> str:
    """A whole number with a thin gap between thousands."""
    return f"{number:,}".replace(",", " ")


def spaced(text: str) -> str:
    """A text with a gap between the thousands of its whole numbers."""
    return re.sub(r"(?<![\d.])\d{4,}(?![\d.])", lambda found: thousands(int(found[0])), text)


def duration(seconds: float) -> str:
    """A duration, for people."""
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def interval(record: Mapping[str, Any] | None) -> str:
    """A mean and its confidence interval, from plain values as result.json has them."""
    if not record or record.get("mean") is None:
        return ""
    half_width = record.get("half_width")
    if not half_width or half_width < 1e-12:  # a single task, or tasks that differ by rounding alone
        return f"{record['mean']:.4f}"
    # One more digit than the interval's first, so that perfect and almost perfect stay apart.
    digits = min(max(1 - math.floor(math.log10(half_width)), 3), 9)
    return f"{record['mean']:.{digits}f} ± {half_width:.{digits}f}"


def signed(record: Mapping[str, Any] | None) -> str:
    """A difference and its confidence interval, with its sign."""
    text = interval(record)
    return text if not text or text.startswith("-") else f"+{text}"


def ladder(counts: Mapping[str, int]) -> list[tuple[str, str, str]]:
    """What became of the programs: rung of the ladder, number, share; empty rungs are left out."""
    programs = max(counts.get("programs", 0), 1)
    return [
        (name.replace("_", " "), thousands(count), f"{count / programs:.1%}")
        for name, count in counts.items()
        if count and name not in ("programs", "steps")  # steps: of runs by azgen 0.1
    ]
