"""The search kernel's own versions of things that Python also has: programs, normal form, mutation."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Sequence
from ctypes import c_double, c_int, c_int64, c_uint64, c_void_p
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from azgen.codegen.kernel_source import KernelSpec, render_kernel
from azgen.errors import AzgenError
from azgen.execution.execute import general_spec
from azgen.execution.kernel import Kernel, build_kernel
from azgen.execution.kernel_calls import declared
from azgen.execution.layout import lay_out
from azgen.language import OPS, Memory, Program
from azgen.language.conditions import USUAL
from azgen.language.instruction import Instruction
from azgen.language.zoo import zoo
from azgen.search.island import Island
from azgen.settings.evolution import ActionWeights, EvolutionSettings
from azgen.settings.settings import FunctionSettings, MemorySettings, Settings
from azgen.tasks.synthetic import linear_tasks
from tests.strategies import programs, random_program

NAMES = tuple(op.name for op in OPS)
ACTIONS = tuple(field.name for field in dataclasses.fields(ActionWeights))
NO_ACTIONS = dict.fromkeys(ACTIONS, 0.0)


@lru_cache
def kernel() -> Kernel:
    return build_kernel(KernelSpec(4, Memory(4, 4, 3), "rmse", "float32", (NAMES, NAMES, NAMES), capacity=64))


def island(actions: dict[str, float], start: Program | None = None, **changes: object) -> Island:
    function = FunctionSettings(NAMES, min_size=2, max_size=6)
    evolution = EvolutionSettings(
        population=50,
        mutation_probability=1.0,
        actions=ActionWeights(**(NO_ACTIONS | actions)),
        initial="random",
    )
    chosen = Settings(
        memory=MemorySettings(4, 4, 3),
        setup=function,
        predict=function,
        learn=function,
        evolution=dataclasses.replace(evolution, **changes),  # type: ignore[arg-type]
    )
    tasks = lay_out(linear_tasks(3, 4, 20, 10, seed=0), kernel().spec.lane)
    return Island(kernel(), chosen, tasks, seed=5, start=start)


def records_of_children(actions: dict[str, float], n: int, **changes: object) -> tuple[Any, Any]:
    """Parents and their mutated children, as the kernel has them."""
    home = island(actions, **changes)
    parents = np.resize(home.population, n)
    mutated = parents.copy()
    kernel().calls.mutate_programs(mutated.ctypes.data, n, home._address, 7)
    return parents, mutated


def bytes_of(record: Any) -> bytes:
    """A program's record without the padding, which is anything."""
    return bytes(record["size"].tobytes() + record["code"].tobytes())


def children(actions: dict[str, float], n: int = 300, **changes: object) -> list[tuple[Program, Program]]:
    """Parents and their mutated children."""
    parents, mutated = records_of_children(actions, n, **changes)
    known: dict[bytes, Program] = {}  # few parents and many children come again, and decoding takes longest

    def decoded(record: Any) -> Program:
        key = bytes_of(record)
        if key not in known:
            known[key] = kernel().decode(record)
        return known[key]

    return [(decoded(a), decoded(b)) for a, b in zip(parents, mutated, strict=True)]


@settings(max_examples=60, deadline=None)
@given(programs())
def test_encoding_round_trips(program: Program) -> None:
    assert kernel().decode(kernel().encode([program])[0]) == program


@settings(max_examples=100, deadline=None)
@given(programs())
def test_normal_form_is_pythons(program: Program) -> None:
    assert kernel().normal_form(program) == program.normalized()


def test_normal_form_of_random_members_is_pythons() -> None:
    home = island({"alter_parameter": 1}, population=500)
    for place in range(500):
        program = home.member(place)
        assert kernel().normal_form(program) == program.normalized()


def test_normal_form_of_more_registers_than_fit_a_word_is_pythons() -> None:
    memory, rng = Memory(50, 40, 3), np.random.default_rng(0)
    ops = tuple(op for op in OPS if op.result)
    wide = build_kernel(KernelSpec(4, memory, "rmse", "float32", also=NAMES, evolves=False))
    lively = 0
    for _ in range(500):
        program = random_program(rng, ops, memory, (40, 40, 40))
        assert wide.normal_form(program) == program.normalized()
        lively += len(list(program.normalized().instructions())) > 1
    assert lively > 50


