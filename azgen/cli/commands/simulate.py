"""`azgen simulate`."""

from __future__ import annotations

import typer

from azgen.cli.options import BuildDirOption, JsonOption
from azgen.cli.values import declared


@declared
def simulate(
    schedules: int | None = typer.Option(
        None,
        min=1,
        metavar="N",
        help="Schedules to carry out, of seeds from --seed on; default: 1000, or the one of --seed.",
    ),
    seed: int | None = typer.Option(
        None, min=0, help="Of the first schedule; alone: repeats that one, told step by step."
    ),
    json: JsonOption = False,
    build_dir: BuildDirOption = None,
) -> None:
    """Simulate faults: searches whose workers, clock and disk fail as a seed decides, checked after each.

    A schedule is a small run on a simulated machine: workers are killed, stopped, slow and talk nonsense, the
    disk is full or cut off from power, the coordinator is killed and goes on from its checkpoints. Whatever
    happens, the run must find what it finds undisturbed. Exit status 1 if one did not; `--seed N` repeats it.
    """
