"""The doctor finds what is planted, and says what to do: the machine's files and autostart, and every connection."""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import KeyringLocked as Dismissed

from desktop.cli import doctor, file_checks, machine_checks
from desktop.cli.findings import Check
from desktop.cli.mends import MENDS, Place, Source, mend_of
from desktop.domain.ailment import Ailment
from desktop.domain.errors import BackendFault, Unauthorized, Unreachable, WatchbellError
from desktop.sync.store import open_store, prepare
from desktop.system import settings as settings_file
from desktop.system.autostart import DesktopEntry
from desktop.system.paths import Paths, paths_under
from desktop.system.secrets import Secrets
from desktop.system.settings import ConnectionSettings, Settings
from tests.fakes.http import Answer, Asked, ScriptedServer

URL = "https://pager.example.com"
PLACES = (Place(URL), Place(URL, Source.ENVIRONMENT), Place(URL, Source.EMBEDDED))
ME = json.dumps({"user": {"id": "ana", "name": "Ana", "email": "ana@example.com"}}).encode()


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


def well(asked: Asked) -> Answer:
    """Answer as an account without a stream in which nothing is open."""
    if "/stream" in asked.path:
        return Answer(404)
    return Answer(body=ME if "/users/" in asked.path else b'{"incidents": [], "oncalls": []}')


def connected(paths: Paths, url: str) -> list[Check]:
    """Look at the one connection, to ``url``."""
    settings_file.save(paths.settings, Settings((ConnectionSettings("pd", "PagerDuty", url),)))
    Secrets().set("pd", "wb_secret")
    found = list(doctor.connections({}, paths, Secrets()))
    assert not any("wb_secret" in c.message + c.mend for c in found)
    return found


def test_one_that_is_well_says_who_we_are_and_that_the_clocks_agree(paths: Paths, server: ScriptedServer) -> None:
    server.answer = well
    me, right, clock = connected(paths, server.url)
    assert (me.ok, me.message) == (True, "answers as Ana")
    assert (right.ok, "unknown" in right.message, right.mend != "") == (True, True, True)
    assert (clock.name, clock.ok) == ("clock of PagerDuty", True)


@pytest.mark.parametrize("off", [timedelta(hours=1), timedelta(seconds=-30)])
def test_a_clock_that_is_off(paths: Paths, server: ScriptedServer, off: timedelta) -> None:
    date = format_datetime(datetime.now(UTC) + off, usegmt=True)
    server.answer = lambda asked: replace(well(asked), headers={"Date": date})
    clock = connected(paths, server.url)[2]
    assert not clock.ok
    assert "set-ntp" in clock.mend
    assert ("behind" if off > timedelta(0) else "ahead of") in clock.message


def test_every_ailment_has_a_mend_and_no_two_the_same() -> None:
    assert set(MENDS) == set(Ailment)
    for place in PLACES:
        said = [mend_of(WatchbellError("x", ailment=ailment), place) for ailment in Ailment]
        assert all(mend[0].isupper() or mend[0] == "'" for mend in said)
        assert not any("{" in mend or "}" in mend for mend in said)
        assert len(set(said)) == len(said)
    assert "--verbose" in mend_of(WatchbellError("x"), PLACES[0])


def test_a_mend_is_where_the_connection_was_set_up() -> None:
    error = Unauthorized("x")
    settings, environment, embedded = (mend_of(error, place) for place in PLACES)
    assert f"connect {URL} --token-stdin" in settings
    assert "WATCHBELL_TOKEN" in environment
    assert "start it again" in embedded
    gone = Unreachable("x", ailment=Ailment.PROXY_GONE)
    assert "HTTPS_PROXY" in mend_of(gone, Place(URL))
    assert "--proxy" in mend_of(gone, Place(URL, proxy="http://proxy:1"))
    failed = BackendFault("x", ailment=Ailment.SERVER_FAILS)
    assert "start it again" in mend_of(failed, PLACES[2])
    assert "status.pagerduty.com" in mend_of(failed, Place("https://api.eu.pagerduty.com"))
    assert "status.pagerduty.com" not in mend_of(failed, Place("https://pagerduty.com.example.com"))


def test_the_environment_is_looked_at_first_and_half_of_it_is_said(paths: Paths, server: ScriptedServer) -> None:
    server.answer = lambda _: Answer(body=ME)
    settings_file.save(paths.settings, Settings((ConnectionSettings("pd", "PagerDuty", "http://127.0.0.1:9"),)))
    environment = {"WATCHBELL_URL": server.url, "WATCHBELL_TOKEN": "wb_env"}
    names = {c.name: c.ok for c in doctor.connections(environment, paths, Secrets())}
    assert names["connection environment"]
    assert not names["connection PagerDuty"]
    del environment["WATCHBELL_TOKEN"]
    (half,) = doctor.connections(environment, paths, Secrets())
    assert "WATCHBELL_TOKEN" in half.mend


