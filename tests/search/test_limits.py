"""Limits are kept inside a round, which is made in slices and given up when the run is over."""

from __future__ import annotations

import dataclasses
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from azgen.runs.events import Progress, Resumed, Warned
from azgen.search.engines import runner
from azgen.search.engines.inline import InlineEngine
from azgen.search.engines.orders import Order
from azgen.search.space import SearchSpace
from azgen.search.world import World
from azgen.settings.settings import Settings
from tests.search.test_checkpoint import EAGER, ONE, go_on, result, run


def interrupted_when_asked(times: int) -> Callable[[SearchSpace], InlineEngine]:
    """Engines that get Ctrl-C when they have asked so many times whether the run is over."""
    asked = [0]

    class Engine(InlineEngine):
        def stop_when(self, over: Callable[[], bool]) -> None:
            def asks() -> bool:
                asked[0] += 1
                if asked[0] == times:
                    os.kill(os.getpid(), signal.SIGINT)
                return over()

            super().stop_when(over)
            self._runner.over = asks  # what a round asks, and not whoever waits for it

    return Engine


@pytest.mark.parametrize(
    ("settings", "times"), [(ONE, 2), (ONE, 45), (EAGER, 75)], ids=["at first", "one island", "four islands"]
)
def test_a_round_that_is_given_up_is_done_again(
    settings: Settings, times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_LONG_ROUND", -1.0)  # every round may be given up
    monkeypatch.setattr(runner, "_SLICE_SECONDS", 0.0)  # and is made batch by batch
    started = dataclasses.replace(settings.evolution, initial="zoo:linear")
    settings = dataclasses.replace(settings, evolution=started)
    whole, _ = run(settings)
    stopped, events = run(settings, tmp_path, world=World(interrupted_when_asked(times)))
    assert stopped.reason == "interrupted"
    assert "again to stop now" in next(e.message for e in events if isinstance(e, Warned))
    rounds = [event for event in events if isinstance(event, Progress)]
    assert stopped.counts["programs"] >= (rounds[-1].programs if rounds else 0)
    if not rounds:
        assert stopped.champion.origin == "zoo:linear"
        return
    resumed, more = go_on(tmp_path)
    assert [event.round for event in more if isinstance(event, Resumed)] == [rounds[-1].round]
    assert result(resumed) == result(whole)


def test_a_round_that_does_not_look_up_is_left_alone_when_it_may_be_given_up() -> None:
    """Its thread goes on until it ends, and what it finds is not taken for a round's result."""
    space = SearchSpace.of(ONE, ONE.tasks.split(ONE.seed))
    engine, stuck = InlineEngine(space), threading.Event()
    engine._runner._raters.hook = lambda island, tasks: (stuck.wait(60), None)[1]
    engine.stop_when(lambda: True)
    engine.submit(Order(0, 0, 0, True, 100))
    assert engine.collect(0.2) == [] and engine.unfinished() == []
    stuck.set()
