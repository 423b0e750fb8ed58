"""The stream: a snapshot, then every change, to everybody, without a gap."""

import asyncio
import threading
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from desktop.domain.errors import StorageError
from desktop.server import hub as hubs
from desktop.server import snapshots, stream
from desktop.server.hub import Hub, Subscriber
from desktop.server.snapshots import Snapshot, Snapshots
from desktop.server.station import Station
from desktop.server.writer import Command
from tests.server.house import MINUTE, Clock, House, assigned, running_house
from tests.server.listening import listening


def test_it_begins_with_the_open_incidents_and_who_is_on_call(house: House) -> None:
    house.enqueue(key="open")
    house.enqueue(key="done")
    house.put("2", status="resolved")
    with listening(house.url, house.tokens["ben"]) as listener:
        name, number, snapshot = listener.next()
    assert (name, number) == ("snapshot", snapshot["version"])
    assert snapshot["me"]["id"] == "ben"
    assert snapshot["server_time"] == "2026-01-07T18:00:00Z"
    assert [i["incident_key"] for i in snapshot["incidents"]] == ["open"]
    assert {o["user"]["name"] for o in snapshot["oncalls"]} == {"Ana Ruiz", "Ben Okafor", "Cho Lee", "Duty director"}


def test_each_change_brings_the_whole_incident(house: House) -> None:
    house.tick()  # the first look at the shifts
    with listening(house.url, house.tokens["ana"]) as listener:
        start = listener.next()[2]["version"]
        house.enqueue(key="k", severity="critical")
        seen = [listener.next()]
        house.tick(15 * MINUTE)
        seen.append(listener.next())
        for status in ("acknowledged", "resolved"):
            house.put("1", status=status)
            seen.append(listener.next())
    assert [name for name, _, _ in seen] == ["incident"] * 4
    assert [number for _, number, _ in seen] == [start + n for n in range(1, 5)]
    assert [(i["status"], len(assigned(i)), i["watchbell"]["version"]) for _, _, i in seen] == [
        ("triggered", 1, start + 1),
        ("triggered", 2, start + 2),
        ("acknowledged", 2, start + 3),
        ("resolved", 0, start + 4),
    ]
    assert seen[2][2] == house.incident("k") | {
        name: seen[2][2][name]
        for name in ("status", "assignments", "acknowledgements", "pending_actions", "resolved_at", "watchbell",
                     "alert_counts")
    }  # fmt: skip


def test_an_ordinary_repeat_wakes_nobody_but_is_told(house: House) -> None:
    house.enqueue(key="k")
    with listening(house.url, house.tokens["ana"]) as listener:
        pages = listener.next()[2]["incidents"][0]["watchbell"]["pages"]
        house.enqueue(key="k")
        assert listener.next()[2]["watchbell"]["pages"] == pages
        # An acknowledgement that changes nothing is no change.
        house.put("1", status="acknowledged")
        assert listener.next()[2]["status"] == "acknowledged"
        house.put("1", status="acknowledged")
        house.put("1", status="resolved")
        assert listener.next()[2]["status"] == "resolved"


def test_everybody_hears_the_same(house: House) -> None:
    with ExitStack() as stack:
        listeners = [stack.enter_context(listening(house.url, house.tokens[p])) for p in ("ana", "ben", "cho") * 5]
        for listener in listeners:
            listener.next()
        house.enqueue(key="k")
        heard = [listener.next() for listener in listeners]
        assert all(event == heard[0] for event in heard)
        assert house.server.hub.streams == 15


def test_a_shift_that_changes_is_told(tmp_path: Path) -> None:
    clock = Clock(datetime(2026, 1, 12, 16, 59, tzinfo=UTC))
    with running_house(tmp_path, clock=clock) as house:
        house.tick()
        with listening(house.url, house.tokens["ana"]) as listener:
            listener.next()
            house.tick(MINUTE)
            name, _, data = listener.next()
    assert name == "oncalls"
    primary = next(o for o in data["oncalls"] if (o["schedule"] or {}).get("id") == "primary")
    assert (primary["user"]["id"], primary["start"]) == ("ben", "2026-01-12T17:00:00Z")


def test_nothing_falls_between_snapshot_and_changes(house: House) -> None:
    """Clients that come while triggers pour in: snapshot and events together are everything, whenever they came."""
    total, stop = 60, threading.Event()

    def pour() -> None:
        for n in range(total):
            house.enqueue(key=f"k{n}")
        stop.set()

    pouring = threading.Thread(target=pour)
    pouring.start()
    try:
        while not stop.is_set():
            with listening(house.url, house.tokens["ana"]) as listener:
                known = {i["incident_key"] for i in listener.next()[2]["incidents"]}
                last = f"k{min(len(known) + 20, total) - 1}"
                while last not in known:
                    known.add(listener.next()[2]["incident_key"])
                assert known == {f"k{n}" for n in range(len(known))}
    finally:
        pouring.join()


def test_it_beats_while_nothing_happens(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "HEARTBEAT_SECONDS", 0.05)
    with listening(house.url, house.tokens["ana"]) as listener:
        listener.next()
        assert listener.next() == ("", None, {})
        house.enqueue(key="k")
        while (event := listener.next())[0] == "":
            pass
        assert event[0] == "incident"


def test_a_client_that_hangs_up_is_forgotten(house: House) -> None:
    gone = threading.Event()
    remove = house.server.hub.remove

    def watch(subscriber: Subscriber) -> None:
        remove(subscriber)
        gone.set()

    house.server.hub.remove = watch  # type: ignore[method-assign]
    with listening(house.url, house.tokens["ana"]) as listener:
        listener.next()
    assert gone.wait(10)
    assert house.server.hub.streams == 0


