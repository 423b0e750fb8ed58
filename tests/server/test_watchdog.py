"""The call that says "all is well": only while it is, never with its address in the log."""

import http.server
import logging
import signal
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from desktop.domain.errors import InputError, StorageError
from desktop.server import watchdog
from desktop.server.watchdog import Watchdog, parse, trouble
from tests.server.house import MINUTE, TEAM, House
from tests.server.serving import serve

SECRET = "3f1c9c3e-secret"


class Listener(http.server.HTTPServer):
    """Somebody who waits for calls; ``calls`` are the paths of those that came, ``status`` is what it answers."""

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: list[str] = []
        self.called = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/ping/{SECRET}?rid=1"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Listener

    def do_GET(self) -> None:
        self.server.calls.append(self.path)
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.called.set()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as waiting:
        thread = threading.Thread(target=waiting.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield waiting
        waiting.shutdown()
        thread.join()


def test_it_is_called_only_while_all_is_well(house: House, listener: Listener) -> None:
    station = house.server.station
    dog = Watchdog(parse(listener.url), lambda: trouble(station))
    assert not dog.look(), "the engine never ran"
    house.enqueue(key="k")
    house.tick()
    assert trouble(station) == "no messages are sent"
    house.server.messenger.start()
    assert dog.look()
    assert listener.calls == [f"/ping/{SECRET}?rid=1"]
    house.clock.forward(15 * MINUTE + timedelta(seconds=6))
    assert trouble(station) == "1 steps are overdue"
    assert not dog.look()
    house.tick()
    assert dog.look()
    house.server.writer.close()
    assert "shutting down" in trouble(station)
    assert not dog.look()
    assert len(listener.calls) == 2


def test_a_database_that_cannot_be_written_is_not_well(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.tick()
    house.server.messenger.start()

    def full(*_: object) -> None:
        raise StorageError("disk full")

    monkeypatch.setattr(watchdog, "touch", full)
    assert "disk full" in trouble(house.server.station)


@pytest.mark.parametrize("status", [302, 404, 500])
def test_no_redirect_is_followed_and_it_is_said_once_down_and_once_back(
    listener: Listener, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.INFO)
    dog = Watchdog(parse(listener.url), lambda: "")
    listener.status = status
    assert [dog.look() for _ in range(3)] == [False] * 3
    listener.status = 200
    assert [dog.look() for _ in range(2)] == [True] * 2
    said = [(record.message, getattr(record, "fields", {})) for record in caplog.records]
    assert said == [("watchdog not called", {"reason": f"it answered {status}"}), ("watchdog is called again", {})]
    assert not [path for path in listener.calls if "elsewhere" in path]


def test_nobody_there_is_said_without_the_address(caplog: pytest.LogCaptureFixture) -> None:
    assert not Watchdog(parse(f"http://127.0.0.1:9/{SECRET}"), lambda: "").look()
    assert "cannot be reached" in str([getattr(record, "fields", {}) for record in caplog.records])
    assert SECRET not in caplog.text + str([vars(record) for record in caplog.records])


@pytest.mark.parametrize(
    "url",
    ["http://example.com/x", "ftp://127.0.0.1/x", "https://?x", "https://u:p@example.com/x", "nonsense",
     "https://a b/c", "https://example.com:99999/x", "https://exämple.com/x", "env:WB_NOT_SET", "https://example.com/\nx"],
)  # fmt: skip
def test_what_cannot_be_called_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(InputError, match="--watchdog-url") as refused:
        parse(url)
    assert url.startswith("env:") or url not in refused.value.message


def test_the_environment_may_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WB_DOG", f"https://hc.example.com/{SECRET}")
    address = parse("env:WB_DOG")
    assert (address.secure, address.port, address.target) == (True, 443, f"/{SECRET}")
    assert SECRET not in repr(address)


def test_it_ends_while_a_call_waits() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        dog = Watchdog(parse(f"http://127.0.0.1:{silent.getsockname()[1]}/"), lambda: "")
        dog.start()
        taken, _ = silent.accept()
        with taken:
            taken.recv(100)
            began = time.monotonic()
            dog.stop()
    assert time.monotonic() - began < 5, "it would have waited for an answer twice as long"


def test_serve_calls_it_and_never_says_where(listener: Listener, tmp_path: Path) -> None:
    team = tmp_path / "team.toml"
    team.write_text(TEAM)
    options: dict[str, Any] = {"team": team, "database": str(tmp_path / "data" / "w.db"), "verbose": True}
    with serve({"WB_DOG": listener.url}, **options, watchdog_url="env:WB_DOG") as running:
        running.ready()
        assert listener.called.wait(10)
        code, log = running.end(signal.SIGTERM)
    assert code == 0
    assert SECRET not in log
    with serve(**options, watchdog_url=f"http://example.com/{SECRET}") as refused:
        code, log = refused.end()
    assert (code, log.count("\n"), SECRET in log) == (2, 1, False)
