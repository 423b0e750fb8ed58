"""Streams that die, hang, bring rubbish, repeat themselves or leave something out."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from desktop.domain.incident import Status
from desktop.sync.pace import Pace
from tests.faults.backend import misbehaving as how
from tests.faults.backend.account import encode
from tests.faults.backend.server import STREAM, Exchange, FaultyServer, Misbehave
from tests.faults.backend.watching import find, live, lost, shows, watched

INCIDENTS = "/incidents"


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    server = FaultyServer()
    yield server
    server.stop()


def test_a_stream_that_falls_silent_half_open_is_not_trusted_and_nothing_is_missed(
    server: FaultyServer, tmp_path: Path
) -> None:
    with watched(server, tmp_path) as seen:
        seen.until(live)
        mark = seen.mark()
        with server.frozen():
            second = server.account.trigger("Meanwhile")
            assert find(seen.until(lost, mark), second) is None
            seen.until(shows(second), mark)
            # However often it is opened again: it is given up for polling, which sees what it does not tell.
            server.await_asked(INCIDENTS, 3)
            third = server.account.trigger("Later")
            seen.until(shows(third), mark)


NO_STREAM: dict[str, Misbehave] = {
    "does not begin": how.silent,
    "drips": how.dripping_stream,
    "ends at once": how.done_and_cut,
    "is a page": how.portal,
    "fails": how.status(502),
    "is not allowed": how.status(403),
    "is not there": how.status(404),
    "is rubbish": how.streaming(b"event: snapshot\ndata: {]\n\n"),
    "begins in the middle": how.streaming(encode("oncalls", {"oncalls": []}, 7)),
    "brings heartbeats only": how.streaming(*[b": heartbeat\n\n"] * 5),
}


@pytest.mark.parametrize("fault", NO_STREAM.values(), ids=NO_STREAM.keys())
def test_while_the_stream_alone_is_broken_polling_does(server: FaultyServer, tmp_path: Path, fault: Misbehave) -> None:
    first = server.account.trigger("Disk full")
    with server.broken(fault, STREAM), watched(server, tmp_path) as seen:
        seen.until(shows(first))
        mark = seen.mark()
        second = server.account.trigger("Meanwhile")
        seen.until(shows(second), mark)
        # The stream is given a rest: it is not asked for at every look.
        server.await_asked(INCIDENTS, server.count(INCIDENTS) + 3)
        assert server.count(STREAM) < server.count(INCIDENTS)


@pytest.mark.parametrize(
    "rubbish",
    [b"event: incident\ndata: {nonsense\n\n", encode("incident", []), encode("oncalls", {"oncalls": 3})],
    ids=["no JSON", "no object", "wrong types"],
)
def test_rubbish_in_a_stream_is_told_and_looked_past_and_the_stream_is_tried_again(
    server: FaultyServer, tmp_path: Path, rubbish: bytes
) -> None:
    first = server.account.trigger("Disk full")
    with watched(server, tmp_path) as seen:
        seen.until(shows(first))
        mark = seen.mark()
        with server.account.untold():
            second = server.account.trigger("Told by nobody")
        server.account.tell(rubbish)
        assert find(seen.until(lost, mark), second) is None
        seen.until(shows(second), mark)
        server.await_asked(STREAM, 2)
        seen.now(live)


def test_what_is_no_event_is_passed_over(server: FaultyServer, tmp_path: Path) -> None:
    with watched(server, tmp_path) as seen:
        seen.until(live)
        server.account.tell(b"\x00\xff\xfe nonsense\n\n: \xff\nretry: 7\n\nevent: unheard-of\ndata: ?\n\n")
        first = server.account.trigger("Disk full")
        seen.until(shows(first))
        assert not any(lost(s) for s in seen.states)
        assert server.count(STREAM) == 1


def test_an_event_without_end_is_cut_off(server: FaultyServer, tmp_path: Path) -> None:
    first = server.account.trigger("Disk full")
    snapshot = encode("snapshot", server.account.snapshot(), server.account.version)

    def endless(exchange: Exchange) -> None:
        exchange.raw(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + snapshot + b"event: incident\ndata: "
        )
        while not exchange.wait(0.02):
            exchange.raw(b"x")
        exchange.close()

    with server.broken(endless, STREAM), watched(server, tmp_path) as seen:
        seen.until(shows(first))
        second = server.account.trigger("Meanwhile")
        seen.until(lambda s: lost(s) and find(s, second) is None)
        seen.until(shows(second))


def test_a_gap_in_the_numbers_leads_to_one_look(server: FaultyServer, tmp_path: Path) -> None:
    with watched(server, tmp_path, Pace(on_call=(0.5, 0.5), first=0.01, most=0.05)) as seen:
        seen.until(live)
        with server.account.untold():
            missed = server.account.trigger("Told by nobody")
        told = [server.account.trigger("Told") for _ in range(3)]
        for incident in (missed, *told):
            seen.until(shows(incident))
        assert server.count(INCIDENTS) == 1
        assert server.count(STREAM) == 1
        assert not any(lost(s) for s in seen.states)


def test_servers_that_skip_numbers_by_right_are_not_asked_more_often_than_by_polling(
    server: FaultyServer, tmp_path: Path
) -> None:
    with watched(server, tmp_path, Pace(on_call=(0.5, 0.5), first=0.01, most=0.05)) as seen:
        seen.until(live)
        for _ in range(40):
            server.account.version += 2
            server.account.trigger("Told")
        seen.until(shows("Q00040"))
        # A look shows all of them: this one comes after what the stream had yet to tell.
        seen.until(shows(server.account.trigger("The last")))
        server.await_asked(INCIDENTS, 1)
        looks = [r.at for r in server.asked if r.path == INCIDENTS]
        assert all(later - earlier >= 0.5 for earlier, later in pairwise(looks))


def test_repeated_and_older_events_change_nothing(server: FaultyServer, tmp_path: Path) -> None:
    account = server.account
    with watched(server, tmp_path) as seen:
        seen.until(live)
        first = account.trigger("Disk full")
        triggered = account.event(first)
        account.acknowledge(first)
        seen.until(shows(first, Status.ACKNOWLEDGED))
        mark = seen.mark()
        for _ in range(3):
            account.tell(triggered)
            account.tell(account.event(first))
        last = account.trigger("The last")
        seen.until(shows(last), mark)
        assert all(it.status is Status.ACKNOWLEDGED for s in seen.since(mark) if (it := find(s, first)))


def test_an_old_event_brings_nothing_back_that_is_resolved(server: FaultyServer, tmp_path: Path) -> None:
    account = server.account
    with watched(server, tmp_path) as seen:
        seen.until(live)
        first = account.trigger("Disk full")
        triggered = account.event(first)
        account.resolve(first)
        seen.until(shows(first, Status.RESOLVED))
        # A new stream knows nothing of it any more.
        seen.live.resync()
        server.await_asked(STREAM, 2)
        mark = seen.mark()
        account.tell(triggered)
        last = account.trigger("The last")
        seen.until(shows(last), mark)
        assert all(find(s, first) is None or find(s, first).status is Status.RESOLVED for s in seen.since(mark))  # type: ignore[union-attr]


def test_events_in_the_wrong_order_end_in_the_right_state(server: FaultyServer, tmp_path: Path) -> None:
    account = server.account
    with watched(server, tmp_path) as seen:
        seen.until(live)
        with account.untold():
            first = account.trigger("Disk full")
            events = [account.event(first)]
            second = account.trigger("Network down")
            events.append(account.event(second))
            account.acknowledge(first)
            events.append(account.event(first))
        for event in reversed(events):
            account.tell(event)
        seen.until(lambda s: shows(first, Status.ACKNOWLEDGED)(s) and shows(second)(s))


def test_a_stream_that_ends_again_and_again_is_left_for_polling(server: FaultyServer, tmp_path: Path) -> None:
    snapshot = encode("snapshot", server.account.snapshot(), 0)

    def short(exchange: Exchange) -> None:
        exchange.raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + snapshot)
        exchange.reset()

    often = Pace(on_call=(0.05, 0.1), off_call=(0.05, 0.1), first=0.01, most=0.05, draw=lambda _, most: most)
    with server.broken(short, STREAM), watched(server, tmp_path, often) as seen:
        server.await_asked(INCIDENTS, 5)
        seen.now(live)
        assert server.count(STREAM) == often.short_streams


def test_nothing_is_asked_while_the_stream_does(server: FaultyServer, tmp_path: Path) -> None:
    with watched(server, tmp_path) as seen:
        for n in range(5):
            seen.until(shows(server.account.trigger(f"Page {n}")))
        assert [r.path for r in server.asked] == [STREAM]
