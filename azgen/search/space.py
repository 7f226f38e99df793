"""What every process that runs islands needs: the kernels of the search space, and the tasks in their
lanes."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.codegen.kernel_source import KernelSpec
from azgen.errors import AzgenError
from azgen.execution.execute import native_code
from azgen.execution.kernel import Kernel, build_kernel
from azgen.execution.layout import TASKS, LaneTasks, aligned, check_form, check_tasks, lay_out
from azgen.language.instruction import FUNCTIONS, VECTOR, Memory
from azgen.language.metrics import Metric
from azgen.language.program import Program
from azgen.language.zoo import find_program, zoo, zoo_for_classes, zoo_names
from azgen.search.stages import StageTasks, stages_of
from azgen.settings.settings import Settings
from azgen.settings.tasks import TaskSettings
from azgen.settings.values import task_settings
from azgen.tasks.task import Task, TaskSplit

_BEHAVIOUR = (8, 16)
"""Tasks and examples of each whose predictions tell programs apart."""

TUNED_STARTS = 4
"""Tuned programs that a population starts from, side by side."""

Start = tuple[Program | None, ...]
"""What the members of a population are at first, in turn; None: random or empty."""

_NUMBERS = ("n_groups", "n_rows", "n_training", "n_steps", "max_abs_error")


def kernel_spec(
    settings: Settings,
    n_features: int,
    metric: Metric,
    programs: Sequence[Program] = (),
    classes: int = 0,
) -> KernelSpec:
    """The search space's kernel: ops, memory and sizes of the settings, and room for these programs.

    Raises:
        AzgenError: the memory has no room for label and prediction.
    """
    functions = [getattr(settings, name) for name in FUNCTIONS]
    if classes and settings.memory.vectors < VECTOR.memory.vectors:
        raise AzgenError(
            f"memory.vectors is {settings.memory.vectors}; for several classes at least "
            f"{VECTOR.memory.vectors} (features, {VECTOR})"
        )
    longest = [max((len(p.functions[n]) for p in programs), default=0) for n in range(len(functions))]
    capacity = sum(max(f.max_size, f.initial_size, n) for f, n in zip(functions, longest, strict=True))
    memory = settings.memory
    return KernelSpec(
        n_features,
        Memory(memory.scalars, memory.vectors, memory.matrices),
        metric,
        settings.dtype,
        allowed=(functions[0].ops, functions[1].ops, functions[2].ops),
        also=tuple(sorted({i.op.name for program in programs for i in program.instructions()})),
        capacity=capacity + 1,  # trading an instruction inserts before it removes
        table=settings.user.table,
        classes=classes,
    )


def start_program(initial: str, settings: Settings, tasks: Sequence[Task]) -> Program | None:
    """A program that populations start from; None for random and empty ones.

    Args:
        initial: one of `Settings.starts`; "auto" stands for the zoo's linear program, if it is not tuned.
        tasks: that it is for.

    Raises:
        AzgenError: it has another form than the tasks, or more memory than the search space.
    """
    if initial in ("random", "empty"):
        return None
    initial = "zoo:linear" if initial == "auto" else initial
    program = zoo_for_classes(initial) if tasks[0].vector_classes else None
    program = program or find_program(initial, settings.user.table)
    check_form(program, tasks)
    return program


def start_programs(
    settings: Settings, tasks: Sequence[Task], tuned: Sequence[Program] = ()
) -> tuple[Start, ...]:
    """What populations start from, one after the other.

    Args:
        tuned: what "auto" stands for, best first; a population starts from the first few, side by side.

    Raises:
        AzgenError: see `start_program`.
    """
    found: list[Start] = []
    for initial in settings.starts:
        auto = initial == "auto" and tuned
        found.append(tuple(tuned[:TUNED_STARTS]) if auto else (start_program(initial, settings, tasks),))
    return tuple(found)


def named_start(settings: Settings, program: Program) -> str:
    """What the settings call a program that populations start from."""
    for initial in settings.starts:
        if initial not in ("random", "empty", "auto"):
            given = [find_program(initial, settings.user.table), zoo_for_classes(initial)]
            if any(one is not None and one.hash == program.hash for one in given):
                return initial
    return "zoo:linear"  # what "auto" stands for, if nothing has been tuned


@dataclass(frozen=True, eq=False)
class TaskSet:
    """Tasks in a kernel's lanes."""

    kernel: Kernel
    lanes: LaneTasks

    def evaluate(self, program: Program) -> NDArray[np.float64]:
        """A program's fitness per task, by the kernel; NaN where it failed."""
        fitness, _ = self.kernel.evaluate(self.kernel.encode([program]), self.lanes)
        return np.asarray(fitness[0])

    def rate(self, program: Program) -> tuple[float, str]:
        """A program's mean fitness, by the kernel, where a failure counts as 0; and a digest of how it
        behaves."""
        fitness, predictions = self.kernel.evaluate(
            self.kernel.encode([program]), self.lanes, with_predictions=True
        )
        assert predictions is not None
        return float(np.nan_to_num(fitness[0], nan=0.0).mean()), behaviour_of(predictions[0], fitness[0])

    def evaluate_natively(self, program: Program) -> NDArray[np.float64]:
        """A program's fitness per task, by native code of its own; 0 where it failed."""
        code = native_code(self.kernel.spec.target)
        fitness, _ = code.prepare(program).evaluate(self.lanes)
        return np.nan_to_num(fitness, nan=0.0)


