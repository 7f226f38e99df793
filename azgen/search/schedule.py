"""Which island may run which round: a pure account of what is there and what waits, without clock, engine or
events.

Islands may be ahead of each other by `LOOKAHEAD` rounds, so that no worker waits for the slowest. An order is
due when its inputs are there: the round before it, the programs that arrive, and, near a limit of programs,
what all islands have made so far. So orders depend on what was found, never on when.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from azgen.search import migration
from azgen.search.engines.base import LOOKAHEAD
from azgen.search.engines.migrants import Migrants
from azgen.search.engines.orders import Order, Report
from azgen.search.progress import Life, Progression, Suspect
from azgen.settings.settings import Settings

Round = dict[int, tuple[Report, Life]]
"""What each island did in a round, and what is known of its population after it."""


class Schedule:
    """Orders of a run, as they fall due.

    Args:
        settings: see `Settings`.
        progress: where the run begins, or goes on.

    Attributes:
        cut: whether an order has been cut short by the limit of programs; a run with a higher limit cannot go
            on from there as if it had had it from the start.
    """

    def __init__(self, settings: Settings, progress: Progression):
        count = settings.islands.count
        self.cut = False
        self._settings, self._count, self._every = settings, count, migration.exchange_rounds(settings)
        self._committed, self._programs = progress.round, progress.counts["programs"]
        self._lives = list(progress.lives)  # after the last round that each island has done
        self._next = [progress.round + 1] * count
        self._reports: dict[int, Round] = defaultdict(dict)
        self._emigrants: dict[int, dict[int, Migrants]] = defaultdict(dict)
        self._pool: tuple[int, Migrants] | None = None
        self._runnable = list(range(count))
        self._after_commit: dict[int, list[int]] = defaultdict(list)
        self._after_report: dict[tuple[int, int], list[int]] = defaultdict(list)
        if progress.emigrants:
            self._emigrants[progress.round] = dict(progress.emigrants)

    def due(self, quarantine: Iterable[Suspect] = ()) -> list[Order]:
        """Every order whose inputs are there and that has not been given yet.

        Args:
            quarantine: programs that score 0.
        """
        waiting, self._runnable = self._runnable, []
        suspects = list(quarantine)
        orders = (self._order(island, suspects) for island in waiting)
        return [order for order in orders if order is not None]

    def arrived(self, report: Report) -> None:
        """Takes in what became of an order."""
        island, number = report.island, report.round
        life = self._lives[island] = self._lives[island].after(report, self._settings.stop)
        self._reports[number][island] = report, life
        if report.emigrants is not None:
            self._emigrants[number][island] = report.emigrants
        self._next[island] = number + 1
        self._runnable.append(island)
        self._runnable += self._after_report.pop((island, number), [])

    @property
    def complete(self) -> bool:
        """Whether all islands have done the round after the last that was committed."""
        return len(self._reports[self._committed + 1]) == self._count

    def take(self) -> Round:
        """What the islands did in the complete round, which is the run's to count; `commit` follows."""
        return self._reports.pop(self._committed + 1)

    def commit(self, programs: int) -> dict[int, Migrants]:
        """The round that was taken is counted.

        Args:
            programs: of the run so far.

        Returns:
            Emigrants of the round by island, if an exchange follows it.
        """
        self._committed, self._programs = self._committed + 1, programs
        for done in [number for number in self._emigrants if number < self._committed]:
            del self._emigrants[done]
        for key in [number for number in self._after_commit if number <= self._committed]:
            self._runnable += self._after_commit.pop(key)
        return dict(self._emigrants.get(self._committed, {}))

    def _order(self, island: int, quarantine: list[Suspect]) -> Order | None:
        """An island's next order; None if it has to wait, which is noted."""
        number, life, committed = self._next[island], self._lives[island], self._committed
        if number > committed + 1 + LOOKAHEAD:
            self._after_commit[number - 1 - LOOKAHEAD].append(island)
            return None
        n_programs = self._n_programs(island, number)
        if n_programs is None:
            self._after_commit[number - 1].append(island)
            return None
        birth, arriving = bool(life.ending), None
        if self._exchange(number - 1) and not birth:
            sources = migration.sources(self._settings, island)
            if len(sources) > 1 and committed < number - 1:
                self._after_commit[number - 1].append(island)
                return None
            if len(sources) == 1 and sources[0] not in self._emigrants[number - 1]:
                self._after_report[sources[0], number - 1].append(island)
                return None
            pool = self._pooled(number - 1) if len(sources) > 1 else self._emigrants[number - 1][sources[0]]
            arriving = migration.immigrants(self._settings, island, number - 1, pool)
        population = life.population
        if birth:
            population = island if life.population < 0 else life.population + self._count
        return Order(
            island,
            number,
            population,
            birth,
            n_programs=0 if birth else n_programs,
            best_number=0 if birth else life.best_number,
            n_emigrants=migration.n_migrants(self._settings) if self._exchange(number) else 0,
            quarantined=quarantined(quarantine, island, number),
            immigrants=arriving,
        )

    def _exchange(self, round_number: int) -> bool:
        return self._every > 0 and round_number > 0 and round_number % self._every == 0

    def _pooled(self, round_number: int) -> Migrants:
        if self._pool is None or self._pool[0] != round_number:
            parts = self._emigrants[round_number]
            self._pool = round_number, Migrants.joined([parts[i] for i in range(self._count)])
        return self._pool[1]

    def _n_programs(self, island: int, number: int) -> int | None:
        """Children of an island's round; None if that cannot be told before the round before it is over
        everywhere."""
        full, most = migration.round_programs(self._settings), self._settings.stop.max_programs
        if not most:
            return full
        largest = max(full + migration.n_migrants(self._settings), self._settings.evolution.population)
        ahead = number - 1 - self._committed
        if ahead > 0:
            return full if self._programs + (ahead + 1) * self._count * largest <= most else None
        left = most - self._programs
        if left >= full * self._count:
            return full
        self.cut = self.cut or self._committed >= 0
        share, more = divmod(max(left, 0), self._count)
        return min(full, share + (island < more))


def quarantined(suspects: Iterable[Suspect], island: int, round_number: int) -> tuple[str, ...]:
    """Programs that score 0 in an island's round: its own at once, others' when all are certain to know of
    them."""
    known = {s.program: None for s in suspects if s.island == island or s.round + LOOKAHEAD < round_number}
    return tuple(known)
