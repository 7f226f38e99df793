"""A run's progress in a notebook: one line that is written anew, however long the run."""

from __future__ import annotations

import sys
import time
from html import escape
from typing import Any

from azgen.runs.events import Event, Finished, NewChampion, Progress, Started, StartsTuned
from azgen.study.wording import thousands

_SECONDS = 0.5
"""Least time between two versions of the line."""


def in_notebook() -> bool:
    """Whether this is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")  # where it has not been imported, this is none
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


class NotebookLine:
    """An observer that shows a run as one line, which stays with the run's end."""

    def __init__(self) -> None:
        from IPython.display import HTML, display

        self._html, self._best, self._text = HTML, "", "reading the data and compiling the search kernel"
        self._shown_at = time.perf_counter()
        self._handle: Any = display(self._line(), display_id=True)

    def __call__(self, event: Event) -> None:
        """Takes an event in; the line changes twice a second at most."""
        match event:
            case StartsTuned():
                self._text = f"best start {event.best}, {event.select_fitness:.4f} on selection tasks"
            case Started():
                self._text = f"{event.name}: searching"
            case NewChampion():
                self._best = f"; champion {event.champion.select_fitness:.4f} on selection tasks"
                return
            case Progress():
                self._text = f"{event.seconds:.0f} s, {thousands(event.programs)} programs"
            case Finished():
                spent = f"{event.seconds:.0f} s and {thousands(event.programs)} programs"
                self._text = f"ended after {spent}: {event.reason}"
                self._best = f"; champion {event.test_fitness:.4f} on test tasks"
            case _:
                return
        if isinstance(event, Finished) or time.perf_counter() - self._shown_at >= _SECONDS:
            self._shown_at = time.perf_counter()
            self._handle.update(self._line())

    def _line(self) -> Any:
        return self._html(f"<code>azgen: {escape(self._text + self._best)}</code>")
