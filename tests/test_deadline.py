"""Work that does not keep anybody waiting."""

from __future__ import annotations

import threading

import pytest

from azgen.caller import is_command_line, on_command_line
from azgen.deadline import NEVER, BusyDeadline, Deadline, Overdue, Pace, aside, work_goes_on


def test_work_aside_gives_its_result_or_raises_what_it_raises() -> None:
    with on_command_line():
        assert aside(is_command_line)  # messages speak the caller's language there too
    with pytest.raises(ZeroDivisionError):
        aside(lambda: 1 // 0)


def test_work_that_does_not_end_is_not_waited_for() -> None:
    stuck = threading.Event()
    with pytest.raises(Overdue):
        aside(lambda: stuck.wait(60), lambda: True)
    assert work_goes_on()
    stuck.set()


def test_a_busy_machine_has_its_processor_time() -> None:
    assert not NEVER.passed() and Deadline(0.0).passed()
    assert not BusyDeadline(0.0, 1e6).passed() and not BusyDeadline(1e6, 0.0).passed()
    assert BusyDeadline(0.0, 0.0).passed()
    endless = Deadline(1e6)
    endless.end()
    assert endless.passed()


def test_the_last_fifth_of_a_limit_is_for_closing() -> None:
    assert Pace().closing == 0.0 and Pace().until(0.5).left == float("inf")
    assert Pace(10.0).closing == 2.0 and Pace(3600.0).closing == 30.0
    assert 0.0 < Pace(3600.0).until(0.5).left <= 1800.0
