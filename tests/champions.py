"""Champions of short searches in spaces of many kinds: whether what is said and written of them is right.

    python -m tests.champions [--first 0] [--count 500]

Each is explained, ablated, pruned, and exported in every form; what comes of it is compared with native code.
Prints what is wrong with which champion, and at the end how many there were.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from operator import ge
from pathlib import Path
from typing import Any

import numpy as np

from azgen.execution.execute import compile_together, execute
from azgen.exports.mathematics import formulas, render_latex, render_markdown
from azgen.exports.package import render_package
from azgen.language import OPS, Program
from azgen.language.conditions import Conditions
from azgen.language.instruction import SCALAR, VECTOR
from azgen.language.zoo import zoo, zoo_names
from azgen.search.evolve import Evolution
from azgen.settings.evolution import ActionWeights, EvolutionSettings
from azgen.settings.settings import FunctionSettings, MemorySettings, Settings, StopSettings
from azgen.study.understanding.ablation import ablate
from azgen.study.understanding.edits import without
from azgen.study.understanding.explain import explain
from azgen.study.understanding.pruning import prune
from azgen.study.understanding.warnings import carried
from azgen.tasks.task import Task, TaskSplit
from tests.agreement import Tally, random_tasks
from tests.exports.test_c import check as check_c
from tests.exports.test_mathematics import check_sympy
from tests.strategies import usable_ops
from tests.study.understanding.test_explain import confirm

PER_SPACE = 20
"""Champions of one space, which share its kernel."""


@dataclass(frozen=True)
class Space:
    """What a search may make programs of, and what it rates them by."""

    n_features: int
    dtype: str
    metric: str
    classes: int
    settings: Settings

    @staticmethod
    def drawn(number: int) -> Space:
        """One of the spaces."""
        rng = np.random.default_rng([number, 11])
        several = number % 4 == 3
        n_features = int(rng.choice([3, 5, 8] if several else [1, 2, 4, 7, 12]))
        dtype, metric = str(rng.choice(["float32", "float64"])), str(rng.choice(["rmse", "accuracy"]))
        numbers = rng.integers((4, 5, 0 if number % 5 == 0 else 1), (9, 11, 4))
        memory = MemorySettings(*(int(n) for n in numbers))
        form, room = (VECTOR if several else SCALAR), (memory.scalars, memory.vectors, memory.matrices)
        ops = [op for op in usable_ops(OPS, _Room(*room), form) if op.result]
        if number % 3:  # the others have all of them
            useful = {"vector_inner_product", "matrix_vector_product", "scalar_diff", "vector_diff"}
            useful |= {
                "scalar_vector_product",
                "vector_sum",
                "scalar_product",
                "matrix_sum",
                "vector_outer_product",
            }
            ops = [op for op in ops if op.name in useful or rng.random() < 0.25]
        names = tuple(op.name for op in ops)
        functions = {
            name: FunctionSettings(names, initial_size=size // 2, max_size=size)
            for name, size in (("setup", 6), ("predict", 8), ("learn", 12))
        }
        settings = Settings(
            dtype=dtype,
            memory=memory,
            evolution=EvolutionSettings(
                population=200,
                initial="random",
                valid="all",
                distinct=True,
                actions=ActionWeights(grow=1.0, alter_wired=1.0, interpose=0.5),
            ),
            stop=StopSettings(max_programs=25_000, max_seconds=0.0, round_programs=5_000),
            **functions,
        )
        return Space(n_features, dtype, "accuracy" if several else metric, 3 if several else 0, settings)

    def champion(self, seed: int) -> tuple[Program, list[Task]]:
        """What a search finds, and the tasks that it was selected on."""
        rng = np.random.default_rng([seed, 12])
        sizes = {"n_train": 120, "n_valid": 20, "classes": self.classes}
        sets = [random_tasks(rng, self.n_features, n, self.metric, **sizes) for n in (4, 6, 6)]
        split = TaskSplit(*map(tuple, sets), description="random tasks")
        settings = replace(self.settings, seed=seed)
        fitting = [name for name in zoo_names() if self._holds(zoo(name))]
        if fitting and seed % 2:
            start = f"zoo:{fitting[int(rng.integers(len(fitting)))]}"
            settings = replace(settings, evolution=replace(settings.evolution, initial=start))
        return Evolution(settings, split).run().champion.program, sets[1]

    def _holds(self, program: Program) -> bool:
        """Whether a search may start from a program."""
        mine, needed = self.settings.memory, program.memory
        form = VECTOR if self.classes else SCALAR
        room = (mine.scalars, mine.vectors, mine.matrices)
        return program.form == form and all(map(ge, room, (needed.scalars, needed.vectors, needed.matrices)))


class _Room:
    """Number of addresses by kind, as `usable_ops` asks."""

    def __init__(self, *numbers: int):
        self._numbers = dict(zip("svm", numbers, strict=True))

    def of(self, kind: str) -> int:
        return self._numbers[kind]


def complaints(program: Program, tasks: list[Task], dtype: str, seed: int, folder: Path) -> Iterator[str]:
    """Checks all that is said of a program, and says what is wrong."""
    classes, metric = tasks[0].vector_classes, tasks[0].metric
    checks = {
        "explain": lambda: check_explanation(program, tasks, dtype, seed),
        "ablate and prune": lambda: check_lines(program, tasks, dtype, seed),
        "python": lambda: check_python(program, tasks, dtype),
        "c": lambda: check_c(program, tasks[0], dtype, folder, classes),
        "latex and markdown": lambda: check_formulas(program, metric),
        "cython": lambda: render_package(
            program, tasks[0].n_features, metric=metric, classes=classes, conditions=Conditions(dtype=dtype)
        ),
        "sympy": lambda: check_sympy(program, metric, classes, tasks[0].n_features),
    }
    for name, check in checks.items():
        try:
            check()
        except Exception:
            yield f"{name}: {traceback.format_exc(limit=-4)}"


def check_explanation(program: Program, tasks: list[Task], dtype: str, seed: int) -> None:
    """What is said of the prediction, of the label and of memory holds in native code."""
    found = explain(program, classifier=tasks[0].metric == "accuracy")
    json.dumps(found.as_record())
    if program.form == SCALAR and not carried(program):
        confirm(np.random.default_rng(seed), program, found)
    result = execute(program, tasks, dtype=dtype)
    if result.failed.any():
        return
    said = " ".join(found.warnings)
    rng = np.random.default_rng(seed)
    if "never reads the label" in said or "It learns nothing" in said:
        others = [replace(task, y_train=rng.permutation(task.y_train)) for task in tasks]
        same_predictions(program, others, dtype, result.predictions)
    if "does not depend on its features" in said and "Predict changes memory" not in said:  # of others
        others = [replace(task, x_valid=rng.permutation(task.x_valid)) for task in tasks]
        same_predictions(program, others, dtype, result.predictions)
    drifts = "Predict never sets the prediction" in said and tasks[0].metric == "accuracy"
    if "Predict changes memory" not in said and "Predict draws" not in said and not drifts:
        others = [replace(task, x_valid=task.x_valid[::-1], y_valid=task.y_valid[::-1]) for task in tasks]
        same_predictions(program, others, dtype, result.predictions[:, ::-1])


def same_predictions(program: Program, tasks: list[Task], dtype: str, expected: Any) -> None:
    """Whether native predictions are these, bit for bit."""
    np.testing.assert_array_equal(execute(program, tasks, dtype=dtype).predictions, expected)


def check_lines(program: Program, tasks: list[Task], dtype: str, seed: int) -> None:
    """Fitness with and without lines is native code's."""
    conditions = Conditions(dtype=dtype)
    pruned, worth = prune(program, tasks, conditions), ablate(program, tasks, conditions)
    json.dumps([pruned.as_record(), worth.as_record()])
    versions = [(program, worth.fitness), (pruned.program, pruned.fitness)]
    rng = np.random.default_rng(seed)
    for number in rng.permutation(len(worth.lines))[:3]:
        line = worth.lines[number]
        versions.append((without(worth.program, line.place), line.removed.fitness))
    compile_together([version for version, _ in versions], tasks[0], conditions, len(tasks))
    for version, fitness in versions:
        np.testing.assert_array_equal(execute(version, tasks, dtype=dtype).fitness, fitness)
    assert pruned.difference.mean >= -pruned.tolerance[1] - 1e-12


