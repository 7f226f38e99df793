"""Settings of a run: frozen dataclasses. `reading` reads them, `checks` says whether they agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from azgen.bounds import AboveZero, Bounded, Bounds, Count, NotNegative, Positive
from azgen.language.conditions import Conditions
from azgen.language.instruction import MAX_ADDRESS, MAX_INSTRUCTIONS
from azgen.language.userfile import NOTHING, UserFile, read_user_file
from azgen.settings.evolution import ArchiveSettings, EvolutionSettings, StageSettings
from azgen.tasks.sources import Source, TeacherTasks


@dataclass(frozen=True)
class ExecutionSettings(Bounded):
    """How programs are executed, besides `dtype` and `seed`.

    Attributes:
        epochs: passes over the training examples.
        tune_epochs: the start "auto" also finds out how many passes are best; that number replaces epochs.
        max_abs_error: a task fails, with fitness 0, at a prediction error above this or NaN.
        fused: sums of products (dot, matmul, norm, std) are by fused multiply-add, rounded once a term: other
            last digits, and slow on a processor that has no such instruction.
    """

    epochs: Positive = 1
    tune_epochs: bool = False
    max_abs_error: AboveZero = 100.0
    fused: bool = False


@dataclass(frozen=True)
class MemorySettings(Bounded):
    """Number of scalar, vector and matrix addresses, label, prediction and features included."""

    scalars: Annotated[int, Bounds(2, MAX_ADDRESS + 1)] = 8
    vectors: Annotated[int, Bounds(1, MAX_ADDRESS + 1)] = 8
    matrices: Annotated[int, Bounds(0, MAX_ADDRESS + 1)] = 2


@dataclass(frozen=True)
class FunctionSettings(Bounded):
    """One function of the program: what evolution may put in, and how long it may be (limits inclusive).

    Attributes:
        ops: names of ops; empty: the function is fixed.
        initial_size: instructions in the initial population; -1: as max_size for a random start, else
        min_size.
        min_size, max_size: limits that insertion and removal keep.
        random: the initial population has random instructions here, whatever program it starts from.
    """

    ops: tuple[str, ...] = ()
    initial_size: Annotated[int, Bounds(-1)] = -1
    min_size: Count = 0
    max_size: Annotated[int, Bounds(0, MAX_INSTRUCTIONS)] = 0
    random: bool = False


@dataclass(frozen=True)
class StopSettings(Bounded):
    """When to start afresh, and when to stop.

    Attributes:
        max_programs: programs of the whole run; 0: no limit.
        max_seconds: wall-clock seconds of the whole run, from reading the data on; its last fifth, at most
            30 s, is for testing the champion and comparing it; 0: no limit. A run that this ends depends on
            the machine's speed.
        target_fitness: stop when the mean fitness on selection tasks exceeds this; above 1: never.
        round_programs: programs between two looks at the champion.
        restart_programs: programs of one population before a restart; 0: never.
        patience: restart when the best fitness has not risen for this many programs; 0: never.
    """

    max_programs: Count = 0
    max_seconds: NotNegative = 60.0
    target_fitness: float = 2.0
    round_programs: Positive = 10_000
    restart_programs: Count = 0
    patience: Count = 0


@dataclass(frozen=True)
class IslandSettings(Bounded):
    """Several populations that evolve side by side and exchange programs.

    The result of a run depends on `count`, `topology`, `interval`, `migrants`, `emigrants` and `tasks`,
    never on `engine`, `workers`, `scheduler`, `round_timeout` or `checkpoint_seconds`.

    Attributes:
        count: number of islands.
        topology: who sends to whom: "ring" (each island to the next), "pool" (each island takes programs
            drawn from those that all have sent) or "none".
        interval: programs of an island between two exchanges, rounded up to whole rounds.
        migrants: programs that an island sends, and takes in, at an exchange; 0: half of its population, as
            in the paper. They take the oldest members' places and are rated on the island's own tasks.
        emigrants: which programs are sent: "best" or "random".
        tasks: changes to the settings of the search tasks, and `epochs` for them, dealt to the islands in
            turn; empty: the same for all.
        engine: what runs islands: "auto" ("process" for one worker, else "workers"), "process" (this one),
            "workers" (processes on this machine) or "dask" (a Dask cluster).
        workers: processes that run islands; with "dask" the cluster's workers count.
        scheduler: address of the Dask scheduler; empty: a cluster on this machine.
        round_timeout: seconds after which an island's round is taken to hang, and its worker is replaced; 0:
            ten times as long as the slowest round so far, at least 60.
        checkpoint_seconds: seconds between two checkpoints of the run.
    """

    count: Positive = 1
    topology: Literal["ring", "pool", "none"] = "ring"
    interval: Positive = 100_000
    migrants: Count = 10
    emigrants: Literal["best", "random"] = "best"
    tasks: tuple[Mapping[str, Any], ...] = ()
    engine: Literal["auto", "process", "workers", "dask"] = "auto"
    workers: Positive = 1
    scheduler: str = ""
    round_timeout: NotNegative = 0.0
    checkpoint_seconds: AboveZero = 60.0


@dataclass(frozen=True)
class Settings(Bounded):
    """Everything that decides a run.

    Attributes:
        name: the preset's or configuration's name.
        description: one sentence for people.
        dtype: number type of all arithmetic.
        seed: decides tasks, mutations and draws.
        backend: what rates children: "kernel", "native" (each is compiled) or "auto" (those are compiled for
            which that costs less than it spares, as measured on this machine). Never changes results.
        baselines: what the champion is compared with on the test tasks: "few" (a constant, linear models) or
            "all" (also the zoo's programs, as they are and tuned, a perceptron and boosted trees; seconds).
        pick: which program is the champion: "cheapest-within-error" is the cheapest that is within one
            standard error of the best on the selection tasks, "best" the best on these, and a number N the
            N-th best.
        prune: take out of the champion every line that it does as well without.
        tune: then look for better constants for it, by the cross-entropy method on its search tasks; they are
            kept if it is no worse on the selection tasks.
        ops_file: a Python file of your own ops and metrics, seen from the folder of the configuration.
        ops_text: what that file says; it is read with the configuration and travels with the settings, so it
            is not given.
        stages: of an archive, `[[stages]]`: other tasks that programs must master before the run's own.
    """

    name: str = "custom"
    description: str = ""
    dtype: Literal["float32", "float64"] = "float32"
    seed: Count = 0
    backend: Literal["auto", "kernel", "native"] = "auto"
    baselines: Literal["all", "few"] = "all"
    pick: Literal["cheapest-within-error", "best"] | int = "cheapest-within-error"
    prune: bool = True
    tune: bool = False
    ops_file: str = ""
    ops_text: str = ""
    tasks: Source = field(default_factory=TeacherTasks)
    execution: ExecutionSettings = field(default_factory=ExecutionSettings)
    memory: MemorySettings = field(default_factory=MemorySettings)
    setup: FunctionSettings = field(default_factory=FunctionSettings)
    predict: FunctionSettings = field(default_factory=FunctionSettings)
    learn: FunctionSettings = field(default_factory=FunctionSettings)
    evolution: EvolutionSettings = field(default_factory=EvolutionSettings)
    archive: ArchiveSettings = field(default_factory=ArchiveSettings)
    stages: tuple[StageSettings, ...] = ()
    islands: IslandSettings = field(default_factory=IslandSettings)
    stop: StopSettings = field(default_factory=StopSettings)

    @property
    def starts(self) -> tuple[str, ...]:
        """What populations start from; see `EvolutionSettings.initial`."""
        initial = self.evolution.initial
        if not initial:
            return ("random",) if isinstance(self.tasks, TeacherTasks) else ("auto",)
        return (initial,) if isinstance(initial, str) else initial

    @property
    def conditions(self) -> Conditions:
        """How programs are executed on the run's own tasks."""
        how = self.execution
        return Conditions(self.seed, how.epochs, self.dtype, how.max_abs_error, how.fused)

    @property
    def user(self) -> UserFile:
        """Ops and metrics, the user's own among them.

        Raises:
            AzgenError: the file of ops is not as it must be.
        """
        return read_user_file(self.ops_text, self.ops_file) if self.ops_file else NOTHING
