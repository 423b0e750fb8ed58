"""Settings that nobody can follow at the start: never calm, told with what to do, and followed once they are mended."""

import threading
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from desktop.app.fleet import Fleet
from desktop.app.own_server import MISCONFIGURED
from desktop.domain.attention import ConnectionState, Contact, Quiet, Tray, attention
from desktop.sync.store import open_store, prepare
from desktop.system import settings as settings_file
from desktop.system.clock import utc_now
from desktop.system.paths import Paths, paths_under
from desktop.system.session_secrets import SessionSecrets
from desktop.system.settings import ConnectionSettings, Settings
from desktop.ui.summary import freshness, headline

SECONDS = 10.0
KEPT = Settings((ConnectionSettings("one", "One", "http://127.0.0.1:9"),))


class Watching:
    """A fleet, and what it says."""

    def __init__(self, paths: Paths, environment: dict[str, str]) -> None:
        self.notices: dict[str, str | None] = {}
        self._said = threading.Condition()
        self._states: tuple[ConnectionState, ...] = ()
        self.fleet = Fleet(
            paths, SessionSecrets(), self._publish, self.notices.__setitem__, demo=False, environment=environment
        )

    def _publish(self, states: tuple[ConnectionState, ...]) -> None:
        with self._said:
            self._states = states
            self._said.notify_all()

    def until(self, *ids: str) -> None:
        """Wait until these are all that is watched."""
        with self._said:
            assert self._said.wait_for(lambda: tuple(s.id for s in self._states) == ids, SECONDS), self._states


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    made = paths_under(tmp_path)
    made.config.mkdir()
    return made


@pytest.mark.parametrize(
    "text", ["", "{", '{"connections": [{"id": "one"}]}', '{"connections": 7}', "[]", "[" * 100_000, "\udcff"]
)
def test_broken_settings_look_like_lost_contact_which_is_loud_after_90_s(paths: Paths, text: str) -> None:
    paths.settings.write_bytes(text.encode("utf-8", "surrogateescape"))
    watching = Watching(paths, {})
    (state,) = watching.fleet.states
    assert state.contact is Contact.LOST
    assert state.trouble.startswith(
        f'mend {paths.settings}, or let it hold {{"connections": []}} to start anew: it cannot be understood ('
    )
    assert watching.notices[MISCONFIGURED] == state.trouble
    now = utc_now()
    assert attention((state,), now, Quiet()).tray is Tray.LOST
    assert not any(x.loud for x in attention((state,), now, Quiet()).lost)
    assert [x.loud for x in attention((state,), now + timedelta(seconds=91), Quiet()).lost] == [True]


def test_they_are_not_said_to_be_somebody_who_does_not_answer(paths: Paths) -> None:
    paths.settings.write_text("{")
    states = Watching(paths, {}).fleet.states
    now = states[0].since + timedelta(seconds=94)
    head = headline(attention(states, now, Quiet()), states, now)
    assert head.text == "Contact lost"
    assert head.lines[0] == "settings.json cannot be read, for 1 min 34 s now."
    assert freshness(states[0], now)[0] == "cannot be read"


def test_who_asks_for_it_has_them_read_at_once(paths: Paths) -> None:
    paths.settings.write_text("{")
    watching = Watching(paths, {})
    watching.fleet.start()
    try:
        settings_file.save(paths.settings, KEPT)
        watching.fleet.resync("settings.json")
        watching.until("one")
    finally:
        watching.fleet.stop()


def test_they_are_followed_as_soon_as_they_are_mended(paths: Paths) -> None:
    paths.settings.write_text("{")
    watching = Watching(paths, {})
    watching.fleet.start()
    try:
        watching.fleet.follow_settings()
        watching.until("settings.json")
        settings_file.save(paths.settings, KEPT)
        watching.fleet.follow_settings()
        watching.until("one")
    finally:
        watching.fleet.stop()


