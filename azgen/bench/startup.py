"""How soon a command answers: what Python and azgen's own imports take before anything is done."""

from __future__ import annotations

import subprocess
import sys

from azgen.bench.effort import Effort
from azgen.bench.figures import Figure, figure_of
from azgen.bench.timing import Stopwatch

COMMANDS = {
    "azgen --help": ("-m", "azgen", "--help"),
    "import azgen": ("-c", "import azgen"),
    "Python alone": ("-c", "pass"),
}


def measure_startup(effort: Effort) -> list[Figure]:
    """ms of CPU until a command has answered, in a new process; Python alone for comparison."""
    figures = []
    for by, arguments in COMMANDS.items():
        values, walls = [], []
        for _ in range(effort.runs):
            with Stopwatch() as watch:
                subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
            values.append(1e3 * watch.cpu)
            walls.append(1e3 * watch.wall)
        details = {"wall_ms": min(walls)}
        figures.append(figure_of("startup", "start-up", by, "ms", values, details=details))
    return figures
