"""The course of a run over all its islands: rounds, exchanges, restarts, the hall of fame, and when to stop.

A round of an island depends on its state after the round before, on the programs that arrive, and on nothing
else. Which rounds are due is the schedule's; what a round found is taken in when all islands have done it, in
the order of their numbers. So the result does not depend on workers.
"""

from __future__ import annotations

import dataclasses
import time
from collections import defaultdict
from collections.abc import Callable

from azgen.errors import AzgenError
from azgen.language.program import Program
from azgen.runs.events import Champion, NewChampion, Observer, Progress, Quarantined, Restarted, Warned
from azgen.search.engines.base import Engine, Lost, ProgramLost, Stoppable
from azgen.search.engines.orders import Report
from azgen.search.island_state import COUNTS
from azgen.search.progress import Life, Progression, Suspect, limit_reached
from azgen.search.schedule import Schedule, quarantined
from azgen.settings.settings import Settings

CONFIRM_ROUNDS = 10
"""Rounds for which a new leader must have led before it is compiled; at a restart and at the end it is at
once."""

MOST_LOSSES = 12
"""Losses of one order after which the run ends: what kills its workers is none of its programs."""

MOST_QUARANTINED = 100

_WAIT_SECONDS = 0.2
"""Longest wait for results between two looks at limits and Ctrl-C."""