def behaviour_of(predictions: NDArray[Any], fitness: NDArray[np.float64]) -> str:
    """A digest of predictions for the first few examples of the first few tasks, to a hundredth of how much
    they differ from each other: 16 hexadecimal digits.

    Args:
        predictions: tasks x examples (x classes).
        fitness: per task; NaN where the program failed, which is a way to behave.
    """
    few = np.array(predictions[: _BEHAVIOUR[0], : _BEHAVIOUR[1]], np.float64)
    few[np.isnan(fitness[: len(few)])] = np.nan
    with np.errstate(all="ignore"):
        spread = float(np.nanstd(few)) if not np.isnan(few).all() else 0.0
        unit = 10.0 ** (math.floor(math.log10(spread)) - 1) if 0 < spread < math.inf else 1.0
        steps = np.rint(few / unit) + 0.0  # no negative zeros
    return hashlib.sha256(steps.tobytes()).hexdigest()[:16]


class SearchSpace:
    """Kernels and task sets of a run.

    Attributes:
        settings: see `Settings`.
        starts: what populations start from, one after the other.
        tuned: programs that "auto" has tuned, best first.
        start_programs: all programs that populations may start from.
        select: the selection tasks.
        search: search tasks of the first populations; island i has those at i modulo their number.
    """

    def __init__(
        self,
        settings: Settings,
        starts: Sequence[Start],
        select: TaskSet,
        search: Sequence[TaskSet],
        tuned: Sequence[Program] = (),
    ):
        self.settings, self.starts, self.tuned = settings, tuple(starts), tuple(tuned)
        self.select, self.search = select, tuple(search)
        self.start_programs = _given(starts, tuned)
        self._programs = _with_room(settings, self.start_programs, tuned)
        self._stages: dict[str, list[StageTasks]] = {}

    @staticmethod
    def of(settings: Settings, split: TaskSplit, tuned: Sequence[Program] = ()) -> SearchSpace:
        """Builds the kernels and lays the tasks out.

        Args:
            tuned: what the start "auto" stands for, best first.

        Raises:
            AzgenError: tasks of an island that cannot be made, or need programs of another form; or no
                compiler.
        """
        starts = start_programs(settings, split.select, tuned)
        programs = _with_room(settings, _given(starts, tuned), tuned)
        select = task_set(settings, programs, split.select, settings.tasks.epochs)
        variants = range(min(len(settings.islands.tasks) or 1, settings.islands.count))
        search = [
            task_set(
                settings,
                programs,
                population_tasks(settings, split, variant),
                task_settings(settings, variant).epochs,
            )
            for variant in variants
        ]
        if any(tasks.kernel.spec.form != select.kernel.spec.form for tasks in search):
            raise AzgenError(
                "islands.tasks: some tasks have several classes with one-hot labels and others do not; "
                "programs of the two kinds cannot be exchanged"
            )
        return SearchSpace(settings, starts, select, search, tuned)

    def start(self, population: int) -> Start:
        """What a population starts from."""
        return self.starts[population % len(self.starts)]

    @property
    def kernel(self) -> Kernel:
        """The kernel of the selection tasks."""
        return self.select.kernel

    def task_set(self, island: int, population: int) -> TaskSet:
        """The search tasks of a population."""
        tasks = self.settings.tasks
        if not (tasks.redraw and population):
            return self.search[island % len(self.search)]
        epochs = task_settings(self.settings, island).epochs
        return task_set(self.settings, self._programs, redrawn_tasks(self.settings, population), epochs)

    def laid_out(self, tasks: tuple[Task, ...]) -> TaskSet:
        """More tasks of the kind of the selection tasks, in the lanes of their kernel."""
        return task_set(self.settings, self._programs, tasks, self.settings.tasks.epochs)

    def stages(self, island: int) -> list[StageTasks]:
        """Stages of an archive's tasks; islands with the same settings of tasks share them."""
        tasks = task_settings(self.settings, island)
        key = str(tasks)
        if key not in self._stages:
            self._stages[key] = stages_of(self.settings, tasks, self._lay_out)
        return self._stages[key]

    def _lay_out(self, tasks: TaskSettings, number: int) -> tuple[Kernel, LaneTasks]:
        """Search tasks that no set of the run has."""
        settings = self.settings
        drawn = tasks.search_beside(settings.tasks, settings.seed, number + 1, settings.user)
        laid = task_set(settings, self._programs, drawn, tasks.epochs)
        return laid.kernel, laid.lanes

    def cost_limit(self, tasks: TaskSet) -> float:
        """Static cost above which a program scores 0 on these tasks; 0: none."""
        factor = self.settings.evolution.max_cost
        if not factor:
            return 0.0
        net = zoo("softmax-neural-net" if tasks.kernel.spec.classes else "neural-net")
        setup, predict, learn = net.cost(tasks.kernel.spec.n_features)
        record = tasks.lanes.record[0]
        return float(factor * (setup + int(record["n_steps"]) * predict + int(record["n_training"]) * learn))

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that identify all examples, whatever the lanes."""
        found = hashlib.sha256()
        for tasks in (self.select, *self.search):
            for name in ("order", "x", "y"):
                found.update(_by_task(tasks.lanes, name).tobytes())
        return found.hexdigest()[:16]

    def describe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Plain values and arrays from which another process makes the same space; see `described`."""
        sets, arrays = list[dict[str, Any]](), dict[str, NDArray[Any]]()
        for number, tasks in enumerate((self.select, *self.search)):
            spec, lanes = tasks.kernel.spec, tasks.lanes
            record = {name: lanes.record[name][0].item() for name in _NUMBERS}
            sets.append(
                {
                    "n_features": spec.n_features,
                    "metric": str(spec.metric),
                    "classes": spec.classes,
                    "n_tasks": lanes.n_tasks,
                    "lanes": lanes.lanes,
                    **record,
                }
            )
            arrays |= {f"{number}.{name}": array for name, array in lanes.arrays.items()}
        texts = {
            "starts": [[str(p) if p else "" for p in start] for start in self.starts],
            "tuned": [str(program) for program in self.tuned],
        }
        return {**texts, "sets": sets}, arrays

    @staticmethod
    def described(settings: Settings, header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> SearchSpace:
        """The space that `describe` described; uses the arrays where they lie, if the lanes are this
        machine's."""
        table = settings.user.table

        def parsed(text: str) -> Program | None:
            return Program.parse(text, "an initial program", table) if text else None

        starts = [tuple(map(parsed, start)) for start in header["starts"]]
        tuned = [Program.parse(text, "a tuned program", table) for text in header["tuned"]]
        programs, sets = _with_room(settings, _given(starts, tuned), tuned), []
        for number, values in enumerate(header["sets"]):
            metric = settings.user.metric(values["metric"])
            spec = kernel_spec(settings, values["n_features"], metric, programs, values["classes"])
            kernel = build_kernel(spec)
            prefix = f"{number}."
            mine = {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}
            lanes = _from_arrays(values, mine, values["lanes"])
            if values["lanes"] != kernel.spec.lane.lanes:
                lanes = _in_lanes(values, lanes, kernel.spec.lane.lanes)
            sets.append(TaskSet(kernel, lanes))
        return SearchSpace(settings, starts, sets[0], sets[1:], tuned)


def _given(starts: Sequence[Start], tuned: Sequence[Program]) -> tuple[Program, ...]:
    """All programs that populations may start from, each once."""
    given = (*tuned, *(program for start in starts for program in start if program is not None))
    return tuple(dict.fromkeys(given))


def _with_room(settings: Settings, given: Sequence[Program], tuned: Sequence[Program]) -> tuple[Program, ...]:
    """All programs that the kernels must have room for: those of the zoo that may be tuned are among them,
    whichever are best, so that one kernel does for all seeds."""
    if not tuned:
        return tuple(given)
    memory = Memory(settings.memory.scalars, settings.memory.vectors, settings.memory.matrices)
    same_form = (zoo(name).normalized() for name in zoo_names() if zoo(name).form == tuned[0].form)
    return (*given, *(program for program in same_form if program.memory | memory == memory))


def task_set(
    settings: Settings, programs: Sequence[Program], tasks: tuple[Task, ...], epochs: int
) -> TaskSet:
    """Tasks in the lanes of their kernel."""
    task = tasks[0]
    check_tasks(tasks)
    kernel = build_kernel(kernel_spec(settings, task.n_features, task.metric, programs, task.vector_classes))
    lanes = lay_out(
        tasks,
        kernel.spec.lane,
        seed=settings.seed,
        epochs=epochs,
        max_abs_error=settings.tasks.max_abs_error,
    )
    return TaskSet(kernel, lanes)


def population_tasks(settings: Settings, split: TaskSplit, population: int) -> tuple[Task, ...]:
    """Search tasks of a population of the run, from 0; it lives on the island of that number modulo their
    count.

    Args:
        split: the run's tasks.
    """
    if settings.tasks.redraw and population:
        return redrawn_tasks(settings, population)
    island = population % settings.islands.count
    changed = task_settings(settings, island)
    if changed == settings.tasks:
        return split.search
    return changed.search_beside(settings.tasks, settings.seed, user=settings.user)


def redrawn_tasks(settings: Settings, population: int) -> tuple[Task, ...]:
    """Search tasks drawn for one population alone."""
    changed = task_settings(settings, population % settings.islands.count)
    return changed.search_beside(settings.tasks, settings.seed, population, settings.user)


def _from_arrays(values: dict[str, Any], arrays: dict[str, NDArray[Any]], lanes: int) -> LaneTasks:
    record = np.zeros(1, TASKS)
    for name in _NUMBERS:
        record[name] = values[name]
    for name, array in arrays.items():
        record[name] = array.ctypes.data
    return LaneTasks(record, arrays, values["n_tasks"], lanes)


def _by_task(tasks: LaneTasks, name: str) -> NDArray[Any]:
    """An array with its tasks in the first axis, in order, padding left out."""
    array = tasks.arrays[name]
    if name == "order":
        return array
    moved = np.moveaxis(array, -1, 1)  # [group][lane]...
    return np.ascontiguousarray(moved.reshape(-1, *moved.shape[2:])[: tasks.n_tasks])


def _in_lanes(values: dict[str, Any], tasks: LaneTasks, lanes: int) -> LaneTasks:
    """The same tasks in another number of lanes."""
    n_groups = -(-tasks.n_tasks // lanes)
    arrays = {"order": tasks.arrays["order"]}
    for name in tasks.arrays.keys() - arrays.keys():
        rows = _by_task(tasks, name)
        padded = np.zeros((n_groups * lanes, *rows.shape[1:]), rows.dtype)
        padded[: len(rows)] = rows
        moved = np.moveaxis(padded.reshape(n_groups, lanes, *rows.shape[1:]), 1, -1)
        arrays[name] = aligned(moved.shape, rows.dtype)
        arrays[name][...] = moved
    return _from_arrays({**values, "n_groups": n_groups}, arrays, lanes)
