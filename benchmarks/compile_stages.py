"""What compiling candidates costs: CPU milliseconds per candidate and stage, for batches of several sizes.

    python benchmarks/compile_stages.py [--rounds 5] [--batches 1 8 32] [--features 4]

The programs are random ones of the demo's sizes (10 + 2 + 8 instructions, its ops and memory) of which about
nine instructions are alive. Times are user and system time of this process and of the C compiler; the least
of several rounds.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from azgen.codegen import compiler, cutting, translation
from azgen.codegen.cache_folder import set_build_directory
from azgen.codegen.candidate_source import render_candidates
from azgen.codegen.lanes import lane_type
from azgen.codegen.target import Target
from azgen.execution.native import NativeCode
from azgen.language import OPS
from azgen.language.instruction import Address, Instruction
from azgen.language.program import Program

STAGES = ("render", "Cython", "C compiler", "load")
SIZES = (10, 2, 8)
REGISTERS = {"s": 4, "v": 3}
DEMO_OPS = (
    "scalar_const_set",
    "vector_inner_product",
    "scalar_diff",
    "scalar_product",
    "scalar_vector_product",
    "vector_sum",
)


def random_instruction(rng: np.random.Generator) -> Instruction:
    op = OPS[DEMO_OPS[rng.integers(len(DEMO_OPS))]]
    out = int(rng.integers(1, REGISTERS[op.result]))
    operands = [int(rng.integers(REGISTERS[kind])) for kind in op.operands]
    return Instruction.of(op, out, operands, tuple(float(rng.normal()) for _ in op.constants))


def demo_programs(rng: np.random.Generator, count: int, least_alive: int = 6) -> list[Program]:
    """Random programs of different structure whose prediction depends on the features."""
    found: dict[str, Program] = {}
    while len(found) < count:
        program = Program(*(tuple(random_instruction(rng) for _ in range(size)) for size in SIZES))
        live = list(program.normalized().instructions())
        if len(live) >= least_alive and any(Address("v", 0) in i.reads for i in live):
            found.setdefault(program.structure_hash, program)
    return list(found.values())


def cpu_seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def timed(action: Callable[[], object]) -> float:
    before = cpu_seconds()
    action()
    return cpu_seconds() - before


def stages(programs: list[Program], n_features: int) -> dict[str, float]:
    """CPU seconds of each stage for one module, without the cache."""
    programs = [Program(*program.functions) for program in programs]  # nothing about them is known yet
    target = Target(n_features, lane_type("float32", n_features), "rmse")
    files: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, c_file, library = (folder / f"candidates{end}" for end in (".pyx", ".c", ".so"))
        seconds = {"render": timed(lambda: files.update(render_candidates(programs, target)))}
        for file_name, text in files.items():
            (folder / file_name).write_text(text, encoding="utf-8")
        seconds["Cython"] = timed(lambda: translation.cython_to_c(source, functions_alone=True))
        flags, libraries = compiler.candidate_flags(), target.libraries
        toolchain = compiler.find_toolchain()
        seconds["C compiler"] = timed(
            lambda: cutting.compile_functions(c_file, library, flags, libraries, toolchain=toolchain)
        )
        seconds["load"] = timed(lambda: cutting.load_library(library))
    return seconds


def through_cache(programs: list[Program], n_features: int) -> float:
    """CPU seconds of everything: what a search pays, hashing, manifest and files included."""
    programs = [Program(*program.functions) for program in programs]
    code = NativeCode(Target(n_features, lane_type("float32", n_features), "rmse"))
    return timed(lambda: code.compile(programs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--features", type=int, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:  # nothing in it but what this script compiles
        set_build_directory(Path(folder) / "build")
        measure(options.batches, options.rounds, options.features)


def measure(batches: list[int], rounds: int, n_features: int) -> None:
    rng = np.random.default_rng(0)
    # What is done once: importing Cython, compiling the templates, precompiling Python's headers.
    once = timed(lambda: stages(demo_programs(rng, 1), n_features))
    print(f"The first module of a process on a new machine: {once:.2f} s of CPU.")
    print(f"After that, CPU ms per candidate, F = {n_features}, least of {rounds} rounds:")
    columns = "".join(f"{column:>14}" for column in (*STAGES, "sum", "through cache"))
    print(f"{'batch':>5}  {'alive':>5}{columns}")
    for batch in batches:
        rows, whole, alive = [], [], 0
        for _ in range(rounds):
            programs = demo_programs(rng, batch)
            alive += sum(1 for program in programs for _ in program.normalized().instructions())
            rows.append(stages(programs, n_features))
            whole.append(through_cache(programs, n_features))
        figures = [min(row[stage] for row in rows) for stage in STAGES]
        figures += [min(sum(row.values()) for row in rows), min(whole)]
        numbers = "".join(f"{1e3 * figure / batch:14.2f}" for figure in figures)
        print(f"{batch:5}  {alive / batch / rounds:5.1f}" + numbers)


if __name__ == "__main__":
    main()
