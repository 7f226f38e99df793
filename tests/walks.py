"""Takes the walks of docs/architecture.md; tells which functions each calls, in the order of first calls.

To be run in a folder that has table.csv; prints JSON.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from types import FrameType

import pandas  # noqa: F401 (imports are slow while they are watched)
import sklearn.linear_model  # noqa: F401

import azgen
from azgen.codegen.translation import _cython
from azgen.language.zoo import zoo
from azgen.settings.resolve import resolve_settings
from azgen.tasks.synthetic import linear_tasks

ROOT = Path(azgen.__file__).parents[1]
NAMES = azgen.Program, azgen.execute, azgen.evolve  # imports what these stand in


def first_calls(work: Callable[[], object]) -> list[tuple[str, str]]:
    """File and qualified name of azgen's functions that are called, in the order of their first calls."""
    found: dict[tuple[str, str], None] = {}

    def called(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            found[frame.f_code.co_filename, frame.f_code.co_qualname] = None

    threading.setprofile(called)  # of the threads that will be started
    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    prefix = f"{ROOT}/"
    return [(file.removeprefix(prefix), name) for file, name in found if file.startswith(f"{prefix}azgen/")]


def unseen(function: Callable[..., object]) -> Callable[..., object]:
    """The same function, not watched: Cython calls a million functions of its own."""

    def quietly(*arguments: object) -> object:
        watching = sys.getprofile()
        sys.setprofile(None)
        try:
            return function(*arguments)
        finally:
            sys.setprofile(watching)

    return quietly


def program() -> object:
    text = (ROOT / "azgen" / "zoo" / "linear.az").read_text(encoding="utf-8")
    tasks = linear_tasks(2, 4, 20, 10)
    return first_calls(lambda: azgen.execute(azgen.Program.parse(text), tasks, backend="native"))


def example() -> object:
    settings = resolve_settings(data="table.csv", target="price")
    learner = zoo("linear")

    def work() -> object:
        split = settings.tasks.split(settings.seed)
        return azgen.execute(learner, split.search, backend="native")

    return first_calls(work)


def run() -> object:
    return first_calls(lambda: azgen.evolve("linear", max_programs=3000, baselines="few"))


if __name__ == "__main__":
    cython, _ = _cython()
    cython.compile_single = unseen(cython.compile_single)
    with redirect_stdout(sys.stderr):
        walks = {
            "The walk of a program": program(),
            "The walk of an example": example(),
            "The walk of a run": run(),
        }
    print(json.dumps(walks))
