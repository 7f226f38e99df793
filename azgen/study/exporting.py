"""`azgen.export`: what a run knows of its program goes into the module without being said again."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from azgen.exports import module
from azgen.exports.provenance import Provenance
from azgen.language.metrics import Metric
from azgen.language.zoo import as_program
from azgen.runs.directory import ENVIRONMENT
from azgen.runs.events import Champion
from azgen.runs.saved import SavedRun, load_run
from azgen.study.finished import Run
from azgen.tasks.reading import table_reading
from azgen.version import azgen_version


def export(
    what: Any,
    path: str | Path,
    *,
    metric: Metric | None = None,
    dtype: str | None = None,
    epochs: int | None = None,
    class_name: str | None = None,
    provenance: Provenance | None = None,
) -> Path:
    """Writes a program as a standalone Python module.

    Args:
        what: a run, whose champion it is and which says all else, its table too; a champion of a run or its
            program, which says what it was evolved for; any program, or the name of one: a file, or zoo:NAME.
        path: file to write, for example ``winner.py``; an existing one is replaced as a whole.
        metric, dtype, epochs, class_name, provenance: as of `azgen.exports.module.export`; in place of what
            the run says.

    Returns:
        The path of the module.

    Raises:
        AzgenError: `what` is no program, there is no such folder, the file cannot be written, or an argument
            makes no sense.
    """
    run = load_run(what.directory) if isinstance(what, Run) else what
    table = None
    if isinstance(run, SavedRun):
        what, provenance = run.champion, provenance or provenance_of(run, run.champion)
        table = table_reading(run.environment.get("data", {}), str(run.path / ENVIRONMENT))
    program = as_program(what)
    made = program.made_for
    return module.export(
        program,
        path,
        metric=made.metric if made and metric is None else metric,
        dtype=dtype if dtype is not None else made.dtype if made else "float32",
        epochs=epochs if epochs is not None else made.epochs if made else 1,
        class_name=class_name,
        provenance=provenance,
        table=table,
    )


def provenance_of(run: SavedRun, program: Champion) -> Provenance:
    """What a run says of one of its programs, for the module's docstring."""
    result, sizes = run.result or {}, run.settings.tasks
    tested = result.get("test", {}) if program is run.champion else {}
    each = [fitness for fitness in tested.get("per_task") or () if fitness is not None]
    picked = f" (picked by: {', '.join(program.picked_by)})" if program.picked_by else ""
    another = f"Another of the run's hall of fame than its champion{picked}."
    return Provenance(
        run=run.name,
        preset=run.settings.name,
        seed=run.settings.seed,
        program_number=program.number or None,
        programs=result.get("counts", {}).get("programs") if program.number else None,
        data=result.get("data"),
        search_fitness=program.search_fitness,
        selection_fitness=program.select_fitness,
        test_fitness=tested.get("fitness", {}).get("mean"),
        test_spread=(min(each), max(each)) if each else None,
        note=None if program is run.champion else another,
        search_tasks=sizes.n_search,
        selection_tasks=sizes.n_select,
        test_tasks=len(each) or sizes.n_test,
        version=azgen_version(),
        date=datetime.date.today().isoformat(),
    )
