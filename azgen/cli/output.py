"""How commands print: consoles, tables, program text, numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_PIPE_WIDTH = 200
"""Characters of a line where there is no terminal: wide enough that tables stay whole for grep."""


def console() -> Console:
    """Standard output. Text is printed as it is: brackets in programs are no markup."""
    from rich.console import Console

    result = Console(highlight=False, markup=False)
    return result if result.is_terminal else Console(highlight=False, markup=False, width=_PIPE_WIDTH)


def grid(rows: Sequence[Sequence[str]], *headers: str, right: Sequence[int] = ()) -> Table:
    """A table without frames.

    Args:
        rows: cells.
        headers: headings of the columns; without any there is no heading.
        right: numbers of the columns that are aligned to the right.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=None, show_header=bool(headers), header_style="bold", padding=(0, 2, 0, 0), pad_edge=False
    )
    for place in range(len(rows[0]) if rows else len(headers)):
        heading = headers[place] if headers else ""
        table.add_column(heading, justify="right" if place in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def print_code(to: Console, text: str, language: str = "python") -> None:
    """Prints source, in colours on a terminal."""
    if not to.is_terminal:
        to.out(text.rstrip("\n"), highlight=False)
        return
    from rich.syntax import Syntax

    to.print(
        Syntax(text.rstrip("\n"), language, theme="ansi_dark", background_color="default", word_wrap=True)
    )


def thousands(number: int) -> str:
    """A whole number with a thin gap between thousands."""
    return f"{number:,}".replace(",", " ")


def size(n_bytes: float) -> str:
    """A size in bytes, for people."""
    for unit in ("bytes", "KiB", "MiB"):
        if n_bytes < 1024:
            return f"{n_bytes:.0f} {unit}" if unit == "bytes" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:.1f} GiB"


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


def ladder(counts: Mapping[str, int]) -> list[tuple[str, str, str]]:
    """What became of the programs: rung of the ladder, number, share; empty rungs are left out."""
    programs = max(counts.get("programs", 0), 1)
    return [
        (name.replace("_", " "), thousands(count), f"{count / programs:.1%}")
        for name, count in counts.items()
        if count and name not in ("programs", "steps")  # steps: of runs by azgen 0.1
    ]
