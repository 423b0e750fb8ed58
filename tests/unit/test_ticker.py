import queue
from datetime import timedelta

import pytest

from desktop.sync import ticker as ticker_module
from desktop.sync.ticker import Ticker
from tests.fakes.backend import T0


def test_it_ticks_and_stops() -> None:
    ticks: queue.Queue[bool] = queue.Queue()
    ticker = Ticker(ticks.put, lambda: T0)
    ticker.hurry(True)
    ticker.start()
    assert ticks.get(timeout=10) is False
    ticker.stop()
    ticker.stop()


def test_stopping_what_never_started_is_nothing() -> None:
    Ticker(lambda _: None, lambda: T0).stop()


@pytest.mark.parametrize(
    ("passed", "jumped"),
    [
        (timedelta(seconds=15), False),
        (timedelta(seconds=30), False),
        (timedelta(hours=8), True),
        (-timedelta(hours=1), True),
    ],
)
def test_sleep_and_a_set_clock_are_told_from_a_late_tick(passed: timedelta, jumped: bool) -> None:
    now = [T0]
    told: list[bool] = []
    ticker = Ticker(told.append, lambda: now[0])
    ticker._run()
    now[0] += passed
    ticker._run()
    assert told == [False, jumped]


def test_time_is_lost_from_the_jump_on_until_the_tick_after_the_one_that_found_it() -> None:
    now = [T0]
    ticker = Ticker(lambda _: None, lambda: now[0])
    assert not ticker.lost_time()
    ticker._run()
    now[0] += timedelta(seconds=30)
    assert not ticker.lost_time()
    now[0] += timedelta(hours=8)
    assert ticker.lost_time()
    ticker._run()
    assert ticker.lost_time()
    now[0] += timedelta(seconds=15)
    ticker._run()
    assert not ticker.lost_time()


def test_a_change_of_pace_is_no_jump(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticker_module, "GAP", timedelta(seconds=1))
    now = [T0]
    told: list[bool] = []
    ticker = Ticker(told.append, lambda: now[0])
    ticker._run()
    ticker.hurry(True)
    now[0] += timedelta(seconds=1.5)
    ticker._run()
    assert told == [False, False]


@pytest.mark.parametrize("passed", [timedelta(hours=8), -timedelta(hours=1)])
@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_a_jump_is_found_though_the_pace_changes_at_that_time(passed: timedelta, first: bool) -> None:
    now = [T0]
    told: list[bool] = []
    ticker = Ticker(told.append, lambda: now[0])
    ticker._run()
    if first:
        ticker.hurry(True)
    now[0] += passed
    if not first:
        # What came just before the machine slept is shown before the first tick.
        ticker.hurry(True)
    ticker._run()
    ticker._run()
    assert told == [False, True, False]
