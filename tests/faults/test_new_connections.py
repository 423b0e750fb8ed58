"""What the settings name is watched while the application runs; what cannot be known never looks calm."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.app.fleet import Fleet
from desktop.connections.live import Tempo
from desktop.domain.attention import ConnectionState, Contact, Tray, attention
from desktop.system import settings as settings_file
from desktop.system.clock import utc_now
from desktop.system.paths import paths_under
from desktop.system.session_secrets import SessionSecrets
from desktop.system.settings import ConnectionSettings, Settings
from tests.faults.backend.server import FaultyServer
from tests.faults.backend.watching import ENOUGH, QUICK, SHORT

States = tuple[ConnectionState, ...]


class Watch:
    """A running fleet; every state of it that was published is kept."""

    def __init__(self, folder: Path) -> None:
        self.paths = paths_under(folder)
        self.secrets = SessionSecrets()
        self.published: list[States] = []
        self._changed = threading.Condition()
        self.notices: dict[str, str | None] = {}

    def start(self) -> None:
        patience = replace(SHORT, begin=5.0, answer=5.0, read=5.0)
        self.fleet = Fleet(
            self.paths,
            self.secrets,
            self._publish,
            self.notices.__setitem__,
            demo=False,
            tempo=Tempo(QUICK, patience),
        )
        self.fleet.start()

    def name(self, **servers: FaultyServer) -> None:
        """Write settings that name these."""
        for connection, server in servers.items():
            self.secrets.remember(connection, server.account.token)
        self.save(*(ConnectionSettings(i, i, server.url) for i, server in servers.items()))

    def save(self, *connections: ConnectionSettings) -> None:
        settings_file.save(self.paths.settings, Settings(connections))

    def _publish(self, states: States) -> None:
        with self._changed:
            self.published.append(states)
            self._changed.notify_all()

    def until(self, which: Callable[[States], bool]) -> States:
        """Return the newest states as soon as they are so, looking at the settings as at each tick."""
        with self._changed:
            for _ in range(int(ENOUGH / 0.05)):
                self.fleet.follow_settings()
                if self._changed.wait_for(lambda: which(self.fleet.states), 0.05):
                    return self.fleet.states
        raise AssertionError(self.fleet.states)

    def until_live(self, *ids: str) -> States:
        return self.until(lambda s: [x.id for x in s] == list(ids) and all(x.contact is Contact.LIVE for x in s))


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    watch = Watch(tmp_path)
    yield watch
    watch.fleet.stop()


@pytest.fixture
def one() -> Iterator[FaultyServer]:
    server = FaultyServer()
    yield server
    server.stop()


@pytest.fixture
def two() -> Iterator[FaultyServer]:
    server = FaultyServer()
    yield server
    server.stop()


def test_what_is_added_is_watched_by_a_look_at_the_file(watch: Watch, one: FaultyServer, two: FaultyServer) -> None:
    watch.name(one=one)
    watch.start()
    watch.until_live("one")
    mark = len(watch.published)
    watch.name(one=one, two=two)
    page = two.account.trigger("Payments down")
    watch.until_live("one", "two")
    watch.until(lambda s: any(p.incident.id == page for p in attention(s, utc_now()).pages))
    # The first was never let go of, and before there is contact with the second nothing looks calm.
    for states in watch.published[mark:]:
        assert states[0].contact is Contact.LIVE
        if len(states) > 1 and states[1].contact is not Contact.LIVE:
            assert attention(states, utc_now()).tray is Tray.LOST


def test_our_own_server_is_watched_until_there_is_contact_with_what_takes_its_place(
    watch: Watch, one: FaultyServer
) -> None:
    watch.start()
    watch.until_live("embedded")
    mark = len(watch.published)
    with one.refusing():
        watch.name(one=one)
        watch.fleet.follow_settings(told=True)
        watch.until(lambda s: [x.id for x in s] == ["one", "embedded"] and s[0].contact is Contact.LOST)
        watch.fleet.reload()
        assert [s.id for s in watch.fleet.states] == ["one", "embedded"]
        assert attention(watch.fleet.states, utc_now()).tray is Tray.LOST
    watch.until_live("one")
    for states in watch.published[mark:]:
        assert any(s.contact is Contact.LIVE for s in states)
    watch.save()
    watch.until_live("embedded")


def test_settings_that_cannot_be_understood_never_look_calm(watch: Watch, one: FaultyServer) -> None:
    watch.name(one=one)
    watch.start()
    watch.until_live("one")
    watch.paths.settings.write_text("{")
    states = watch.until(lambda s: len(s) == 2)
    assert states[0].contact is Contact.LIVE
    assert "cannot be understood" in states[1].trouble
    assert attention(states, utc_now()).tray is Tray.LOST
    watch.name(one=one)
    watch.until_live("one")


def test_another_way_to_a_connection_is_taken_at_once(watch: Watch, one: FaultyServer, two: FaultyServer) -> None:
    watch.name(one=one)
    watch.start()
    watch.until_live("one")
    page = two.account.trigger("Payments down")
    watch.name(one=two)
    watch.until(lambda s: any(p.incident.id == page for p in attention(s, utc_now()).pages))
    watch.until_live("one")


def test_a_connection_that_is_taken_out_is_let_go(watch: Watch, one: FaultyServer, two: FaultyServer) -> None:
    watch.name(one=one, two=two)
    watch.start()
    watch.until_live("one", "two")
    page = two.account.trigger("Payments down")
    watch.until(lambda s: any(p.incident.id == page for p in attention(s, utc_now()).pages))
    watch.name(one=one)
    watch.fleet.reload()
    # What rings there is not taken from the screen.
    assert [s.id for s in watch.fleet.states] == ["one", "two"]
    two.account.resolve(page)
    watch.until_live("one")
