"""Candidates: what their source looks like, that constants stay outside of it, and that fusing is exact."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from azgen.codegen import build, compiler, cutting, translation
from azgen.codegen.candidate_source import Candidate, find_fusion, render_candidates, render_runner
from azgen.codegen.lanes import lane_type
from azgen.codegen.target import Target
from azgen.codegen.templates import FUSIONS
from azgen.execution.execute import execute
from azgen.execution.layout import lay_out
from azgen.execution.native import BATCH, NativeCode
from azgen.language import OPS, Memory, Program
from azgen.language.zoo import zoo
from azgen.tasks.synthetic import linear_tasks
from tests.agreement import random_tasks, same_bits
from tests.strategies import random_program
from tests.thinned import few_of

MATRIX_OPS = [
    OPS[name]
    for name in (
        "vector_outer_product",
        "matrix_sum",
        "matrix_diff",
        "scalar_matrix_product",
        "matrix_vector_product",
        "vector_inner_product",
        "scalar_vector_product",
        "vector_sum",
        "scalar_diff",
        "vector_uniform_set",
    )
]


def parse(setup: str = "", predict: str = "", learn: str = "") -> Program:
    """A program from the lines of its functions."""
    functions = zip(("Setup", "Predict", "Learn"), (setup, predict, learn), strict=True)
    return Program.parse("".join(f"def {name}():\n{lines or '  pass'}\n" for name, lines in functions))


def source(*programs: Program, n_features: int = 4, metric: str = "rmse") -> str:
    """The Cython source of a module of candidates."""
    lane = lane_type("float32", n_features, matrices=True)
    return render_candidates(programs, Target(n_features, lane, metric))["candidates.pyx"]


def body(text: str) -> list[str]:
    """The lines of the first candidate's function, without indentation and with single spaces."""
    lines = text[text.index("cdef public void run_") :].split("# ---", 1)[0].splitlines()
    return [re.sub(" +", " ", line.strip()) for line in lines if line.strip()]


def test_linear_model_reads_like_its_program() -> None:
    program = zoo("linear")
    text = source(program)
    assert text.startswith(
        "# 1 candidate: programs that earned native code of their own.\n# Search space: F = 4, "
    )
    assert f"# {'-' * 64} candidate {program.structure_hash}\n# 1 + 1 + 4 instructions, 1 constant.\n" in text
    assert body(text) == [
        f"cdef public void run_{program.structure_hash}(Group* group) noexcept nogil:",
        "cdef Example example = begin(group)",
        "cdef lane s1 = ZERO, s2 = ZERO",
        "cdef Vector v1",
        "cdef lane s3",
        "clear(v1, 4)",
        "s2 = example.constant[0] # s2 = c0",
        "while next_example(&example):",
        "s1 = vector_inner_product(example.v0, v1) # s1 = dot(v0, v1)",
        "if learn_from(&example, s1):",
        "s3 = example.s0 - s1 # s3 = s0 - s1",
        "s3 = s2 * s3 # s3 = s2 * s3",
        "vector_add_scaled(v1, v1, s3, example.v0) # v2 = s3 * v0; v1 = v1 + v2",
    ]


def test_neural_net_keeps_its_matrix_and_fuses_its_update() -> None:
    lines = body(source(zoo("neural-net"), n_features=8))
    for memory in ("lane s1 = ZERO, s2 = ZERO, s3 = ZERO", "Vector v1, v2, v3, v4, v5", "Matrix m0"):
        assert f"cdef {memory}" in lines
    assert lines[lines.index("cdef lane s4") + 1] == "cdef Vector v7, v8"
    assert "matrix_add_outer(m0, m0, v7, example.v0) # m1 = outer(v7, v0); m0 = m0 + m1" in lines
    assert not any(re.search(r"\bm1\b|\bv6\b", line.split(" # ")[0]) for line in lines)


def test_only_what_is_used_is_there() -> None:
    text = source(zoo("linear"))
    for absent in ("lane_exp", "matrix_", "random_", "memcpy", "vector_sum", "scalar_vector_product"):
        assert absent not in text
    assert "lane_sigmoid" in source(zoo("linear"), metric="accuracy")


def test_dead_code_is_not_rendered() -> None:
    dead = parse(
        "  s2 = 1.0\n  s9 = 3.0", "  s1 = dot(v0, v7)\n  v3 = v0 + v0", "  m2 = outer(v0, v0)\n  v7 = s2 * v0"
    )
    live = parse("  s2 = 1.0", "  s1 = dot(v0, v7)", "  v7 = s2 * v0")
    assert source(dead) == source(live)


