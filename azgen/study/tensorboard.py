"""A run's course as curves in TensorBoard (extra `tensorboard`): `tensorboard --logdir runs`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from azgen.extras import missing
from azgen.runs.directory import TENSORBOARD
from azgen.runs.events import Event, NewChampion, Observer, Progress, Resumed, Warned
from azgen.runs.log import Thinning

_BINS = (-1e20, *np.linspace(0.0, 1.0, 101), 1e20)
"""Of the histogram of fitness."""


@contextmanager
def tensorboard_writer(run: Path, tell: Observer) -> Iterator[Observer]:
    """What writes a run's events for TensorBoard, as seldom as the log; curves count in programs.

    When they cannot be written they end, and the run goes on.

    Args:
        run: the run directory.
        tell: takes the warning of that.

    Raises:
        MissingExtraError: the package is not installed.
    """
    try:
        writer, thinning = _Writer(run / TENSORBOARD, tell), Thinning()
    except ImportError:
        raise missing("tensorboardX", "TensorBoard's curves need") from None
    try:
        yield lambda event: writer.write(event) if thinning.keeps(event) else None
    finally:
        writer.close()


class _Writer:
    """Writes at once what is drawn: tensorboardX's usual writer has a thread for that, which a full disk
    ends, and then waits for it for ever."""

    def __init__(self, folder: Path, tell: Observer):
        from tensorboardX import event_file_writer, summary
        from tensorboardX.proto import event_pb2

        self._files, self._summary, self._records = event_file_writer, summary, event_pb2
        self._folder, self._tell = folder, tell
        self._file: Any = None
        self._ended = False
        self._last = (0.0, 0)

    def write(self, event: Event) -> None:
        if self._ended:
            return
        try:
            self._draw(event)
            if self._file is not None:
                self._file.flush()
        except OSError as error:
            self._ended = True
            problem = f"cannot write {self._folder}: {error.strerror or error}"
            self._tell(Warned(getattr(event, "seconds", 0.0), f"{problem}; TensorBoard's curves end here"))

    def _draw(self, event: Event) -> None:
        if isinstance(event, Resumed):
            # Curves go on where the checkpoint was; what was drawn after it is forgotten.
            log = self._records.SessionLog
            self._add(event.programs, session_log=log(status=log.START))
            self._last = event.seconds, event.programs
        if isinstance(event, Progress):
            self._progress(event)
        elif isinstance(event, NewChampion):
            champion = event.champion
            self._scalar("fitness/selection", champion.select_fitness, champion.number)
            self._scalar("champion/cost", champion.cost, champion.number)
            text = self._summary.text("champion/program", f"```\n{champion.program}```")
            self._add(champion.number, summary=text)

    def _progress(self, event: Progress) -> None:
        step = event.programs
        self._scalar("fitness/best_island", event.island_fitness, step)
        if len(event.islands) > 1:
            self._scalar("fitness/median_island", float(np.median(event.islands)), step)
            histogram = self._summary.histogram("fitness/islands", np.array(event.islands), _BINS)
            self._add(step, summary=histogram)
        self._scalar("islands/restarts", event.restarts, step)
        self._scalar("islands/workers", event.workers, step)
        seconds, programs = event.seconds - self._last[0], event.programs - self._last[1]
        if seconds > 0:
            self._scalar("rate/programs_per_second", programs / seconds, step)
        self._last = event.seconds, event.programs
        for name, count in event.counts.items():
            if name != "programs":
                self._scalar(f"ladder/{name}", count / max(event.programs, 1), step)

    def _scalar(self, name: str, value: float, step: int) -> None:
        self._add(step, summary=self._summary.scalar(name, value))

    def _add(self, step: int, **content: Any) -> None:
        if self._file is None:
            self._folder.mkdir(exist_ok=True)
            self._file = self._files.EventsWriter(str(self._folder / "events"))
        self._file.write_event(self._records.Event(wall_time=time.time(), step=step, **content))

    def close(self) -> None:
        if self._file is not None:
            with suppress(OSError):  # what could not be written has been told
                self._file.close()
