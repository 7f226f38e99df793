"""Archives as the plain values and arrays of a checkpoint, and back, every one checked; see `azgen.search.snapshot`.

Values: per island the numbers of its course, and n and least of its elites. Arrays, of all islands one after the other:

    archive.n          islands x 2: filled entries, elites
    archive.sizes, archive.code    their programs: entries, the leader, elites
    archive.key, archive.fitness   of entries and elites
    archive.tried, archive.step    of entries; step: their stepping stones, which former checkpoints lack
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.search.checked import fill
from azgen.search.engines.migrants import Migrants
from azgen.search.island_state import COURSE

Arrays = Mapping[str, NDArray[Any]]


def take_archives(states: Sequence[Arrays]) -> tuple[list[dict[str, Any]], dict[str, NDArray[Any]]]:
    """Values and arrays of archives' states."""
    values, counts, programs = [], [], []
    keys, fitness, tried, steps = [], [], [], []
    for state in states:
        course, elites = state["course"][0], state["state"]["elites"][0]
        n, m = int(course["entries"]), int(elites["n"])
        entries = state["entries"][:n]
        values.append(
            {name: course[name].item() for name in COURSE.names or ()} | {"least": float(elites["least"])}
        )
        counts.append((n, m))
        found = np.concatenate([entries["program"], state["leader"], state["elite_programs"][:m]])
        programs.append(Migrants.of(found))
        keys += [entries["key"], state["elite_keys"][:m]]
        fitness += [entries["fitness"], state["elite_fitness"][:m]]
        tried.append(entries["tried"])
        steps.append(entries["step"])
    joined = Migrants.joined(programs)
    return values, {
        "archive.n": np.array(counts, np.int64).reshape(-1, 2),
        "archive.sizes": joined.sizes,
        "archive.code": joined.code,
        "archive.key": np.concatenate(keys),
        "archive.fitness": np.concatenate(fitness),
        "archive.tried": np.concatenate(tried),
        "archive.step": np.concatenate(steps),
    }


class ArchiveReader:
    """Archives from a checkpoint's arrays.

    Args:
        values: per island, see `take_archives`.
        arrays: all of the checkpoint's.
        n_stages: stages of the search.
        check_programs: raises ValueError for programs that the kernel cannot run, or another number of them.

    Raises:
        ValueError, KeyError, TypeError: something is missing or out of bounds.
    """

    def __init__(
        self,
        values: Sequence[Mapping[str, Any]],
        arrays: Arrays,
        n_stages: int,
        check_programs: Callable[[Migrants, int], None],
    ):
        self._values, self._arrays, self._n_stages = values, arrays, n_stages
        counts = arrays["archive.n"]
        if counts.shape != (len(values), 2) or counts.dtype != np.int64 or (counts < 0).any():
            raise ValueError("archives have another number of programs")
        self._counts = counts
        self._programs = Migrants(arrays["archive.sizes"], arrays["archive.code"])
        check_programs(self._programs, int(counts.sum()) + len(counts))
        both = (int(counts.sum()),)
        shapes = {
            "key": (both, np.uint64),
            "fitness": (both, np.float64),
            "tried": ((int(counts[:, 0].sum()),), np.int64),
        }
        self._steps = arrays.get("archive.step", np.full(shapes["tried"][0], -1))
        if self._steps.shape != shapes["tried"][0] or self._steps.dtype != np.int64:
            raise ValueError("the archives' stepping stones have another shape or type")
        for name, (shape, dtype) in shapes.items():
            array = arrays[f"archive.{name}"]
            if array.shape != shape or array.dtype != dtype:
                raise ValueError(f"the archives' {name} has another shape or type")
        if not np.isfinite(arrays["archive.fitness"]).all():
            raise ValueError("a fitness in an archive is not finite")

    def fill(self, number: int, into: Mapping[str, NDArray[Any]]) -> None:
        """Fills the arrays of an island's state."""
        n, m = (int(count) for count in self._counts[number])
        if n > len(into["entries"]) or m > len(into["elite_keys"]):
            raise ValueError("an archive has too many programs")
        self._fill_course(into["course"][0], self._values[number], n)
        before = int(self._counts[:number].sum())
        first = before + number
        records = self._programs.taken(np.arange(first, first + n + 1 + m)).records(into["leader"].dtype)
        keys, fitness = (
            self._arrays[f"archive.{name}"][before : before + n + m] for name in ("key", "fitness")
        )
        tried = int(self._counts[:number, 0].sum())
        entries = into["entries"][:n]
        entries["program"], entries["key"], entries["fitness"] = records[:n], keys[:n], fitness[:n]
        entries["tried"] = self._arrays["archive.tried"][tried : tried + n]
        entries["step"] = self._steps[tried : tried + n]
        into["leader"][0] = records[n]
        into["elite_programs"][:m], into["elite_keys"][:m] = records[n + 1 :], keys[n:]
        into["elite_fitness"][:m] = fitness[n:]
        elites = into["state"]["elites"]
        elites["n"], elites["least"] = m, float(self._values[number]["least"])

    def _fill_course(self, course: Any, values: Mapping[str, Any], n_entries: int) -> None:
        fill(course, {"solved": 0, "step": -1, **values}, COURSE.names or (), least=-1)
        if not (0 <= course["stage"] < self._n_stages and course["entries"] == n_entries):
            raise ValueError("an archive's course is out of bounds")
        if not -1 <= course["parent"] < max(n_entries, 1):
            raise ValueError("an archive's run has a parent that is not there")
