import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from desktop.domain.attention import Command, ConnectionState, Contact
from desktop.domain.clicks import Click
from desktop.domain.errors import BackendFault, Forbidden, Rejected, Unauthorized, Unreachable, WatchbellError
from desktop.domain.incident import Incident, Snapshot, Status
from desktop.sync import changes
from desktop.sync import outbox as outbox_module
from desktop.sync.backoff import Backoff
from desktop.sync.changes import with_incident
from desktop.sync.commands import Commands
from desktop.sync.keeper import Keeper
from desktop.sync.outbox import Outbox
from desktop.sync.turns import AT_ONCE
from tests.fakes.backend import ANA, ON_CALL, T0, FakeBackend, FakeServer, incident


class Screen:
    """What is published, to be awaited."""

    def __init__(self) -> None:
        self.states: list[ConnectionState] = []
        self._changed = threading.Condition()

    def publish(self, state: ConnectionState) -> None:
        with self._changed:
            self.states.append(state)
            self._changed.notify_all()

    def await_state(self, what: object, timeout: float = 10) -> ConnectionState:
        assert callable(what)
        with self._changed:
            assert self._changed.wait_for(lambda: any(what(s) for s in self.states), timeout), self.states
            return next(s for s in self.states if what(s))


@pytest.fixture
def server() -> FakeServer:
    server = FakeServer()
    server.put(incident("I1"))
    server.put(incident("I2"))
    return server


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "outbox.db"


def keeper_for(server: FakeServer, screen: Screen) -> Keeper:
    snapshot = Snapshot(ANA, tuple(server.incidents.values()), ON_CALL, T0)
    return Keeper(ConnectionState("one", "Server", Contact.LIVE, T0, snapshot), screen.publish)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "Backoff", lambda most: Backoff(first=0.001, most=0.001))


@pytest.fixture
def outbox(server: FakeServer, screen: Screen, path: Path) -> Iterator[Outbox]:
    outbox = Outbox(path, keeper_for(server, screen), lambda: FakeBackend(server), lambda: T0)
    outbox.start()
    yield outbox
    outbox.stop()
    outbox.join(10)
    assert not outbox.is_alive()


def stored(path: Path) -> list[str]:
    database = sqlite3.connect(path)
    try:
        return [row[0] for row in database.execute("SELECT incident FROM commands ORDER BY id")]
    finally:
        database.close()


def acknowledged(state: ConnectionState, incident_id: str = "I1") -> bool:
    assert state.snapshot is not None
    found = next(i for i in state.snapshot.incidents if i.id == incident_id)
    return found.status is Status.ACKNOWLEDGED and incident_id not in state.sending


def test_a_click_is_durable_before_it_shows_and_gone_when_confirmed(
    outbox: Outbox, screen: Screen, path: Path, server: FakeServer
) -> None:
    seen: list[list[str]] = []
    screen_publish = screen.publish

    def publish(state: ConnectionState) -> None:
        if state.sending:
            seen.append(stored(path))
        screen_publish(state)

    outbox._keeper._publish = publish
    outbox.submit("I1", Command.ACKNOWLEDGE)
    screen.await_state(acknowledged)
    assert seen == [["I1"]]
    assert server.incidents["I1"].status is Status.ACKNOWLEDGED


@pytest.mark.parametrize(
    "error", [Unreachable("cut"), BackendFault("500"), Unauthorized("revoked"), Forbidden("a portal, perhaps")]
)
def test_without_a_definite_answer_it_is_sent_again(
    outbox: Outbox, screen: Screen, server: FakeServer, error: WatchbellError
) -> None:
    server.fail = [error, error, error]
    outbox.submit("I1", Command.ACKNOWLEDGE)
    screen.await_state(acknowledged)
    # Whoever tries again looks first: the lost answer may have been a yes.
    assert sum(call == ("incident", "I1") for call in server.calls) == 5


def test_a_page_that_came_and_was_not_on_the_screen_yet_is_not_answered(
    outbox: Outbox, screen: Screen, server: FakeServer
) -> None:
    again = replace(server.incidents["I1"], pages=2, version=2)
    server.incidents["I1"] = again
    outbox._keeper.change(lambda state: with_incident(state, again))
    outbox.submit("I1", Command.ACKNOWLEDGE, 1)
    assert "paged again" in screen.await_state(lambda s: s.failed).failed["I1"]
    outbox.submit("I1", Command.ACKNOWLEDGE, 2)
    screen.await_state(acknowledged)


