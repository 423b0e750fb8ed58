import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from desktop.backends.base import Alive, FullState, IncidentChanged
from desktop.domain.attention import Command, ConnectionState, Contact, Sound, Tray, attention, in_contact
from desktop.domain.errors import BackendError, RateLimited, Unauthorized, Unreachable
from desktop.domain.incident import Incident, Person, Snapshot, Status
from desktop.sync import changes
from desktop.sync.changes import with_incident
from desktop.sync.gone import PAUSE, Gone
from desktop.sync.keeper import Keeper
from desktop.sync.pace import Pace
from desktop.sync.watcher import Watcher
from tests.fakes.backend import ANA, T0, FakeBackend, FakeServer, incident
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


class TestWhatIsNotAmongTheOpenOnesAnyMore:
    @pytest.mark.parametrize("stream", [True, False])
    def test_it_is_asked_for_and_told_as_what_it_is(
        self, server: FakeServer, screen: Screen, watcher: Watcher, stream: bool
    ) -> None:
        server.has_stream = stream
        server.put(incident())
        watcher.start()
        screen.await_state(lambda s: status(s) is Status.TRIGGERED)
        with server.lock:
            # Behind the back of every stream.
            server.incidents["I1"] = replace(server.incidents["I1"], status=Status.RESOLVED, resolved_by=ANA, version=9)
        watcher.resync()
        state = screen.await_state(lambda s: status(s) is Status.RESOLVED)
        assert state.snapshot is not None
        assert state.snapshot.incidents[0].resolved_by == ANA

    def test_one_that_nobody_knows_any_more_keeps_nobody_from_the_news(
        self, server: FakeServer, screen: Screen, watcher: Watcher
    ) -> None:
        server.put(incident("I1"))
        watcher.start()
        screen.await_state(lambda s: status(s) is Status.TRIGGERED)
        with server.lock:
            del server.incidents["I1"]
            server.incidents["I2"] = incident("I2")
        watcher.resync()
        screen.await_state(lambda s: s.snapshot is not None and [i.id for i in s.snapshot.incidents] == ["I2"])

    def test_of_very_many_only_some_are_asked_for(self) -> None:
        state = ConnectionState("one", "Server", Contact.LIVE, T0, FakeServer().snapshot())
        assert state.snapshot is not None
        others = replace(incident("other"), assignees=())
        over = replace(incident("b"), status=Status.RESOLVED)
        known = replace(state.snapshot, incidents=(incident("a"), over, others, incident("c")))
        new = replace(known, incidents=(incident("c"),))
        assert changes.missing(replace(state, snapshot=known), new) == ("a",)
        assert changes.missing(replace(state, snapshot=None), new) == ()


class Slow(FakeBackend):
    """Answers what became of an incident only when it is let go, or with an error."""

    def __init__(self, server: FakeServer) -> None:
        super().__init__(server)
        self.let_go = threading.Event()
        self.error: BackendError | None = None
        self.asked: list[str] = []

    def incident(self, incident_id: str) -> Incident:
        self.asked.append(incident_id)
        if self.error is not None:
            raise self.error
        self.let_go.wait(20)
        return super().incident(incident_id)


