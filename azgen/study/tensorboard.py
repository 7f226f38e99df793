"""A run's course as curves in TensorBoard (extra `tensorboard`): `tensorboard --logdir runs`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from azgen.errors import AzgenError
from azgen.runs.directory import TENSORBOARD
from azgen.runs.events import Event, NewChampion, Observer, Progress, Resumed
from azgen.runs.log import Thinning


@contextmanager
def tensorboard_writer(run: Path) -> Iterator[Observer]:
    """What writes a run's events for TensorBoard, as seldom as the log; curves count in programs.

    Args:
        run: the run directory.

    Raises:
        AzgenError: the package is not installed, or the folder cannot be written.
    """
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        raise AzgenError(
            'tensorboardX is not installed; install it with pip install "azgen[tensorboard]"'
        ) from None
    writer, thinning = _Writer(SummaryWriter, run / TENSORBOARD), Thinning()
    try:
        yield lambda event: writer.write(event) if thinning.keeps(event) else None
    finally:
        writer.close()


class _Writer:
    def __init__(self, make: Any, folder: Path):
        self._make, self._folder = make, folder
        self._writer: Any = None
        self._last = (0.0, 0)

    def write(self, event: Event) -> None:
        if isinstance(event, Resumed):
            # Curves go on where the checkpoint was; what was drawn after it is forgotten.
            self._open(purge_step=event.programs)
            self._last = event.seconds, event.programs
        if isinstance(event, Progress):
            self._progress(event)
        elif isinstance(event, NewChampion):
            champion = event.champion
            self._open().add_scalar("fitness/selection", champion.select_fitness, champion.number)
            self._open().add_scalar("champion/cost", champion.cost, champion.number)
            self._open().add_text("champion/program", f"```\n{champion.program}```", champion.number)

    def _progress(self, event: Progress) -> None:
        writer, step = self._open(), event.programs
        writer.add_scalar("fitness/best_island", event.island_fitness, step)
        if len(event.islands) > 1:
            writer.add_scalar("fitness/median_island", float(np.median(event.islands)), step)
            writer.add_histogram("fitness/islands", np.array(event.islands), step)
        writer.add_scalar("islands/restarts", event.restart, step)
        writer.add_scalar("islands/workers", event.workers, step)
        seconds, programs = event.seconds - self._last[0], event.programs - self._last[1]
        if seconds > 0:
            writer.add_scalar("rate/programs_per_second", programs / seconds, step)
        self._last = event.seconds, event.programs
        for name, count in event.counts.items():
            if name != "programs":
                writer.add_scalar(f"ladder/{name}", count / max(event.programs, 1), step)

    def _open(self, **options: Any) -> Any:
        if self._writer is None:
            try:
                self._writer = self._make(str(self._folder), flush_secs=10, **options)
            except OSError as error:
                raise AzgenError(f"cannot write {self._folder}: {error.strerror or error}") from None
        return self._writer

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