def test_programs_that_differ_in_constants_have_one_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZGEN_BUILD_DIR", str(tmp_path / "build"))
    slow, fast = zoo("linear"), zoo("linear").with_constants((0.02,))
    assert source(slow) == source(fast)
    code, tasks = NativeCode(Target(4, lane_type("float32", 4), "rmse")), linear_tasks(3, 4, 50, 20, seed=0)
    code.source_directory(zoo("affine"))  # and what runs candidates
    before = build.statistics.builds
    fitness = [code.prepare(p).evaluate(lay_out(tasks, code.target.lane))[0] for p in (slow, fast)]
    assert build.statistics.builds == before + 1
    assert code.source_directory(slow) == code.source_directory(fast)
    for program, found in zip((slow, fast), fitness, strict=True):
        np.testing.assert_array_equal(found, execute(program, tasks, "oracle").fitness)
    assert not np.array_equal(*fitness)


def test_element_setters_take_their_positions_from_outside() -> None:
    first, last = (parse(predict=f"  v1 = v0 + v2\n  v1[{at}] = 5.0\n  s1 = norm(v1)") for at in (0.0, 0.75))
    assert "example.element[0]" in source(first)
    assert source(first) == source(last)
    tasks = random_tasks(np.random.default_rng(0), 4)
    for program in (first, last):
        assert same_bits(execute(program, tasks, "native"), execute(program, tasks, "oracle"))


def test_batches_hold_32_candidates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZGEN_BUILD_DIR", str(tmp_path / "build"))
    rng = np.random.default_rng(0)
    found: dict[str, Program] = {}
    while len(found) < BATCH + 1:
        program = random_program(rng, MATRIX_OPS, Memory(4, 3, 0), (2, 2, 3))
        found.setdefault(program.structure_hash, program)
    code = NativeCode(Target(2, lane_type("float32", 2), "rmse"))
    code.compile(list(found.values())[:1])  # and what runs candidates
    before = build.statistics.builds
    code = NativeCode(code.target)
    code.compile(list(found.values()))
    assert build.statistics.builds == before + 2
    assert len({code.source_directory(program) for program in found.values()}) == 2
    assert build.statistics.builds == before + 2


@pytest.mark.parametrize(
    ("n_features", "dtype"),
    few_of([(n, d) for n in (4, 20) for d in ("float32", "float64")], (4, "float64"), (20, "float32")),
)
def test_fused_statements_change_no_bit(n_features: int, dtype: str) -> None:
    """Programs rich in what is fused agree with the oracle, which fuses nothing, to the last bit."""
    rng = np.random.default_rng([n_features, dtype == "float32"])
    target, sample = Target(n_features, lane_type(dtype, n_features, matrices=True), "rmse"), list[Program]()
    while len(sample) < 24:
        program = random_program(rng, MATRIX_OPS, Memory(4, 4, 3), (6, 6, 12))
        if Candidate(program, target).fusions:
            sample.append(program)
    code = NativeCode(target)
    code.compile(sample)
    for program in sample:
        tasks = random_tasks(rng, n_features)
        found, _ = code.prepare(program).evaluate(lay_out(tasks, code.target.lane))
        expected = execute(program, tasks, "oracle", dtype=dtype)
        np.testing.assert_array_equal(np.where(np.isnan(found), 0.0, found), expected.fitness, str(program))


def test_fusing_needs_a_product_whose_only_use_is_the_sum() -> None:
    def fused(learn: str) -> bool:
        program = parse("  s2 = 1.0", "  v5 = dot(m0, v0)\n  s1 = norm(v5)", learn)
        return "matrix_add_outer(" in source(program).partition("# ----")[2]

    assert fused("  m1 = outer(v0, v0)\n  m0 = m0 + m1")
    assert fused("  m1 = outer(v0, v0)\n  m0 = m1 + m0")
    assert fused("  m0 = outer(v0, v0)\n  m0 = m1 + m0\n  m1 = m0 + m0")
    assert not fused("  m1 = outer(v0, v0)\n  m0 = m1 + m1")
    assert not fused("  m1 = outer(v0, v0)\n  m0 = m0 + m1\n  m0 = m0 + m1")
    assert not fused("  m1 = outer(v0, v0)\n  m2 = m0 + m1\n  m0 = m1 + m2\n  m0 = m0 * m2")
    outer, total = zoo("neural-net").normalized().learn[-2:]
    assert find_fusion(outer, total, frozenset()) == FUSIONS[-1]
    assert outer.writes is not None and find_fusion(outer, total, frozenset({outer.writes})) is None


def test_large_memory_is_allocated() -> None:
    program = zoo("neural-net")
    lines = body(source(program, n_features=300))
    size = 300 * lane_type("float32", 300, matrices=True).stride(300)
    assert f"cdef lane* m0 = allocate({size})" in lines
    assert f"clear(m0, {size})" in lines
    assert lines[-1].startswith("free(")
    tasks = random_tasks(np.random.default_rng(1), 300, n_train=4, n_valid=2)
    assert same_bits(execute(program, tasks, "native"), execute(program, tasks, "oracle"))


