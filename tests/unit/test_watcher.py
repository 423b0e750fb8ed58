from collections.abc import Iterator
from dataclasses import replace

import pytest

from desktop.domain.attention import ConnectionState, Contact
from desktop.domain.errors import Unauthorized
from desktop.domain.incident import Status
from desktop.sync.changes import with_incident
from desktop.sync.keeper import Keeper
from desktop.sync.pace import Pace
from desktop.sync.watcher import Watcher
from tests.fakes.backend import T0, FakeBackend, FakeServer, incident
from tests.unit.test_outbox import Screen


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def watcher(server: FakeServer, screen: Screen) -> Iterator[Watcher]:
    keeper = Keeper(ConnectionState("one", "Server", Contact.CONNECTING, T0), screen.publish)
    pace = Pace(on_call=(0.01, 0.01), first=0.001, most=0.001)
    watcher = Watcher(keeper, lambda: FakeBackend(server), lambda: T0, pace)
    yield watcher
    watcher.stop()
    watcher.join(10)
    assert not watcher.is_alive()


def live(state: ConnectionState) -> bool:
    return state.contact is Contact.LIVE


def status(state: ConnectionState) -> Status | None:
    return state.snapshot.incidents[0].status if state.snapshot and state.snapshot.incidents else None


def test_it_follows_the_stream(server: FakeServer, screen: Screen, watcher: Watcher) -> None:
    watcher.start()
    screen.await_state(live)
    server.put(incident())
    screen.await_state(lambda s: status(s) is Status.TRIGGERED)
    FakeBackend(server).acknowledge("I1")
    screen.await_state(lambda s: status(s) is Status.ACKNOWLEDGED)
    FakeBackend(server).resolve("I1")
    screen.await_state(lambda s: status(s) is Status.RESOLVED)


def test_a_cut_is_told_with_its_reason_and_healed(server: FakeServer, screen: Screen, watcher: Watcher) -> None:
    watcher.start()
    screen.await_state(live)
    server.put(incident())
    screen.await_state(lambda s: status(s) is Status.TRIGGERED)
    screen.states.clear()
    # What happens while nobody listens is known after the next contact.
    with server.lock:
        server.cut()
        server.incidents["I1"] = replace(server.incidents["I1"], status=Status.ACKNOWLEDGED, version=9)
    lost = screen.await_state(lambda s: s.contact is Contact.LOST)
    assert lost.trouble == "the wire is cut"
    assert status(lost) is Status.TRIGGERED
    screen.await_state(lambda s: live(s) and status(s) is Status.ACKNOWLEDGED and s.trouble == "")


def test_an_unknown_token_is_told_and_tried_again(server: FakeServer, screen: Screen, watcher: Watcher) -> None:
    server.fail = [Unauthorized("the token is not accepted")]
    watcher.start()
    assert screen.await_state(lambda s: s.contact is Contact.LOST).trouble == "the token is not accepted"
    screen.await_state(live)


def test_without_a_stream_it_polls(server: FakeServer, screen: Screen, watcher: Watcher) -> None:
    server.has_stream = False
    watcher.start()
    screen.await_state(live)
    server.incidents["I1"] = incident()
    screen.await_state(lambda s: status(s) is Status.TRIGGERED)
    assert sum(call[0] == "stream" for call in server.calls) == 1


def test_resync_fetches_everything_anew(server: FakeServer, screen: Screen, watcher: Watcher) -> None:
    watcher.start()
    screen.await_state(live)
    assert server.connected.wait(10)
    with server.lock:
        server.incidents["I1"] = incident()
    watcher.resync()
    screen.await_state(lambda s: status(s) is Status.TRIGGERED)


def test_a_fault_of_ours_looks_like_lost_contact(screen: Screen, server: FakeServer, watcher: Watcher) -> None:
    def broken() -> FakeBackend:
        raise RuntimeError("a bug")

    watcher._connect = broken
    watcher.start()
    assert "internal error" in screen.await_state(lambda s: s.contact is Contact.LOST).trouble


def test_an_older_version_never_replaces_a_newer_one(server: FakeServer, screen: Screen, watcher: Watcher) -> None:
    watcher.start()
    server.put(incident())
    state = screen.await_state(lambda s: status(s) is Status.TRIGGERED)
    newer = with_incident(state, incident(status=Status.ACKNOWLEDGED, version=5))
    assert with_incident(newer, incident(version=4)) is newer
