"""Stepping stones of an island: programs, each better than all before it, that its members descend from.

In a population the kernel leaves them (templates/kernel/trail.pyx.j2), in an archive the archive does, one
for each program that takes a cell. Between rounds those that lead to nothing alive are swept away, and of
the others, if they are many, those that brought the least; so they take bounded room. Programs that go to
another island take theirs along (`Trail.carried`, `Trail.graft`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.execution.kernel import Kernel
from azgen.language.normalize import without_dead_code
from azgen.language.program import Program
from azgen.runs.events import Ancestor
from azgen.search.engines.migrants import Chains, Migrants
from azgen.search.island_state import STEP
from azgen.search.state import State
from azgen.settings.evolution import ACTIONS

MOST_TOLD = 64
"""Ancestors of a champion that are kept with it; of more, those that brought the least are left out."""

MOST_CARRIED = 256
"""Stepping stones that programs take along on their way to another island, all together."""

MEMBER = ("member_step", "member_actions")
"""Arrays of a state that say of each member its stepping stone and the kinds of mutations since."""

MUTATIONS = (*ACTIONS, "crossover")
"""Kinds of mutations, in the order of their bits."""

Places = NDArray[np.int64]


class Trail:
    """The stepping stones in an island's state.

    Args:
        arrays: the state.
        kept_by: further arrays of it that name stepping stones, and are kept up to date.
    """

    def __init__(self, arrays: State, *kept_by: Places):
        self._steps, self._record = arrays["steps"], arrays["state"]["trail"]
        members, self._actions = (arrays[name] for name in MEMBER)
        self._kept_by = (members, self._record["best"], *kept_by)

    @property
    def n(self) -> int:
        """How many there are."""
        return int(self._record["n"][0])

    def add(self, parent: int, number: int, fitness: float, program: Any) -> int:
        """A new one; the parent itself if there is no room.

        Args:
            parent: the one before it, or -1.
            number: which program of its population it is.
            fitness: what it has.
            program: the kernel's record.
        """
        return self._put((parent, number, int(self._record["population"][0]), fitness, 0), program)

    def _put(self, numbers: tuple[int, int, int, float, int], program: Any) -> int:
        """One with the numbers of `STEP`; its parent if there is no room."""
        place = self.n
        if place == len(self._steps):
            return numbers[0]
        step = self._steps[place]
        for name, value in zip(STEP, numbers, strict=True):
            step[name] = value
        step["program"] = program
        self._record["n"] = place + 1
        return place

    def carried(self, places: Places, since: NDArray[np.uint64]) -> Chains:
        """What members that leave take along: of each, the first stepping stone, the last, and between them
        those that brought the most.

        Args:
            places: their stepping stones, or -1.
            since: kinds of mutations since these, a bit each.
        """
        most, chosen, actions, counts = max(2, MOST_CARRIED // max(len(places), 1)), [], [], []
        for place in places.tolist():
            chain, kinds = self.chain(place), 0
            told = set(told_steps(self._steps["fitness"][chain], most))
            for number, stone in enumerate(chain):
                kinds |= int(self._steps["actions"][stone])
                if number in told:
                    chosen.append(stone)
                    actions.append(kinds)
                    kinds = 0
            counts.append(len(told))
        stones = self._steps[np.array(chosen, np.int64)]
        return Chains(
            Migrants.of(stones["program"]),
            n=np.array(counts, np.int64),
            since=np.array(since, np.uint64),
            number=np.ascontiguousarray(stones["number"]),
            population=np.ascontiguousarray(stones["population"]),
            fitness=np.ascontiguousarray(stones["fitness"]),
            actions=np.array(actions, np.uint64),
        )

    def settle(self, places: Places, chains: Chains | None) -> None:
        """Members at these places are others now, with what these descend from; None: that is not known."""
        if len(self._kept_by[0]):
            steps, since = (-1, 0) if chains is None else (self.graft(chains), chains.since)
            self._kept_by[0][places], self._actions[places] = steps, since

    def graft(self, chains: Chains) -> Places:
        """Takes in what programs from elsewhere descend from, into half of the room that is left.

        Returns:
            Of each program its last stepping stone here, or -1.
        """
        steps, room = self._steps, self.n + (len(self._steps) - self.n) // 2
        known = {
            (int(step["population"]), int(step["number"])): place
            for place, step in enumerate(steps[: self.n])
        }
        records, last = chains.stones.records(steps.dtype["program"]), list[int]()
        for end, n in zip(chains.ends.tolist(), chains.n.tolist(), strict=True):
            parent = -1
            for stone in range(end - n, end):
                key = int(chains.population[stone]), int(chains.number[stone])
                if key not in known and self.n < room:
                    numbers = (parent, key[1], key[0], float(chains.fitness[stone]))
                    known[key] = self._put((*numbers, int(chains.actions[stone])), records[stone])
                parent = known.get(key, parent)
            last.append(parent)
        return np.array(last, np.int64)

    def chain(self, place: int) -> list[int]:
        """A stepping stone and all before it, the first one first."""
        found = []
        while place >= 0:
            found.append(place)
            place = int(self._steps["parent"][place])
        return found[::-1]

    def sweep(self) -> None:
        """Where half of the room is taken, keeps what leads to something alive; of that, so much at most."""
        n, steps = self.n, self._steps
        if 2 * n <= len(steps):
            return
        parents = steps["parent"][:n].tolist()
        held = np.zeros(n, bool)
        for places in self._kept_by:
            held[places[places >= 0]] = True
        kept = held.tolist()
        for place in range(n - 1, -1, -1):
            if kept[place] and parents[place] >= 0:
                kept[parents[place]] = True
        for place in self._least_gains(np.array(kept), held, len(steps) // 2):
            kept[place] = False
        self._close_gaps(parents, kept)

    def _least_gains(self, kept: NDArray[np.bool_], held: NDArray[np.bool_], most: int) -> list[int]:
        """Of the stepping stones that are only on the way, those that brought the least."""
        excess = int(kept.sum()) - most
        if excess <= 0:
            return []
        parents, fitness = self._steps["parent"][: len(kept)], self._steps["fitness"][: len(kept)]
        children = np.bincount(parents[kept & (parents >= 0)], minlength=len(kept))
        on_the_way = np.flatnonzero(kept & ~held & (children == 1) & (parents >= 0))
        gains = fitness[on_the_way] - fitness[parents[on_the_way]]
        dropped: list[int] = on_the_way[np.argsort(gains, kind="stable")[:excess]].tolist()
        return dropped

    def _close_gaps(self, parents: list[int], kept: list[bool]) -> None:
        """Moves what is kept together; what is taken out hands its mutations on."""
        n, steps = len(kept), self._steps
        actions = steps["actions"][:n].tolist()
        new, n_kept = [-1] * n, 0
        for place in range(n):
            above = parents[place]
            if above >= 0 and not kept[above]:
                actions[place] |= actions[above]
            if kept[place]:
                new[place], parents[place] = n_kept, new[above] if above >= 0 else -1
                n_kept += 1
            else:
                new[place] = new[above] if above >= 0 else -1
        places = np.flatnonzero(kept)
        steps["actions"][:n], steps["parent"][:n] = actions, parents
        steps[:n_kept] = steps[places]
        steps[n_kept:n] = np.zeros((), steps.dtype)
        self._record["n"] = n_kept
        moved = np.array([*new, -1])  # -1, which stands for none, stays
        for of_places in self._kept_by:
            of_places[...] = moved[of_places]


class AncestorsTold:
    """Ancestors in words; each program is written out once."""

    def __init__(self) -> None:
        self._texts: dict[tuple[int, int], str] = {}

    def of(self, kernel: Kernel, trail: Trail, arrays: State, place: int) -> tuple[Ancestor, ...]:
        """A stepping stone and those before it, the first one first.

        Args:
            kernel: whose records they are.
            trail, arrays: where they lie.
            place: -1: there are none.
        """
        chain, steps = trail.chain(place), arrays["steps"]
        told, texts, found, actions = set(told_steps(steps["fitness"][chain], MOST_TOLD)), {}, [], 0
        for number, place in enumerate(chain):
            step = steps[place]
            actions |= int(step["actions"])
            if number not in told:
                continue
            key = int(step["population"]), int(step["number"])
            texts[key] = self._texts.get(key) or live_text(kernel.decode(step["program"]))
            kinds = tuple(name for bit, name in enumerate(MUTATIONS) if actions >> bit & 1)
            found.append(Ancestor(texts[key], key[1], key[0], float(step["fitness"]), kinds))
            actions = 0
        self._texts = texts
        return _told_once(found)


def _told_once(ancestors: Sequence[Ancestor]) -> tuple[Ancestor, ...]:
    """Without what is the ancestor before it, rated again on the island to which it went; the last stays."""
    found = list[Ancestor]()
    for number, ancestor in enumerate(ancestors):
        same = bool(found) and found[-1].program == ancestor.program
        if not same:
            found.append(ancestor)
        elif number == len(ancestors) - 1:
            found[-1] = replace(ancestor, mutations=found[-1].mutations)
    return tuple(found)


def told_steps(fitness: Sequence[float] | NDArray[np.float64], most: int) -> list[int]:
    """Of steps with rising fitness so many at most: the first, the last, and those that brought the most."""
    gains = np.diff(np.asarray(fitness, np.float64))[:-1]
    least = np.argsort(gains, kind="stable")[: max(0, len(fitness) - most)] + 1
    dropped = set(least.tolist())
    return [number for number in range(len(fitness)) if number not in dropped]


def live_text(program: Program) -> str:
    """Its live code under the addresses that it had, so that a listing differs by the mutation alone."""
    return str(Program(*without_dead_code(program.functions, program.form), form=program.form))