def test_random_programs_use_all_ops_and_addresses_and_never_write_label_or_features() -> None:
    home = island({"alter_parameter": 1}, population=1000)
    instructions = [i for place in range(1000) for i in home.member(place).instructions()]
    assert {i.op.name for i in instructions} == set(NAMES)
    written = {str(i.writes) for i in instructions if i.writes}
    assert written == {"s1", "s2", "s3", "v1", "v2", "v3", "m0", "m1", "m2"}
    read = {str(address) for i in instructions for address in i.reads}
    assert {"s0", "v0"} <= read
    for instruction in instructions:
        for kind, value in zip(instruction.op.constants, instruction.constants, strict=True):
            assert (0.0 if kind in ("index", "stdev") else -1.0) <= value <= 1.0


def test_insert_and_remove_keep_inclusive_limits() -> None:
    sizes = [len(f) for _, child in children({"insert_instruction": 1}) for f in child.functions]
    assert set(sizes) == {6}, "functions of full size stay"
    pairs = children({"remove_instruction": 1})
    assert all(
        sum(map(len, child.functions)) == sum(map(len, parent.functions)) - 1 for parent, child in pairs
    )
    home = island({"insert_instruction": 1, "remove_instruction": 1}, cache_size=0)
    home.evolve(3000)
    sizes = [len(f) for place in range(50) for f in home.member(place).functions]
    assert min(sizes) >= 2 and max(sizes) <= 6 and len(set(sizes)) > 2


def test_alter_parameter_changes_at_most_one_part_of_one_instruction() -> None:
    for parent, child in children({"alter_parameter": 1}):
        changed = [(a, b) for a, b in zip(parent.instructions(), child.instructions(), strict=True) if a != b]
        assert len(changed) <= 1
        for a, b in changed:
            assert a.op is b.op
            parts = [getattr(a, name) != getattr(b, name) for name in ("out", "a", "b", "constants")]
            assert sum(parts) == 1
            if b.op.constants == ("low", "high") and a.constants != b.constants:
                assert b.constants[0] <= b.constants[1]


def test_other_actions() -> None:
    assert all(parent == child for parent, child in children({"identity": 1}))
    for parent, child in children({"randomize_instruction": 1}):
        assert sum(a != b for a, b in zip(parent.instructions(), child.instructions(), strict=True)) <= 1
    for parent, child in children({"randomize_function": 1}):
        assert sum(a != b for a, b in zip(parent.functions, child.functions, strict=True)) == 1
    for parent, child in children({"trade_instruction": 1}):
        assert [len(f) for f in parent.functions] == [len(f) for f in child.functions]
    assert all(
        all(a != b for a, b in zip(parent.functions, child.functions, strict=True))
        for parent, child in children({"randomize_program": 1})
    )


def test_move_instruction_takes_one_from_any_place_to_any_other_of_its_function() -> None:
    seen = set()
    for parent, child in children({"move_instruction": 1}):
        ((old, new),) = [
            pair for pair in zip(parent.functions, child.functions, strict=True) if pair[0] != pair[1]
        ]
        places = list(itertools.permutations(range(len(old)), 2))
        moves = {(i, j) for i, j in places if moved(old, i, j) == tuple(new)}
        assert moves, "the others stay in their order"
        seen |= moves
    assert seen == set(places)


def moved(function: Sequence[Instruction], i: int, j: int) -> tuple[Instruction, ...]:
    rest = [*function[:i], *function[i + 1 :]]
    return (*rest[:j], function[i], *rest[j:])


def test_an_instruction_that_is_alone_stays() -> None:
    program = Program.parse(
        "def Setup():\n  s2 = 0.5\ndef Predict():\n  s1 = s2 + s3\n  s3 = s1 + s2\ndef Learn():\n  pass\n"
    )
    records = kernel().encode([program] * 200)
    kernel().calls.mutate_programs(records.ctypes.data, 200, island({"move_instruction": 1})._address, 3)
    found = {kernel().decode(record) for record in records}
    assert found == {program, dataclasses.replace(program, predict=program.predict[::-1])}


@pytest.mark.parametrize("action", ["randomize_program", "move_instruction"])
def test_actions_are_drawn_by_weight(action: str) -> None:
    pairs = records_of_children({action: 3, "identity": 1}, 4000)
    same = np.mean([bytes_of(parent) == bytes_of(child) for parent, child in zip(*pairs, strict=True)])
    assert 0.22 < same < 0.28