def test_settings_that_cannot_be_read(paths: Paths) -> None:
    paths.settings.parent.mkdir(parents=True)
    paths.settings.write_text("{")
    (check,) = doctor.connections({}, paths, Secrets())
    assert (check.name, check.ok) == ("settings", False)
    assert "start anew" in check.mend


def test_settings_that_are_gone_though_what_they_named_was_watched(paths: Paths) -> None:
    paths.store.parent.mkdir(parents=True)
    prepare(paths.store, datetime.now(UTC))
    with closing(open_store(paths.store)) as store, store:
        store.execute("INSERT INTO copies (connection, heard_at, clock_ahead, snapshot) VALUES ('pd', '', 0, '')")
    (check,) = doctor.connections({}, paths, Secrets())
    assert (check.name, check.ok, "it is gone, and named pd" in check.message) == ("settings", False, True)


# --- the machine ---


@pytest.mark.parametrize(
    ("error", "says"), [(None, "Install and start"), (Dismissed("dismissed"), "answer its prompt")]
)
def test_a_keyring_that_is_absent_or_locked(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None, says: str
) -> None:
    backend = NoKeyring()
    if error is not None:

        def refuse(*_: object) -> None:
            raise error

        monkeypatch.setattr(backend, "set_password", refuse)
    monkeypatch.setattr(keyring.core, "_keyring_backend", backend)
    check = machine_checks.keyring(Secrets())
    assert not check.ok
    assert says in check.mend


def entry(home: Path) -> DesktopEntry:
    return DesktopEntry(home / "config" / "autostart")


def test_autostart_is_said_as_it_is(paths: Paths, home: Path) -> None:
    def look() -> Check:
        return machine_checks.login(paths, os.environ)

    assert look().ok
    entry(home).switch_on(("/gone/bin/python", "/gone/main.py"))
    assert not look().ok
    assert "/gone/bin/python" in look().message
    entry(home).switch_on(("/bin/sh",))
    assert look() == Check("start at login", True, "on: /bin/sh")
    file = home / "config" / "autostart" / "watchbell.desktop"
    file.write_text("[Desktop Entry]\n")
    assert not look().ok
    settings_file.save(paths.settings, Settings(autostart=True))
    file.write_text("[Desktop Entry]\nExec=/bin/sh\nHidden=true\n")
    assert not look().ok
    file.unlink()
    assert "is gone" in look().message
    assert look().mend


def found(paths: Paths) -> dict[str, Check]:
    return {c.name: c for c in file_checks.files(paths)}


def test_files_that_are_well(paths: Paths) -> None:
    assert all(c.ok for c in found(paths).values())
    open_store(paths.store).close()
    assert found(paths)["store"].message == "sound"
    assert not (paths.data / ".doctor").exists()


def test_a_store_that_is_damaged_or_newer_is_told_and_left_as_it_is(paths: Paths) -> None:
    open_store(paths.store).close()
    with closing(sqlite3.connect(paths.store)) as database:
        database.execute("PRAGMA user_version = 99")
    check = found(paths)["store"]
    assert not check.ok
    assert "newer" in check.mend
    paths.store.write_bytes(b"this is no database" * 1000)
    check = found(paths)["store"]
    assert "damaged" in check.message
    assert "sets the file aside" in check.mend
    assert paths.store.read_bytes().startswith(b"this is no")


def full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def read_only(*_: object) -> None:
    raise OSError(30, "Read-only file system")


def denied(*_: object) -> None:
    raise OSError(13, "Permission denied")


@pytest.mark.parametrize(
    ("trouble", "says", "mend"),
    [
        (full, "is full", "Make room"),
        (read_only, "Read-only file system", "mount it writable"),
        (denied, "Permission denied", "yours and writable"),
    ],
)
def test_a_full_disk_and_a_home_that_cannot_be_written(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, trouble: Callable[..., None], says: str, mend: str
) -> None:
    monkeypatch.setattr(os, "fsync", trouble)
    check = found(paths)["files"]
    assert not check.ok
    assert says in check.message
    assert mend in check.mend
    assert not (paths.data / ".doctor").exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    check = found(paths_under(tmp_path))["files"]
    assert not check.ok


@pytest.mark.parametrize(
    ("probe", "fails"),
    [
        ({"tray": False}, "tray"),
        ({"sound": "failed", "sound_message": "no output"}, "sound"),
        ({"notifications": ""}, "notifications"),
    ],
)
def test_a_desktop_that_lacks_something(monkeypatch: pytest.MonkeyPatch, probe: dict[str, object], fails: str) -> None:
    whole = {"screen": "xcb", "tray": True, "sound": "ready", "sound_message": "", "notifications": "dunst"}
    monkeypatch.setattr(machine_checks, "_probe", lambda: whole | probe)
    failed = [c for c in machine_checks.desktop() if not c.ok]
    assert [c.name for c in failed] == [fails]
    assert failed[0].mend
