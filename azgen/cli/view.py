"""What one sees of a run while it goes on: a live picture on a terminal, lines elsewhere, or JSON."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from azgen.cli.output import duration, grid, ladder, spaced, thousands
from azgen.runs.events import (
    Champion,
    Event,
    Finished,
    NewChampion,
    Progress,
    Quarantined,
    Restarted,
    Resumed,
    Started,
    StartsTuned,
    Warned,
    as_record,
)
from azgen.settings.settings import Settings
from azgen.textual import to_json

_LINE_SECONDS = 5.0
_RESTART_SECONDS = 1.0
_HALL_ROWS = 5
_NOTES = 4
_RATE_SECONDS = 10.0
"""Time over which the present rate is taken."""

_ISLANDS_SHOWN = 16


class View(Protocol):
    """Shows events."""

    def observe(self, event: Event) -> None:
        """Takes an event in."""


@contextmanager
def view_for(settings: Settings, to: Console, json: bool) -> Iterator[View]:
    """The view that fits: JSON if asked for, else a live picture on a terminal, else lines."""
    if json:
        yield JsonView()
    elif to.is_terminal:
        view = LiveView(settings)
        with Live(
            get_renderable=view.render, console=to, refresh_per_second=5, vertical_overflow="crop"
        ) as live:
            try:
                yield view
            except BaseException:
                live.transient = True  # what remains is the message alone
                raise
    else:
        yield LineView(settings, to)


class JsonView:
    """One JSON object per event and line."""

    def observe(self, event: Event) -> None:
        """Prints the event."""
        print(to_json(as_record(event)), flush=True)


class LineView:
    """One line per champion; restarts and progress at intervals."""

    def __init__(self, settings: Settings, to: Console):
        self._settings, self._to = settings, to
        self._last = self._last_restart = 0.0

    def observe(self, event: Event) -> None:
        """Prints the event, or keeps quiet if the last line is recent."""
        settings = self._settings
        match event:
            case StartsTuned():
                self._line(_tuned(event))
            case Started():
                self._line(f"{settings.name}, seed {settings.seed}, {settings.conditions.arithmetic}")
                self._line(event.tasks)
                self._line(f"search space: {event.search_space}; {_kernel(event)}")
            case Resumed() | Warned() | Quarantined():
                self._line(f"{_at(event.seconds)}  {_note(event)}")
            case NewChampion():
                self._line(f"{_at(event.seconds)}  champion: {_champion(event.champion)}")
                self._last = event.seconds
            case Restarted() if event.seconds >= self._last_restart + _RESTART_SECONDS:
                population = (
                    f"population {event.population + 1} begins (the last one: {spaced(event.reason)})"
                )
                self._line(f"{_at(event.seconds)}  {population}")
                self._last = self._last_restart = event.seconds
            case Progress() if event.seconds >= self._last + _LINE_SECONDS:
                how_far = f"{thousands(event.programs)} programs, {_population(event)}, {_stands(event)}"
                self._line(f"{_at(event.seconds)}  {how_far}")
                self._last = event.seconds
            case Finished():
                ended = f"ended: {spaced(event.reason)}; {thousands(event.programs)} programs"
                self._line(f"{_at(event.seconds)}  {ended}")

    def _line(self, text: str) -> None:
        self._to.out(text, highlight=False)
        self._to.file.flush()


def _at(seconds: float) -> str:
    return f"{seconds:8.1f} s"


def _kernel(event: Started) -> str:
    return (
        "kernel from the cache" if event.kernel_cached else f"kernel compiled in {event.kernel_seconds:.1f} s"
    )


def _tuned(event: StartsTuned) -> str:
    passes = f"{event.epochs} pass{'es' if event.epochs > 1 else ''} over the training examples"
    return (
        f"starts: {event.programs} programs of the zoo tuned in {event.seconds:.1f} s; best is {event.best} "
        f"with {passes}, {event.select_fitness:.4f} on selection tasks"
    )


def _champion(champion: Champion) -> str:
    which = champion.origin or f"program {thousands(champion.number)}"
    return (
        f"{which}, fitness {champion.search_fitness:.4f} on search, "
        f"{champion.select_fitness:.4f} on selection tasks"
    )


def _population(progress: Progress) -> str:
    if len(progress.islands) > 1:
        return f"{len(progress.islands)} islands, {progress.restarts} restarts"
    return f"population {progress.restarts + 1}"


def _stands(progress: Progress) -> str:
    """How good the populations are; the archive of one island may still be in a stage before."""
    stage = progress.stages[0] if len(progress.stages) == 1 else ""
    return stage or f"best on its search tasks {progress.island_fitness:.4f}"


def _note(event: Resumed | Warned | Quarantined) -> str:
    match event:
        case Resumed():
            return f"goes on from {event.path}: {thousands(event.programs)} programs, round {event.round + 1}"
        case Warned():
            return f"warning: {event.message}"
        case Quarantined():
            return f"program {event.hash} is in quarantine: {event.cause}"


class LiveView:
    """A picture of the run that redraws itself; `observe` and `render` may come from different threads."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._phase = "reading the data and compiling the search kernel"
        self._spinner = Spinner("dots")
        self._started: Started | None = None
        self._progress: Progress | None = None
        self._progress_at = time.perf_counter()
        self._champions: list[Champion] = []
        self._notes: deque[str] = deque(maxlen=_NOTES)
        self._recent: deque[Progress] = deque()  # of the last seconds, for the rate

    def observe(self, event: Event) -> None:
        """Takes the event into the picture."""
        match event:
            case StartsTuned():
                self._notes.append(_tuned(event))
            case Started():
                self._started, self._phase = event, "searching"
            case Resumed():
                self._phase = "searching"
                self._notes.append(_note(event))
            case Warned() | Quarantined():
                self._notes.append(f"{duration(event.seconds)}: {_note(event)}")
            case Progress():
                self._recent.append(event)
                self._progress, self._progress_at = event, time.perf_counter()
                while len(self._recent) > 2 and self._recent[1].seconds < event.seconds - _RATE_SECONDS:
                    self._recent.popleft()
            case NewChampion():
                self._champions = [event.champion, *self._champions]
            case Finished():
                self._phase = "testing the champion and the baselines"

    def render(self) -> RenderableType:
        """The picture as it is now."""
        settings, parts = self._settings, list[RenderableType]()
        parts.append(
            Text(
                f"azgen evolve  {settings.name}, seed {settings.seed}, {settings.conditions.arithmetic}",
                style="bold",
            )
        )
        if self._started:
            parts.append(Text(self._started.tasks))
            parts.append(
                Text(f"search space: {self._started.search_space}; {_kernel(self._started)}", style="dim")
            )
        progress = self._progress
        notes = [Text(note, style="yellow") for note in list(self._notes)]
        if progress is None:
            parts += notes
            self._spinner.update(text=Text(self._phase))
            parts.append(self._spinner)
            return Group(*parts)
        parts += [Text(), self._bar(progress), Text(), self._numbers(progress), *notes]
        if self._champions:
            parts += [Text(), self._hall()]
        return Group(*parts)

    def _bar(self, progress: Progress) -> RenderableType:
        stop, seconds = self._settings.stop, progress.seconds
        if self._phase == "searching":
            seconds += time.perf_counter() - self._progress_at  # a round of slow programs is no standstill
        shares, limits = [], []
        if stop.max_seconds:
            shares.append(seconds / stop.max_seconds)
            limits.append(f"of {duration(stop.max_seconds)}")
        if stop.max_programs:
            shares.append(progress.programs / stop.max_programs)
            limits.append(f"of {thousands(stop.max_programs)} programs")
        bar = ProgressBar(
            total=1.0 if shares else None,
            completed=min(max(shares, default=0), 1.0),
            width=40,
            pulse=not shares,
        )
        share = max(shares, default=0.0)
        if self._phase == "searching" and 0 < share < 1:
            limits.append(f"({duration(seconds * (1 - share) / share)} left)")
        row = Table.grid(padding=(0, 2))
        row.add_row(bar, Text(" ".join([duration(seconds), *limits])), Text(self._phase, style="dim"))
        return row

    def _numbers(self, progress: Progress) -> RenderableType:
        known = ", ".join(f"{name} {share}" for name, _, share in ladder(progress.counts))
        rows = [
            ("programs", f"{thousands(progress.programs)}  ({self._rates(progress)})"),
            ("of these", known),
        ]
        if len(progress.islands) > 1:
            rows += [
                ("islands", f"{_population(progress)}, {_workers(progress)}, round {progress.round + 1}"),
                ("best of each", _best(progress.islands)),
            ]
        else:
            rows.append(("population", f"{progress.restarts + 1}, {_stands(progress)}"))
        if self._champions:
            rows.append(("champion", f"{self._champions[0].select_fitness:.6f} on the selection tasks"))
        return grid(rows)

    def _rates(self, progress: Progress) -> str:
        """Programs a second at present; over the whole run too, if that is another number."""
        mean = progress.programs / max(progress.seconds, 1e-9)
        first = self._recent[0]
        seconds = progress.seconds - first.seconds
        if seconds < _RATE_SECONDS / 2:
            return f"{thousands(round(mean))} a second"
        now = (progress.programs - first.programs) / seconds
        return f"{thousands(round(now))} a second, {thousands(round(mean))} over the whole run"

    def _hall(self) -> RenderableType:
        rows: list[tuple[Any, ...]] = []
        for champion in self._champions[:_HALL_ROWS]:
            sizes = " + ".join(str(len(function)) for function in champion.program.functions)
            rows.append(
                (
                    f"{champion.select_fitness:.6f}",
                    f"{champion.search_fitness:.6f}",
                    thousands(champion.number),
                    str(champion.population + 1),
                    sizes,
                )
            )
        return grid(rows, "selection", "search", "program", "population", "instructions", right=(2, 3))


def _workers(progress: Progress) -> str:
    return f"{progress.workers} worker{'s' if progress.workers > 1 else ''}"


def _best(islands: Sequence[float]) -> str:
    """Best fitness of each island; of many, what they are like."""
    if len(islands) <= _ISLANDS_SHOWN:
        return " ".join(f"{fitness:.4f}" for fitness in islands)
    low, middle, high = min(islands), median(islands), max(islands)
    return f"{high:.4f} at most, {middle:.4f} in the median, {low:.4f} at least"
