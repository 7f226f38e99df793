"""A user's own ops and metrics tried out as generated code: it must compute what NumPy does."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from azgen.errors import AzgenError
from azgen.execution.execute import compile_together, execute_under
from azgen.language.conditions import Conditions
from azgen.language.instruction import Instruction
from azgen.language.metrics import Metric, UserMetric
from azgen.language.op import Op
from azgen.language.ops import OPS
from azgen.language.program import Program
from azgen.language.userfile import UserFile
from azgen.tasks.task import Task

_F = 4
_N_TASKS = 64
_TOLERANCE = {"float32": 1e-3, "float64": 1e-7}
_CONSTANTS = (0.25, 0.5, 0.75)


@lru_cache(maxsize=16)
def verify(user: UserFile, dtype: str) -> None:
    """Compiles every op and metric of a user's file and compares them with their meaning in NumPy.

    Raises:
        AzgenError: names the one that differs; or no compiler.
    """
    programs = {op: _program_of(op) for op in user.ops}
    examples = _examples("rmse", 1)
    compile_together(list(programs.values()), examples[0], Conditions(dtype=dtype), _N_TASKS)
    for op, program in programs.items():
        _compare(f"op {op.name!r}", op.cython, program, examples, dtype)
    program = Program.parse("def Setup():\n  pass\ndef Predict():\n  s1 = mean(v0)\ndef Learn():\n  pass\n")
    for metric in user.metrics.values():
        _compare(
            f"metric {metric.name!r}",
            f"{metric.cython} and {metric.c}",
            program,
            _examples(metric, 5),
            dtype,
        )


def _program_of(op: Op) -> Program:
    """A program that predicts what the op makes of operands made from the features."""

    def line(name: str, out: int, *operands: int) -> Instruction:
        return Instruction.of(OPS[name], out, operands)

    operands = {
        "s": (line("vector_mean", 2, 0), line("vector_norm", 3, 0)),
        "v": (line("vector_mean", 2, 0), line("scalar_vector_product", 1, 2, 0)),
        "m": (
            line("vector_abs", 2, 0),
            line("vector_outer_product", 0, 0, 2),
            line("matrix_transpose", 1, 0),
        ),
    }
    numbers = {"s": (2, 3), "v": (0, 1), "m": (0, 1)}
    before = [instruction for kind in sorted(set(op.operands)) for instruction in operands[kind]]
    chosen = [numbers[kind][place] for place, kind in enumerate(op.operands)]
    out = {"s": 1, "v": 3, "m": 2}[op.result]
    tried = Instruction.of(op, out, chosen, _CONSTANTS[: len(op.constants)])
    after = {"s": (), "v": (line("vector_mean", 1, 3),), "m": (line("matrix_mean", 1, 2),)}[op.result]
    return Program(predict=(*before, tried, *after))


def _examples(metric: Metric, n_valid: int) -> list[Task]:
    """Tasks whose training example is also one to be scored on, so that where one fails, all else is seen."""
    random = np.random.default_rng(0)
    tasks = []
    for _ in range(_N_TASKS):
        x, y = random.normal(size=(n_valid, _F)), random.normal(size=n_valid)
        if isinstance(metric, UserMetric) and metric.kind == "classification":
            y = (y > 0).astype(np.float64)
        tasks.append(Task(x[:1], y[:1], x, y, metric=metric))
    return tasks


def _compare(what: str, spelling: str, program: Program, tasks: list[Task], dtype: str) -> None:
    with np.errstate(all="ignore"):
        conditions = Conditions(dtype=dtype, max_abs_error=1e30)
        oracle, native = (execute_under(conditions, program, tasks, b) for b in ("oracle", "native"))
    tolerance = _TOLERANCE[dtype]
    same = np.array_equal(oracle.failed, native.failed)
    for found, expected in ((native.predictions, oracle.predictions), (native.fitness, oracle.fitness)):
        same = same and np.allclose(found, expected, rtol=tolerance, atol=tolerance, equal_nan=True)
    if not same:
        raise AzgenError(
            f"{what}: its generated code, {spelling!r}, computes something else than its meaning in NumPy"
        )
