"""The zoo: hand-designed and published programs that ship with azgen as .az files."""

from __future__ import annotations

import re
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

from azgen.errors import AzgenError, suggest
from azgen.language.op import OpTable
from azgen.language.ops import OPS
from azgen.language.program import Program, load

_DIRECTORY = Path(__file__).resolve().parents[1] / "zoo"


def zoo_names() -> tuple[str, ...]:
    """Names of the programs in the zoo."""
    return tuple(sorted(path.stem for path in _DIRECTORY.glob("*.az")))


@cache
def zoo(name: str) -> Program:
    """A program of the zoo.

    Raises:
        AzgenError: no such program.
    """
    if name not in zoo_names():
        names = zoo_names()
        message = (
            f"there is no program {name!r} in the zoo.",
            suggest(name, names),
            f"It has {', '.join(names)}",
        )
        raise AzgenError(" ".join(filter(None, message)))
    return load(_DIRECTORY / f"{name}.az")


def zoo_text(name: str) -> str:
    """The file of a program of the zoo.

    Raises:
        AzgenError: no such program.
    """
    zoo(name)
    return (_DIRECTORY / f"{name}.az").read_text(encoding="utf-8")


def zoo_description(name: str) -> str:
    """What a program of the zoo is: the first sentence of its file."""
    lines = zoo_text(name).splitlines()
    comment = " ".join(line.lstrip("# ") for line in takewhile(lambda line: line.startswith("#"), lines))
    # A sentence ends before a new one, and not after "et al.".
    return re.split(r"(?<=[^l]\.)\s+(?=[A-Z])|\s+\(Real et al", f"{comment} ")[0].strip().rstrip(".:")


def zoo_for_classes(reference: str) -> Program | None:
    """What stands for a program of the zoo ("zoo:NAME") where there are several classes: softmax-NAME, or
    None."""
    name = f"softmax-{reference.removeprefix('zoo:')}"
    return zoo(name) if reference.startswith("zoo:") and name in zoo_names() else None


def find_program(reference: str | Path, ops: OpTable = OPS) -> Program:
    """A program by file name, or by name in the zoo as "zoo:NAME".

    Args:
        reference: the file or name.
        ops: table that gives meaning to the lines of a file.

    Raises:
        AzgenError: there is no such program, it cannot be read, or this is no name.
    """
    if not isinstance(reference, str | Path):
        raise AzgenError(
            f"a program is a file or zoo:NAME, such as zoo:linear; this is {type(reference).__name__}"
        )
    text = str(reference)
    return zoo(text.removeprefix("zoo:")) if text.startswith("zoo:") else load(text, ops)


def as_program(given: Any, *, several_classes: bool = False) -> Program:
    """A program, that of a run or a champion, or by name as `find_program` knows it.

    Args:
        several_classes: whether tasks have these; then zoo:NAME stands for zoo:softmax-NAME.

    Raises:
        AzgenError: it is nothing of that.
    """
    found = getattr(given, "program", given)
    if isinstance(found, Program):
        return found
    softmax = zoo_for_classes(found) if several_classes and isinstance(found, str) else None
    return softmax or find_program(found)