def test_a_refusal_is_told_and_not_repeated(outbox: Outbox, screen: Screen, server: FakeServer, path: Path) -> None:
    server.fail = [Rejected("you may not")]
    outbox.submit("I1", Command.ACKNOWLEDGE)
    state = screen.await_state(lambda s: s.failed)
    assert state.failed == {"I1": "you may not"}
    assert not state.sending
    outbox.submit("I2", Command.ACKNOWLEDGE)
    screen.await_state(lambda s: acknowledged(s, "I2"))
    assert server.incidents["I1"].status is Status.TRIGGERED


def test_what_waits_survives_the_end_and_goes_out_at_the_next_start(
    server: FakeServer, screen: Screen, path: Path
) -> None:
    server.fail = [Unreachable("cut")] * 10_000
    first = Outbox(path, keeper_for(server, screen), lambda: FakeBackend(server), lambda: T0)
    first.start()
    first.submit("I1", Command.ACKNOWLEDGE)
    screen.await_state(lambda s: s.sending)
    first.stop()
    first.join(10)
    assert stored(path) == ["I1"]

    server.fail = []
    later = Screen()
    second = Outbox(path, keeper_for(server, later), lambda: FakeBackend(server), lambda: T0)
    second.start()
    later.await_state(lambda s: s.sending)
    later.await_state(acknowledged)
    second.stop()
    second.join(10)
    assert stored(path) == []


def test_one_incident_in_trouble_does_not_hold_up_another(outbox: Outbox, screen: Screen, server: FakeServer) -> None:
    real = FakeBackend.acknowledge

    class Picky(FakeBackend):
        def acknowledge(self, incident_id: str) -> object:  # type: ignore[override]
            if incident_id == "I1":
                raise BackendFault("500")
            return real(self, incident_id)

    outbox._connect = lambda: Picky(server)  # type: ignore[assignment,return-value]
    outbox.submit("I1", Command.ACKNOWLEDGE)
    outbox.submit("I2", Command.ACKNOWLEDGE)
    state = screen.await_state(lambda s: acknowledged(s, "I2"))
    assert "I1" in state.sending


def test_the_same_click_twice_is_one_command(outbox: Outbox, screen: Screen, server: FakeServer) -> None:
    outbox.submit("I1", Command.ACKNOWLEDGE)
    outbox.submit("I1", Command.ACKNOWLEDGE)
    outbox.submit("I2", Command.ACKNOWLEDGE)
    screen.await_state(lambda s: acknowledged(s, "I1") and acknowledged(s, "I2"))
    assert server.incidents["I1"].version == 2


