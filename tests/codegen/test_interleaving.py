"""Lane groups side by side in native code: they change how fast it runs, and no bit of what it computes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azgen.codegen import lanes as lane_choice
from azgen.codegen.candidate_source import render_candidates
from azgen.codegen.interleaving import interleaved
from azgen.codegen.lanes import lane_type, lane_types
from azgen.codegen.target import Target
from azgen.execution import execute as executing
from azgen.execution.bound import Room, bind_candidate
from azgen.execution.execute import execute, prepare
from azgen.execution.layout import lay_out
from azgen.execution.native import NativeCode
from azgen.language import Program
from azgen.language.conditions import Conditions
from azgen.language.instruction import SCALAR, VECTOR
from azgen.language.zoo import zoo
from azgen.tasks.task import Task
from tests.agreement import random_tasks, same_bits
from tests.codegen.test_lanes import Registers
from tests.strategies import lively_program

LUCKY = """
def Setup():
  s2 = uniform(-1.0, 2.0)
  s2 = log(s2)
def Predict():
  s3 = gaussian(0.0, 0.1)
  s1 = dot(v1, v0)
  s1 = s1 + s3
def Learn():
  s3 = s0 - s1
  s3 = s2 * s3
  v2 = s3 * v0
  v1 = v1 + v2
