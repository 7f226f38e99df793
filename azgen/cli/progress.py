"""A bar that shows how far something is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn


@contextmanager
def progress_bar(
    *columns: ProgressColumn | str, quiet: bool
) -> Iterator[Callable[[str, float, float], None]]:
    """A bar beside a text, gone at the end, on standard error if that is a terminal.

    Args:
        columns: of Rich, between the bar and the time that is left.
        quiet: shows nothing.

    Yields:
        What shows a text, how much has been done, and of how much.
    """
    to = Console(stderr=True)
    between = (TextColumn("{task.description}"), BarColumn(), *columns, TimeRemainingColumn())
    with Progress(*between, console=to, transient=True, disable=quiet or not to.is_terminal) as bar:
        line = bar.add_task("", total=None)
        yield lambda text, done, total: bar.update(line, description=text, completed=done, total=total)