class Coordinator:
    """Carries out a run's search on an engine.

    Args:
        settings: see `Settings`.
        engine: runs the islands.
        observe: called with every event.
        interrupted: asked between rounds whether to stop.
        save: called to keep a checkpoint of `progress` and the engine's states.
        progress: of a run that goes on, its states adopted by the engine; None for a new one.
        closing: seconds of the time limit that are kept for what comes after the search.
        clock: tells the seconds.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        observe: Observer,
        interrupted: Callable[[], bool] = lambda: False,
        save: Callable[[], None] | None = None,
        progress: Progression | None = None,
        closing: float = 0.0,
        clock: Callable[[], float] = time.perf_counter,
    ):
        self._settings, self._engine, self._observe = settings, engine, observe
        self._clock = clock
        self._closing, self._max_seconds = closing, max(0.0, settings.stop.max_seconds - closing)
        self._interrupted, self._save = interrupted, save
        count = settings.islands.count
        self.progress = progress or Progression([Life() for _ in range(count)])
        self._count, self.schedule = count, Schedule(settings, self.progress)
        self._losses: dict[tuple[int, int], int] = defaultdict(int)
        self._suspected: dict[str, int] = defaultdict(int)
        self._cut = self._save_failed = self._told = False
        self._began = self._clock() - self.progress.seconds
        self._saved = self.progress.seconds

    @property
    def programs(self) -> int:
        """Programs so far."""
        return self.progress.counts["programs"]

    @property
    def seconds(self) -> float:
        """Seconds of the run so far."""
        return self._clock() - self._began

    def search(self) -> str:
        """Searches until a limit or an interruption; returns what ended it."""
        self._began = self._clock() - self.progress.seconds
        limited, every = bool(self._settings.stop.max_seconds), self._settings.islands.checkpoint_seconds
        # A new run keeps its first checkpoint at once, so that nearly every run can be resumed.
        self._saved = self.seconds - (every if self.progress.round < 0 else 0.0)
        reason = self._limit() if self.progress.round >= 0 else ""
        if self.progress.hall.members and self.progress.round < 0:
            self.confirm()  # what the run starts from leads at first
        if isinstance(self._engine, Stoppable):
            self._engine.stop_when(self._over)
        while not reason:
            self._issue()
            left = self._max_seconds - self.seconds
            # Over before there is anything to show, it goes on to that, and does not ask all the time.
            timeout = min(_WAIT_SECONDS, left) if limited and left > 0 else _WAIT_SECONDS
            for result in self._engine.collect(timeout):
                if isinstance(result, Lost):
                    reason = reason or self._lost(result)
                else:
                    self._arrived(result)
            while not reason and self.schedule.complete:
                reason = self._commit()
            if not reason and self._is_interrupted():
                reason = "interrupted"
            if not reason and (self.progress.round >= 0 or self.progress.hall.members or self._unfinished()):
                reason = self._limit()
        self._engine.cancel()
        self.save()
        self._take_unfinished()
        return reason

    def _over(self) -> bool:
        """Whether the round that goes on is to be given up: there is something to show, and no more time."""
        limited = bool(self._settings.stop.max_seconds)
        ends = self._is_interrupted() or (limited and self.seconds >= self._max_seconds)
        return ends and bool(self.progress.hall.members)

    def _is_interrupted(self) -> bool:
        """Whether Ctrl-C has been pressed; the first time it is known, that is said."""
        if self._interrupted() and not self._told:
            self._told = True
            self._observe(Warned(self.seconds, "interrupted, finishing; again to stop now"))
        return self._told

    def _unfinished(self) -> list[Report]:
        return self._engine.unfinished() if isinstance(self._engine, Stoppable) else []

    def _take_unfinished(self) -> None:
        """Takes in what a round had found that was given up; a run that goes on does that round again."""
        for report in self._unfinished():
            life = self.progress.lives[report.island]
            same = life.population == report.population
            known = life.counts if same else (0,) * len(COUNTS)
            if report.program and report.best_fitness > (life.best_fitness if same else -1.0):
                self._consider(report, self.programs + report.best_number - known[0])
            for name, now, then in zip(COUNTS, report.counts, known, strict=True):
                self.progress.counts[name] += now - then

    def save(self) -> None:
        """Keeps a checkpoint, if there is anything to keep; a run does not end because that fails."""
        self.progress.seconds = self._saved = self.seconds
        # Rounds that the limit cut short would not have been so with a higher one.
        if self._save is None or self._cut or self.progress.round < 0:
            return
        try:
            self._save()
            self._save_failed = False
        except AzgenError as error:
            if not self._save_failed:
                self._observe(Warned(self.seconds, f"no checkpoint was written: {error}"))
            self._save_failed = True

    def confirm(self) -> None:
        """Compiles the leader, unless that has been done, and compares its native fitness with the
        kernel's."""
        progress, losses, blamed = self.progress, 0, 0
        while progress.hall.members and not progress.confirmed:
            leader = progress.hall.members[0]
            try:
                native = float(self._engine.rate(leader.program).mean())
            except ProgramLost as error:
                self._observe(Warned(self.seconds, f"a worker was lost: {error}"))
                losses += 1
                blamed += error.blamed
                if blamed > 1:
                    losses = blamed = 0
                    self._quarantine(Suspect(str(leader.program), -1, progress.round, str(error)))
                elif losses >= MOST_LOSSES:
                    raise AzgenError(f"workers are lost again and again as they compile: {error}") from None
                continue
            if native != leader.select_fitness:
                raise AssertionError(
                    f"kernel and native code disagree ({leader.select_fitness!r}, {native!r}) on\n"
                    f"{leader.program}"
                )
            progress.confirmed = True
            progress.ratings["champions"] += 1
            self._observe(NewChampion(self.seconds, leader))

    # -- orders

    def _issue(self) -> None:
        """Submits every order that is due."""
        orders = self.schedule.due(self.progress.quarantine)
        if self.schedule.cut and not self._cut:
            self.save()  # from here a run with a higher limit goes on as if it had had it from the start
            self._cut = True
        for order in orders:
            self._engine.submit(dataclasses.replace(order, bar=self.progress.hall.bar))

    # -- results

    def _arrived(self, report: Report) -> None:
        self.schedule.arrived(report)
        self._losses.pop((report.island, report.round), None)

    def _lost(self, lost: Lost) -> str:
        """Submits a lost order again, after every second loss with care."""
        order = lost.order
        at = (order.island, order.round)
        self._losses[at] += 1
        where = f"in round {order.round} of island {order.island}"
        self._observe(Warned(self.seconds, f"a worker was lost {where}: {lost.cause}"))
        if lost.program:
            self._suspected[lost.program] += 1
            if self._suspected[lost.program] > 1:
                del self._suspected[lost.program]
                self._losses[at] = 0
                self._quarantine(Suspect(lost.program, order.island, order.round, lost.cause))
        if self._losses[at] >= MOST_LOSSES:
            return f"workers are lost again and again {where}, by no program of it: {lost.cause}"
        if len(self.progress.quarantine) > MOST_QUARANTINED:
            return f"more than {MOST_QUARANTINED} programs kill their workers; the last: {lost.cause}"
        losses = self._losses[at]
        # Care takes long, so that accidents hit it more often: the times between it are without.
        careful = losses > 0 and losses % 2 == 0
        known = quarantined(self.progress.quarantine, order.island, order.round)
        self._engine.submit(dataclasses.replace(order, careful=careful, quarantined=known))
        return ""

    def _quarantine(self, suspect: Suspect) -> None:
        program = Program.parse(suspect.program, ops=self._settings.user.table)
        known = any(other.program == suspect.program for other in self.progress.quarantine)
        self.progress.quarantine.append(suspect)
        if known:
            return
        if self.progress.hall.members and self.progress.hall.members[0].program.hash == program.hash:
            self.progress.confirmed = False
        self.progress.hall.remove(program.hash)
        self._observe(Quarantined(self.seconds, suspect.program, program.hash, suspect.cause))

    def _commit(self) -> str:
        """Takes in what a round found, which all islands have done; returns what ends the run, or ""."""
        progress, reports = self.progress, self.schedule.take()
        confirm = False
        self._tell_restarts([reports[island][1].population for island in range(self._count)])
        for island in range(self._count):
            report, life = reports[island]
            before = progress.lives[island]
            same = before.population == life.population
            known = before.counts if same else (0,) * len(COUNTS)
            if report.program and report.best_fitness > (before.best_fitness if same else -1.0):
                self._consider(report, self.programs + report.best_number - known[0])
            for name, now, then in zip(COUNTS, life.counts, known, strict=True):
                progress.counts[name] += now - then
            progress.ratings["native"] += report.native
            progress.ratings["compiled"] += report.compiled
            leads = bool(progress.hall.members) and progress.hall.members[0].population == life.population
            confirm = confirm or (leads and life.quiet == CONFIRM_ROUNDS)
            progress.lives[island] = life
        progress.round += 1
        progress.emigrants = self.schedule.commit(self.programs)
        if confirm:
            self.confirm()
        best, counts = tuple(life.best_fitness for life in progress.lives), dict(progress.counts)
        state = self.programs, progress.restarts, max(best), counts, progress.round, best
        stages = tuple(life.stage for life in progress.lives)
        self._observe(Progress(self.seconds, *state, self._engine.n_workers, stages))
        reason = self._limit()
        if reason:
            return reason
        if self._save and self.seconds - self._saved >= self._settings.islands.checkpoint_seconds:
            self.save()
        return ""

    def _tell_restarts(self, populations: list[int]) -> None:
        """Takes leave of populations whose islands have others now.

        Not when they end: a run that is over then may go on later.
        """
        lives, members = self.progress.lives, self.progress.hall.members
        ended = [island for island, life in enumerate(lives) if 0 <= life.population != populations[island]]
        if members and members[0].population in [lives[island].population for island in ended]:
            self.confirm()
        for island in ended:
            self.progress.restarts += 1
            population, reason = populations[island], lives[island].ending
            self._observe(Restarted(self.seconds, self.programs, population, reason, island))

    def _limit(self) -> str:
        best = max((c.select_fitness for c in self.progress.hall.members if c.holds), default=0.0)
        return limit_reached(self._settings.stop, best, self.programs, self.seconds + self._closing)

    def _consider(self, report: Report, number: int) -> None:
        hall = self.progress.hall
        if not hall.wants(report.select_fitness, report.cost):
            return
        leader = hall.members[0] if hall.members else None
        hall.consider(
            Champion(
                Program.parse(report.program, ops=self._settings.user.table),
                number,
                report.population,
                report.best_fitness,
                report.select_fitness,
                report.cost,
                behaviour=report.behaviour,
                holds=report.holds,
                ancestors=report.ancestors,
            )
        )
        if hall.members[0] is not leader:
            self.progress.confirmed = False
