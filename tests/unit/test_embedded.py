import json
import os
import queue
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from desktop.connections.accounts import Account, open_backend
from desktop.connections.setting_up import ensure_team, new_token
from desktop.domain.errors import InputError
from desktop.system.embedded import EmbeddedServer, running_server
from desktop.system.paths import Paths, paths_under

SECONDS = 20


class Running:
    """An embedded server and the addresses that it told."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.told: queue.Queue[str | None] = queue.Queue()
        self.token = new_token()
        self.server = EmbeddedServer(paths, self.token, lambda: ensure_team(paths), self.told.put)

    def url(self) -> str:
        """Return the next address."""
        while (url := self.told.get(timeout=SECONDS)) is None:
            continue
        return url

    def pid(self) -> int:
        """Return the child's process id."""
        return int(json.loads((self.paths.data / "server.json").read_text("utf-8"))["pid"])


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    running = Running(paths_under(tmp_path))
    yield running
    running.server.stop()
    if running.server.ident is not None:
        running.server.join(SECONDS)
        assert not running.server.is_alive()


def test_it_starts_serves_and_ends(running: Running) -> None:
    running.server.start()
    url = running.url()
    backend = open_backend(Account(url, running.token))
    assert backend.me().id == ensure_team(running.paths)
    assert running_server(running.paths) == url
    pid = running.pid()
    running.server.stop()
    running.server.join(SECONDS)
    assert running_server(running.paths) is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_stopped_while_it_starts_it_leaves_no_server_behind(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    spawned: list[subprocess.Popen[str]] = []
    begun, spawn = threading.Event(), running.server._spawn

    def slowly(port: int, errors: IO[bytes]) -> "subprocess.Popen[str]":
        begun.set()
        # Until here, whoever stops it sees no process.
        assert running.server._stopping.wait(SECONDS)
        spawned.append(spawn(port, errors))
        return spawned[0]

    monkeypatch.setattr(running.server, "_spawn", slowly)
    running.server.start()
    assert begun.wait(SECONDS)
    running.server.stop()
    assert not running.server.is_alive()
    assert spawned[0].poll() is not None


def test_after_a_crash_it_comes_back_at_the_same_address(running: Running) -> None:
    running.server.start()
    url = running.url()
    os.kill(running.pid(), signal.SIGKILL)
    assert running.told.get(timeout=SECONDS) is None
    assert running.url() == url
    assert open_backend(Account(url, running.token)).incidents() == ()


def test_a_hung_server_left_over_from_a_crash_is_ended_by_force(running: Running) -> None:
    running.server.start()
    url = running.url()
    running.server._stopping.set()
    first = running.pid()
    os.kill(first, signal.SIGSTOP)
    second = Running(running.paths)
    second.server.start()
    try:
        # And the address stays: what posts alerts knows no other.
        assert second.url() == url
        assert second.pid() != first
    finally:
        second.server.stop()
        second.server.join(SECONDS)


def test_a_start_that_fails_for_another_reason_keeps_the_port(running: Running) -> None:
    running.paths.data.mkdir(parents=True)
    (running.paths.data / "preferred-port").write_text("40404")
    running.paths.server_database.mkdir()
    assert running.server._try_child() is False
    assert (running.paths.data / "preferred-port").read_text() == "40404"


def test_a_port_that_somebody_else_took_is_replaced(running: Running) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        running.paths.data.mkdir(parents=True)
        (running.paths.data / "preferred-port").write_text(str(port))
        running.server.start()
        assert running.url() != f"http://127.0.0.1:{port}"


def test_a_broken_team_file_is_told_and_kept(running: Running) -> None:
    running.paths.team.parent.mkdir(parents=True)
    running.paths.team.write_text("time_zone = 7\n")
    with pytest.raises(InputError):
        ensure_team(running.paths)
    running.server._try_child()
    assert "team.toml" in running.server.trouble
    assert running.paths.team.read_text() == "time_zone = 7\n"


def test_a_server_left_over_from_a_crash_is_taken_over(running: Running) -> None:
    running.server.start()
    running.url()
    first = running.pid()
    # A second application, after the first one was killed: its server still runs and has the database.
    second = Running(running.paths)
    running.server._stopping.set()
    second.server.start()
    try:
        url = second.url()
        assert second.pid() != first
        assert open_backend(Account(url, second.token)).incidents() == ()
    finally:
        second.server.stop()
        second.server.join(SECONDS)


def test_a_stale_file_is_not_believed(tmp_path: Path) -> None:
    paths = paths_under(tmp_path)
    paths.data.mkdir(parents=True)
    (paths.data / "server.json").write_text('{"pid": 1, "url": "http://127.0.0.1:1"}')
    assert running_server(paths) is None
