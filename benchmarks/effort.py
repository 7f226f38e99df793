"""How much is measured by the benchmarks that are here and not in `azgen bench`."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from azgen.bench import effort


@dataclass(frozen=True)
class FullEffort(effort.Effort):
    """How much is measured.

    Attributes:
        oracle_runs: evaluations by the oracle, which takes a second each; 0: none.
        random_programs: random programs of the demo's sizes.
        baseline_programs: random programs of the baseline's sizes.
        baseline_examples: training examples of their tasks; an eighth as many for validation.
        random_runs: passes over all of them.
        ladder_seeds, ladder_programs: populations for each rung of the ladder; a tenth on costlier tasks.
        ladder_presets: search spaces for the ladder.
        solve_seeds: runs of the demo until it is solved.
        solve_limit: wall-clock seconds after which a run counts as not solved.
        backend_epochs, backend_programs: epochs and programs of the searches that show what
            `--backend auto` decides.
        workers: numbers of worker processes.
        worker_runs, worker_programs: runs of each, and their programs.
    """

    oracle_runs: int = 2
    random_programs: int = 2000
    baseline_programs: int = 500
    baseline_examples: int = 8000
    random_runs: int = 9
    ladder_seeds: int = 3
    ladder_programs: int = 200_000
    ladder_presets: tuple[str, ...] = ("demo", "digits")
    solve_seeds: int = 20
    solve_limit: float = 120.0
    backend_epochs: tuple[int, ...] = (600, 3000, 6000, 12000)
    backend_programs: int = 400
    workers: tuple[int, ...] = (1, 2)
    worker_runs: int = 3
    worker_programs: int = 4_000_000


QUICK = FullEffort(
    **(asdict(effort.QUICK) | {
        "oracle_runs": 1, "baseline_programs": 50, "random_runs": 3, "ladder_seeds": 1,
        "ladder_programs": 50_000, "ladder_presets": ("demo",), "solve_seeds": 5, "solve_limit": 60.0,
        "backend_epochs": (600, 6000), "worker_runs": 1, "worker_programs": 1_000_000,
    })
)  # fmt: skip
