"""What a program costs on the kernel, natively and to compile, as measured here; `auto` decides by it.

The model is linear: a module costs so much and each live instruction in it so much more to compile; an
example costs so much as such, per instruction and per multiplication (the ops' static cost) to run, on the
kernel and natively. It is measured once per search kernel and flags of candidates (so once per search space,
compiler and processor) and kept in the compile cache. Decisions change how long a run takes and nothing else.
"""

from __future__ import annotations

import hashlib
import resource
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.codegen.cache_folder import build_directory, disk_errors, temporary_folder
from azgen.codegen.candidate_source import render_candidates
from azgen.codegen.compiler import candidate_flags, find_toolchain
from azgen.codegen.cutting import compile_functions
from azgen.codegen.kernel_source import STRANDS
from azgen.codegen.measurements import CALIBRATION, read_measured, write_measured
from azgen.codegen.translation import cython_to_c
from azgen.errors import CacheError
from azgen.execution.kernel import Kernel
from azgen.execution.layout import LaneTasks, probe_of
from azgen.execution.native import NativeCode
from azgen.language.program import Program
from azgen.language.zoo import zoo
from azgen.plain import as_plain, read

LEAST_WORK = 4e6
"""Multiplications of a two-layer net on all examples and lane groups (1 to 2 ms) below which nothing is
decided: that takes 30 µs a program, and compiling, which takes 15 ms and more, saves at most half of it."""

_FORMAT = 3
"""Raised when what is measured, or how, becomes another; older measurements are then not read."""

_EXAMPLES = 5000
"""Most training examples that programs are timed on."""

_CANDIDATES = 8
_RUNS = 7

_LONG = 0.1
"""Seconds of running after which a time is not taken again: it is long enough to be trusted."""

_SEARCH_SECONDS = 2.0
"""Most seconds for finding programs to measure with."""


@dataclass(frozen=True)
class CostModel:
    """Seconds of processor time.

    Attributes:
        module: of compiling a module, however many candidates it has.
        instruction: of compiling one more instruction.
        kernel, native: of running a program for one example on one lane group: as such, per instruction and
            per multiplication.
    """

    module: float
    instruction: float
    kernel: tuple[float, float, float]
    native: tuple[float, float, float]

    def saving(self, work: NDArray[np.float64]) -> NDArray[np.float64]:
        """Seconds that a native evaluation takes less than one on the kernel; `work` as `work_of` has it."""
        saving: NDArray[np.float64] = work @ (np.array(self.kernel) - np.array(self.native))
        return saving

    def evaluations(self, kernel: Kernel, program: Program, tasks: LaneTasks, batch: int) -> float:
        """Evaluations from which on a program in a module of `batch` like it pays; may be infinite."""
        saving = float(self.saving(work_of(kernel, kernel.encode([program.normalized()]), tasks))[0])
        length = sum(map(len, program.normalized().functions))
        cost = self.module / batch + self.instruction * length
        return cost / saving if saving > 0 else float("inf")


def work_of(kernel: Kernel, records: NDArray[Any], tasks: LaneTasks) -> NDArray[np.float64]:
    """Examples, instructions and multiplications of evaluating normal forms on tasks: programs x 3."""
    record = tasks.record[0]
    n_groups, n_training, n_steps = (int(record[name]) for name in ("n_groups", "n_training", "n_steps"))
    costs = np.array([op.cost(kernel.spec.n_features) for op in kernel.spec.ops], float)
    result = np.empty((len(records), 3))
    for row, program in zip(result, records, strict=True):
        setup, predict, learn = program["size"].tolist()
        cost = costs[program["code"]["op"][setup : setup + predict + learn]]
        row[:] = (
            n_steps,
            n_steps * predict + n_training * learn,
            n_steps * cost[:predict].sum() + n_training * cost[predict:].sum(),
        )
    return n_groups * result


def may_pay(n_features: int, tasks: LaneTasks) -> bool:
    """Whether evaluations on these tasks are long enough for compiling programs to be worth a thought."""
    return int(tasks.record["n_steps"][0]) * _two_layer_work(n_features, tasks) >= LEAST_WORK


def _two_layer_work(n_features: int, tasks: LaneTasks) -> float:
    """Multiplications of a two-layer net for an example on all lane groups."""
    return tasks.n_groups * sum(zoo("neural-net").cost(n_features)[1:])


def cost_model(kernel: Kernel, programs: Callable[[], NDArray[Any]], tasks: LaneTasks) -> CostModel | None:
    """The model of a kernel, measured if that has not been done; None if its programs do not allow it.

    Args:
        kernel: see `Kernel`.
        programs: makes a few hundred programs of the search space, in the kernel's form.
        tasks: of the search; the first examples are used.

    Raises:
        CacheError, CompilerError: see `azgen.codegen.build.build`.
    """
    key = _key(kernel)
    values = read_measured(CALIBRATION, key)
    if values is not None:
        return read(CostModel, values, "what compiling costs", extra=True)
    model = _measure(kernel, programs(), tasks)
    if model is not None:
        spec = kernel.spec
        about = f"F = {spec.n_features}, {len(spec.ops)} ops, {spec.lane.lanes} lanes of {spec.dtype}"
        with suppress(CacheError):  # a full disk; the kernel is there, and the search can go on
            write_measured(CALIBRATION, key, {"of": about, **as_plain(model)})
    return model