"""
"""Fails at once on a third of the tasks, by what Setup draws, and draws for every example besides."""


@dataclass(frozen=True)
class Space:
    """What programs are specialised to, with so many lane groups side by side.

    Attributes:
        wide: whether lanes are the widest; else the narrowest that are more than one.
    """

    n_features: int
    dtype: str
    metric: Any
    classes: int
    wide: bool
    groups: int

    @property
    def target(self) -> Target:
        """With groups one by one."""
        lanes = [lane for lane in lane_types(self.dtype, self.n_features) if lane.lanes > 1]
        return Target(self.n_features, lanes[0 if self.wide else -1], self.metric, self.classes)

    @cache  # noqa: B019 - as many as there are spaces here
    def compiled(self) -> tuple[list[Program], NativeCode, NativeCode]:
        """Programs, with groups one by one and side by side."""
        rng = np.random.default_rng(self.n_features)
        programs = [lively_program(rng, VECTOR if self.classes else SCALAR) for _ in range(4)]
        programs += [zoo("softmax-linear") if self.classes else Program.parse(LUCKY)]
        codes = [NativeCode(self.target), NativeCode(replace(self.target, interleaved=self.groups))]
        for code in codes:
            code.compile(programs)
        return programs, *codes


SPACES = (
    Space(4, "float32", "rmse", 0, False, 3),
    Space(3, "float64", "accuracy", 0, False, 2),
    Space(5, "float32", "log-loss", 3, True, 2),
)


def poisoned(task: Task, row: int) -> Task:
    """The task, on which hardly any program gets beyond that row of its training and validation examples."""
    x, y = np.concatenate([task.x_train, task.x_valid]), np.concatenate([task.y_train, task.y_valid])
    x[row] = 1e38
    if task.metric == "rmse":
        y[row] = 1e6
    n = task.n_train
    return Task(x[:n], y[:n], x[n:], y[n:], metric=task.metric)


@pytest.mark.parametrize("space", SPACES, ids=str)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_groups_side_by_side_compute_the_same_bits(space: Space, data: st.DataObject) -> None:
    """Also where the last of them are missing, and where some or all fail early, late or in validation."""
    programs, one_by_one, side_by_side = space.compiled()
    lane = one_by_one.target.lane
    n_tasks = data.draw(st.integers(1, lane.lanes * (space.groups + 1)))
    tasks = random_tasks(
        np.random.default_rng(0), space.n_features, n_tasks, space.metric, classes=space.classes
    )
    # Tasks of a group fail together more often than one by one, so that whole groups fail.
    last = tasks[0].n_train + tasks[0].n_valid - 1
    rows = data.draw(st.lists(st.none() | st.integers(0, last), min_size=1, max_size=space.groups + 1))
    for number in range(n_tasks):
        row = rows[number // lane.lanes % len(rows)]
        if row is not None and data.draw(st.integers(0, 9)):
            tasks[number] = poisoned(tasks[number], row)
    conditions = Conditions(data.draw(st.integers(0, 99)), data.draw(st.integers(1, 2)), space.dtype)
    laid_out = lay_out(tasks, lane, conditions)
    for program in programs:
        plain, found = (
            bind_candidate(code.prepare(program), Room(laid_out, lane, space.classes))()
            for code in (one_by_one, side_by_side)
        )
        assert same_bits(plain, found), program
        if space is SPACES[0]:
            seed, epochs = conditions.seed, conditions.epochs
            assert same_bits(execute(program, tasks, "kernel", seed, epochs, space.dtype), found), program


def test_what_fails_is_a_part_a_group_and_all() -> None:
    """What the test above is to cover: LUCKY loses some tasks by its draws, and a group that is poisoned."""
    space = SPACES[0]
    tasks = random_tasks(np.random.default_rng(0), space.n_features, 40)
    _, _, code = space.compiled()
    lane = code.target.lane
    run = bind_candidate(code.prepare(Program.parse(LUCKY)), Room(lay_out(tasks, lane), lane, 0))
    assert 4 < run().failed.sum() < 30
    tasks = [poisoned(task, 3) for task in tasks[: lane.lanes]] + tasks[lane.lanes :]
    run = bind_candidate(code.prepare(Program.parse(LUCKY)), Room(lay_out(tasks, lane), lane, 0))
    assert run().failed[: lane.lanes].all() and not run().failed.all()


def test_memory_on_the_heap_is_each_group_s_own() -> None:
    target = Target(300, lane_type("float64", 300), "rmse", interleaved=3)
    source = render_candidates([zoo("neural-net")], target)["candidates.pyx"]
    for group in "abc":
        assert source.count(f"lane* m0_{group} = allocate(") == source.count(f"free(m0_{group})") == 1


def test_what_is_prepared_may_interleave_and_what_runs_once_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Counter[int]()

    def ask(target: Target, program: Program, n_tasks: int) -> Target:
        asked[n_tasks] += 1
        return replace(target, interleaved=2)

    monkeypatch.setattr(executing, "interleaved", ask)
    tasks = random_tasks(np.random.default_rng(0), 4, 3)
    expected = execute(zoo("linear"), tasks)
    assert same_bits(execute([zoo("linear")], tasks)[0], expected) and not asked
    assert same_bits(prepare(zoo("linear"), tasks)(), expected)
    assert asked == {3: 1}


@pytest.mark.parametrize(
    ("bits", "program", "n_features", "n_tasks", "expected"),
    [
        # Measured, docs/performance.md: lanes x pack, and groups side by side.
        (512, "linear", 4, 10, (16, 1, 1)),
        (512, "linear", 4, 32, (16, 1, 2)),
        (512, "linear", 8, 10, (16, 1, 1)),
        (512, "linear", 16, 20, (8, 2, 3)),
        (512, "linear", 32, 10, (4, 4, 3)),
        (512, "linear", 128, 10, (4, 4, 1)),
        (512, "neural-net", 4, 32, (16, 1, 1)),
        (512, "neural-net", 8, 10, (4, 4, 3)),
        (512, "neural-net", 8, 1, (1, 8, 1)),
        (512, "neural-net", 16, 10, (4, 4, 3)),
        (512, "neural-net", 32, 10, (4, 4, 1)),
        (512, "noisy-relu", 8, 10, (16, 1, 1)),
        (512, "softmax-linear", 8, 10, (16, 1, 1)),
        (256, "linear", 8, 16, (8, 1, 2)),
        (256, "linear", 32, 10, (4, 2, 3)),
        (256, "neural-net", 8, 10, (4, 2, 3)),
    ],
)
def test_groups_side_by_side_are_where_they_were_measured_to_be_fast(
    monkeypatch: pytest.MonkeyPatch,
    bits: int,
    program: str,
    n_features: int,
    n_tasks: int,
    expected: tuple[int, int, int],
) -> None:
    monkeypatch.setattr(lane_choice, "find_toolchain", lambda: Registers(bits))
    memory, classes = zoo(program).normalized().memory, 4 if zoo(program).form == VECTOR else 0
    plain = Target.of(memory, n_features, "rmse", "float32", classes, n_tasks, natively=True)
    found = interleaved(plain, zoo(program), n_tasks)
    assert (found.lane.lanes, found.lane.pack, found.interleaved) == expected
    if found.interleaved == 1:
        assert found is plain
