"""Programs that can learn by their data flow: who they are, and that searches draw and breed them."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from azgen.execution.kernel import Kernel
from azgen.language.program import Program
from azgen.language.zoo import zoo
from azgen.search.island import Island
from azgen.search.space import SearchSpace
from azgen.settings.presets import preset
from azgen.settings.settings import Settings
from azgen.study.run import evolve


@cache
def settings() -> Settings:
    found = preset("paper-affine")
    tasks = dataclasses.replace(found.tasks, n_train=(60, 60, 60), n_valid=(20, 20, 20), n_select=8, n_test=8)
    evolution = dataclasses.replace(found.evolution, strategy="population")
    return dataclasses.replace(found, tasks=tasks, evolution=evolution)


@cache
def kernel() -> Kernel:
    return space().kernel


def with_rule(valid: str) -> Settings:
    evolution = dataclasses.replace(settings().evolution, valid=valid)  # type: ignore[arg-type]
    return dataclasses.replace(settings(), evolution=evolution)


@cache
def space() -> SearchSpace:
    return SearchSpace.of(settings(), settings().tasks.split(0))


def island(valid: str) -> Island:
    return Island(kernel(), with_rule(valid), space().search[0].lanes, 3)


def can_learn(programs: NDArray[np.void]) -> list[bool]:
    return [
        bool(kernel().calls.program_can_learn(program.ctypes.data)) for program in programs.reshape(-1, 1)
    ]


def of(text: str) -> bool:
    return can_learn(kernel().encode([Program.parse(text)]))[0]


LINEAR = str(zoo("linear"))
HEBBIAN = LINEAR.replace("s3 = s0 - s1", "s3 = s0 + s0")


def test_a_linear_model_can_learn_with_and_without_a_rate_or_an_error() -> None:
    assert of(LINEAR) and of(str(zoo("affine")))
    assert of(HEBBIAN) and of(HEBBIAN.replace("  s2 = 0.01", "  pass").replace("s2 * s3", "s0 + s0"))


@pytest.mark.parametrize(
    "program, why",
    [
        (LINEAR.replace("dot(v1, v0)", "dot(v1, v1)"), "the prediction does not depend on the features"),
        (LINEAR.replace("s0 - s1", "s1 - s1"), "the label reaches nothing"),
        (HEBBIAN.replace("v1 = v1 + v2", "v1 = v2 + v2"), "the weights do not depend on what they were"),
        (LINEAR.replace("v1 = v1 + v2", "v2 = v1 + v2"), "what accumulates does not reach the prediction"),
        (LINEAR.replace("s3 = s0 - s1", "s3 = s1 + s1"), "the label is not read"),
    ],
)
def test_a_program_without_a_link_cannot_learn(program: str, why: str) -> None:
    assert not of(program), why


def test_random_programs_of_an_initial_population_can_learn_by_option() -> None:
    assert sum(can_learn(island("any").population)) < 0.2 * len(island("any").population)
    assert all(can_learn(island("initial").population))
    assert all(can_learn(island("all").population))


def test_children_can_learn_by_option() -> None:
    shares = {}
    for valid in ("initial", "all"):
        mine = island(valid)
        shares[valid] = np.mean(can_learn(mine.mutants(400, 1)))
    assert shares["all"] > 0.97 > shares["initial"]


def test_what_cannot_learn_predicts_alike_whatever_the_labels() -> None:
    """Where the rule says no because the label does not reach it, other labels change no prediction."""
    programs = island("any").mutants(400, 1)
    records = [program for program, valid in zip(programs, can_learn(programs), strict=True) if not valid]
    labels = np.zeros(len(records), bool)
    kept = np.array(records, kernel().program)
    for number, program in enumerate(kept):
        learned = kernel().decode(program).normalized().functions[2]
        labels[number] = any("s0" in str(instruction) for instruction in learned)
    unread = kept[~labels]
    assert len(unread) > 50
    tasks = space().search[0].lanes
    ours = kernel().evaluate(unread, tasks, with_predictions=True)[1]
    tasks.arrays["y"][...] *= -1
    theirs = kernel().evaluate(unread, tasks, with_predictions=True)[1]
    tasks.arrays["y"][...] *= -1
    assert ours is not None and theirs is not None
    same = np.isfinite(ours) & np.isfinite(theirs)  # an error that ends training depends on the label too
    assert np.array_equal(ours[same], theirs[same]) and same.mean() > 0.5


def test_a_function_may_begin_at_random_with_the_rest_given(tmp_path: Path) -> None:
    run = evolve("paper-linear-learn", seed=1, max_programs=3000, baselines="few", out=tmp_path / "run")
    starts = [member.program for member in run.hall_of_fame if member.origin]
    assert [bool(function) for function in starts[0].functions] == [False, True, False]
    assert run.champion.program.functions[1] == starts[0].functions[1]
    assert run.counts["evaluated"] > 30