def is_measured(kernel: Kernel) -> bool:
    """Whether the model of a kernel is known; else it takes some seconds to measure it."""
    return read_measured(CALIBRATION, _key(kernel)) is not None


def _key(kernel: Kernel) -> str:
    """What the measurements depend on, as 64 hexadecimal digits."""
    return hashlib.sha256(repr((_FORMAT, kernel.built.key, candidate_flags())).encode()).hexdigest()


def _measure(kernel: Kernel, programs: NDArray[Any], tasks: LaneTasks) -> CostModel | None:
    spec = kernel.spec
    # With many features examples take long, and few of them can be timed just as well.
    net = _two_layer_work(spec.n_features, tasks)
    examples = int(np.clip(LEAST_WORK / net, 20, _EXAMPLES))
    some = probe_of(tasks, examples, max(1, examples // 10))
    chosen = _sample(kernel, programs, some, 4 * examples * net)
    if len(chosen) < _CANDIDATES:
        return None
    native = NativeCode(spec.target)
    native.compile(chosen)  # also does what is done once in a process, or on a machine
    few, all_of_them = _compile_seconds(native, chosen[:1]), _compile_seconds(native, chosen)
    n_few, n_all = (sum(len(f) for p in part for f in p.functions) for part in (chosen[:1], chosen))
    instruction = max(0.0, (all_of_them - few) / (n_all - n_few))
    module = max(0.0, few - instruction * n_few)
    times = np.array([_seconds_of(kernel, native, program, some) for program in chosen])
    work = work_of(kernel, kernel.encode(chosen), some)
    # Weighted alike, so that their difference, which decides, fits best too.
    weight = 1 / np.maximum(times[:, :1], 1e-9)  # a clock may be too coarse
    (a, b, c), *_ = np.linalg.lstsq(work * weight, times * weight, rcond=None)
    return CostModel(module, instruction, (a[0], b[0], c[0]), (a[1], b[1], c[1]))


def _sample(kernel: Kernel, programs: NDArray[Any], tasks: LaneTasks, most_work: float) -> list[Program]:
    """Programs of different structure that fail on no task, from a cheap one to a costly one, none of them of
    more multiplications than `most_work`."""
    found: dict[str, Program] = {}
    began = time.thread_time()
    for record in programs:
        program = kernel.decode(record).normalized()
        encoded = kernel.encode([program])
        setup = tasks.n_groups * program.cost(kernel.spec.n_features)[0]
        if setup + work_of(kernel, encoded, tasks)[0, 2] <= most_work:
            fitness, _ = kernel.evaluate(encoded, tasks)
            if np.isfinite(fitness).all():
                found[program.structure_hash] = program
        if time.thread_time() - began > _SEARCH_SECONDS:
            break
    distinct = list(found.values())
    work = work_of(kernel, kernel.encode(distinct), tasks)[:, 2] if distinct else np.zeros(0)
    order = np.argsort(work, kind="stable")
    if len(order) < _CANDIDATES:
        return []
    # Equal steps of cost rather than of rank: most programs are cheap.
    wanted = np.linspace(work[order[0]], work[order[-1]], _CANDIDATES)
    places: list[int] = []
    for cost in wanted:
        left = [place for place in order.tolist() if place not in places]
        places.append(min(left, key=lambda place: abs(work[place] - cost)))
    return [distinct[place] for place in places]


def _compile_seconds(native: NativeCode, programs: list[Program]) -> float:
    """Processor time of compiling programs into a module, compilers included; past the cache."""
    before = _cpu_seconds()
    files = render_candidates(programs, native.target)
    folder = build_directory()
    with disk_errors(folder), temporary_folder(folder) as temporary:
        for name, text in files.items():
            (temporary / name).write_text(text, encoding="utf-8")
        source = next(temporary.glob("*.pyx"))
        cython_to_c(source, functions_alone=True)
        library = source.with_suffix(".so")
        toolchain, libraries = find_toolchain(), native.target.libraries
        compile_functions(
            source.with_suffix(".c"), library, candidate_flags(), libraries, toolchain=toolchain
        )
    return _cpu_seconds() - before


def _seconds_of(
    kernel: Kernel, native: NativeCode, program: Program, tasks: LaneTasks
) -> tuple[float, float]:
    """Seconds of one evaluation on the kernel, among others as in a search, and natively."""
    records, prepared = kernel.encode([program] * STRANDS), native.prepare(program)
    both = (lambda: kernel.evaluate(records, tasks)), (lambda: prepared.evaluate(tasks))
    on_kernel, natively = map(_best_seconds, both)
    return on_kernel / STRANDS, natively


def _best_seconds(work: Callable[[], object]) -> float:
    """The least of several times."""
    times: list[float] = []
    while len(times) < _RUNS and sum(times) < _LONG:
        began = time.thread_time()
        work()
        times.append(time.thread_time() - began)
    return min(times)


def _cpu_seconds() -> float:
    """Processor time of this thread, and of the compilers that this process has run."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.thread_time() + children.ru_utime + children.ru_stime
