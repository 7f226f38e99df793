"""How much is measured: the full set, and a quick one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Attributes:
        features: values of F.
        n_train: training examples of the larger evaluations.
        runs: runs of a timed call.
        seconds: CPU seconds of one such run, which repeats its call.
        search_seeds, search_programs: populations, and programs of each, for the search rate.
        batches: candidates per module.
        compile_runs: times that each is compiled anew.
    """

    features: tuple[int, ...] = (4, 8, 16, 32)
    n_train: int = 1000
    runs: int = 25
    seconds: float = 0.02
    search_seeds: int = 9
    search_programs: int = 500_000
    batches: tuple[int, ...] = (1, 8, 32)
    compile_runs: int = 3


FULL = Effort()
QUICK = Effort(
    runs=7, seconds=0.01, search_seeds=3, search_programs=100_000,
    batches=(1, 32), compile_runs=1,
)  # fmt: skip