def test_what_the_environment_names_is_watched_beside_them(paths: Paths) -> None:
    paths.settings.write_text("{")
    named = {"WATCHBELL_URL": "http://127.0.0.1:9", "WATCHBELL_TOKEN": "wb_" + "x" * 43}
    watching = Watching(paths, named)
    assert [s.id for s in watching.fleet.states] == ["environment", "settings.json"]
    assert watching.notices[MISCONFIGURED]
    watching.fleet.start()
    try:
        # Mended, they name the same account: it takes the place of that one.
        settings_file.save(paths.settings, KEPT)
        watching.fleet.follow_settings()
        watching.until("one", "environment")
    finally:
        watching.fleet.stop()


def test_half_an_account_in_the_environment_is_told_in_the_same_way(paths: Paths) -> None:
    settings_file.save(paths.settings, KEPT)
    (state,) = Watching(paths, {"WATCHBELL_URL": "http://127.0.0.1:9"}).fleet.states
    assert state.contact is Contact.LOST
    assert "WATCHBELL_TOKEN is not set" in state.trouble


def test_a_test_page_that_reaches_nobody_is_said(paths: Paths) -> None:
    paths.settings.write_text("{")
    watching = Watching(paths, {})
    watching.fleet.test_page()
    assert watching.notices["trigger"] == "The page could not be triggered: nothing is connected."


def test_a_folder_that_is_none_hides_no_connection(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file in the folder's place")
    (state,) = Watching(paths_under(tmp_path), {}).fleet.states
    assert "settings.json cannot be read: Not a directory" in state.trouble


@pytest.mark.parametrize(
    "wrong", [{"url": "no address"}, {"url": "ftp://one.example"}, {"proxy": "no proxy"}, {"ca": "/no/such/file"}]
)
def test_a_connection_that_makes_no_sense_is_lost_and_says_why(paths: Paths, wrong: dict[str, str]) -> None:
    settings_file.save(
        paths.settings, Settings((replace(ConnectionSettings("one", "One", "https://127.0.0.1:9"), **wrong),))
    )
    secrets = SessionSecrets()
    secrets.remember("one", "wb_x")
    told = threading.Event()

    def publish(states: tuple[ConnectionState, ...]) -> None:
        if any(s.id == "one" and s.contact is Contact.LOST and s.trouble for s in states):
            told.set()

    fleet = Fleet(paths, secrets, publish, lambda *_: None, demo=False)
    fleet.start()
    try:
        assert told.wait(SECONDS)
    finally:
        fleet.stop()


def test_a_file_that_vanishes_ends_no_watch_and_does_not_look_calm(paths: Paths) -> None:
    settings_file.save(paths.settings, KEPT)
    watching = Watching(paths, {})
    watching.fleet.start()
    try:
        paths.settings.unlink()
        watching.fleet.follow_settings()
        watching.until("one", "settings.json")
        assert f"put {paths.settings} back" in watching.fleet.states[1].trouble
        settings_file.save(paths.settings, KEPT)
        watching.fleet.follow_settings()
        watching.until("one")
        # Who means it says so.
        settings_file.save(paths.settings, Settings())
        watching.fleet.follow_settings()
        watching.until("embedded", "one")
    finally:
        watching.fleet.stop()


def test_a_file_that_is_gone_at_the_start_is_missed_where_an_earlier_run_watched_what_it_named(paths: Paths) -> None:
    paths.store.parent.mkdir(parents=True, exist_ok=True)
    prepare(paths.store, utc_now())
    with closing(open_store(paths.store)) as store, store:
        store.execute("INSERT INTO copies (connection, heard_at, clock_ahead, snapshot) VALUES ('one', '', 0, '')")
    (state,) = Watching(paths, {}).fleet.states
    assert (state.id, state.contact) == ("settings.json", Contact.LOST)
    assert "it is gone, and named one" in state.trouble
    # What the environment names is watched.
    named = {"WATCHBELL_URL": "http://127.0.0.1:9", "WATCHBELL_TOKEN": "wb_x"}
    assert [s.id for s in Watching(paths, named).fleet.states] == ["environment"]
