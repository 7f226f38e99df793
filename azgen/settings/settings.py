"""Settings of a run: frozen dataclasses. `reading` reads them, `checks` says whether they agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from azgen.language.userfile import NOTHING, UserFile, read_user_file
from azgen.settings.tasks import DATA_SOURCES, TaskSettings


@dataclass(frozen=True)
class MemorySettings:
    """Number of scalar, vector and matrix addresses, label, prediction and features included."""

    scalars: int = 8
    vectors: int = 8
    matrices: int = 2


@dataclass(frozen=True)
class FunctionSettings:
    """One function of the program: what evolution may put in, and how long it may be (limits inclusive).

    Attributes:
        ops: names of ops; empty: the function is fixed.
        initial_size: instructions in the initial population; -1: as max_size for a random start, else
        min_size.
        min_size, max_size: limits that insertion and removal keep.
    """

    ops: tuple[str, ...] = ()
    initial_size: int = -1
    min_size: int = 0
    max_size: int = 0


@dataclass(frozen=True)
class ActionWeights:
    """Relative frequency of the mutation actions: the original's eight (mutator.cc), then four that keep to
    registers in use (docs/discovery.md).

    Attributes:
        alter_wired: as alter_parameter, but a new operand or result is probably a register in use.
        grow: an expression of up to three ops deep is inserted, its operands probably registers in use.
        regrow: such an expression takes an instruction's place.
        interpose: an expression of a value takes that value's place for all that read it later.
    """

    alter_parameter: float = 1.0
    randomize_instruction: float = 1.0
    randomize_function: float = 1.0
    identity: float = 0.0
    insert_instruction: float = 1.0
    remove_instruction: float = 1.0
    trade_instruction: float = 0.0
    randomize_program: float = 0.0
    alter_wired: float = 0.0
    grow: float = 0.0
    regrow: float = 0.0
    interpose: float = 0.0


@dataclass(frozen=True)
class WiringSettings:
    """Probabilities inside the wired mutations (`ActionWeights`: grow, regrow, interpose, alter_wired).

    Attributes:
        in_use: an operand is drawn among registers that hold something, rather than among all.
        informed: in Learn, it is drawn among those that the label reaches.
        deeper: an operand is grown itself.
        declare: Setup gets a first value for a register that is read and that nothing writes.
        accumulate: what grows in Learn is added to a register, rather than written to it.
        scale: what is interposed is a multiple by a constant of its own, 1 at first.
        forward_only: Learn goes on reading what an interposed expression was made from.
    """

    in_use: float = 0.8
    informed: float = 0.3
    deeper: float = 0.3
    declare: float = 0.5
    accumulate: float = 0.3
    scale: float = 0.3
    forward_only: float = 0.3


@dataclass(frozen=True)
class EvolutionSettings:
    """Regularised evolution of one island.

    Attributes:
        population, tournament: sizes P and T.
        mutation_probability: U; otherwise a child is its parent's copy.
        actions: weights of the mutation actions.
        sign_flip: probability that a constant's change is a sign flip.
        fresh_constant: probability that a constant's change is a fresh draw, so that 0 is not absorbing.
        constant_step: "log-normal" (original) or "factor" (paper: uniform in [0.5, 2]).
        combine: "mean" or "median" of the fitness over tasks.
        batch: children made from one state of the population.
        known: look programs up by their normal form among those whose fitness is known.
        probe: run programs on a few examples first; one that behaves like one whose fitness is known takes
            that, and one that fails on every task scores 0.
        probe_train, probe_valid: examples of the probe.
        cache_size: programs that each of the two tables of known fitness remembers; 0: none.
        hurdles: fractions of the training examples after which a program is rated for the first time, for
            the second time and so on; empty: none.
        hurdle_tasks: fraction of the search tasks at each hurdle, the first of them; empty: all.
        hurdle_percentile: of the unique fitnesses that recent programs had at a hurdle; a program below it
        stops there.
        max_cost: static cost limit, as a multiple of a two-layer net's on the same tasks; 0: none.
        wiring: inside the wired mutations.
        more_mutations: probability that a child's mutation is followed by another, and that by another.
        smallest_constant: first values of constants are log-uniform from here to 1, either sign; 0: uniform
            in [-1, 1], as in the original.
        parsimony: fitness that an instruction costs in tournaments.
        live_only: instructions that cannot influence a prediction are taken out of children.
        strategy: "population" (regularised evolution) or "archive" (short runs from members of an archive,
            see `ArchiveSettings`).
        initial: what populations start from, one or several: "random", "empty", an .az file, a program of
            the zoo ("zoo:NAME"), or "auto": the zoo's programs that do best when they have been tuned, side
            by side. Of several, each population takes the next. Empty: "auto" for images and tables,
            "random" for teachers. For tasks of several classes "zoo:NAME" stands for "zoo:softmax-NAME"
            where there is one.
    """

    population: int = 1000
    tournament: int = 10
    mutation_probability: float = 0.9
    actions: ActionWeights = field(default_factory=ActionWeights)
    sign_flip: float = 0.1
    fresh_constant: float = 0.05
    constant_step: Literal["log-normal", "factor"] = "log-normal"
    combine: Literal["mean", "median"] = "mean"
    batch: int = 16
    known: bool = True
    probe: bool = True
    probe_train: int = 10
    probe_valid: int = 10
    cache_size: int = 65536
    hurdles: tuple[float, ...] = ()
    hurdle_tasks: tuple[float, ...] = ()
    hurdle_percentile: float = 75.0
    max_cost: float = 0.0
    wiring: WiringSettings = field(default_factory=WiringSettings)
    more_mutations: float = 0.0
    smallest_constant: float = 0.0
    parsimony: float = 0.0
    live_only: bool = False
    strategy: Literal["population", "archive"] = "population"
    initial: str | tuple[str, ...] = ""


@dataclass(frozen=True)
class ArchiveSettings:
    """An archive: the best program of each cell, and short runs that start from its members.

    A cell is a skeleton: which ops Predict computes with, how many lasting registers the label reaches, what
    Setup makes. Programs are compared on rating tasks of their own. All fitness is in its own unit, 0 to 1.

    Attributes:
        entries: most cells.
        parents: runs start from this many of the best entries.
        within: and from none that is further below the best.
        run_programs: most programs of a run.
        look_programs: programs of a run between two looks at it.
        patience: looks without `gain` after which a run ends.
        gain: fitness that counts as progress of a run.
        margin: cells that a run offers are at most so far below its parent, on the run's tasks.
        offers: most cells that a run offers.
        rating_tasks: number of rating tasks.
        shrink_tolerance: instructions go whose loss costs at most this.
        tuning_rounds, tuning_settings, tuning_step: constants are tuned by rounds of so many settings,
            each a log-normal step of this size, which is halved by a round that brings nothing.
        give_up_programs: programs without `give_up_gain` after which the archive is given up for a new one;
            0: never.
        give_up_gain: fitness that counts as progress of the archive.
        task_sets: different sets of search tasks that runs take in turn.
    """

    entries: int = 128
    parents: int = 24
    within: float = 0.12
    run_programs: int = 40_000
    look_programs: int = 5_000
    patience: int = 3
    gain: float = 0.003
    margin: float = 0.05
    offers: int = 6
    rating_tasks: int = 64
    shrink_tolerance: float = 0.002
    tuning_rounds: int = 4
    tuning_settings: int = 32
    tuning_step: float = 0.7
    give_up_programs: int = 1_200_000
    give_up_gain: float = 0.01
    task_sets: int = 32


@dataclass(frozen=True)
class StageSettings:
    """A stage before the run's own tasks: an archive on other tasks, whose members go on to the next stage.

    Attributes:
        tasks: changes to the settings of tasks.
        goal: fitness on the rating tasks that ends the stage.
        fresh: every run starts from new programs, and those below the goal are forgotten.
        run_programs, patience: as in `ArchiveSettings`; 0: as there.
    """

    tasks: Mapping[str, Any] = field(default_factory=dict)
    goal: float = 1.0
    fresh: bool = False
    run_programs: int = 0
    patience: int = 0


@dataclass(frozen=True)
class StopSettings:
    """When to start afresh, and when to stop.

    Attributes:
        max_programs: programs of the whole run; 0: no limit.
        max_seconds: wall-clock seconds of search; 0: no limit. A run that this ends depends on the machine's
        speed.
        target_fitness: stop when the mean fitness on selection tasks exceeds this; above 1: never.
        round_programs: programs between two looks at the champion.
        restart_programs: programs of one population before a restart; 0: never.
        patience: restart when the best fitness has not risen for this many programs; 0: never.
    """

    max_programs: int = 0
    max_seconds: float = 60.0
    target_fitness: float = 2.0
    round_programs: int = 10_000
    restart_programs: int = 0
    patience: int = 0


@dataclass(frozen=True)
class IslandSettings:
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
        tasks: changes to the settings of the search tasks, dealt to the islands in turn; empty: the same for
        all.
        engine: what runs islands: "auto" ("process" for one worker, else "workers"), "process" (this one),
            "workers" (processes on this machine) or "dask" (a Dask cluster).
        workers: processes that run islands; with "dask" the cluster's workers count.
        scheduler: address of the Dask scheduler; empty: a cluster on this machine.
        round_timeout: seconds after which an island's round is taken to hang, and its worker is replaced; 0:
            ten times as long as the slowest round so far, at least 60.
        checkpoint_seconds: seconds between two checkpoints of the run.
    """

    count: int = 1
    topology: Literal["ring", "pool", "none"] = "ring"
    interval: int = 100_000
    migrants: int = 10
    emigrants: Literal["best", "random"] = "best"
    tasks: tuple[Mapping[str, Any], ...] = ()
    engine: Literal["auto", "process", "workers", "dask"] = "auto"
    workers: int = 1
    scheduler: str = ""
    round_timeout: float = 0.0
    checkpoint_seconds: float = 60.0


@dataclass(frozen=True)
class Settings:
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
        choose: which program is the champion: the "cheapest" that is within one standard error of the best on
            the selection tasks, or the "best" on these.
        prune: take out of the champion every line that it does as well without.
        ops_file: a Python file of your own ops and metrics, seen from the folder of the configuration.
        ops_text: what that file says; it is read with the configuration and travels with the settings, so it
            is not given.
    """

    name: str = "custom"
    description: str = ""
    dtype: Literal["float32", "float64"] = "float32"
    seed: int = 0
    backend: Literal["auto", "kernel", "native"] = "auto"
    baselines: Literal["all", "few"] = "all"
    choose: Literal["cheapest", "best"] = "cheapest"
    prune: bool = True
    ops_file: str = ""
    ops_text: str = ""
    tasks: TaskSettings = field(default_factory=TaskSettings)
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
            return ("auto",) if self.tasks.source in DATA_SOURCES else ("random",)
        return (initial,) if isinstance(initial, str) else initial

    @property
    def user(self) -> UserFile:
        """Ops and metrics, the user's own among them.

        Raises:
            AzgenError: the file of ops is not as it must be.
        """
        return read_user_file(self.ops_text, self.ops_file) if self.ops_file else NOTHING