def check_python(program: Program, tasks: list[Task], dtype: str) -> None:
    """The exported module predicts what the program does."""
    tally = Tally()
    tally.compare_export(program, tasks, dtype)
    assert not tally.wrong, tally.wrong


def check_formulas(program: Program, metric: str) -> None:
    """Every formula can be typeset, in both forms."""
    from matplotlib.mathtext import MathTextParser

    assert render_latex(program, metric=metric).count("{") and render_markdown(program, metric=metric)
    for text in chain.from_iterable(formulas(program).values()):
        assert text.count("{") == text.count("}")
        MathTextParser("path").parse(f"${text}$")


def sweep(first: int, count: int) -> tuple[Counter[str], list[str]]:
    """Champions by what they are, and all that is wrong with them.

    Args:
        first, count: which of the champions, in the order of their spaces.
    """
    kinds, wrong = Counter[str](), []
    for number in range(first, first + count):
        space = Space.drawn(number // PER_SPACE)
        folder = Path(tempfile.mkdtemp())
        program, tasks = space.champion(number)
        lines = sum(1 for _ in program.live().instructions())
        kinds.update(("champions", "lines"))
        kinds["lines"] += lines - 1
        kinds[f"of {space.classes} classes" if space.classes else space.metric] += 1
        kinds["that learn"] += any(program.live().learn)
        found = list(complaints(program, tasks, space.dtype, number, folder))
        kinds["wrong"] += bool(found)
        wrong += [f"champion {number}, {space.dtype}, F = {space.n_features}\n{program}\n{c}" for c in found]
        shutil.rmtree(folder)
    return kinds, wrong


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=500)
    options = parser.parse_args()
    all_kinds, started, last = Counter[str](), time.perf_counter(), options.first + options.count
    for first in range(options.first, last, PER_SPACE):
        kinds, wrong = sweep(first, min(PER_SPACE, last - first))
        all_kinds += kinds
        print("\n".join([*wrong, f"{dict(all_kinds)}, {time.perf_counter() - started:.0f} s"]), flush=True)
    return int(all_kinds["wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main())
