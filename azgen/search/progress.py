"""What a run has come to, as far as it is not in the islands' states."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from azgen.bounds import Bounded, Bounds
from azgen.search.engines.migrants import Migrants
from azgen.search.engines.orders import Report
from azgen.search.hall import HallOfFame
from azgen.search.island_state import COUNTS
from azgen.settings.settings import StopSettings

MOST = 2**53
"""More than any run counts to, and all that a float can count."""

RATINGS = ("native", "compiled", "champions")


@dataclass(frozen=True)
class Life(Bounded):
    """What the coordinator knows of the population that lives on an island.

    Attributes:
        population: its number among those of the run; -1: there is none yet.
        counts: its programs by rung of the ladder.
        best_fitness, best_number: on the search tasks; which program of the population that was.
        since: programs when the best was found.
        quiet: rounds since, that one included.
        ending: why it is to be given up; "" if it is not.
        stage: of an archive, which stage before the run's own tasks it is in, in words; else "".
    """

    population: Annotated[int, Bounds(-1, MOST)] = -1
    counts: Annotated[tuple[int, ...], Bounds(0, MOST)] = (0,) * len(COUNTS)
    best_fitness: Annotated[float, Bounds(-1, 1)] = -1.0
    best_number: Annotated[int, Bounds(0, MOST)] = 0
    since: Annotated[int, Bounds(0, MOST)] = 0
    quiet: Annotated[int, Bounds(0, MOST)] = 0
    ending: str = "begins"
    stage: str = ""

    def after(self, report: Report, stop: StopSettings) -> Life:
        """The same after a round."""
        before = self if report.population == self.population else Life(report.population)
        here, improved = report.counts[0], report.best_fitness > before.best_fitness
        since, quiet = (here, 1) if improved else (before.since, before.quiet + 1)
        ending = report.spent
        if not ending and stop.restart_programs and here >= stop.restart_programs:
            ending = f"{here} programs"
        elif not ending and stop.patience and here - since >= stop.patience:
            ending = f"no better program in {here - since}"
        best = report.best_fitness, report.best_number
        return Life(report.population, report.counts, *best, since, quiet, ending, report.stage)


def limit_reached(stop: StopSettings, select_fitness: float, programs: int, seconds: float) -> str:
    """What ends a run that has come so far, in words; "" if nothing does."""
    if select_fitness > stop.target_fitness:
        return f"selection fitness above {stop.target_fitness:g}"
    if stop.max_programs and programs >= stop.max_programs:
        return f"{stop.max_programs} programs"
    if stop.max_seconds and seconds >= stop.max_seconds:
        return f"{stop.max_seconds:g} seconds"
    return ""


@dataclass(frozen=True)
class Suspect(Bounded):
    """A program in quarantine.

    Attributes:
        program: text of its normal form.
        island, round: where and when it was found; island -1: on the selection tasks.
        cause: what it did.
    """

    program: str
    island: Annotated[int, Bounds(-1, MOST)]
    round: Annotated[int, Bounds(-1, MOST)]
    cause: str


@dataclass
class Progression(Bounded):
    """What a run has come to: everything that a checkpoint keeps besides the islands' states.

    Attributes:
        round: last round that all islands have done.
        seconds: of search.
        lives: one per island.
        counts: programs by rung of the ladder.
        ratings: programs that native code rated ("native"), programs that were compiled for that
            ("compiled"), and champions compiled to be confirmed ("champions").
        restarts: over all islands.
        hall: the best programs.
        confirmed: whether the leader has been compiled.
        quarantine: programs that score 0.
        emigrants: of the last round, if an exchange follows; by island.
    """

    lives: list[Life]
    round: Annotated[int, Bounds(-1, MOST)] = -1
    seconds: Annotated[float, Bounds(0, MOST)] = 0.0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    ratings: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RATINGS, 0))
    restarts: Annotated[int, Bounds(0, MOST)] = 0
    hall: HallOfFame = field(default_factory=HallOfFame)
    confirmed: bool = False
    quarantine: list[Suspect] = field(default_factory=list)
    emigrants: dict[int, Migrants] = field(default_factory=dict)