def test_entries_fill_registers_where_lanes_are_narrow() -> None:
    program, narrow = zoo("neural-net"), lane_type("float32", 64, matrices=True)
    assert lane_type("float32", 4, matrices=True).pack == 1 and "pack" not in source(program)
    assert narrow.lanes * narrow.pack >= lane_type("float32", 4, matrices=True).lanes
    assert ("pack_sum(" in source(program, n_features=64)) == (narrow.pack > 1)
    tasks = random_tasks(np.random.default_rng(2), 64, n_train=6, n_valid=4)
    assert same_bits(execute(program, tasks, "native"), execute(program, tasks, "oracle"))
    assert same_bits(execute(program, tasks, "kernel"), execute(program, tasks, "oracle"))


@pytest.mark.parametrize("cut", [None, "int no C at all"])
def test_candidates_are_functions_without_a_module(
    cut: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another Cython writes may be cut wrongly: then all that it wrote is compiled."""
    monkeypatch.setenv("AZGEN_BUILD_DIR", str(tmp_path / "build"))
    program, tasks = zoo("linear"), linear_tasks(3, 4, 50, 20, seed=0)
    if cut:
        monkeypatch.setattr(cutting, "functions_alone", lambda c_path: cut)
    code = NativeCode(Target(4, lane_type("float32", 4), "rmse"))
    directory = Path(code.source_directory(program))
    fitness, _ = code.prepare(program).evaluate(lay_out(tasks, code.target.lane))
    np.testing.assert_array_equal(fitness, execute(program, tasks, "oracle").fitness)
    compiled = b"".join(
        path.read_bytes() for path in directory.glob("azgen_candidate_*") if path.suffix != ".pyx"
    )
    assert (b"PyInit_" in compiled) == bool(cut)


def test_what_runs_candidates_is_compiled_once_and_without_a_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZGEN_BUILD_DIR", str(tmp_path / "build"))
    compile_c, compiled = compiler.compile_c, list[str]()

    def told(c_path: Path, *rest: Any, **options: Any) -> float:
        compiled.append(c_path.read_text())
        return compile_c(c_path, *rest, **options)

    monkeypatch.setattr(compiler, "compile_c", told)
    target = Target(4, lane_type("float32", 4), "rmse")
    files = render_runner(target)
    build.build(
        "runner", files, flags=compiler.candidate_flags(), libraries=target.libraries, functions_alone=True
    )
    (source,) = compiled
    assert "groups.h" in source and "Py" not in source.replace("Py_ssize_t", "")


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system does not list what is mapped")
def test_native_code_leaves_the_process_with_its_last_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZGEN_BUILD_DIR", str(tmp_path / "build"))
    target = Target(4, lane_type("float32", 4), "rmse")
    code, tasks = NativeCode(target, most=1), linear_tasks(3, 4, 50, 20, seed=0)
    data = lay_out(tasks, target.lane)

    def mapped(program: Program) -> bool:
        return code_of[program] in Path("/proc/self/maps").read_text()

    programs = zoo("linear"), zoo("affine")
    code_of = {program: Path(code.source_directory(program)).name for program in programs}
    first, second = programs
    assert mapped(second)
    held = code.prepare(first)
    code.compile([second])
    assert mapped(first), "while somebody may call it"
    np.testing.assert_array_equal(held.evaluate(data)[0], execute(first, tasks, "oracle").fitness)
    del held
    assert not mapped(first) and mapped(second)
    before = len(Path("/proc/self/maps").read_text().splitlines())
    for program in programs * 20:
        code.prepare(program).evaluate(data)
    assert len(Path("/proc/self/maps").read_text().splitlines()) <= before + 2


def test_flags_suit_the_compiler() -> None:
    toolchain = compiler.find_toolchain()
    flags = compiler.candidate_flags(toolchain)
    assert "-ffp-contract=off" in flags and "-march=native" in flags
    assert ("-O1" in flags) == ("clang" not in toolchain.version)


def test_a_variable_of_the_module_which_would_never_get_its_value_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "shares.pyx"

    def alone() -> str | None:
        translation.cython_to_c(source, functions_alone=True)
        return cutting.functions_alone(source.with_suffix(".c"))

    function = "cdef public double part(double x) noexcept nogil:\n    return x * SHARE\n"
    source.write_text(f"cdef double SHARE = 0.5\n\n{function}", encoding="utf-8")
    with pytest.raises(AssertionError, match="SHARE is a module's variable"):
        alone()
    source.write_text(f"cdef enum:\n    SHARE = 2\n\n{function}", encoding="utf-8")
    assert "part" in str(alone())
