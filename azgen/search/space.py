"""What every process that runs islands needs: the kernels of the search space, and the tasks in their
lanes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.execution.execute import native_code
from azgen.execution.kernel import Kernel
from azgen.execution.layout import LaneTasks
from azgen.execution.native import NativeCode
from azgen.language.program import Program
from azgen.language.zoo import zoo
from azgen.search.described import by_task, describe_tasks, described_tasks
from azgen.search.stages import StageTasks, stages_of
from azgen.search.starts import Start, programs_given, programs_with_room, start_programs
from azgen.search.task_set import TaskSet, population_tasks, redrawn_tasks, task_set
from azgen.settings.settings import Settings
from azgen.settings.tasks import SearchTasks, island_tasks, own_tasks
from azgen.tasks.task import Task, TaskSplit


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
        self.start_programs = programs_given(starts, tuned)
        self._programs = programs_with_room(settings, self.start_programs, tuned)
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
        programs = programs_with_room(settings, programs_given(starts, tuned), tuned)
        select = task_set(settings, programs, split.select, settings.execution.epochs)
        variants = range(min(len(settings.islands.tasks) or 1, settings.islands.count))
        search = [
            task_set(
                settings,
                programs,
                population_tasks(settings, split, variant),
                island_tasks(settings, variant).epochs,
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
        epochs = island_tasks(self.settings, island).epochs
        return task_set(self.settings, self._programs, redrawn_tasks(self.settings, population), epochs)

    @cached_property
    def fresh(self) -> TaskSet | None:
        """Tasks on which a program must not fail that would end the run; None: there are none."""
        settings = self.settings
        tasks = settings.tasks.fresh(settings.seed, settings.user)
        return self.laid_out(tasks) if tasks else None

    def rate(
        self,
        program: Program,
        native: NativeCode | None = None,
        trace: Callable[[Any], None] = lambda record: None,
    ) -> tuple[float, str, bool]:
        """What `TaskSet.rate` says of a program on the selection tasks; one that would end the run
        holds only if its native code fails on no fresh task either.

        Args:
            native: compiled candidates for the selection tasks' lanes; None: this process's.
            trace: told that the program is about to run, as the kernel's record, and None after it.
        """
        record = self.kernel.encode([program])[0]
        trace(record)
        fitness, behaviour, holds = self.select.rate(program)
        trace(None)
        if holds and fitness > self.settings.stop.target_fitness and self.fresh:
            # Compiled and the tasks drawn first: slow, and not the program's fault.
            native = native_code(self.kernel.spec.target) if native is None else native
            code = native.prepare(program)
            trace(record)
            on_fresh, _ = code.evaluate(self.fresh.lanes)
            trace(None)
            holds = bool((on_fresh > 0).all())  # NaN where it failed
        return fitness, behaviour, holds

    def laid_out(self, tasks: tuple[Task, ...]) -> TaskSet:
        """More tasks of the kind of the selection tasks, in the lanes of their kernel."""
        return task_set(self.settings, self._programs, tasks, self.settings.execution.epochs)

    def stages(self, island: int) -> list[StageTasks]:
        """Stages of an archive's tasks; islands with the same settings of tasks share them."""
        tasks = island_tasks(self.settings, island)
        key = str(tasks)
        if key not in self._stages:
            self._stages[key] = stages_of(self.settings, tasks, self._lay_out)
        return self._stages[key]

    def _lay_out(self, tasks: SearchTasks, number: int) -> tuple[Kernel, LaneTasks]:
        """Search tasks that no set of the run has."""
        settings = self.settings
        drawn = tasks.beside(own_tasks(settings), settings.seed, number + 1, settings.user)
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
                found.update(by_task(tasks.lanes, name, tasks.kernel.spec.n_features).tobytes())
        return found.hexdigest()[:16]

    def describe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Plain values and arrays from which another process makes the same space; see `described`."""
        sets, arrays = list[dict[str, Any]](), dict[str, NDArray[Any]]()
        for number, tasks in enumerate((self.select, *self.search)):
            values, mine = describe_tasks(tasks)
            sets.append(values)
            arrays |= {f"{number}.{name}": array for name, array in mine.items()}
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
        programs, sets = programs_with_room(settings, programs_given(starts, tuned), tuned), []
        for number, values in enumerate(header["sets"]):
            prefix = f"{number}."
            mine = {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}
            sets.append(described_tasks(settings, programs, values, mine))
        return SearchSpace(settings, starts, sets[0], sets[1:], tuned)
