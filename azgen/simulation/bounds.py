"""How much a run may hold at a time, however long it goes on."""

from __future__ import annotations

from typing import Any

from azgen.search.coordinator import MOST_QUARANTINED, Coordinator
from azgen.search.engines.base import LOOKAHEAD, Engine
from azgen.search.hall import FRONT_SIZE, HALL_SIZE
from azgen.settings.settings import Settings


class Bounds:
    """Watches every collection that the coordinator, its schedule and the engine have, whatever it is for.

    Args:
        settings: of the run.
        engine: when it has just been made; what it holds then it may hold always.
    """

    def __init__(self, settings: Settings, engine: Engine):
        self._engine, self._at_first = engine, _sizes(engine)
        self._usual = max(16, settings.islands.count * (LOOKAHEAD + 3))
        of_hall = {"HallOfFame.members": HALL_SIZE, "HallOfFame.front": FRONT_SIZE}
        self._most = {**of_hall, "Progression.quarantine": MOST_QUARANTINED}

    def too_much(self, coordinator: Coordinator) -> str:
        """What holds more than a run may need, in words; "" if nothing does."""
        progress = coordinator.progress
        sizes = _sizes(coordinator, coordinator.schedule, progress, progress.hall, self._engine)
        for name, n in sizes.items():
            if n > max(self._most.get(name, self._usual), self._at_first.get(name, 0)):
                return f"{name} has {n} entries"
        return ""


_COLLECTIONS = (dict, list, set, tuple)


def _sizes(*parts: object) -> dict[str, int]:
    """Entries of each collection that these have."""
    return {
        f"{type(part).__name__}.{name}": _size(value)
        for part in parts
        for name, value in vars(part).items()
        if isinstance(value, _COLLECTIONS)
    }


def _size(value: Any) -> int:
    """Entries of a collection; those of a dictionary's collections are counted in their place."""
    if isinstance(value, dict):
        return sum(max(1, _size(each)) if isinstance(each, _COLLECTIONS) else 1 for each in value.values())
    return len(value)
