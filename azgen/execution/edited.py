"""A candidate whose generated source a person has edited: compiled as it is, and run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from azgen.codegen.candidate_source import candidate_source, render_candidates, source_target
from azgen.errors import AzgenError, CompilerError
from azgen.execution.bound import Result, Room, bind_candidate
from azgen.execution.layout import check_tasks, lay_out
from azgen.execution.native import PreparedCandidate, compile_candidates
from azgen.files import path_of, read_text
from azgen.language.conditions import Conditions
from azgen.language.program import Program
from azgen.tasks.task import Task

_TARGET = "# Search space: "
"""How the line of a candidate's source begins that says what it is specialised to."""


_COMPLAINT = re.compile(r"^(?!warning).*azgen_edited_\w+\.pyx:(\d+):(\d+): (.*)$", re.MULTILINE)
_MOST_COMPLAINTS = 3
"""The first is what is wrong, others follow from it."""


def find_source(folder: str | Path, program: Program) -> Path:
    """The file of a folder that holds a program's candidate, edited or not; the folder may be the file.

    Raises:
        AzgenError: there is none, or more than one.
    """
    path, function = path_of(folder, "a folder of edited sources"), f"run_{program.structure_hash}"
    if not path.exists():
        raise AzgenError(f"{path}: there is no such folder of edited sources")
    files = [path] if path.is_file() else sorted(path.glob("*.pyx"))
    found = [file for file in files if f" {function}(" in read_text(file)]
    if len(found) == 1:
        return found[0]
    if found:
        raise AzgenError(f"{' and '.join(map(str, found))} both have {function}; leave one of them there")
    raise AzgenError(
        f"no .pyx in {path} has the function {function}, which this program's is called; "
        "write one to edit with: azgen show RUN|PROGRAM --source > FILE.pyx"
    )


def prepare_edited(program: Program, source: Path, task: Task, conditions: Conditions) -> PreparedCandidate:
    """A program with the native code that an edited source compiles to.

    Args:
        program: whose constants it takes.
        source: see `find_source`; generated for tasks of the shape of this one, and edited then.
        task, conditions: what it is to run on, and how.

    Raises:
        AzgenError: it was generated for something else.
        CompilerError: it cannot be compiled; says where.
    """
    shape = task.n_features, task.metric, conditions, task.vector_classes
    target, text = source_target(program, *shape), read_text(source)
    _check_target(source, text, candidate_source(program, target))
    files = render_candidates([program], target) | {"candidates.pyx": text}
    try:
        (compiled,) = compile_candidates("edited", files, [program.structure_hash], target).values()
    except CompilerError as error:
        raise CompilerError(_complaints(source, str(error))) from None
    return PreparedCandidate.of(compiled, target, program.normalized())


def execute_edited(program: Program, source: Path, tasks: Sequence[Task], conditions: Conditions) -> Result:
    """Executes a program on tasks by the native code of an edited source; see `prepare_edited`."""
    check_tasks(tasks)
    prepared = prepare_edited(program, source, tasks[0], conditions)
    lane = prepared.target.lane
    room = Room(lay_out(tasks, lane, conditions), lane, tasks[0].vector_classes)
    return bind_candidate(prepared, room)()


def _complaints(source: Path, said: str) -> str:
    """What Cython says against a source, by its own name and lines; what the C compiler says as it is."""
    found = _COMPLAINT.findall(said)
    if not found:
        return f"{source} cannot be compiled: {said}"
    first = [f"  {source}:{line}:{column}: {what}" for line, column, what in found[:_MOST_COMPLAINTS]]
    return "\n".join([f"Cython cannot translate {source}:", *first])


def _check_target(source: Path, text: str, generated: str) -> None:
    """Whether a source says of itself that it was generated for something else."""
    said, wanted = (
        next((line for line in of.splitlines() if line.startswith(_TARGET)), "") for of in (text, generated)
    )
    if said and said != wanted:
        raise AzgenError(
            f"{source} was generated for another search space:\n  {said[2:]}\n  {wanted[2:]} (wanted)\n"
            "Write it anew for these tasks: azgen show ... --source, with --features, --metric and --dtype"
        )
