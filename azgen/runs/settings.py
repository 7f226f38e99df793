"""Settings of a run: frozen dataclasses, read from TOML files, with every mistake named by file and key."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from azgen.errors import AzgenError
from azgen.language.userfile import NOTHING, UserFile, read_user_file, user_text
from azgen.runs.task_checks import check_tasks

T = TypeVar("T")

Sizes = tuple[int, int, int]
"""One number each for search, selection and test tasks."""


@dataclass(frozen=True)
class TaskSettings:
    """Where tasks come from and how they are executed.

    Attributes:
        source: "linear", "affine", "two-layer", "two-layer-live" (synthetic teachers; two-layer has two units
            zeroed, as the original), "projected" (class pairs of a data set), "multiclass" (all its classes at
            once) or "table" (the user's own).
        data: data set name or file, for "projected", "multiclass" and "table".
        metric: what fitness is: "rmse" or "r2"; "accuracy", "balanced-accuracy" or "log-loss"; or one of
            ops_file. Empty: rmse for regression, accuracy for classes.
        target: the table's column to predict.
        kind: "auto" (a table's target column tells; a teacher gives regression), "regression",
            "classification" (of a teacher: the sign of its output) or "multiclass" (of a table: one-hot labels
            also for two classes).
        positive: the class of a table to tell from all others; empty: none.
        n_features: F of synthetic and projected tasks; 0: images as they are, without a projection.
        n_search, n_select, n_test: number of tasks of each set; for tables n_search and n_select are splits.
        n_train, n_valid: examples per task of each set; 0: as many as there are, as always with tables.
        epochs: passes over the training examples.
        impute: "", "mean" or "median": what replaces missing cells of a table ("": they are refused).
        categorical: columns of categories in a table, or "auto" alone: all columns of text.
        drop: columns of a table to leave out.
        drop_constant: leave constant columns of a table out instead of refusing them.
        groups: a table's column; rows of one group are never on both sides of a split.
        time: a table's column; everything is scored on rows later than those trained on.
        folds: so many folds of a table's rows are the search tasks; 0: n_search random splits.
        test_fraction: share of a table's rows that is set aside for the test, before anything else.
        select_fraction: share of the others that is set aside for selection.
        valid_fraction: share of what is left that a search task is scored on (random splits).
        noise: standard deviation of noise on labels of synthetic tasks.
        data_seeds, param_seeds: seeds of the examples and of the teachers of synthetic search tasks; a list
            that is too short goes on with its last number + 1, + 2 and so on. Empty: drawn by the seed.
        redraw: new search tasks at every restart.
        max_abs_error: a task fails, with fitness 0, at a prediction error above this or NaN.
    """

    source: Literal["linear", "affine", "two-layer", "two-layer-live", "projected", "multiclass", "table"] = (
        "linear"
    )
    data: str = ""
    metric: str = ""
    target: str = ""
    kind: Literal["auto", "regression", "classification", "multiclass"] = "auto"
    positive: str = ""
    n_features: int = 4
    n_search: int = 10
    n_select: int = 100
    n_test: int = 100
    n_train: Sizes = (0, 0, 0)
    n_valid: Sizes = (0, 0, 0)
    epochs: int = 1
    impute: Literal["", "mean", "median"] = ""
    categorical: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    drop_constant: bool = False
    groups: str = ""
    time: str = ""
    folds: int = 0
    test_fraction: float = 0.2
    select_fraction: float = 0.2
    valid_fraction: float = 0.25
    noise: float = 0.0
    data_seeds: tuple[int, ...] = ()
    param_seeds: tuple[int, ...] = ()
    redraw: bool = False
    max_abs_error: float = 100.0


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
    """Relative frequency of the eight mutation actions (original, mutator.cc)."""

    alter_parameter: float = 1.0
    randomize_instruction: float = 1.0
    randomize_function: float = 1.0
    identity: float = 0.0
    insert_instruction: float = 1.0
    remove_instruction: float = 1.0
    trade_instruction: float = 0.0
    randomize_program: float = 0.0


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
        initial: "random", "empty", or an .az file or program of the zoo that every member starts from. For
            tasks of several classes "zoo:NAME" stands for "zoo:softmax-NAME" where there is one.
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
    initial: str = "random"


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
    ops_file: str = ""
    ops_text: str = ""
    tasks: TaskSettings = field(default_factory=TaskSettings)
    memory: MemorySettings = field(default_factory=MemorySettings)
    setup: FunctionSettings = field(default_factory=FunctionSettings)
    predict: FunctionSettings = field(default_factory=FunctionSettings)
    learn: FunctionSettings = field(default_factory=FunctionSettings)
    evolution: EvolutionSettings = field(default_factory=EvolutionSettings)
    islands: IslandSettings = field(default_factory=IslandSettings)
    stop: StopSettings = field(default_factory=StopSettings)

    @property
    def user(self) -> UserFile:
        """Ops and metrics, the user's own among them.

        Raises:
            AzgenError: the file of ops is not as it must be.
        """
        return read_user_file(self.ops_text, self.ops_file) if self.ops_file else NOTHING


def read_settings(path: str | Path) -> Settings:
    """Settings from a TOML file.

    Raises:
        AzgenError: no such file, bad TOML, an unknown key or a value of the wrong type; names file and key.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise AzgenError(f"{path}: no such configuration file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise AzgenError(f"{path}: cannot be read: {error}") from None
    try:
        return settings_from(tomllib.loads(text), str(path), Path(path).parent)
    except tomllib.TOMLDecodeError as error:
        raise AzgenError(f"{path}: not valid TOML: {error}") from None


def settings_from(
    mapping: Mapping[str, Any], source: str = "configuration", folder: Path | None = None
) -> Settings:
    """Settings from nested mappings, as TOML gives them; checked as a whole.

    Args:
        folder: from which `ops_file` is seen; None: this process's.
    """
    settings = _read(Settings, mapping, source, "")
    if settings.ops_file and not settings.ops_text:
        path = str(folder / settings.ops_file) if folder else settings.ops_file
        settings = dataclasses.replace(settings, ops_file=path, ops_text=user_text(path))
    check(settings, source)
    return settings


def as_mapping(settings: Settings) -> dict[str, Any]:
    """The settings as nested plain values, which `settings_from` reads back."""
    return {key: _plain(value) for key, value in dataclasses.asdict(settings).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


def _read(cls: type[T], mapping: Any, source: str, prefix: str) -> T:
    if not isinstance(mapping, Mapping):
        raise AzgenError(f"{source}: {prefix.rstrip('.')} must be a table of settings, not {mapping!r}")
    hints = get_type_hints(cls)
    unknown = [key for key in mapping if key not in hints]
    if unknown:
        close = difflib.get_close_matches(unknown[0], hints, 1)
        hint = f"; did you mean {prefix}{close[0]}?" if close else f"; known are {', '.join(hints)}"
        raise AzgenError(f"{source}: there is no setting {prefix}{unknown[0]}{hint}")
    return cls(**{key: _value(hints[key], item, source, prefix + key) for key, item in mapping.items()})


def _value(hint: Any, value: Any, source: str, key: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return _read(hint, value, source, key + ".")  # type: ignore[arg-type]
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise AzgenError(
                f"{source}: {key} is {value!r}; it must be one of {', '.join(map(repr, get_args(hint)))}"
            )
        return value
    if get_origin(hint) is Mapping:  # changes to the settings of tasks
        _read(TaskSettings, value, source, key + ".")
        return dict(value)
    if get_origin(hint) is tuple:
        inner = get_args(hint)
        if inner == (int, int, int) and isinstance(value, int) and not isinstance(value, bool):
            value = [value] * 3
        if not isinstance(value, list | tuple) or (inner[-1] is not ... and len(value) != len(inner)):
            raise AzgenError(
                f"{source}: {key} is {value!r}; it must be a list"
                + (" of 3 numbers" if inner[-1] is not ... else "")
            )
        return tuple(_value(inner[0], item, source, key) for item in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if (
        isinstance(hint, types.UnionType)
        or get_origin(hint) is Union
        or not isinstance(value, hint)
        or (isinstance(value, bool) and hint is not bool)
    ):
        names = {int: "a whole number", float: "a number", str: "a text in quotes", bool: "true or false"}
        raise AzgenError(f"{source}: {key} is {value!r}; it must be {names.get(hint, hint)}")
    return value


def check(settings: Settings, source: str = "configuration") -> None:
    """Checks that settings agree with each other.

    Raises:
        AzgenError: names the key and what to do.
    """

    def need(condition: bool, message: str) -> None:
        if not condition:
            raise AzgenError(f"{source}: {message}")

    need(
        bool(settings.ops_file) or not settings.ops_text,
        "ops_text is read from the file that ops_file names; give that",
    )
    memory, evolution, stop, tasks = settings.memory, settings.evolution, settings.stop, settings.tasks
    table = settings.user.table
    need(memory.scalars >= 2, f"memory.scalars is {memory.scalars}; at least 2 (label and prediction)")
    need(memory.vectors >= 1, f"memory.vectors is {memory.vectors}; at least 1 (features)")
    need(memory.matrices >= 0, f"memory.matrices is {memory.matrices}; it cannot be negative")
    writable = {"s": memory.scalars - 1, "v": memory.vectors - 1, "m": memory.matrices}
    readable = {"s": memory.scalars, "v": memory.vectors, "m": memory.matrices}
    for name in ("setup", "predict", "learn"):
        function: FunctionSettings = getattr(settings, name)
        for op_name in function.ops:
            try:
                op = table[op_name]
            except AzgenError:
                close = difflib.get_close_matches(op_name, [op.name for op in table], 1)
                hint = f"did you mean {close[0]!r}? " if close else ""
                raise AzgenError(
                    f"{source}: {name}.ops: there is no op {op_name!r}; {hint}`azgen ops` lists them"
                ) from None
            fits = all(readable[kind] for kind in op.operands) and (not op.result or writable[op.result] > 0)
            need(fits, f"{name}.ops: {op_name} needs addresses that memory does not have ({op.signature})")
        low, high, first = function.min_size, function.max_size, function.initial_size
        need(0 <= low <= high, f"{name}.min_size {low} and {name}.max_size {high} contradict each other")
        need(first == -1 or low <= first <= high, f"{name}.initial_size {first} is outside {low} to {high}")
        need(high <= 1000, f"{name}.max_size is {high}; at most 1000")
    need(evolution.population >= 2, f"evolution.population is {evolution.population}; at least 2")
    need(evolution.tournament >= 1, f"evolution.tournament is {evolution.tournament}; at least 1")
    need(1 <= evolution.batch <= 64, f"evolution.batch is {evolution.batch}; 1 to 64")
    for name in ("mutation_probability", "sign_flip", "fresh_constant"):
        need(0 <= getattr(evolution, name) <= 1, f"evolution.{name} is a probability, between 0 and 1")
    weights = dataclasses.astuple(evolution.actions)
    need(min(weights) >= 0 and sum(weights) > 0, "evolution.actions: weights must not be negative, nor all 0")
    shares = evolution.hurdle_tasks or (1.0,) * len(evolution.hurdles)
    need(
        len(shares) == len(evolution.hurdles),
        f"evolution.hurdle_tasks is {list(shares)}; one fraction for each of evolution.hurdles, or none",
    )
    # Each is larger than the one before it in examples or tasks or both, and the whole is larger than the last.
    stages = [*zip(evolution.hurdles, shares, strict=True), (1.0, 1.0)]
    rising = all(a != b and a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(stages))
    need(
        rising and all(min(stage) > 0 for stage in stages),
        f"evolution.hurdles is {list(evolution.hurdles)}"
        + (f" and hurdle_tasks {list(shares)}" if evolution.hurdle_tasks else "")
        + "; rising fractions between 0 and 1",
    )
    need(0 <= evolution.hurdle_percentile <= 100, "evolution.hurdle_percentile must be between 0 and 100")
    need(evolution.cache_size >= 0, "evolution.cache_size cannot be negative")
    need(evolution.max_cost >= 0, "evolution.max_cost cannot be negative")
    need(
        evolution.probe_train >= 1 and evolution.probe_valid >= 1,
        "evolution.probe_train and probe_valid: at least 1",
    )
    _check_islands(settings, need)
    need(
        stop.max_programs >= 0 and stop.max_seconds >= 0,
        "stop.max_programs and stop.max_seconds cannot be negative",
    )
    need(stop.round_programs >= 1, "stop.round_programs must be at least 1")
    endless = stop.max_programs == 0 and stop.max_seconds == 0 and stop.target_fitness > 1
    need(not endless, "nothing ends this run: set stop.max_programs, stop.max_seconds or stop.target_fitness")
    need(tasks.epochs >= 1, f"tasks.epochs is {tasks.epochs}; at least 1")
    need(tasks.max_abs_error > 0, "tasks.max_abs_error must be positive")
    need(
        min(tasks.n_search, tasks.n_select, tasks.n_test) >= 1,
        "tasks.n_search, n_select and n_test: at least 1 each",
    )
    need(min(tasks.n_train + tasks.n_valid) >= 0, "tasks.n_train and n_valid cannot be negative")
    check_tasks(settings, need)


def _check_islands(settings: Settings, need: Callable[[bool, str], None]) -> None:
    islands, population = settings.islands, settings.evolution.population
    need(islands.count >= 1, f"islands.count is {islands.count}; at least 1")
    need(islands.workers >= 1, f"islands.workers is {islands.workers}; at least 1")
    need(
        islands.workers <= islands.count,
        f"islands.workers is {islands.workers}, but there is work for {islands.count} only: a worker runs whole "
        f"islands, so set islands.count to {islands.workers} or more",
    )
    need(
        islands.workers == 1 or islands.engine != "process",
        'islands.engine "process" runs in this process alone; leave it out, or set islands.workers to 1',
    )
    need(islands.interval >= 1, f"islands.interval is {islands.interval}; at least 1")
    need(
        0 <= islands.migrants <= population,
        f"islands.migrants is {islands.migrants}; 0 (half of the population) to evolution.population ({population})",
    )
    need(islands.round_timeout >= 0, "islands.round_timeout cannot be negative")
    need(islands.checkpoint_seconds > 0, "islands.checkpoint_seconds must be positive")
    for number, change in enumerate(islands.tasks):
        for key in ("n_select", "n_test", "redraw", "max_abs_error"):
            need(key not in change, f"islands.tasks: {key} is the same for all islands; set tasks.{key}")
        tasks = task_settings(settings, number)
        try:
            check(dataclasses.replace(settings, tasks=tasks, islands=IslandSettings()))
        except AzgenError as error:
            need(False, f"islands.tasks, number {number + 1} ({dict(change)}): {error}")


def task_settings(settings: Settings, island: int) -> TaskSettings:
    """Settings of an island's search tasks: the run's, with the changes that this island was dealt."""
    changes = settings.islands.tasks
    if not changes:
        return settings.tasks
    plain = dataclasses.asdict(settings.tasks) | dict(changes[island % len(changes)])
    return _read(TaskSettings, plain, "configuration", "islands.tasks.")