def test_without_a_place_to_write_the_click_still_goes_out(server: FakeServer, screen: Screen, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    outbox = Outbox(blocked / "outbox.db", keeper_for(server, screen), lambda: FakeBackend(server), lambda: T0)
    outbox.start()
    outbox.submit("I1", Command.ACKNOWLEDGE)
    screen.await_state(acknowledged)
    outbox.stop()
    outbox.join(10)


class TestWhatWaited:
    """What a crash, or a lost answer, left behind is looked at before it is sent."""

    def leave(self, path: Path, click: Click) -> None:
        commands = Commands(path, "one", lambda _: None)
        commands.add("I1", click)
        commands.close()

    def run(self, server: FakeServer, screen: Screen, path: Path, now: datetime) -> Outbox:
        outbox = Outbox(path, keeper_for(server, screen), lambda: FakeBackend(server), lambda: now)
        outbox.start()
        screen.await_state(lambda s: s.sending)
        screen.await_state(lambda s: s in screen.states[1:] and not s.sending)
        outbox.stop()
        outbox.join(10)
        assert stored(path) == []
        return outbox

    def test_it_is_sent_while_it_still_holds(self, server: FakeServer, screen: Screen, path: Path) -> None:
        server.put(incident("I1", pages=2))
        self.leave(path, Click(Command.ACKNOWLEDGE, T0, 2))
        self.run(server, screen, path, T0 + timedelta(hours=8))
        assert server.incidents["I1"].status is Status.ACKNOWLEDGED

    def test_it_is_not_taken_for_an_answer_to_a_page_that_came_after_it(
        self, server: FakeServer, screen: Screen, path: Path
    ) -> None:
        server.put(incident("I1", pages=3))
        self.leave(path, Click(Command.ACKNOWLEDGE, T0, 2))
        self.run(server, screen, path, T0)
        assert server.incidents["I1"].status is Status.TRIGGERED
        assert "it has paged again since" in screen.states[-1].failed["I1"]
        begun = next(n for n, state in enumerate(screen.states) if state.sending)
        # At no moment is it neither on its way nor told to be given up.
        assert all("I1" in {*state.sending, *state.failed} for state in screen.states[begun:])

    def test_a_click_that_waited_behind_others_is_looked_after_before_it_is_sent(
        self, server: FakeServer, screen: Screen, path: Path
    ) -> None:
        server.put(incident("I2", pages=1))
        server.fail = [Unreachable("cut")] * 100_000
        now = [T0]
        outbox = Outbox(path, keeper_for(server, screen), lambda: FakeBackend(server), lambda: now[0])
        outbox.start()
        outbox.submit("I1", Command.ACKNOWLEDGE)
        screen.await_state(lambda s: "I1" in s.sending)
        # All of it is tried in vain.
        outbox.submit("I2", Command.ACKNOWLEDGE)
        screen.await_state(lambda s: "I2" in s.sending)
        now[0] += timedelta(seconds=3)
        server.put(incident("I2", pages=2))
        server.fail = []
        state = screen.await_state(lambda s: "I2" in s.failed)
        outbox.stop()
        outbox.join(10)
        assert "it has paged again since" in state.failed["I2"]
        assert server.incidents["I2"].status is Status.TRIGGERED

    @pytest.mark.parametrize("durable", [True, False])
    def test_who_clicks_again_answers_the_page_that_came_meanwhile(
        self, server: FakeServer, screen: Screen, tmp_path: Path, durable: bool
    ) -> None:
        server.put(incident("I1", pages=1))
        server.fail = [Unreachable("cut")] * 100_000
        if not durable:
            (tmp_path / "data").write_text("not a folder")
        keeper = keeper_for(server, screen)
        outbox = Outbox(tmp_path / "data" / "outbox.db", keeper, lambda: FakeBackend(server), lambda: T0)
        outbox.start()
        outbox.submit("I1", Command.ACKNOWLEDGE)
        screen.await_state(lambda s: "I1" in s.sending)
        again = incident("I1", pages=2)
        server.put(again)
        keeper.change(lambda state: changes.with_incident(state, replace(again, version=9)))
        outbox._now = lambda: T0 + timedelta(seconds=3)
        outbox.submit("I1", Command.ACKNOWLEDGE)
        screen.await_state(lambda s: "I1" in s.sending and s.sending["I1"].since > T0)
        server.fail = []
        state = screen.await_state(lambda s: s.sending == {} and s is not screen.states[0])
        outbox.stop()
        outbox.join(10)
        assert not state.failed
        assert server.incidents["I1"].status is Status.ACKNOWLEDGED

    def test_what_arrived_is_not_sent_twice(self, server: FakeServer, screen: Screen, path: Path) -> None:
        FakeBackend(server).acknowledge("I1")
        version = server.incidents["I1"].version
        server.calls.clear()
        self.leave(path, Click(Command.ACKNOWLEDGE, T0, 0))
        self.run(server, screen, path, T0 + timedelta(hours=8))
        assert server.calls == [("incident", "I1")]
        assert server.incidents["I1"].version == version
        assert not screen.states[-1].failed

    def test_a_click_knows_which_page_it_answers(self, server: FakeServer, screen: Screen, path: Path) -> None:
        server.put(incident("I1", pages=7))
        server.fail = [Unreachable("cut")] * 10_000
        outbox = Outbox(path, keeper_for(server, screen), lambda: FakeBackend(server), lambda: T0)
        outbox.start()
        outbox.submit("I1", Command.ACKNOWLEDGE)
        screen.await_state(lambda s: s.sending)
        outbox.stop()
        outbox.join(10)
        commands = Commands(path, "one", lambda _: None)
        assert [w.click for w in commands.waiting()] == [Click(Command.ACKNOWLEDGE, T0, 7)]
        commands.close()


class TestTroubleOfItsOwn:
    """Whatever goes wrong with the store, or in the thread itself: it goes on, and says so."""

    def test_what_waits_in_a_store_that_cannot_be_opened_is_sent_when_it_can(
        self, server: FakeServer, screen: Screen, path: Path
    ) -> None:
        TestWhatWaited().leave(path, Click(Command.ACKNOWLEDGE, T0, 0))
        hidden = path.rename(path.with_name("hidden"))
        # A folder cannot be opened; and a link is replaced in one step, between which no new store is made.
        (path.parent / "folder").mkdir()
        path.symlink_to(path.parent / "folder")
        troubles: list[str] = []
        told = threading.Event()

        def trouble(reason: str) -> None:
            troubles.append(reason)
            if reason:
                told.set()

        keeper = keeper_for(server, screen)
        outbox = Outbox(path, keeper, lambda: FakeBackend(server), lambda: T0, trouble=trouble, retry=0.1)
        outbox.start()
        assert told.wait(10)
        hidden.replace(path)
        screen.await_state(lambda s: s.sending)
        screen.await_state(acknowledged)
        outbox.stop()
        outbox.join(10)
        assert troubles[-1] == ""
        assert stored(path) == []

    def test_a_fault_of_ours_is_told_and_holds_up_no_other_click(
        self, server: FakeServer, screen: Screen, path: Path
    ) -> None:
        class Faulty(FakeBackend):
            broken = True

            def acknowledge(self, incident_id: str) -> Incident:
                if incident_id == "I1" and self.broken:
                    raise RuntimeError("a fault of ours")
                return super().acknowledge(incident_id)

        troubles: list[str] = []
        told, over = threading.Event(), threading.Event()

        def trouble(reason: str) -> None:
            troubles.append(reason)
            (told if "RuntimeError" in reason else over).set()

        outbox = Outbox(path, keeper_for(server, screen), lambda: Faulty(server), lambda: T0, trouble=trouble)
        outbox.start()
        outbox.submit("I1", Command.ACKNOWLEDGE)
        assert told.wait(10)
        outbox.submit("I2", Command.ACKNOWLEDGE)
        screen.await_state(lambda s: acknowledged(s, "I2"))
        assert "I1" in screen.states[-1].sending
        Faulty.broken = False
        screen.await_state(acknowledged)
        outbox.stop()
        outbox.join(10)
        assert troubles[-1] == ""

    def test_a_fault_of_ours_in_keeping_a_click_leaves_the_thread_alive(
        self, outbox: Outbox, screen: Screen, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keep = Commands.add

        def add(self: Commands, incident_id: str, click: Click) -> None:
            keep(self, incident_id, click)
            if incident_id == "I1":
                raise TypeError

        monkeypatch.setattr(Commands, "add", add)
        outbox.submit("I1", Command.ACKNOWLEDGE)
        outbox.submit("I2", Command.ACKNOWLEDGE)
        screen.await_state(lambda s: acknowledged(s, "I1"))
        screen.await_state(lambda s: acknowledged(s, "I2"))


class Hanging(FakeBackend):
    """Hangs in each acknowledgement of an incident of ``names`` until it is let go, and counts who does."""

    def __init__(self, server: FakeServer, names: set[str]) -> None:
        super().__init__(server)
        self.names = names
        self.hanging: list[str] = []
        self.let_go = threading.Event()
        self._changed = threading.Condition()

    def acknowledge(self, incident_id: str) -> Incident:
        if incident_id in self.names and not self.let_go.is_set():
            with self._changed:
                self.hanging.append(incident_id)
                self._changed.notify_all()
            assert self.let_go.wait(30)
            if incident_id in self.names:
                raise Unreachable("it did not answer in time")
        return super().acknowledge(incident_id)

    def await_hanging(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.hanging) >= count, 10), self.hanging


class TestWhileAnotherHangs:
    """A click waits for no other: not to be durable, not to be shown, not to be sent."""

    @pytest.fixture
    def backend(self, server: FakeServer) -> Iterator[Hanging]:
        backend = Hanging(server, {"I1"})
        yield backend
        backend.let_go.set()

    @pytest.fixture
    def outbox(self, server: FakeServer, screen: Screen, path: Path, backend: Hanging) -> Iterator[Outbox]:
        for n in range(3, 12):
            server.put(incident(f"I{n}"))
        outbox = Outbox(path, keeper_for(server, screen), lambda: backend, lambda: T0)
        outbox.start()
        outbox.submit("I1", Command.ACKNOWLEDGE)
        backend.await_hanging(1)
        yield outbox
        backend.names = set()
        backend.let_go.set()
        outbox.stop()
        outbox.join(10)
        assert not outbox.is_alive()

    def test_another_incidents_click_arrives(self, outbox: Outbox, screen: Screen) -> None:
        outbox.submit("I2", Command.ACKNOWLEDGE)
        state = screen.await_state(lambda s: acknowledged(s, "I2"))
        assert "I1" in state.sending

    def test_a_click_on_the_same_incident_is_durable_and_shown_and_sent_after_it(
        self, outbox: Outbox, screen: Screen, server: FakeServer, backend: Hanging, path: Path
    ) -> None:
        outbox.submit("I1", Command.RESOLVE)
        screen.await_state(lambda s: "I1" in s.sending and s.sending["I1"].command is Command.RESOLVE)
        assert stored(path) == ["I1", "I1"]
        backend.names = set()
        backend.let_go.set()
        between = screen.await_state(lambda s: s.snapshot and s.snapshot.incidents[-1].status is Status.ACKNOWLEDGED)
        # The acknowledgement arrived; what is still on its way is still said to be.
        assert between.sending["I1"].command is Command.RESOLVE
        screen.await_state(lambda s: not s.sending and s is not screen.states[0])
        assert server.incidents["I1"].status is Status.RESOLVED

    def test_what_is_refused_while_it_ends_is_left_for_the_next_start_to_tell(
        self, outbox: Outbox, screen: Screen, server: FakeServer, backend: Hanging, path: Path
    ) -> None:
        server.fail = [Rejected("not now")]
        backend.names = set()
        outbox.stop()
        backend.let_go.set()
        outbox.join(10)
        assert stored(path) == ["I1"]
        assert not any(state.failed for state in screen.states)

    def test_so_many_hang_at_once_and_the_rest_are_durable_and_shown(
        self, outbox: Outbox, screen: Screen, backend: Hanging, path: Path
    ) -> None:
        backend.names = {f"I{n}" for n in range(1, 12)}
        for n in range(2, 12):
            outbox.submit(f"I{n}", Command.ACKNOWLEDGE)
        screen.await_state(lambda s: len(s.sending) == 11)
        assert len(stored(path)) == 11
        backend.await_hanging(AT_ONCE)
        assert len(backend.hanging) == AT_ONCE

    def test_the_same_click_again_is_not_lost_when_the_first_is_refused(
        self, outbox: Outbox, screen: Screen, server: FakeServer, backend: Hanging, path: Path
    ) -> None:
        outbox.submit("I1", Command.ACKNOWLEDGE)
        outbox.submit("I2", Command.ACKNOWLEDGE)
        screen.await_state(lambda s: acknowledged(s, "I2"))
        server.fail = [Rejected("not now")]
        backend.names = set()
        backend.let_go.set()
        state = screen.await_state(acknowledged)
        assert not any(s.failed for s in screen.states)
        assert state.sending == {} or "I1" not in state.sending


def test_a_click_is_as_old_as_it_is_when_the_clock_is_set_back(server: FakeServer, screen: Screen, path: Path) -> None:
    server.fail = [Unreachable("cut")] * 1_000_000
    server.put(incident("I1", pages=0))
    now = [T0]
    outbox = Outbox(path, keeper_for(server, screen), lambda: FakeBackend(server), lambda: now[0])
    outbox.start()
    outbox.submit("I1", Command.ACKNOWLEDGE)
    screen.await_state(lambda s: "I1" in s.sending)
    now[0] = T0 - timedelta(hours=1)
    outbox.submit("I2", Command.ACKNOWLEDGE)
    screen.await_state(lambda s: "I2" in s.sending)
    outbox.stop()
    outbox.join(10)
    later = Screen()
    server.fail = []
    start = T0 - timedelta(minutes=20)
    second = Outbox(path, keeper_for(server, later), lambda: FakeBackend(server), lambda: start)
    second.start()
    state = later.await_state(lambda s: "I1" in s.failed)
    second.stop()
    second.join(10)
    assert "may have paged again" in state.failed["I1"]
    assert server.incidents["I1"].status is Status.TRIGGERED


def test_a_click_is_no_older_for_a_clock_that_was_set_back_before_it(
    server: FakeServer, screen: Screen, path: Path
) -> None:
    server.put(incident("I1", pages=0))
    # It is looked at first: who was paged meanwhile may have it.
    server.fail = [Unreachable("cut")]
    now = [T0]
    outbox = Outbox(path, keeper_for(server, screen), lambda: FakeBackend(server), lambda: now[0])
    outbox.start()
    assert outbox.taken_up.wait(10)
    now[0] = T0 - timedelta(hours=3)
    outbox.submit("I1", Command.ACKNOWLEDGE)
    state = screen.await_state(lambda s: acknowledged(s, "I1") or s.failed)
    outbox.stop()
    outbox.join(10)
    assert state.failed == {}


def test_a_click_of_a_time_that_is_still_to_come_is_as_old_as_when_the_backend_was_heard_last(path: Path) -> None:
    left = Commands(path, "one", lambda _: None)
    left.add("I1", Click(Command.ACKNOWLEDGE, T0))
    left.close()
    with closing(sqlite3.connect(path)) as database, database:
        heard = (T0 + timedelta(minutes=20)).isoformat()
        database.execute("INSERT INTO copies VALUES ('two', ?, 0, '{}')", (heard,))
    now = T0 + timedelta(minutes=5)
    for _ in range(2):
        commands = Commands(path, "one", lambda _: None, lambda: now)
        (waiting,) = commands.waiting()
        assert now - waiting.click.at >= timedelta(minutes=20)
        commands.waiting()
        assert commands.settled
        commands.close()
