"""Schedules of faults leave what a run finds as it is; a mistake that is planted in what carries it out is
found."""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from contextlib import ExitStack

import pytest
from typer.testing import CliRunner

from azgen import files
from azgen.cli import app
from azgen.cli import simulate as simulating
from azgen.runs import checkpoint
from azgen.search import world
from azgen.search.coordinator import Coordinator
from azgen.search.engines.inline import InlineEngine
from azgen.search.evolve import Evolution
from azgen.search.schedule import Schedule as Rounds
from azgen.simulation.scenarios import Finding
from azgen.simulation.schedule import FAULTS
from azgen.simulation.sweep import Sweep
from tests.commands import azgen

MOST = 150
"""Schedules within which a planted mistake is found."""


@pytest.fixture(scope="module")
def sweep() -> Sweep:
    found = Sweep()
    *_, swept = found.sweep(0, 30)
    assert not swept.failed, swept.failed[0]
    assert swept.schedules == 30 and len(swept.faults) >= len(FAULTS) - 4
    return found


def test_a_seed_repeats_its_schedule(sweep: Sweep) -> None:
    (_, one), (_, again), (_, other) = (sweep.schedule(seed) for seed in (5, 5, 6))
    assert one.log == again.log and one.faults == again.faults
    assert one.log != other.log


def test_undisturbed_it_finds_what_the_run_itself_does(sweep: Sweep) -> None:
    run = sweep.runs[0]
    here = Evolution(run.plain.settings, run.plain.split, world=world.THIS_MACHINE)
    with ExitStack() as stack:
        found = here.search(stack)
    assert run.expected(run.plain).finding == Finding.of(found)


PLANTED = {
    "what is lost is not asked for again": (Coordinator, "_lost", "self._engine.submit(", "str("),
    "in the order in which islands report": (Coordinator, "_commit", "in range(self._count)", "in reports"),
    "a checkpoint of rounds that a limit cut short": (Coordinator, "save", "or self._cut ", ""),
    "asks all the time once the time is over": (
        Coordinator,
        "search",
        "and left > 0 else _WAIT_SECONDS",
        "else 0",
    ),
    "what rounds found is kept for ever": (Rounds, "take", "self._reports.pop(", "self._reports.get("),
    "in one process the first report of a round is the only one": (
        InlineEngine,
        "collect",
        "return list(reports)",
        "return list(reports[:1])",
    ),
    "renamed before it is on the disk": (files, "write_whole", "disk.sync(file)", "pass"),
    "what is damaged counts as kept": (
        checkpoint.CheckpointDirectory,
        "_make_room",
        "if file not in self.damaged]",
        "]",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_mistake_is_found(name: str, sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, function, old, new = PLANTED[name]
    source = textwrap.dedent(inspect.getsource(getattr(owner, function)))
    assert source.count(old) == 1 or function == "_commit", "the mistake cannot be planted: mend this test"
    made: dict[str, object] = {}
    exec(compile(source.replace(old, new), "planted", "exec"), getattr(owner, function).__globals__, made)
    monkeypatch.setattr(owner, function, made[function])
    found = next(
        (swept.failed[0] for swept in sweep.sweep(70 if "damaged" in name else 1, MOST) if swept.failed), None
    )
    assert found


def test_the_command_tells_a_sweep_and_one_schedule(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulating, "Sweep", lambda: sweep)
    text = azgen("simulate", "--schedules", 3, "--seed", 5)
    assert "3 schedules" in text and "Every invariant holds in all of them." in text
    assert json.loads(azgen("simulate", "--schedules", 3, "--seed", 5, "--json"))["schedules"] == 3
    assert azgen("simulate", "--seed", 5).endswith("Every invariant holds.\n")
    monkeypatch.setattr(Coordinator, "_lost", lambda self, lost: "")
    result = CliRunner().invoke(app, ["simulate", "--schedules", "5", "--seed", "1"])
    assert result.exit_code == 1 and re.search(r"azgen simulate --seed \d", result.stdout)
