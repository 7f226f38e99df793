"""What happens in a run, written into its directory while it goes on, and passed on to whoever watches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from azgen.errors import AzgenError
from azgen.runs.directory import RunDirectory
from azgen.runs.events import Champion, Event, NewChampion, Observer, Resumed, Warned
from azgen.runs.log import Thinning
from azgen.search.evolve import HALL_SIZE
from azgen.settings.settings import Settings


class Recorder:
    """Keeps the run directory up to date.

    A disk that is full for a while ends no search: what could not be written is written with the next event.

    Args:
        directory: where the run is kept.
        settings: of the run.
        observers: called with every event.
        champions: that a run which goes on had found when it ended, best first.
    """

    def __init__(
        self,
        directory: RunDirectory,
        settings: Settings,
        observers: Iterable[Observer],
        champions: Sequence[Champion] = (),
    ):
        self.champions = list(champions)
        self._directory, self._settings, self._observers = directory, settings, tuple(observers)
        self._thinning = Thinning()
        self._unwritten = self._failed = False

    def observe(self, event: Event) -> None:
        """Takes an event in."""
        if isinstance(event, Resumed):
            self._directory.take_up(self._settings, event.seconds)
            # Others were found after the checkpoint, and will be found again.
            known = [c for c in self.champions if c.number <= event.programs]
            self.champions = [replace(c, on_front=False, picked_by=()) for c in known]
        if isinstance(event, NewChampion):
            # A run that goes on may confirm its leader once more.
            new = event.champion  # what the run started from has no number of its own
            others = [c for c in self.champions if (c.number, c.origin) != (new.number, new.origin)]
            self.champions = [event.champion, *others][:HALL_SIZE]
            self._unwritten = True
        problem = self._write(event)
        for observer in self._observers:
            observer(event)
        if problem and not self._failed:
            self._failed = True
            self.observe(Warned(getattr(event, "seconds", 0.0), f"{problem}; it is tried again"))
        self._failed = bool(problem)

    def _write(self, event: Event) -> AzgenError | None:
        try:
            self._directory.append(*([event] if self._thinning.keeps(event) else []))
            if self._unwritten:
                champion = self.champions[0]
                self._directory.write_champions(
                    self.champions, origin(self._directory, self._settings, champion)
                )
                self._unwritten = False
        except AzgenError as error:
            return error
        return None


def origin(directory: RunDirectory, settings: Settings, champion: Champion) -> str:
    """Where a champion comes from, for the header of its text."""
    return (
        f"Champion of run {directory.name} (preset {settings.name}, seed {settings.seed}), program "
        f"{champion.number}.\nFitness {champion.search_fitness:.6g} on search tasks, "
        f"{champion.select_fitness:.6g} on selection tasks."
    )
