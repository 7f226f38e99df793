"""Settings of evolution: of one island, of an archive in its place, and of stages before the run's tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Literal

from azgen.bounds import Bounded, Bounds, Count, NotNegative, Positive, Share


@dataclass(frozen=True)
class ActionWeights(Bounded):
    """Relative frequency of the mutation actions: the original's eight (mutator.cc), then azgen's.

    Four of azgen's keep to registers in use (docs/discovery.md), one changes the order of instructions.

    Attributes:
        alter_wired: as alter_parameter, but a new operand or result is probably a register in use.
        grow: an expression of up to three ops deep is inserted, its operands probably registers in use.
        regrow: such an expression takes an instruction's place.
        interpose: an expression of a value takes that value's place for all that read it later.
        move_instruction: an instruction goes to another place of its function, before or after what writes or
            reads the same registers.
    """

    alter_parameter: NotNegative = 1.0
    randomize_instruction: NotNegative = 1.0
    randomize_function: NotNegative = 1.0
    identity: NotNegative = 0.0
    insert_instruction: NotNegative = 1.0
    remove_instruction: NotNegative = 1.0
    trade_instruction: NotNegative = 0.0
    randomize_program: NotNegative = 0.0
    alter_wired: NotNegative = 0.0
    grow: NotNegative = 0.0
    regrow: NotNegative = 0.0
    interpose: NotNegative = 0.0
    move_instruction: NotNegative = 0.0


ACTIONS = tuple(field.name for field in fields(ActionWeights))
"""Mutation actions, in the order of the kernel's."""


@dataclass(frozen=True)
class WiringSettings(Bounded):
    """Probabilities inside the wired mutations (`ActionWeights`: grow, regrow, interpose, alter_wired).

    Attributes:
        in_use: an operand is drawn among registers that hold something, rather than among all.
        informed: in Learn, it is drawn among those that the label reaches.
        deeper: an operand is grown itself.
        declare: Setup gets a first value for a register that is read and that nothing writes.
        accumulate: what grows in Learn is added to a register, rather than written to it.
        scale: what is interposed is a multiple by a constant of its own, 1 at first.
        forward_only: Learn goes on reading what an interposed expression was made from.
        learned: what Predict comes to read and nothing writes is learned: Learn adds to it what the label
            reaches.
    """

    in_use: Share = 0.8
    informed: Share = 0.3
    deeper: Share = 0.3
    declare: Share = 0.5
    accumulate: Share = 0.3
    scale: Share = 0.3
    forward_only: Share = 0.3
    learned: Share = 0.7


@dataclass(frozen=True)
class EvolutionSettings(Bounded):
    """Regularised evolution of one island.

    Attributes:
        population, tournament: sizes P and T.
        selection: whom children descend from: "tournament" (the best of T members by fitness over all tasks),
            or "lexicase" (those that are behind the best at a task go, one random task after the other; La
            Cava et al. 2016).
        lexicase_tasks: share of the search tasks, drawn anew, that such a selection looks at (down-sampled
            lexicase, Hernandez et al. 2019).
        lexicase_within: fitness by which a member may be behind at a task and stay.
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
        valid: which programs must be able to learn, by their data flow: the features reach the prediction,
            and the label a register that accumulates and reaches the prediction too. "any": none need;
            "initial": random ones of initial populations; "all": children too (eight attempts each).
        crossover: probability that a child has a function of another tournament's winner, before it mutates.
        distinct: no two members have the same structure (the normal form without constants): a child takes
            the place of the member of its structure, if it is better, and else none.
        adaptive: actions that made children better than their parents more often of late are taken more
            often, at most four times as often as their weights say.
        live_only: instructions that cannot influence a prediction are taken out of children.
        strategy: "population" (regularised evolution) or "archive" (short runs from members of an archive,
            see `ArchiveSettings`).
        initial: what populations start from, one or several: "random", "empty", an .az file, a program of
            the zoo ("zoo:NAME"), or "auto": the zoo's programs that do best when they have been tuned, side
            by side. Of several, each population takes the next. Empty: "auto" for images and tables,
            "random" for teachers. For tasks of several classes "zoo:NAME" stands for "zoo:softmax-NAME"
            where there is one.
    """

    population: Annotated[int, Bounds(2)] = 1000
    tournament: Positive = 10
    selection: Literal["tournament", "lexicase"] = "tournament"
    lexicase_tasks: Share = 1.0
    lexicase_within: NotNegative = 0.01
    mutation_probability: Share = 0.9
    actions: ActionWeights = field(default_factory=ActionWeights)
    sign_flip: Share = 0.1
    fresh_constant: Share = 0.05
    constant_step: Literal["log-normal", "factor"] = "log-normal"
    combine: Literal["mean", "median"] = "mean"
    batch: Annotated[int, Bounds(1, 64)] = 16
    known: bool = True
    probe: bool = True
    probe_train: Positive = 10
    probe_valid: Positive = 10
    cache_size: Count = 65536
    hurdles: tuple[float, ...] = ()
    hurdle_tasks: tuple[float, ...] = ()
    hurdle_percentile: Annotated[float, Bounds(0, 100)] = 75.0
    max_cost: NotNegative = 0.0
    wiring: WiringSettings = field(default_factory=WiringSettings)
    more_mutations: Share = 0.0
    smallest_constant: Share = 0.0
    parsimony: NotNegative = 0.0
    crossover: Share = 0.0
    distinct: bool = False
    adaptive: bool = False
    live_only: bool = False
    valid: Literal["any", "initial", "all"] = "any"
    strategy: Literal["population", "archive"] = "population"
    initial: str | tuple[str, ...] = ""


@dataclass(frozen=True)
class ArchiveSettings(Bounded):
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
        polish_tasks: so many of them serve to shrink programs and to tune their constants; 0: all.
        shrink_tolerance: instructions go whose loss costs at most this.
        tuning_rounds, tuning_settings, tuning_step: constants are tuned by rounds of so many settings,
            each a log-normal step of this size, which is halved by a round that brings nothing.
        give_up_programs: programs without `give_up_gain` after which the archive is given up for a new one;
            0: never.
        give_up_gain: fitness that counts as progress of the archive.
        task_sets: different sets of search tasks that runs take in turn.
    """

    entries: Positive = 128
    parents: Positive = 24
    within: NotNegative = 0.12
    run_programs: Positive = 6_000
    look_programs: Positive = 2_500
    patience: Positive = 1
    gain: NotNegative = 0.003
    margin: NotNegative = 0.05
    offers: Positive = 6
    rating_tasks: Positive = 64
    polish_tasks: Count = 16
    shrink_tolerance: NotNegative = 0.002
    tuning_rounds: Count = 4
    tuning_settings: Positive = 32
    tuning_step: NotNegative = 0.7
    give_up_programs: Count = 150_000
    give_up_gain: float = 0.01
    task_sets: Positive = 32


@dataclass(frozen=True)
class StageSettings(Bounded):
    """A stage before the run's own tasks: an archive on other tasks, whose members go on to the next stage.

    Attributes:
        tasks: changes to the settings of tasks, and `epochs` for them.
        goal: fitness on the rating tasks that ends the stage.
        fresh: every run starts from new programs, and those below the goal are forgotten.
        solutions: programs that must reach the goal; the cheapest of a fresh stage's goes on.
        run_programs, patience, give_up_programs: as in `ArchiveSettings`; 0: as there.
    """

    tasks: Mapping[str, Any] = field(default_factory=dict)
    goal: float = 1.0
    fresh: bool = False
    solutions: Positive = 1
    run_programs: Count = 0
    patience: Count = 0
    give_up_programs: Count = 0
