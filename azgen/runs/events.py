"""What happens in a run: events that the live view shows, the log keeps and other tools may follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

from azgen.bounds import Bounded, Count, NotNegative, Share
from azgen.language.op import OpTable
from azgen.language.program import MadeFor, Program
from azgen.plain import PlainError, as_plain, read


@dataclass(frozen=True)
class Ancestor:
    """A program that a champion descends from, better than all its own ancestors.

    Attributes:
        program: text of its live code, under the addresses that it had in the population.
        number: which program of its population it was, from 1.
        population: which population of the run it was found in.
        fitness: on that population's search tasks, of an archive on its rating tasks.
        mutations: kinds of the mutations that made it from the ancestor before it, such as
            "insert_instruction"; none: it was there at first, or came out of a short run of an archive.
    """

    program: str
    number: int
    population: int
    fitness: float
    mutations: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Champion(Bounded):
    """A program that led a run when it was found.

    Attributes:
        program: its normal form.
        number: which program of the run it was, from 1; 0 for what the run started from.
        population: which population of the run it came from, from 0; population p lives on island p modulo
            their count.
        search_fitness: mean (or median) over the search tasks of its population.
        select_fitness: mean over the selection tasks.
        cost: static cost of one training example, Predict and Learn, in multiplications.
        on_front: no program of the run has both a higher selection fitness and a lower cost (known at the
            end).
        behaviour: what it predicts for a few examples of the selection tasks, rounded, as a digest; programs
            that behave alike count once. Empty: not known.
        origin: what it is if the run started from it, such as "zoo:linear"; "" if it has evolved.
        picked_by: rules that pick it out of the hall of fame, such as "best" (known at the end).
        holds: whether it fails on no selection task, not even when it is trained twice as long.
        ancestors: what it descends from, the first one first, itself last; none if the run started from it.
    """

    program: Program
    number: Count
    population: Count
    search_fitness: Share
    select_fitness: Share
    cost: NotNegative = 0.0
    on_front: bool = False
    behaviour: str = ""
    origin: str = ""
    picked_by: tuple[str, ...] = field(default=(), compare=False)
    holds: bool = True
    ancestors: tuple[Ancestor, ...] = ()

    def __repr__(self) -> str:
        which = self.origin or f"program {self.number}"
        fitness = f"search {self.search_fitness:.4f}, selection {self.select_fitness:.4f}"
        return f"Champion({which}, {fitness}, {self.program.size} instructions)"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>{self.program._repr_html_()}"


@dataclass(frozen=True)
class StartsTuned:
    """The zoo's programs have been tuned, and the search will start from the best.

    Attributes:
        programs, settings: how many were tuned, and with how many settings of their constants.
        best: name of the best.
        epochs: passes over the training examples that suit it.
        select_fitness: its mean over the selection tasks.
        seconds: wall-clock time.
    """

    programs: int
    settings: int
    best: str
    epochs: int
    select_fitness: float
    seconds: float


@dataclass(frozen=True)
class Started:
    """The kernel is ready and search begins."""

    name: str
    tasks: str
    search_space: str
    kernel_seconds: float
    kernel_cached: bool


@dataclass(frozen=True)
class Progress:
    """A round has ended, on every island.

    Attributes:
        seconds: wall-clock seconds of search so far.
        programs: programs so far.
        restarts: populations given up so far, over all islands.
        island_fitness: best on the search tasks in the current populations.
        counts: programs by rung of the ladder, over the whole run.
        round: number of the round, from 0.
        islands: best on its search tasks in the current population of each island.
        workers: processes that run islands.
        stages: which stage before the run's own tasks the archive of each island is in, in words; else "".
    """

    seconds: float
    programs: int
    restarts: int
    island_fitness: float
    counts: dict[str, int]
    round: int = 0
    islands: tuple[float, ...] = ()
    workers: int = 1
    stages: tuple[str, ...] = ()


@dataclass(frozen=True)
class NewChampion:
    """A program leads on the selection tasks, and its native code agrees with the kernel."""

    seconds: float
    champion: Champion


@dataclass(frozen=True)
class Restarted:
    """A population was given up, and a new one begins.

    Attributes:
        population: number of the new one among those of the run, from 0.
        island: where it lives.
    """

    seconds: float
    programs: int
    population: int
    reason: str
    island: int = 0


@dataclass(frozen=True)
class Resumed:
    """The run goes on from a checkpoint.

    Attributes:
        seconds, programs, round: how far the run had come.
        path: the checkpoint.
    """

    seconds: float
    programs: int
    round: int
    path: str


@dataclass(frozen=True)
class Warned:
    """Something went wrong that does not end the run: a worker died, a checkpoint could not be written."""

    seconds: float
    message: str


@dataclass(frozen=True)
class Quarantined:
    """A program kills or hangs whatever runs it; it scores 0 from now on.

    Attributes:
        program: the normal form's text.
        hash: its hash.
        cause: what it did to the workers that ran it.
    """

    seconds: float
    program: str
    hash: str
    cause: str


@dataclass(frozen=True)
class Finished:
    """The search is over.

    Attributes:
        reason: what ended it, in words.
        cpu_seconds: processor time of this process and its compilers, from kernel to final test.
        test_fitness: the champion's mean fitness on the test tasks.
    """

    reason: str
    seconds: float
    cpu_seconds: float
    programs: int
    counts: dict[str, int]
    test_fitness: float


Event = StartsTuned | Started | Resumed | Progress | NewChampion | Restarted | Warned | Quarantined | Finished
Observer = Callable[[Event], None]


def as_record(event: Event) -> dict[str, Any]:
    """The event as plain values, for JSON; a champion's ancestors are in hall_of_fame.json alone."""
    return {"event": type(event).__name__, **as_plain(event, {Champion: _champion_in_brief})}


def _champion_in_brief(champion: Champion) -> dict[str, Any]:
    record = champion_record(replace(champion, ancestors=()))
    del record["ancestors"]
    return record


def made_for(champion: Champion, made: MadeFor) -> Champion:
    """The champion with what its program was evolved for."""
    return replace(champion, program=replace(champion.program, made_for=made))


def champion_record(champion: Champion) -> dict[str, Any]:
    """A champion as plain values; the program as text."""
    hashes = {"hash": champion.program.hash, "structure_hash": champion.program.structure_hash}
    return {**as_plain(champion, {Program: str}), **hashes}


def read_champion(record: Any, source: str, ops: OpTable) -> Champion:
    """A champion from plain values.

    Args:
        record: as `champion_record` writes it, or as runs of before did, whose word for "population"
            was "restart".
        source: where it stands, for messages.
        ops: what the program may consist of.

    Raises:
        AzgenError: a value is missing or of another type, or the program is none; says which and where.
    """
    values = dict(record) if isinstance(record, Mapping) else {}
    if "restart" in values:
        values["population"] = values["restart"]

    def program(text: Any, path: str) -> Program:
        if not isinstance(text, str):
            raise PlainError(f"{source} is damaged: {path} is {text!r}; it must be a text")
        return Program.parse(text, source, ops)

    return read(Champion, values, f"{source} is damaged", readers={Program: program}, extra=True)
