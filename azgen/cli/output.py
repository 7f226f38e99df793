"""How commands print: consoles, tables, program text, numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from azgen.study.wording import duration as duration
from azgen.study.wording import interval as interval
from azgen.study.wording import ladder as ladder
from azgen.study.wording import spaced as spaced
from azgen.study.wording import thousands as thousands

_PIPE_WIDTH = 200
"""Characters of a line where there is no terminal: wide enough that tables stay whole for grep."""


def console() -> Console:
    """Standard output. Text is printed as it is: brackets in programs are no markup."""

    class Output(Console):
        def on_broken_pipe(self) -> None:  # Rich would end with status 1; `azgen.cli.app` knows what to do
            raise BrokenPipeError

    result = Output(highlight=False, markup=False)
    return result if result.is_terminal else Output(highlight=False, markup=False, width=_PIPE_WIDTH)


def grid(rows: Sequence[Sequence[str]], *headers: str, right: Sequence[int] = ()) -> Table:
    """A table without frames. Where it is wider than the terminal, words go to the next line, and numbers
    stay whole.

    Args:
        rows: cells.
        headers: headings of the columns; without any there is no heading.
        right: numbers of the columns that are aligned to the right.
    """
    kept = _widths_of_numbers(rows, headers, right)

    class Grid(Table):
        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            if self.__rich_measure__(console, options.update(max_width=10_000)).maximum > options.max_width:
                for place, width in kept.items():
                    self.columns[place].width = width
            yield from super().__rich_console__(console, options)

    table = Grid(
        box=None, show_header=bool(headers), header_style="bold", padding=(0, 2, 0, 0), pad_edge=False
    )
    for place in range(len(rows[0]) if rows else len(headers)):
        heading = headers[place] if headers else ""
        table.add_column(heading, justify="right" if place in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


_NUMBER = re.compile(r"[-+]?[\d\xa0\u2009\u202f ]*\.?\d*(e[-+]?\d+)?( ± \S+)?( ?%| ?[a-zµ]{1,3})?|infinite|-")
"""A cell that is read as one number, with its interval and unit."""


def _widths_of_numbers(
    rows: Sequence[Sequence[str]], headers: Sequence[str], right: Sequence[int]
) -> dict[int, int]:
    """The least widths at which columns of numbers stay whole, headings being broken between words."""
    found = {}
    for place in range(len(rows[0]) if rows else 0):
        cells = [row[place] for row in rows]
        if place in right or (any(cells) and all(_NUMBER.fullmatch(cell) for cell in cells)):
            words = headers[place].split() if headers else []
            found[place] = max(map(len, [*cells, *words]))
    return found


def size(n_bytes: float) -> str:
    """A size in bytes, for people."""
    for unit in ("bytes", "KiB", "MiB"):
        if n_bytes < 1024:
            return f"{n_bytes:.0f} {unit}" if unit == "bytes" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:.1f} GiB"