@pytest.mark.parametrize(("step", "low", "high"), [("log-normal", 0.0, np.inf), ("factor", 0.5, 2.0)])
def test_constants_step_by_rule(step: str, low: float, high: float) -> None:
    parents, mutated = records_of_children(
        {"alter_parameter": 1}, 20_000, constant_step=step, fresh_constant=0.0
    )
    before, after = (records["code"]["constant"][..., 0] for records in (parents, mutated))
    used = np.arange(before.shape[1]) < parents["size"].sum(axis=1)[:, None]
    stepped = used & (parents["code"]["op"] == kernel().spec.code["scalar_const_set"]) & (before != after)
    ratios = after[stepped] / before[stepped]
    assert len(ratios) > 100
    assert low <= np.abs(ratios).min() and np.abs(ratios).max() <= high
    assert 0.03 < (ratios < 0).mean() < 0.2, "a sign flip one time in ten"


def test_ends_of_a_range_stay_in_order() -> None:
    program = Program.parse(
        "def Setup():\n  s2 = uniform(-0.5, 0.25)\ndef Predict():\n  pass\ndef Learn():\n  pass\n"
    )
    records = kernel().encode([program] * 3000)
    kernel().calls.mutate_programs(records.ctypes.data, 3000, island({"alter_parameter": 1})._address, 3)
    ends = records["code"]["constant"][:, 0, :2]
    assert (ends[:, 0] < ends[:, 1]).all(), "and neither is lost"
    crossed = (ends[:, 0] == 0.25) | (ends[:, 1] == -0.5)
    assert crossed.sum() > 20, "one has passed the other"


def test_zero_is_not_absorbing() -> None:
    home = island({"alter_parameter": 1}, fresh_constant=0.5)
    zero = Program.parse(
        "def Setup():\n  s2 = 0.0\n  s3 = 0.0\ndef Predict():\n  pass\ndef Learn():\n  pass\n"
    )
    records = kernel().encode([zero] * 200)
    kernel().calls.mutate_programs(records.ctypes.data, 200, home._address, 3)
    constants = [c for record in records for c in kernel().decode(record).constants]
    assert any(c != 0 for c in constants)


def test_programs_that_do_not_fit_are_refused() -> None:
    far = Program.parse("def Setup():\n  s9 = s1 + s2\ndef Predict():\n  pass\ndef Learn():\n  pass\n")
    with pytest.raises(AzgenError, match=r"s9.*4/4/3"):
        kernel().encode([far])
    few = {"also": ("scalar_sum",), "capacity": 2, "evolves": False}
    small = build_kernel(KernelSpec(4, Memory(4, 4, 3), "rmse", "float32", **few))
    rest = "def Predict():\n  pass\ndef Learn():\n  pass\n"
    with pytest.raises(AzgenError, match="longer than 2"):
        small.encode([Program.parse("def Setup():\n" + 3 * "  s1 = s1 + s2\n" + rest)])
    with pytest.raises(AzgenError, match="scalar_diff"):
        small.encode([Program.parse("def Setup():\n  s1 = s1 - s2\n" + rest)])


def test_a_kernel_that_only_runs_programs_has_nothing_of_a_search():
    task = linear_tasks(1, 4, 20, 10, seed=0)[0]
    runs = render_kernel(general_spec(zoo("linear"), task, USUAL))["kernel.pyx"]
    searches = render_kernel(kernel().spec)["kernel.pyx"]
    with_archive = render_kernel(dataclasses.replace(kernel().spec, archive=True))["kernel.pyx"]
    for function in ("mutate", "evolve", "rate"):
        assert f" {function}(" in searches and f" {function}(" not in runs
    for function in ("cell_key", "shrink", "vary"):
        assert f" {function}(" in with_archive and f" {function}(" not in searches
    assert " evaluate(" in runs and " normal_form(" in runs


@pytest.mark.parametrize(("evolves", "archive"), [(True, True), (True, False), (False, False)])
def test_python_calls_a_kernel_as_it_is_written(evolves: bool, archive: bool) -> None:
    spec = dataclasses.replace(kernel().spec, evolves=evolves, archive=archive)
    source = render_kernel(spec)["kernel.pyx"]
    kinds = {"void": None, "bint": c_int, "int": c_int, "double": c_double}
    kinds |= {"int64_t": c_int64, "uint64_t": c_uint64}
    found = {
        name: (
            kinds[result],
            *(
                c_void_p if "*" in part else kinds[part.split()[0]]
                for part in parameters.split(",")
                if part.strip()
            ),
        )
        for result, name, parameters in re.findall(
            r"^cdef public (\w+) (\w+)\((.*?)\) noex", source, re.M | re.S
        )
    }
    assert found == declared(evolves=evolves, archive=archive)


def test_kernels_are_functions_without_a_module() -> None:
    """Else they would be compiled whole, which takes half as long again, and nobody would notice."""
    (library,) = kernel().built.directory.glob("*.so")
    assert b"PyInit_" not in library.read_bytes()
