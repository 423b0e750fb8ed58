"""The doctor finds what is planted, and says what to do: the machine's files and autostart, and every connection."""

import json
import os
import socket
import sqlite3
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from pathlib import Path

import keyring
import pytest
import requests
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import KeyringLocked as Dismissed
from urllib3.exceptions import MaxRetryError, ProxyError

from desktop.backends.pagerduty.client import Patience
from desktop.cli import doctor, machine_checks
from desktop.cli.findings import Check, mend_of
from desktop.connections import open_backend
from desktop.domain.errors import (
    BackendFault,
    Forbidden,
    KeyringAbsent,
    NotFound,
    RateLimited,
    Unauthorized,
    Unreachable,
    WatchbellError,
)
from desktop.sync.store import open_store
from desktop.system import settings as settings_file
from desktop.system.autostart import DesktopEntry
from desktop.system.paths import Paths, paths_under
from desktop.system.secrets import Secrets
from desktop.system.settings import ConnectionSettings, Settings
from tests.fakes.http import Answer, ScriptedServer
from tests.server.certificates import Authority

ME = json.dumps({"user": {"id": "ana", "name": "Ana", "email": "ana@example.com"}}).encode()


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_under(tmp_path)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


def connected(paths: Paths, url: str) -> list[Check]:
    """Look at the one connection, to ``url``."""
    settings_file.save(paths.settings, Settings((ConnectionSettings("pd", "PagerDuty", url),)))
    Secrets().set("pd", "wb_secret")
    found = list(doctor.connections({}, paths, Secrets()))
    assert not any("wb_secret" in c.message + c.mend for c in found)
    return found


def failing(paths: Paths, url: str) -> Check:
    (check,) = connected(paths, url)
    assert check.name == "connection PagerDuty"
    assert not check.ok
    assert check.mend
    return check


@pytest.mark.parametrize(
    ("answer", "says", "mend"),
    [
        (Answer(401), "does not accept the token", "new token"),
        (Answer(403), "does not allow", "may not do this"),
        (Answer(404), "knows no such thing", "address of the API"),
        (Answer(429), "fewer requests", "Wait"),
        (Answer(503), "HTTP 503", "whoever runs it"),
        (Answer(302, headers={"Location": "https://login.example.com"}), "sent us elsewhere", "moved"),
        (Answer(body=b"<html>Welcome to our hotel</html>"), "not JSON", "login page"),
        (Answer(body=b'{"user": '), "not JSON", "browser"),
        (Answer(body=b"[]"), "no object", "browser"),
    ],
)
def test_what_a_server_answers_is_told_apart(
    paths: Paths, server: ScriptedServer, answer: Answer, says: str, mend: str
) -> None:
    server.answer = lambda _: answer
    check = failing(paths, server.url)
    assert says in check.message
    assert mend in check.mend


def test_one_that_is_well_says_who_we_are_and_that_the_clocks_agree(paths: Paths, server: ScriptedServer) -> None:
    server.answer = lambda _: Answer(body=ME)
    me, clock = connected(paths, server.url)
    assert (me.ok, me.message) == (True, "answers as Ana")
    assert (clock.name, clock.ok) == ("clock of PagerDuty", True)


@pytest.mark.parametrize("off", [timedelta(hours=1), timedelta(seconds=-30)])
def test_a_clock_that_is_off(paths: Paths, server: ScriptedServer, off: timedelta) -> None:
    date = format_datetime(datetime.now(UTC) + off, usegmt=True)
    server.answer = lambda _: Answer(body=ME, headers={"Date": date})
    clock = connected(paths, server.url)[1]
    assert not clock.ok
    assert "set-ntp" in clock.mend


def test_nothing_listens(paths: Paths) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    check = failing(paths, f"http://127.0.0.1:{port}")
    assert "Nothing listens there" in check.mend


def test_no_answer_in_time(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    hasty = partial(open_backend, patience=Patience(read=0.1))
    monkeypatch.setattr(doctor, "open_backend", hasty)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        check = failing(paths, f"http://127.0.0.1:{mute.getsockname()[1]}")
    assert "VPN" in check.mend


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[str]:
    """A server whose certificate is of an authority that nobody knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*Authority(tmp_path).issue())
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            try:
                caller, _ = listener.accept()
                with caller, context.wrap_socket(caller, server_side=True):
                    pass
            except OSError:
                return

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)


def test_a_certificate_that_is_not_trusted(paths: Paths, secure: str) -> None:
    check = failing(paths, secure)
    assert "certificate" in check.message
    assert "date" in check.mend


def caused(cause: BaseException) -> Unreachable:
    try:
        try:
            raise cause
        except BaseException as e:
            raise Unreachable("cannot be reached") from e
    except Unreachable as e:
        return e


@pytest.mark.parametrize(
    ("error", "mend"),
    [
        (caused(requests.exceptions.ProxyError(MaxRetryError(None, "/", ProxyError("x", OSError())))), "proxy"),  # type: ignore[arg-type]
        (caused(requests.exceptions.ConnectionError(MaxRetryError(None, "/", socket.gaierror(-2, "x")))), "name"),  # type: ignore[arg-type]
        (caused(requests.exceptions.ConnectTimeout()), "VPN"),
        (caused(requests.exceptions.SSLError("expired")), "renew"),
        (Unreachable("gone"), "Check the network"),
        (Unauthorized("x"), "new token"),
        (Forbidden("x"), "may not"),
        (NotFound("x"), "API"),
        (RateLimited("x"), "Wait"),
        (BackendFault("x"), "browser"),
        (KeyringAbsent("x"), "Install a keyring"),
    ],
)
def test_every_failure_has_its_mend(error: WatchbellError, mend: str) -> None:
    assert mend in mend_of(error, "https://pager.example.com")


def test_an_error_that_is_its_own_cause_ends() -> None:
    error = Unreachable("x")
    error.__cause__ = error
    assert mend_of(error, "u").startswith("Check the network")


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
    assert "move it away" in check.mend


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
    return {c.name: c for c in machine_checks.files(paths)}


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


@pytest.mark.parametrize(("trouble", "says"), [(full, "is full"), (read_only, "Read-only file system")])
def test_a_full_disk_and_a_home_that_cannot_be_written(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, trouble: Callable[..., None], says: str
) -> None:
    monkeypatch.setattr(os, "fsync", trouble)
    check = found(paths)["files"]
    assert not check.ok
    assert says in check.message
    assert check.mend
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