class TestWhatIsOverDoesNotHoldUpWhatIsOpen:
    @pytest.fixture
    def slow(self, server: FakeServer) -> Slow:
        server.has_stream = False
        return Slow(server)

    @pytest.fixture
    def polling(self, slow: Slow, screen: Screen) -> Iterator[Watcher]:
        keeper = Keeper(ConnectionState("one", "Server", Contact.CONNECTING, T0), screen.publish)
        watcher = Watcher(keeper, lambda: slow, lambda: T0, Pace(on_call=(0.01, 0.01), first=0.001, most=0.001))
        yield watcher
        slow.let_go.set()
        watcher.stop()
        watcher.join(10)

    def over(self, server: FakeServer, count: int) -> None:
        with server.lock:
            for name in [f"I{n}" for n in range(count)]:
                server.incidents[name] = replace(server.incidents[name], status=Status.RESOLVED, version=9)

    def test_a_new_page_is_shown_before_any_of_it_is_answered(
        self, server: FakeServer, screen: Screen, slow: Slow, polling: Watcher
    ) -> None:
        for n in range(25):
            server.put(incident(f"I{n}"))
        polling.start()
        screen.await_state(lambda s: s.snapshot is not None and len(s.snapshot.incidents) == 25)
        with server.lock:
            self.over(server, 25)
            server.incidents["new"] = incident("new")
        shown = screen.await_state(
            lambda s: s.snapshot is not None and any(i.id == "new" for i in s.snapshot.incidents)
        )
        assert shown.snapshot is not None
        assert [i.id for i in shown.snapshot.incidents] == ["new"]
        slow.let_go.set()
        # All of them are told in the end, also those for which there was no time at once.
        screen.await_state(
            lambda s: s.snapshot is not None and any(i.id == "I24" and not i.open for i in s.snapshot.incidents)
        )
        assert {f"I{n}" for n in range(25)} <= set(slow.asked)

    def test_who_asks_for_fewer_requests_is_asked_no_more_and_answers_later(
        self, server: FakeServer, slow: Slow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = [1000.0]
        monkeypatch.setattr("desktop.sync.gone.time.monotonic", lambda: clock[0])
        slow.let_go.set()
        gone = Gone("Server")
        for n in range(3):
            server.put(incident(f"I{n}"))
        gone.note(["I0", "I1", "I2"], ())
        for error, wait in ((RateLimited("fewer, please", retry_after=300), 300.0), (Unreachable("cut"), PAUSE)):
            slow.error, slow.asked = error, []
            assert gone.ask(slow) == gone.ask(slow) == ()
            clock[0] += wait - 1
            assert gone.ask(slow) == ()
            # Once, however often something else happens meanwhile.
            assert slow.asked == ["I0"]
            clock[0] += 1
        slow.error = None
        assert [i.id for i in gone.ask(slow)] == ["I0", "I1", "I2"]


def test_whoever_wakes_does_not_wait_for_what_a_backend_asked_for_before(server: FakeServer, screen: Screen) -> None:
    server.has_stream = False
    keeper = Keeper(ConnectionState("one", "Server", Contact.CONNECTING, T0), screen.publish)
    watcher = Watcher(
        keeper, lambda: FakeBackend(server), lambda: T0, Pace(on_call=(0.01, 0.01), first=0.001, most=0.001)
    )
    server.fail = [RateLimited("fewer, please", retry_after=300)]
    watcher.start()
    screen.await_state(lambda s: s.contact is Contact.LOST)
    watcher.doubt()
    screen.await_state(live)
    watcher.stop()
    watcher.join(10)
    assert not watcher.is_alive()


class TestWhatIsSomebodyElsesNow:
    def left(self, state: ConnectionState, *incidents: Incident) -> tuple[str, ...]:
        """Return what has left as soon as everything is fetched, which is the same as when each is told of."""
        assert state.snapshot is not None
        fetched = changes.heard(state, FullState(replace(state.snapshot, incidents=incidents)), T0).left
        for one in incidents:
            state = changes.heard(state, IncidentChanged(one), T0)
        assert state.left == fetched
        return fetched

    def test_it_stays_known_until_it_comes_back_or_is_over(self) -> None:
        ben = (Person("ben", "Ben"),)
        snapshot = replace(FakeServer().snapshot(), incidents=(incident("I1"), incident("I2")))
        state = ConnectionState("one", "Server", Contact.LIVE, T0, snapshot)
        theirs = incident("I1", assignees=ben)
        assert self.left(state, theirs, incident("I2")) == ("I1",)
        assert self.left(state, replace(theirs, status=Status.ACKNOWLEDGED), incident("I2")) == ("I1",)
        assert self.left(state, incident("I1"), incident("I2"), incident("I3", assignees=ben)) == ()
        gone = changes.heard(state, IncidentChanged(theirs), T0)
        assert self.left(gone, theirs, incident("I2")) == ("I1",)
        assert self.left(gone, incident("I1"), incident("I2")) == ()
        assert self.left(gone, replace(theirs, status=Status.RESOLVED), incident("I2")) == ()
        many = tuple(incident(f"J{n:02}") for n in range(30))
        full = replace(state, snapshot=replace(snapshot, incidents=many))
        assert self.left(full, *(replace(i, assignees=ben) for i in many)) == tuple(i.id for i in many[-20:])


class TestDoubt:
    def test_what_is_known_is_old_until_the_backend_is_heard(
        self, server: FakeServer, screen: Screen, watcher: Watcher
    ) -> None:
        watcher.start()
        screen.await_state(live)
        before = len(screen.states)
        watcher.doubt()
        screen.await_state(lambda s: s in screen.states[before:] and live(s))
        contacts = [s.contact for s in screen.states[before:]]
        assert contacts[0] is Contact.CONNECTING
        assert screen.states[before].watched_since == T0
        assert screen.states[-1].watched_since is None
        assert sum(call == ("stream", "") for call in server.calls) == 2

    def test_after_the_clock_was_set_back_nothing_counts_from_the_future(self) -> None:
        earlier = T0 - timedelta(hours=1)
        state = ConnectionState("one", "Server", Contact.LIVE, T0, FakeServer().snapshot(), heard_at=T0)
        state = changes.sending(state, "I1", Command.ACKNOWLEDGE, T0)
        doubted = changes.doubted(state, earlier)
        assert (doubted.since, doubted.heard_at, doubted.watched_since) == (earlier, earlier, earlier)
        assert doubted.sending["I1"].since == earlier
        later = T0 + timedelta(hours=8)
        doubted = changes.doubted(state, later)
        assert (doubted.since, doubted.heard_at, doubted.watched_since) == (later, T0, later)
        assert doubted.sending["I1"].since == T0

    def test_contact_that_is_lost_just_then_is_missed_since_then(
        self, server: FakeServer, screen: Screen
    ) -> None:  # fmt: skip
        clock = [T0]
        keeper = Keeper(ConnectionState("one", "Server", Contact.CONNECTING, T0), screen.publish)
        pace = Pace(on_call=(0.01, 0.01), first=0.001, most=0.001)
        watcher = Watcher(keeper, lambda: FakeBackend(server), lambda: clock[0], pace)
        watcher.start()
        screen.await_state(live)
        clock[0] = earlier = T0 - timedelta(hours=1)
        server.fail = [Unauthorized("the token is not accepted")] * 100
        watcher.doubt()
        lost = screen.await_state(lambda s: s.contact is Contact.LOST)
        assert (lost.since, lost.heard_at) == (earlier, earlier)
        watcher.stop()
        watcher.join(10)

    def test_what_was_heard_before_and_is_noted_after_is_not_of_the_future(self) -> None:
        state = ConnectionState("one", "Server", Contact.LIVE, T0, FakeServer().snapshot(), heard_at=T0)
        assert changes.lost(state, "cut", T0 - timedelta(hours=1)).heard_at == T0 - timedelta(hours=1)
        assert changes.lost(state, "cut", T0 + timedelta(hours=1)).heard_at == T0

    def test_where_nothing_is_known_there_is_nothing_old(self) -> None:
        state = changes.doubted(ConnectionState("one", "Server", Contact.LOST, T0), T0 + timedelta(hours=8))
        assert (state.contact, state.since, state.watched_since) == (Contact.LOST, T0 + timedelta(hours=8), None)


def test_a_poll_that_tells_nothing_new_leaves_nothing_to_show_or_keep(server: FakeServer) -> None:
    server.put(incident())
    keeper = Keeper(ConnectionState("one", "Server", Contact.CONNECTING, T0), (screen := Screen()).publish)
    later = T0 + timedelta(seconds=10)
    first, second = server.snapshot(), replace(server.snapshot(), taken_at=later)
    for told, at in ((first, T0), (second, later)):
        keeper.change(lambda state, told=told, at=at: changes.heard(state, FullState(told), at))  # type: ignore[misc]
    assert keeper.state.snapshot is first
    assert keeper.state.heard_at == later
    assert len(screen.states) == 1
    keeper.change(lambda state: changes.heard(state, FullState(replace(second, incidents=())), later))
    assert len(screen.states) == 2


def test_that_the_backend_is_still_heard_is_told_before_contact_seems_lost(server: FakeServer) -> None:
    state = ConnectionState("one", "Server", Contact.LIVE, T0, server.snapshot(), heard_at=T0)
    keeper = Keeper(state, (screen := Screen()).publish)
    for second in range(0, 600, 10):
        at = T0 + timedelta(seconds=second)
        keeper.change(lambda state, at=at: changes.heard(state, Alive(), at))  # type: ignore[misc]
        assert in_contact((screen.states or [state])[-1], at)
    assert len(screen.states) == 29


def test_a_watcher_that_hangs_where_no_timeout_reaches_looks_like_lost_contact(server: FakeServer) -> None:
    reached, let_go = threading.Event(), threading.Event()

    class Hanging(FakeBackend):
        asked = 0

        def snapshot(self) -> Snapshot:
            self.asked += 1
            if self.asked > 1:
                reached.set()
                let_go.wait(30)
            return super().snapshot()

    server.has_stream = False
    backend = Hanging(server)
    keeper = Keeper(ConnectionState("one", "Server", Contact.CONNECTING, T0), (screen := Screen()).publish)
    watcher = Watcher(keeper, lambda: backend, lambda: T0, Pace(on_call=(0.01, 0.01), off_call=(0.01, 0.01)))
    watcher.start()
    assert reached.wait(10)
    shown = screen.states[-1]
    assert shown.contact is Contact.LIVE
    assert attention((shown,), T0 + timedelta(seconds=89)).tray is Tray.CALM
    decided = attention((shown,), T0 + timedelta(seconds=90))
    assert (decided.tray, decided.sound, [x.loud for x in decided.lost]) == (Tray.LOST, Sound.LOST, [True])
    let_go.set()
    watcher.stop()
    watcher.join(10)