def test_the_end_of_the_server_ends_the_streams(house: House) -> None:
    with listening(house.url, house.tokens["ana"]) as listener:
        listener.next()
        house.server.hub.close()
        assert listener.ended()
    with listening(house.url, house.tokens["ana"]) as late:
        assert late.ended()


class TestSnapshots:
    def test_those_who_come_together_share_one_look(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        house.enqueue(key="k")
        look = Mock(side_effect=snapshots._look)
        monkeypatch.setattr(snapshots, "_look", look)

        async def together() -> list[Snapshot]:
            source = Snapshots(house.server.station)
            return await asyncio.gather(*(source.take() for _ in range(50)))

        found = asyncio.run(together())
        assert look.call_count == 1
        assert {s.version for s in found} == {house.incident("k")["watchbell"]["version"]}

    def test_who_comes_during_a_look_gets_the_next_one(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        """What changes after a look began and before somebody was registered would else be missed by them."""
        looks, look = [], snapshots._look
        begun, go_on = threading.Event(), threading.Event()

        def slow(station: Station) -> Snapshot:
            found = look(station)
            looks.append(found)
            begun.set()
            assert go_on.wait(10)
            return found

        monkeypatch.setattr(snapshots, "_look", slow)

        async def one_after_the_other() -> tuple[Snapshot, Snapshot]:
            source = Snapshots(house.server.station)
            first = asyncio.create_task(source.take())
            assert await asyncio.to_thread(begun.wait, 10)
            await asyncio.to_thread(house.enqueue, key="late")
            second = asyncio.create_task(source.take())
            await asyncio.sleep(0)
            go_on.set()
            return await first, await second

        first, second = asyncio.run(one_after_the_other())
        assert len(looks) == 2
        assert ('"late"' in first.content, '"late"' in second.content) == (False, True)

    def test_when_nothing_can_be_read_it_says_so(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(station: Station) -> Snapshot:
            raise StorageError("the database failed: gone")

        monkeypatch.setattr(snapshots, "_look", broken)
        response = house.call("GET", "/watchbell/v1/stream")
        assert response.status_code == 503
        assert response.json()["error"]["errors"] == ["the database failed: gone"]
        monkeypatch.undo()
        with listening(house.url, house.tokens["ana"]) as listener:
            assert listener.next()[0] == "snapshot"


class TestFallingBehind:
    def test_what_does_not_fit_ends_the_stream(self) -> None:
        async def fill(events: int) -> tuple[bool, bool, int]:
            subscriber = Subscriber()
            for version in range(1, events + 1):
                subscriber.put(version, b"x")
            return subscriber.overflowed, subscriber.ended, len(await subscriber.take())

        assert asyncio.run(fill(hubs.QUEUE_LIMIT)) == (False, False, hubs.QUEUE_LIMIT)
        assert asyncio.run(fill(hubs.QUEUE_LIMIT + 1)) == (True, True, 0)
        assert asyncio.run(fill(hubs.QUEUE_LIMIT + 2)) == (True, True, 0)

    def test_events_older_than_the_snapshot_are_left_out(self) -> None:
        async def follow() -> list[bytes]:
            subscriber, sent = Subscriber(), []

            async def send(message: Any) -> None:
                sent.append(message["body"])

            for version in (1, 5, 0, 6):
                subscriber.put(version, str(version).encode())
            following = asyncio.create_task(stream._follow(subscriber, send, 5))
            while not sent:  # noqa: ASYNC110
                await asyncio.sleep(0)  # each lets the other task take a step
            subscriber.end()
            await following
            return sent

        assert asyncio.run(follow()) == [b"06"]

    def test_a_client_that_takes_nothing_is_cut_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stream, "SEND_SECONDS", 0.01)

        async def stuck(_: Any) -> None:
            await asyncio.Event().wait()

        async def body() -> None:
            await stream._body(stuck, b"x")

        with pytest.raises(TimeoutError):
            asyncio.run(body())


def test_publishing_without_a_loop_is_quiet() -> None:
    hub = Hub()
    hub.publish([])
    hub.publish_oncalls()
    hub.close()
    assert hub.streams == 0


def test_snapshot_times_follow_the_clock(house: House) -> None:
    house.clock.forward(timedelta(microseconds=1))
    with listening(house.url, house.tokens["ana"]) as listener:
        assert listener.next()[2]["server_time"] == "2026-01-07T18:00:00.000001Z"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_while_nothing_can_be_written_there_is_no_stream_that_looks_calm(house: House) -> None:
    def limit_pages(to: int) -> Command[int]:
        return lambda work: work.connection.exec_driver_sql(f"PRAGMA max_page_count={to}").scalar_one()

    with listening(house.url, house.tokens["ana"]) as stream:
        stream.next()
        house.server.writer.run(limit_pages(1))
        refused = house.call("POST", "/v2/enqueue", house.event(summary="x" * 300_000), person="")
        assert refused.status_code == 503
        assert stream.ended()
    assert house.call("GET", "/readyz", person="").json()["writer"] is False
    house.server.writer.run(limit_pages(1_000_000))
    house.server.writer.trouble = "as before anybody tried again"
    # The next stream finds out by trying that all is well again.
    with listening(house.url, house.tokens["ana"]) as stream:
        assert stream.next()[0] == "snapshot"
    assert house.call("GET", "/readyz", person="").json()["writer"] is True


def test_a_stream_is_refused_while_trying_again_fails(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.server.writer.trouble = "the database failed: disk full"

    def fails(_: object) -> None:
        raise StorageError("the database failed: disk full")

    monkeypatch.setattr(house.server.writer, "run", fails)
    answer = house.call("GET", "/watchbell/v1/stream")
    assert answer.status_code == 503
    assert "disk full" in answer.text
