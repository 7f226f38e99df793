"""Executing programs on tasks, by any of the three executors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal, get_args, overload

from azgen.codegen.interleaving import interleaved
from azgen.codegen.kernel_source import KernelSpec
from azgen.codegen.lanes import MANY, LaneType, lane_type
from azgen.codegen.target import Target
from azgen.errors import AzgenError
from azgen.execution import oracle
from azgen.execution.bound import Result, Room, bind_candidate, bind_encoded, result_of
from azgen.execution.kernel import build_kernel
from azgen.execution.layout import LaneTasks, check_form, check_tasks, lay_out
from azgen.execution.native import NativeCode
from azgen.language.conditions import Conditions
from azgen.language.instruction import Memory
from azgen.language.op import Op, OpTable
from azgen.language.ops import OPS
from azgen.language.program import Program
from azgen.language.userops import user_ops
from azgen.language.zoo import as_program
from azgen.tasks.task import Task

Backend = Literal["oracle", "kernel", "native"]


Given = Program | str | Path
"""What says a program: see `as_program`."""

Several = list[Any] | tuple[Any, ...]
"""Programs, each as `Given` says."""


class PreparedTasks:
    """Tasks that any number of programs are executed on; they are laid out for generated code once.

    `azgen.prepare_tasks` makes it; `execute` on it is as `azgen.execute` on the tasks.
    """

    def __init__(self, tasks: Sequence[Task], conditions: Conditions):
        check_tasks(tasks)
        self._tasks, self._conditions = tuple(tasks), conditions
        self._laid_out: dict[LaneType, LaneTasks] = {}

    @overload
    def execute(self, program: Given, backend: Backend = "native") -> Result: ...

    @overload
    def execute(self, program: Several, backend: Backend = "native") -> list[Result]: ...

    def execute(self, program: Given | Several, backend: Backend = "native") -> Result | list[Result]:
        """Executes a program, or several, which are compiled together; see `azgen.execute`."""
        if isinstance(program, (list, tuple)):
            return [run() for run in self._bound([self._program(given) for given in program], backend)]
        return next(self._bound([self._program(program)], backend))()

    def prepare(self, program: Given, backend: Backend = "native") -> Callable[[], Result]:
        """A function that executes a program again and again; see `azgen.prepare`."""
        return next(self._bound([self._program(program)], backend, often=True))

    def _program(self, given: Given) -> Program:
        found = as_program(given, several_classes=bool(self._tasks[0].vector_classes))
        check_form(found, self._tasks)
        return found

    def _bound(
        self, programs: Sequence[Program], backend: Backend, often: bool = False
    ) -> Iterator[Callable[[], Result]]:
        """Functions that execute the programs, into the same arrays; `often` as for `target_for`."""
        if backend not in get_args(Backend):
            raise AzgenError(f"backend {backend!r} is unknown; choose one of {', '.join(get_args(Backend))}")
        if backend == "oracle":
            for program in programs:
                yield partial(_by_oracle, program, self._tasks, self._conditions)
        elif backend == "kernel":
            yield from map(self._on_kernel, programs)
        else:
            yield from self._natively(programs, often)

    def _natively(self, programs: Sequence[Program], often: bool) -> Iterator[Callable[[], Result]]:
        by_target: dict[bool, list[Program]] = {}
        for program in programs:
            by_target.setdefault(program.normalized().memory.matrices > 0, []).append(program)
        first, n_tasks = self._tasks[0], len(self._tasks)
        codes, rooms = dict[bool, NativeCode](), dict[bool, Room]()
        for matrices, members in by_target.items():
            target = target_for(members[0], first, self._conditions, n_tasks, often)
            codes[matrices] = native_code(target)
            codes[matrices].compile(members)
            rooms[matrices] = self._room(target.lane)
        for program in programs:
            matrices = program.normalized().memory.matrices > 0
            yield bind_candidate(codes[matrices].prepare(program), rooms[matrices])

    def _on_kernel(self, program: Program) -> Callable[[], Result]:
        # Registers are renamed by first appearance, so the normal form's memory is the smallest.
        normal_form = program.normalized()
        kernel = build_kernel(general_spec(normal_form, self._tasks[0], self._conditions))
        return bind_encoded(kernel, kernel.encode([normal_form]), self._room(kernel.spec.lane))

    def _room(self, lane: LaneType) -> Room:
        if lane not in self._laid_out:
            self._laid_out[lane] = lay_out(self._tasks, lane, self._conditions)
        return Room(self._laid_out[lane], lane, self._tasks[0].vector_classes)


@overload
def execute(
    program: Given,
    tasks: Sequence[Task] | Task,
    backend: Backend = "native",
    seed: int = 0,
    epochs: int = 1,
    dtype: str = "float32",
    max_abs_error: float = 100.0,
    fused: bool = False,
) -> Result: ...


@overload
def execute(
    program: Several,
    tasks: Sequence[Task] | Task,
    backend: Backend = "native",
    seed: int = 0,
    epochs: int = 1,
    dtype: str = "float32",
    max_abs_error: float = 100.0,
    fused: bool = False,
) -> list[Result]: ...


def execute(
    program: Given | Several,
    tasks: Sequence[Task] | Task,
    backend: Backend = "native",
    seed: int = 0,
    epochs: int = 1,
    dtype: str = "float32",
    max_abs_error: float = 100.0,
    fused: bool = False,
) -> Result | list[Result]:
    """Executes a program on tasks: Setup, training example by example, then validation.

    Args:
        program: its live code is executed; or the name of its file, or zoo:NAME, or what has a program: a
            champion. Of a list of programs, which are compiled together, the results are a list.
        tasks: tasks of one metric and one shape.
        backend: "oracle" (NumPy, the definition), "kernel" (the search's interpreter) or "native" (compiled).
        seed: decides the draws of stochastic ops, together with each task's position.
        epochs: passes over the training examples; the first in the given order, later ones shuffled.
        dtype: "float32" or "float64".
        max_abs_error: a task fails, with fitness 0, at a prediction error above this or NaN.
        fused: whether sums of products are by fused multiply-add (docs/semantics.md).

    Raises:
        AzgenError: tasks that do not agree, a program of another form than theirs, or an unknown backend or
            number type.
    """
    return prepare_tasks(tasks, seed, epochs, dtype, max_abs_error, fused).execute(program, backend)


def prepare(
    program: Given,
    tasks: Sequence[Task] | Task,
    backend: Backend = "native",
    seed: int = 0,
    epochs: int = 1,
    dtype: str = "float32",
    max_abs_error: float = 100.0,
    fused: bool = False,
) -> Callable[[], Result]:
    """A function that executes a program on tasks again and again, with everything already built; see
    `execute`. Its native code may be other code, which takes longer to compile and less to run."""
    return prepare_tasks(tasks, seed, epochs, dtype, max_abs_error, fused).prepare(program, backend)


def prepare_tasks(
    tasks: Sequence[Task] | Task,
    seed: int = 0,
    epochs: int = 1,
    dtype: str = "float32",
    max_abs_error: float = 100.0,
    fused: bool = False,
) -> PreparedTasks:
    """Tasks to execute many programs on, one by one or together: `.execute(program)`, `.execute([programs])`.

    They are laid out for generated code once, which for large tasks takes longer than running a program.
    Arguments and errors are those of `execute`.
    """
    return PreparedTasks(list_of_tasks(tasks), Conditions(seed, epochs, dtype, max_abs_error, fused))


def list_of_tasks(tasks: Any) -> list[Task]:
    """One task, or several.

    Raises:
        AzgenError: it is something else.
    """
    if isinstance(tasks, Task):
        return [tasks]
    found = list(tasks) if isinstance(tasks, Iterable) else [tasks]
    for task in found:
        if not isinstance(task, Task):
            raise AzgenError(
                "a program is executed on azgen.Task(x_train, y_train, x_valid, y_valid), or several; "
                f"this is {type(task).__name__}"
            )
    return found


def execute_under(
    conditions: Conditions, program: Program, tasks: Sequence[Task] | Task, backend: Backend = "native"
) -> Result:
    """Executes a program on tasks; see `execute`."""
    return PreparedTasks(list_of_tasks(tasks), conditions).execute(program, backend)


def prepare_under(
    conditions: Conditions, program: Program, tasks: Sequence[Task] | Task, backend: Backend = "native"
) -> Callable[[], Result]:
    """A function that executes a program on tasks again and again; see `prepare`."""
    return PreparedTasks(list_of_tasks(tasks), conditions).prepare(program, backend)


def _by_oracle(program: Program, tasks: Sequence[Task], conditions: Conditions) -> Result:
    return result_of(*oracle.execute(program, tasks, conditions), conditions.dtype)


def target_for(
    program: Program, task: Task, how: Conditions, n_tasks: int | None = MANY, often: bool = False
) -> Target:
    """What a program's native code is specialised to, for so many tasks of the shape of this one.

    Args:
        often: whether it is executed so often that lane groups may be interleaved, which takes longer to
            compile; counts only for a number of tasks that is known.
    """
    memory = program.normalized().memory
    shape = task.n_features, task.metric, how.dtype, task.vector_classes
    target = Target.of(memory, *shape, n_tasks, natively=True, fused=how.fused)
    return interleaved(target, program, n_tasks) if often and n_tasks is not MANY else target


@lru_cache(maxsize=64)
def native_code(target: Target) -> NativeCode:
    """This process's compiled candidates for a target."""
    return NativeCode(target)


def compile_together(
    programs: Sequence[Program], task: Task, how: Conditions, n_tasks: int | None = MANY
) -> None:
    """Compiles programs that are to be executed natively on so many tasks of the shape of this one, each for
    the target that suits it, in few modules, which costs less than one by one."""
    by_target: dict[Target, list[Program]] = {}
    for program in programs:
        by_target.setdefault(target_for(program, task, how, n_tasks), []).append(program)
    for target, members in by_target.items():
        native_code(target).compile(members)


def general_spec(program: Program, task: Task, how: Conditions) -> KernelSpec:
    """A kernel for any program of about this size: all ops, memory and capacity rounded up so that few are
    built."""
    memory, n_features = program.memory, task.n_features
    # Without matrices the lane type may be wider, for candidates and kernel alike; if it is not, there is
    # room for some.
    lanes = [lane_type(how.dtype, n_features, matrices=some) for some in (False, True)]
    matrices = _rounded_up(memory.matrices, 4) if memory.matrices or lanes[0] == lanes[1] else 0
    fitting = [op for op in OPS if matrices or "m" not in op.signature]
    own = user_ops({instruction.op for instruction in program.instructions()})
    return KernelSpec(
        n_features,
        Memory(_rounded_up(memory.scalars, 16), _rounded_up(memory.vectors, 16), matrices),
        task.metric,
        how.dtype,
        also=tuple(sorted({op.name for op in (*fitting, *own)})),
        capacity=_rounded_up(sum(1 for _ in program.instructions()), 64),
        table=_table_with(own),
        classes=task.vector_classes,
        evolves=False,
        fused=how.fused,
    )


@lru_cache(maxsize=64)
def _table_with(ops: tuple[Op, ...]) -> OpTable:
    """The op table with a user's own, the same object for the same ops, so that kernels are found again."""
    return OPS.extended(ops) if ops else OPS


def _rounded_up(count: int, start: int) -> int:
    while start < count:
        start *= 2
    return start
