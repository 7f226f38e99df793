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
        oracle_runs: evaluations by the oracle, which takes a second each; 0: none.
        random_programs: random programs of the demo's sizes.
        baseline_programs: random programs of the baseline's sizes.
        baseline_examples: training examples of their tasks; an eighth as many for validation.
        random_runs: passes over all of them.
        search_seeds, search_programs: populations, and programs of each, for the search rate.
        ladder_seeds, ladder_programs: the same for each rung of the ladder; a tenth on costlier tasks.
        ladder_presets: search spaces for the ladder.
        solve_seeds: runs of the demo until it is solved.
        solve_limit: wall-clock seconds after which a run counts as not solved.
        batches: candidates per module.
        compile_runs: times that each is compiled anew.
        crossover_epochs, crossover_programs: epochs and programs of the searches that show what
            `--backend auto` decides.
        workers: numbers of worker processes.
        worker_runs, worker_programs: runs of each, and their programs.
    """

    features: tuple[int, ...] = (4, 8, 16, 32)
    n_train: int = 1000
    runs: int = 25
    seconds: float = 0.02
    oracle_runs: int = 2
    random_programs: int = 2000
    baseline_programs: int = 500
    baseline_examples: int = 8000
    random_runs: int = 9
    search_seeds: int = 9
    search_programs: int = 500_000
    ladder_seeds: int = 3
    ladder_programs: int = 200_000
    ladder_presets: tuple[str, ...] = ("linear", "digits")
    solve_seeds: int = 20
    solve_limit: float = 120.0
    batches: tuple[int, ...] = (1, 8, 32)
    compile_runs: int = 3
    crossover_epochs: tuple[int, ...] = (600, 3000, 6000, 12000)
    crossover_programs: int = 400
    workers: tuple[int, ...] = (1, 2)
    worker_runs: int = 3
    worker_programs: int = 4_000_000


FULL = Effort()

QUICK = Effort(
    runs=7,
    seconds=0.01,
    oracle_runs=1,
    baseline_programs=50,
    random_runs=3,
    search_seeds=3,
    search_programs=100_000,
    ladder_seeds=1,
    ladder_programs=50_000,
    ladder_presets=("linear",),
    solve_seeds=5,
    solve_limit=60.0,
    batches=(1, 32),
    compile_runs=1,
    crossover_epochs=(600, 6000),
    worker_runs=1,
    worker_programs=1_000_000,
)
