"""Where an exported program comes from, for the module's docstring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


def one_line(text: str) -> str:
    """A text that can stand in a line of any source file: what cannot be printed becomes a question mark."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is known about a program's origin; whatever is None stays unsaid.

    Attributes:
        run: name of the run, or of the program when no run found it.
        preset: preset or configuration that the run used.
        seed: the run's seed.
        program_number, programs: which of how many programs the search looked at.
        data: the data in words, for example ``"digits, 3 against 8, 8 projected features"``.
        search_fitness, selection_fitness, test_fitness: in [0, 1], 1 is perfect.
        test_spread: lowest and highest fitness on a test task.
        search_tasks, selection_tasks, test_tasks: how many tasks each fitness is over.
        version: azgen's version.
        date: day of the export, for example ``"2025-03-31"``.
        note: anything else, a sentence.
    """

    run: str | None = None
    preset: str | None = None
    seed: int | None = None
    program_number: int | None = None
    programs: int | None = None
    data: str | None = None
    search_fitness: float | None = None
    selection_fitness: float | None = None
    test_fitness: float | None = None
    test_spread: tuple[float, float] | None = None
    search_tasks: int | None = None
    selection_tasks: int | None = None
    test_tasks: int | None = None
    version: str | None = None
    date: str | None = None
    note: str | None = None

    def tested(self) -> dict[str, Any]:
        """What templates are told of the test: fitness, lowest and highest, and over how many tasks."""
        return {"fitness": self.test_fitness, "spread": self.test_spread, "tested": self.test_tasks}

    def sentences(self) -> list[str]:
        """The known facts as sentences, most important first."""
        facts = (self._origin(), self._data(), self._fitness(), self._writer(), self.note or "")
        return [one_line(fact) for fact in facts if fact]

    def _origin(self) -> str:
        settings = [f"preset {self.preset}"] if self.preset else []
        settings += [f"seed {self.seed}"] if self.seed is not None else []
        number = ""
        if self.program_number is not None:
            number = f"program {self.program_number:,}".replace(",", " ")
            number += f" of {self.programs:,}".replace(",", " ") if self.programs is not None else ""
        if not (self.run or settings or number):
            return ""
        run = f"run {self.run}" if self.run else "a run"
        found = f"Found by {run}" + (f" ({', '.join(settings)})" if settings else "")
        return found + (f", {number}." if number else ".")

    def _data(self) -> str:
        return f"Data: {self.data.rstrip('.')}." if self.data else ""

    def _fitness(self) -> str:
        sets = (
            ("search", self.search_fitness, self.search_tasks, ""),
            ("selection", self.selection_fitness, self.selection_tasks, ""),
            ("test", self.test_fitness, self.test_tasks, " that the search never saw"),
        )
        parts = []
        for name, fitness, tasks, remark in sets:
            if fitness is not None:
                count = f"{tasks} " if tasks is not None else ""
                parts.append(f"{fitness:.6g} on {count}{name} {'task' if tasks == 1 else 'tasks'}{remark}")
        return f"Fitness (1 is perfect): {', '.join(parts)}." if parts else ""

    def _writer(self) -> str:
        if not (self.version or self.date):
            return ""
        return (
            "Written by azgen"
            + (f" {self.version}" if self.version else "")
            + (f" on {self.date}." if self.date else ".")
        )
