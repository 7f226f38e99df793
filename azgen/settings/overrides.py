"""What is asked for in place of what a preset or a configuration says; `resolve` makes settings of it.

One declaration for `evolve`, `resume` and the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from azgen.errors import suggest


class ResumeOverrides(TypedDict, total=False):
    """What may be asked of a run also when it goes on. None is as not given.

    Attributes:
        max_time: limit of the run in seconds, or as text: "10m". A limit of time or of programs replaces
            both limits of the config.
        max_programs: limit of the whole run's search in programs.
        target_fitness: stop when the fitness on the selection tasks exceeds this.
        workers: processes that run the islands; never changes results.
        engine: "process", "workers" or "dask": what runs the islands; never changes results.
        scheduler: address of the Dask scheduler, for the engine "dask"; without it a cluster on this machine.
    """

    max_time: str | float | None
    max_programs: int | None
    target_fitness: float | None
    workers: int | None
    engine: str | None
    scheduler: str | None


class Overrides(ResumeOverrides, total=False):
    """What the user asks for in place of what a preset or a configuration says. None is as not given.

    Attributes:
        data: a table (CSV, TSV, NPZ, Parquet, ARFF) or a data set's name, in place of the config's tasks.
        target: the table's column to predict.
        kind: "regression", "classification" or "multiclass"; without it the table's column tells.
        classes: "pairs" or "all": which classes of images a task is to tell apart.
        metric: what fitness is; see docs/data.md.
        ops: a Python file of ops and metrics (azgen.language.userfile). Those of its ops that the config
            names in no function are added to Predict and Learn, where these evolve.
        tasks: further changes to the settings of tasks, by name, such as {"groups": "patient"}.
        start: what populations start from, one or several: "auto" (the zoo's programs, tuned on the run's
            tasks), "random", "empty", a program file or "zoo:NAME".
        epochs: passes over the training examples; not given, the start "auto" may find out how many are best
            (`ExecutionSettings.tune_epochs`).
        seed: decides tasks, mutations and draws.
        islands: populations that evolve side by side and exchange programs.
        backend: "auto", "kernel" or "native": what rates children; never changes results.
        dtype: "float32" or "float64".
        fused: whether sums of products are by fused multiply-add.
        baselines: "all" or "few": what the champion is compared with.
        pick: which program is the champion: "cheapest-within-error", "best" (both on the selection tasks), or
            N for the N-th best.
    """

    data: str | Path | None
    target: str | None
    kind: str | None
    classes: str | None
    metric: str | None
    ops: str | Path | None
    tasks: Mapping[str, Any] | None
    start: str | Sequence[str] | None
    epochs: int | None
    seed: int | None
    islands: int | None
    backend: str | None
    dtype: str | None
    fused: bool | None
    baselines: str | None
    pick: str | int | None


def check_names(given: Mapping[str, Any], known: type[Overrides] | type[ResumeOverrides]) -> None:
    """Checks that overrides are among those that are known.

    Raises:
        TypeError: one is not, as of a function's keyword arguments.
    """
    names = known.__annotations__
    for name in given:
        if name not in names:
            hint = suggest(name, names) or f"There are {', '.join(names)}"
            raise TypeError(f"unexpected keyword argument {name!r}. {hint}")
