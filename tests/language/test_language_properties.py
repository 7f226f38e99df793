"""Properties of text, live code and normal form on random programs over all ops."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azgen.language import OPS, Instruction, Memory, Program
from azgen.language.instruction import FEATURES, LABEL, PREDICTION
from tests.reference import examples, predictions
from tests.strategies import MEMORY, programs, random_program

DETERMINISTIC = [op for op in OPS if not op.stochastic]

thorough = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.tobytes() == b.tobytes() or np.array_equal(a, b, equal_nan=True)


def renamed(program: Program, rng: np.random.Generator) -> Program:
    """The program's live code, addresses permuted and operands of commutative ops swapped at random.

    Two operands that both appear for the first time stay as they are: the normal form keeps their order, and
    tells programs apart that differ in just that (a miss for the fitness cache, never a mistake).
    """
    known = {LABEL, PREDICTION, FEATURES}
    fixed = {"s": [0, 1], "v": [0], "m": []}
    places = {
        kind: fixed[kind]
        + [int(n) for n in len(fixed[kind]) + rng.permutation(MEMORY.of(kind) + 3 - len(fixed[kind]))]
        for kind in "svm"
    }
    assert [places["s"][a.number] for a in (LABEL, PREDICTION)] == [0, 1] and places["v"][
        FEATURES.number
    ] == 0

    def moved(i: Instruction) -> Instruction:
        if not i.op.result:
            return i
        operands = [places[kind][n] for kind, n in zip(i.op.operands, (i.a, i.b), strict=False)]
        if i.op.commutative and known & set(i.reads) and rng.random() < 0.5:
            operands.reverse()
        known.update(i.reads, [i.writes])
        return Instruction(i.op, places[i.op.result][i.out], *operands, constants=i.constants)

    return Program(*(tuple(map(moved, function)) for function in program.live().functions))


@thorough
@given(programs())
def test_text_round_trips(program):
    text = str(program)
    again = Program.parse(text)
    assert str(again) == text
    kept = [i for i in program.instructions() if i.op.result]
    assert [i for i in again.instructions() if i.op.result] == kept


@thorough
@given(programs(), st.sampled_from((2, 3, 4)), st.sampled_from(("rmse", "accuracy")), st.integers(0, 9))
def test_dead_code_removal_changes_no_prediction(program, F, metric, seed):
    # No draws here: a dead draw would use up random numbers, which is why azgen executes live code only.
    quiet = Program(*(tuple(i for i in f if not i.op.stochastic) for f in program.functions))
    data = examples(seed, F, metric)
    live = quiet.live()
    assert len(list(live.instructions())) <= len(list(quiet.instructions()))
    assert same_bits(predictions(quiet, *data, metric), predictions(live, *data, metric))


@thorough
@given(programs(), st.sampled_from((2, 3, 4)), st.sampled_from(("rmse", "accuracy")), st.integers(0, 9))
def test_normal_form_predicts_the_same(program, F, metric, seed):
    data = examples(seed, F, metric)
    one, two = (predictions(p, *data, metric, seed=seed) for p in (program.live(), program.normalized()))
    assert same_bits(one, two)


@thorough
@given(programs())
def test_normal_form_is_idempotent(program):
    normal = program.normalized()
    assert normal.normalized() == normal
    assert normal.live() == normal
    assert program.live().normalized() == normal


@thorough
@given(programs(), st.integers(0, 2**32 - 1))
def test_normal_form_is_blind_to_names_and_operand_order(program, seed):
    other = renamed(program, np.random.default_rng(seed))
    assert other.normalized() == program.normalized()
    assert other.hash == program.hash
    assert other.structure_hash == program.structure_hash


@thorough
@given(programs(), st.integers(0, 2**32 - 1))
def test_structure_hash_is_blind_to_constants(program, seed):
    rng = np.random.default_rng(seed)
    tuned = program.with_constants(tuple(rng.random(len(program.constants)).tolist()))
    assert tuned.structure_hash == program.structure_hash
    changed = tuned.normalized().constants != program.normalized().constants
    assert (tuned.hash != program.hash) == changed


@thorough
@given(programs(ops=DETERMINISTIC, memory=Memory(3, 2, 1)))
def test_strategy_keeps_to_its_space(program):
    assert not program.stochastic
    assert program.memory | Memory(3, 2, 1) == Memory(3, 2, 1)
    for instruction in program.instructions():
        assert instruction.writes not in (LABEL, FEATURES)
        assert dataclasses.replace(instruction) == instruction


def test_properties_on_a_seeded_sweep():
    rng = np.random.default_rng(42)
    seen = set()
    for i in range(300):
        program = random_program(rng)
        seen.update(instruction.op.id for instruction in program.instructions())
        assert Program.parse(str(program)) == program
        normal = program.normalized()
        assert normal.normalized() == normal == renamed(program, rng).normalized()
        if i % 10 == 0:
            data = examples(i, 3, "rmse")
            assert same_bits(predictions(program.live(), *data), predictions(normal, *data))
    assert seen == set(range(66))
