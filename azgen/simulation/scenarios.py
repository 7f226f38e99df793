"""Small runs that schedules of faults happen to, and what they find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from azgen.search.evolve import Found
from azgen.search.space import SearchSpace
from azgen.settings.presets import preset
from azgen.settings.settings import Settings
from azgen.simulation.fleet import NOT_DEADLY, Deadly
from azgen.simulation.rounds import Rounds
from azgen.tasks.task import TaskSplit

Changes = Mapping[str, Mapping[str, Any]]

_SMALL: Changes = {
    "tasks": {"n_select": 4, "n_test": 1, "n_train": (10, 10, 10), "n_valid": (10, 10, 10), "redraw": False},
    "evolution": {"population": 8, "tournament": 3, "cache_size": 64},
    "stop": {"max_seconds": 0.0, "target_fitness": 2.0, "round_programs": 10, "restart_programs": 0},
    "islands": {"checkpoint_seconds": 2.5, "interval": 20, "migrants": 2, "round_timeout": 4.0},
}

KINDS: Mapping[str, Changes] = {
    "ring of 3": {"islands": {"count": 3}, "stop": {"max_programs": 190}},
    "pool of 3, restarts": {
        "islands": {"count": 3, "topology": "pool", "emigrants": "random"},
        "stop": {"max_programs": 220, "patience": 25},
    },
    "one island, restarts": {"islands": {"count": 1}, "stop": {"max_programs": 130, "restart_programs": 40}},
    "4 apart, hurdles": {
        "islands": {"count": 4, "topology": "none"},
        "stop": {"max_programs": 220},
        "evolution": {"hurdles": (0.5,)},
    },
    "ring of 2, a leader for long": {"islands": {"count": 2, "interval": 30}, "stop": {"max_programs": 280}},
}


def changed(settings: Settings, changes: Changes) -> Settings:
    """Settings with changes, by section."""
    sections = {name: replace(getattr(settings, name), **values) for name, values in changes.items()}
    return replace(settings, **sections)


@dataclass(frozen=True, eq=False)
class Scenario:
    """A run, what its rounds come to, and what kills its workers.

    Attributes:
        name: in words.
        settings: of the run.
        split: its tasks.
        rounds: shared by all schedules of the same settings.
        deadly: programs that kill whatever runs them.
    """

    name: str
    settings: Settings
    split: TaskSplit
    rounds: Rounds
    deadly: Deadly = NOT_DEADLY

    @staticmethod
    def of(name: str, changes: Changes) -> Scenario:
        """A small run."""
        merged = {section: {**values, **changes.get(section, {})} for section, values in _SMALL.items()}
        settings = changed(preset("demo"), merged)
        split = settings.tasks.split(settings.seed)
        return Scenario(name, settings, split, Rounds(SearchSpace.of(settings, split)))

    def space(self, settings: Settings) -> SearchSpace:
        """Kernels and tasks, with other limits."""
        known = self.rounds.space
        return SearchSpace(settings, known.starts, known.select, known.search, known.tuned)


@dataclass(frozen=True)
class Finding:
    """What a run has come to, as far as no fault may change it: parts in words."""

    parts: tuple[tuple[str, str], ...]

    @staticmethod
    def of(found: Found) -> Finding:
        """What a search has found."""
        progress = found.progress
        parts: dict[str, Any] = {"ended by": found.reason, "hall of fame": progress.hall.listing()}
        parts |= {name: getattr(progress, name) for name in ("round", "counts", "lives", "restarts")}
        parts["quarantined"] = sorted({suspect.program for suspect in progress.quarantine})
        return Finding(tuple((name, repr(value)) for name, value in parts.items()))

    def difference(self, other: Finding) -> str:
        """What is not as in another, in words; "" if all is."""
        for (name, mine), (_, its) in zip(self.parts, other.parts, strict=True):
            if mine != its:
                at = next((n for n, (a, b) in enumerate(zip(mine, its, strict=False)) if a != b), 0)
                around = slice(max(0, at - 40), at + 80)
                return f"{name}: ... {mine[around]} ... in place of ... {its[around]} ..."
        return ""
