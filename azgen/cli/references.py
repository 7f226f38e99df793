"""Programs and runs as they are named on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from azgen.errors import AzgenError
from azgen.language.instruction import VECTOR
from azgen.language.metrics import Metric
from azgen.language.ops import OPS
from azgen.language.program import Program
from azgen.language.userfile import NOTHING, load_user_file
from azgen.language.zoo import find_program
from azgen.runs.directory import ROOT
from azgen.runs.events import Champion
from azgen.runs.members import member
from azgen.runs.saved import SavedRun, load_run


@dataclass(frozen=True)
class Reference:
    """A program that was named on the command line.

    Attributes:
        program: the program.
        run: the run whose hall of fame it is in, if any.
        name: what it is called.
        given: as it was named.
        champion: what the run says about it.
    """

    program: Program
    run: SavedRun | None
    name: str
    given: str
    champion: Champion | None = None


def find(reference: str, ops: str | None = None, which: str | int | None = None) -> Reference:
    """A program, or one of a run.

    Args:
        reference: a run directory (or its name in runs/), a program file, or "zoo:NAME".
        ops: a file of the user's own ops, for a program file; a run has its own.
        which: of a run, the rank in its hall of fame or a rule that picks one; None: its champion.

    Raises:
        AzgenError: there is no such thing, or it is damaged.
    """
    for path in (Path(reference), ROOT / reference):
        if path.is_dir() and not reference.startswith("zoo:"):
            run = load_run(path)
            champion = member(run, which)
            return Reference(champion.program, run, run.name, reference, champion)
    if which is not None:
        raise AzgenError(f"{reference} is no run: only a run has a hall of fame to pick from")
    if not reference.startswith("zoo:") and not Path(reference).exists():
        raise AzgenError(
            f"{reference}: no such run directory or program file; programs of the zoo are called zoo:NAME"
        )
    table = load_user_file(ops).table if ops else OPS
    name = Path(reference.removeprefix("zoo:")).stem
    return Reference(find_program(reference, table), None, name, reference)


def find_run(reference: str) -> SavedRun:
    """The run of this name or folder.

    Raises:
        AzgenError: there is none.
    """
    run = find(reference).run
    if run is None:
        raise AzgenError(f"{reference} is no run")
    return run


def metric_of(found: Reference, name: str | None, ops: str | None) -> Metric:
    """The metric of this name; without one that of the run's tasks, or a program's: rmse, or accuracy for
    several classes.

    Raises:
        AzgenError: there is no such metric, or the run does not say.
    """
    run, user = found.run, load_user_file(ops) if ops else NOTHING
    if run is not None:
        user = run.settings.user
        name = name or (run.result or run.environment).get("metric")
        if name is None:
            raise AzgenError(f"{run.path} does not say which metric its tasks have; give --metric NAME")
    return user.metric(name or ("accuracy" if found.program.form == VECTOR else "rmse"))
