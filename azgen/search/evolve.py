"""A run: islands evolve, their best are selected on separate tasks, the champion is tested."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from azgen.deadline import Pace
from azgen.errors import AzgenError
from azgen.language.metrics import Metric
from azgen.language.program import Program
from azgen.runs.checkpoint import CheckpointDirectory, DamagedError, read
from azgen.runs.events import Champion, Finished, Observer, Resumed, Started, Warned
from azgen.search import snapshot
from azgen.search.coordinator import Coordinator
from azgen.search.engines.base import Engine
from azgen.search.hall import HALL_SIZE, HallOfFame
from azgen.search.progress import Life, Progression, Suspect
from azgen.search.starts import named_start
from azgen.search.task_set import kernel_spec
from azgen.search.world import THIS_MACHINE, World
from azgen.settings.settings import Settings
from azgen.tasks.task import TaskSplit
from azgen.version import azgen_version

__all__ = ["HALL_SIZE", "Evolution", "Outcome", "kernel_spec"]

_NOTHING_TUNED: Mapping[str, Program] = {}


@dataclass(frozen=True)
class Found:
    """Where a search ended.

    Attributes:
        progress: all that it has come to.
        reason: what ended it, in words.
    """

    progress: Progression
    reason: str


@dataclass(frozen=True, eq=False)
class Tested:
    """A champion's fitness per task, by its native code; 0 where it failed.

    Attributes:
        search: on the search tasks of the population that it comes from.
        select, test: on the selection and test tasks.
        search_metric: what fitness is on the search tasks, which an island may have of its own.
    """

    search: NDArray[np.float64]
    select: NDArray[np.float64]
    test: NDArray[np.float64]
    search_metric: Metric


@dataclass(frozen=True)
class Outcome:
    """What a run found.

    Attributes:
        champion: the chosen one, else the best on the selection tasks.
        hall_of_fame: the champion, then the others by selection fitness, of different structure: ten, those
            of the front of selection fitness and cost (`Champion.on_front`) that are not among them, and
            what any rule picks (`Champion.picked_by`).
        tested: the champion's fitness per task of each set.
        counts: programs by rung of the ladder.
        ratings: what rated those that were evaluated, "kernel" or "native"; how many were compiled for that
            ("compiled"), and how many "champions" were. Depends on machine and backend, unlike all else.
        reason: what ended the search, in words.
        seconds, cpu_seconds: wall-clock and processor time.
        search_seconds: wall-clock time until the search ended.
        quarantined: programs that killed or hung the processes that ran them.
    """

    champion: Champion
    hall_of_fame: tuple[Champion, ...]
    tested: Tested
    counts: dict[str, int]
    reason: str
    seconds: float
    cpu_seconds: float
    ratings: dict[str, int]
    search_seconds: float
    quarantined: tuple[Suspect, ...] = ()

    @property
    def test_fitness(self) -> NDArray[np.float64]:
        """The champion's fitness per test task."""
        return self.tested.test

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the search."""
        return self.reason == "interrupted"


class Evolution:
    """Carries out a run: builds the search space, then `search` and `test`, or `run` for both.

    Args:
        settings: see `Settings`.
        split: search, selection and test tasks.
        observe: called with every event.
        checkpoints: folder in which checkpoints are kept; None: nowhere.
        resume: go on from the newest checkpoint there, rather than begin.
        tuned: by name, what the start "auto" stands for, best first. These, and the programs that the
            settings name, enter the hall of fame before anything has evolved.
        world: what the run touches outside itself.
        pace: when the run began, and how much of its time limit is kept for what comes after the search.

    Raises:
        AzgenError: no compiler, or a program or data file of the settings that cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        split: TaskSplit,
        observe: Observer = lambda event: None,
        checkpoints: Path | None = None,
        resume: bool = False,
        tuned: Mapping[str, Program] = _NOTHING_TUNED,
        pace: Pace | None = None,
        world: World = THIS_MACHINE,
    ):
        self._settings, self._split, self._observe = settings, split, observe
        self._pace = pace or Pace()
        self._before = 0.0
        self.space = world.space(settings, split, tuple(tuned.values()))
        self._names = {program.hash: name for name, program in tuned.items()}
        self.coordinator: Coordinator | None = None
        self._world, self._checkpoints, self._resume = world, checkpoints, resume

    def run(self) -> Outcome:
        """Searches until a limit or Ctrl-C, then tests the champion; see `search` and `test`."""
        with ExitStack() as stack:
            return self.test(self.search(stack))

    def search(self, stack: ExitStack) -> Found:
        """Searches until a limit or Ctrl-C, and confirms the leader: its native code agrees with the kernel.

        Ctrl-C ends the search after the current round; a second one at once.

        Args:
            stack: until it is closed no other process can carry the run out.

        Raises:
            AzgenError: interrupted before anything was found, workers that cannot run, or, when a run goes
                on, no checkpoint that fits.
        """
        kept = CheckpointDirectory(self._checkpoints, self._world.disk) if self._checkpoints else None
        if kept:
            stack.callback(kept.close)
        engine = self._world.engine(self.space)
        try:
            progress, reason = self._search(engine, kept)
        finally:
            engine.close()
        if not progress.hall.members:
            raise AzgenError(f"the run has found no program ({reason})")
        return Found(progress, reason)

    def test(self, found: Found, chosen: tuple[Champion, ...] = ()) -> Outcome:
        """Runs the champion once on the tasks of each set.

        Args:
            chosen: the hall of fame, led by the champion; none: as the search has it.
        """
        progress, hall = found.progress, chosen or found.progress.hall.listing()
        tested = self._tested(hall[0])
        watch = self._pace.watch
        seconds, cpu = self._before + watch.seconds, watch.cpu_seconds
        counts = dict(progress.counts)
        mean = float(tested.test.mean())
        self._observe(Finished(found.reason, seconds, cpu, counts["programs"], counts, mean))
        return Outcome(
            champion=hall[0],
            hall_of_fame=hall,
            tested=tested,
            counts=counts,
            reason=found.reason,
            seconds=seconds,
            cpu_seconds=cpu,
            ratings={"kernel": counts["evaluated"] - progress.ratings["native"], **progress.ratings},
            search_seconds=progress.seconds,
            quarantined=tuple(progress.quarantine),
        )

    def _search(self, engine: Engine, kept: CheckpointDirectory | None) -> tuple[Progression, str]:
        progress = None
        if self._resume:
            progress, path = self._restored(engine, kept)
            self._before = progress.seconds
            self._observe(Resumed(progress.seconds, progress.counts["programs"], progress.round, str(path)))
        else:
            self._tell_start()
            lives = [Life() for _ in range(self._settings.islands.count)]
            progress = Progression(lives, hall=HallOfFame(()))
            for start in self.starts:
                progress.hall.consider(start)

        # What has been done before the search counts as well: reading, tuning, compiling.
        progress.seconds += self._pace.watch.seconds

        def save() -> None:
            assert kept is not None
            kept.write(*snapshot.take(self.space, coordinator.progress, engine))

        with self._world.interrupts() as interrupted:
            coordinator = self.coordinator = Coordinator(
                self._settings,
                engine,
                self._observe,
                interrupted,
                save if kept else None,
                progress,
                self._pace.closing,
                self._world.clock,
            )
            try:
                reason = coordinator.search()
            except KeyboardInterrupt:
                engine.cancel()
                reason = "interrupted"
            except AzgenError:
                coordinator.save()  # a run whose workers fail can go on later
                raise
            coordinator.confirm()
        return coordinator.progress, reason

    @cached_property
    def starts(self) -> list[Champion]:
        """What the run starts from, as members of the hall of fame."""
        space, found = self.space, list[Champion]()
        combine = np.median if self._settings.evolution.combine == "median" else np.mean
        space.kernel.encode(
            space.start_programs
        )  # as populations will, so that what does not fit is told now
        for program in (program.normalized() for program in space.start_programs):
            select_fitness, behaviour, holds = space.rate(program)
            search = np.nan_to_num(space.search[0].evaluate(program), nan=0.0)
            cost = sum(program.cost(self._split.n_features)[1:])
            name = self._names.get(program.hash) or named_start(self._settings, program)
            champion = Champion(program, 0, 0, float(combine(search)), select_fitness, cost)
            found.append(dataclasses.replace(champion, behaviour=behaviour, origin=name, holds=holds))
        return found

    def _tell_start(self) -> None:
        kernel = self.space.kernel
        seconds = sum(kernel.built.seconds.values())
        memory, n_features = kernel.spec.memory.in_words, self._split.n_features
        space = f"{memory}, {n_features} feature{'s' * (n_features != 1)}, {len(kernel.spec.ops)} ops"
        name, description = self._settings.name, self._split.description
        self._observe(Started(name, description, space, seconds, kernel.built.cached))

    def _restored(self, engine: Engine, kept: CheckpointDirectory | None) -> tuple[Progression, Path]:
        """Progress from the newest checkpoint that is whole."""
        problem: DamagedError | None = None
        assert kept is not None
        for path in kept.candidates():
            try:
                checkpoint = read(path, self._world.disk)
                progress = snapshot.restore(self.space, checkpoint, engine)
            except DamagedError as error:
                problem = problem or error
                kept.damaged.add(path)
                continue
            if problem:
                self._observe(Warned(progress.seconds, f"{problem}; the run goes on from {path.name}"))
            writer, version = checkpoint.values.get("azgen"), azgen_version()
            if writer != version:
                message = f"{path.name} is by azgen {writer}; {version} may find other programs"
                self._observe(Warned(progress.seconds, message))
            return progress, path
        none = f"there is no checkpoint in {self._checkpoints}"
        why = f"{problem}; no other checkpoint is whole" if problem else none
        raise AzgenError(f"{why}; `azgen evolve` with the run's config.toml repeats it from its beginning")

    def _tested(self, champion: Champion) -> Tested:
        space, settings = self.space, self._settings
        search = space.task_set(champion.population % settings.islands.count, champion.population)
        test = space.laid_out(self._split.test)
        fitness = [tasks.evaluate_natively(champion.program) for tasks in (search, space.select, test)]
        return Tested(fitness[0], fitness[1], fitness[2], search.kernel.spec.metric)
