"""The best programs of a run: by selection fitness, and the front of selection fitness and cost."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from azgen.runs.events import Champion

HALL_SIZE = 10
FRONT_SIZE = 20


@dataclass(frozen=True)
class Bar:
    """What a program must pass to enter a hall of fame.

    Attributes:
        floor: a program of this fitness enters.
        front: fitness and cost of the programs of which none must beat in both what is below the floor.
    """

    floor: float = -1.0
    front: tuple[tuple[float, float], ...] = ()

    def passes(self, fitness: float, cost: float) -> bool:
        """Whether a program would enter, were its structure a new one."""
        return fitness >= self.floor or not self.beaten(fitness, cost)

    def beaten(self, fitness: float, cost: float) -> bool:
        """Whether a program of the front is as good and costs no more."""
        return any(f >= fitness and c <= cost for f, c in self.front)


class HallOfFame:
    """Programs of different structure and behaviour, best first; and those that no other beats in both
    fitness and cost.

    Attributes:
        members: the best by selection fitness.
        front: rising in cost and in fitness.
    """

    def __init__(self, members: Iterable[Champion] = (), front: Iterable[Champion] = ()):
        self.members, self.front = list(members), list(front)

    @property
    def bar(self) -> Bar:
        """What a program must pass to enter."""
        floor = self.members[-1].select_fitness if len(self.members) == HALL_SIZE else -1.0
        return Bar(floor, tuple((c.select_fitness, c.cost) for c in self.front))

    def wants(self, select_fitness: float, cost: float) -> bool:
        """Whether a program would enter, were its structure a new one."""
        return self.bar.passes(select_fitness, cost)

    def consider(self, champion: Champion) -> None:
        """Takes a program in if it is good enough."""
        others = [c for c in self.members if not alike(c, champion)]
        same = [c for c in self.members if alike(c, champion)]
        # Of those that behave alike the cheapest, of one structure with other constants the best.
        best = min([*same, champion], key=lambda c: (c.cost, -c.select_fitness))
        self.members = sorted([*others, best], key=lambda c: -c.select_fitness)[:HALL_SIZE]
        if not self.bar.beaten(champion.select_fitness, champion.cost):
            beaten = [
                c
                for c in self.front
                if c.select_fitness <= champion.select_fitness and c.cost >= champion.cost
            ]
            kept = [*(c for c in self.front if c not in beaten), champion]
            self.front = sorted(kept, key=lambda c: c.cost)[-FRONT_SIZE:]

    def remove(self, program_hash: str) -> None:
        """Takes a program out."""
        self.members = [c for c in self.members if c.program.hash != program_hash]
        self.front = [c for c in self.front if c.program.hash != program_hash]

    def listing(self) -> tuple[Champion, ...]:
        """All programs, best by selection fitness first, the front marked; of those alike only one."""
        extra = [c for c in self.front if not any(alike(c, member) for member in self.members)]
        listed = sorted([*self.members, *reversed(extra)], key=lambda c: -c.select_fitness)
        on_front = [any(alike(c, other) for other in self.front) for c in listed]
        return tuple(dataclasses.replace(c, on_front=on) for c, on in zip(listed, on_front, strict=True))


def alike(one: Champion, other: Champion) -> bool:
    """Whether two programs count once: of the same structure, or behaving alike."""
    same = one.program.structure_hash == other.program.structure_hash
    return same or bool(one.behaviour and one.behaviour == other.behaviour)
