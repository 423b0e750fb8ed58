"""When a connection without a stream is looked at, and by which clock: countdowns, commands, waking up."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from desktop.backends.pagerduty.client import Patience
from desktop.domain.attention import Command, ConnectionState
from desktop.domain.incident import Status
from desktop.sync.pace import Pace
from desktop.system.clock import utc_now
from tests.faults.backend import misbehaving as how
from tests.faults.backend.account import Account, encode
from tests.faults.backend.server import STREAM, Exchange, FaultyServer, Misbehave
from tests.faults.backend.watching import find, live, shows, watched

INCIDENTS = "/incidents"
# Nothing happens by itself within any test.
SELDOM = Pace(on_call=(600.0, 600.0), off_call=(600.0, 600.0), first=0.01, most=0.05)
HOUR = timedelta(hours=1)


@pytest.fixture(params=["stream", "polling"])
def either(request: pytest.FixtureRequest) -> Iterator[FaultyServer]:
    server = FaultyServer(Account(ours=request.param == "stream"))
    yield server
    server.stop()


@pytest.fixture
def pagerduty() -> Iterator[FaultyServer]:
    server = FaultyServer(Account(ours=False))
    yield server
    server.stop()


def test_it_looks_at_once_when_a_command_was_answered(pagerduty: FaultyServer, tmp_path: Path) -> None:
    first = pagerduty.account.trigger("Disk full")
    with watched(pagerduty, tmp_path, SELDOM) as seen:
        seen.until(shows(first))
        looks = pagerduty.count(INCIDENTS)
        seen.live.submit(first, Command.ACKNOWLEDGE)
        pagerduty.await_asked(INCIDENTS, looks + 1)
        seen.now(shows(first, Status.ACKNOWLEDGED))


def test_it_looks_at_once_when_asked_to(pagerduty: FaultyServer, tmp_path: Path) -> None:
    with watched(pagerduty, tmp_path, SELDOM) as seen:
        seen.until(live)
        meanwhile = pagerduty.account.trigger("While it slept")
        seen.live.resync()
        seen.until(shows(meanwhile))
        assert all(live(s) for s in seen.states if s.snapshot is not None)


@pytest.mark.parametrize("ahead", [timedelta(0), HOUR, -HOUR])
def test_it_looks_when_a_countdown_reaches_zero_by_the_servers_clock(
    pagerduty: FaultyServer, tmp_path: Path, ahead: timedelta
) -> None:
    account = pagerduty.account
    account.ahead = ahead
    first = account.trigger("Disk full")
    account.due(first, account.now() + timedelta(seconds=2))
    with watched(pagerduty, tmp_path, SELDOM) as seen:
        seen.until(shows(first))
        # It escalates in time, so that there is something to see.
        account.escalate(first, "ben")
        seen.until(lambda s: (it := find(s, first)) is not None and len(it.assignees) == 2)


@pytest.mark.parametrize("ahead", [HOUR, -HOUR, timedelta(0)])
def test_a_local_clock_that_is_an_hour_off_is_known_to_be(
    either: FaultyServer, tmp_path: Path, ahead: timedelta
) -> None:
    either.account.ahead = ahead
    first = either.account.trigger("Disk full")
    with watched(either, tmp_path) as seen:
        told = seen.until(shows(first))
        assert abs(told.offset - ahead) < timedelta(seconds=1.5)
        it = find(told, first)
        assert it is not None
        assert it.escalates_at is not None
        left = it.escalates_at - (utc_now() + told.offset)
        assert timedelta(minutes=14) < left < timedelta(minutes=15, seconds=2)


def test_what_came_late_does_not_move_the_clock(tmp_path: Path) -> None:
    server = FaultyServer()

    def late(exchange: Exchange) -> None:
        snapshot = encode("snapshot", server.account.snapshot(), server.account.version)
        exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        exchange.wait(0.6)
        exchange.raw(snapshot)
        exchange.hold()

    try:
        with watched(server, tmp_path) as seen:
            first = seen.until(live)
            with server.account.untold():
                meanwhile = server.account.trigger("Meanwhile")
            with server.broken(late, STREAM):
                mark = seen.mark()
                seen.live.resync()
                told = seen.until(shows(meanwhile), mark)
            assert abs(told.offset - first.offset) < timedelta(seconds=0.25)
    finally:
        server.stop()


def test_a_clock_that_jumps_is_noticed_at_the_next_look(either: FaultyServer, tmp_path: Path) -> None:
    def jumped(state: ConnectionState) -> bool:
        return live(state) and abs(state.offset - HOUR) < timedelta(seconds=1.5)

    with watched(either, tmp_path) as seen:
        seen.until(live)
        either.account.ahead = HOUR
        seen.live.resync()
        seen.until(jumped)


def test_one_request_is_under_way_at_a_time(pagerduty: FaultyServer, tmp_path: Path) -> None:
    with watched(pagerduty, tmp_path) as seen:
        seen.until(live)
        for _ in range(20):
            seen.live.resync()
        pagerduty.await_asked(INCIDENTS, 8)
        seen.now(live)
    assert pagerduty.count(STREAM) == 1
    assert pagerduty.most_at_once == 1


@pytest.mark.parametrize("fault", [how.silent, how.half_open, how.drip], ids=["silent", "half open", "dripping"])
def test_whoever_wants_everything_anew_waits_for_no_answer_that_hangs(
    pagerduty: FaultyServer, tmp_path: Path, fault: Misbehave
) -> None:
    with watched(pagerduty, tmp_path, SELDOM, Patience(read=600.0, answer=600.0)) as seen:
        seen.until(live)
        with pagerduty.broken(fault, INCIDENTS, times=1) as broken:
            seen.live.resync()
            assert broken.met.wait(20)
            meanwhile = pagerduty.account.trigger("Meanwhile")
            seen.live.resync()
            seen.until(shows(meanwhile))
        # That was no lost contact: nobody but us hung up.
        assert all(live(s) for s in seen.states if s.snapshot is not None)
