import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from pytestqt.qtbot import QtBot

from desktop.domain.second_start import DONE, RELOAD, WATCH
from desktop.qt.activation import time_of
from desktop.qt.instance_server import InstanceServer


@pytest.fixture
def where(tmp_path: Path) -> str:
    return str(tmp_path / "show")


@pytest.fixture
def server(qtbot: QtBot, where: str) -> Iterator[InstanceServer]:
    made = InstanceServer(patience_ms=150)
    assert made.start(where) == ""
    yield made
    retire(made)


def retire(server: InstanceServer) -> None:
    """Close ``server``, and let what goes later go before the server that it belongs to."""
    server.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    server.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def answer(qtbot: QtBot, connection: socket.socket, most: int = 100) -> bytes:
    """Return what it is told until the other side hangs up."""
    heard: list[bytes] = []
    connection.setblocking(False)

    def ended() -> bool:
        try:
            heard.append(connection.recv(most))
        except BlockingIOError:
            return False
        except ConnectionError:
            return True
        return heard[-1] == b""

    qtbot.waitUntil(ended)
    return b"".join(heard)


def caller(where: str) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(10)
    made.connect(where)
    return made


def test_it_comes_to_the_front_and_says_so(qtbot: QtBot, server: InstanceServer, where: str) -> None:
    assert Path(where).stat().st_mode & 0o077 == 0
    with caller(where) as second, qtbot.waitSignal(server.show) as shown:
        second.sendall(b"sho")
        second.sendall(b"w a-token\n")
    assert shown.args == ["a-token"]


def test_the_answer_comes(qtbot: QtBot, server: InstanceServer, where: str) -> None:
    with caller(where) as second:
        second.sendall(b"show\n")
        assert answer(qtbot, second) == DONE


def test_every_reload_is_passed_on(qtbot: QtBot, server: InstanceServer, where: str) -> None:
    asked: list[bool] = []
    server.reload.connect(lambda: asked.append(True))
    for count in (1, 2, 3):
        with caller(where) as second:
            second.sendall(RELOAD)
            assert answer(qtbot, second) == DONE
        assert len(asked) == count


def test_who_asks_what_is_watched_is_told_whole_and_nothing_else_happens(qtbot: QtBot, where: str) -> None:
    told = [b"x" * 500_000 + b"\n", b"now\n"]
    server = InstanceServer(watch=lambda: told.pop(0))
    assert server.start(where) == ""
    happened: list[str] = []
    server.show.connect(happened.append)
    server.reload.connect(lambda: happened.append("reload"))
    for expected in tuple(told):
        with caller(where) as command:
            command.sendall(WATCH[:3])
            command.sendall(WATCH[3:])
            assert answer(qtbot, command, 65536) == expected
    assert happened == []
    retire(server)


STRANGE = [
    b"quit\n",
    b"\0" * 100_000,
    b"x" * 300,
    b"",
    b"show",
    b"reload now\n",
    b"watch it\n",
    b"watch",
    b"reload \n",
    b"reload\nshow\n",
]


@pytest.mark.parametrize("said", STRANGE)
def test_everything_else_is_dropped(qtbot: QtBot, server: InstanceServer, where: str, said: bytes) -> None:
    asked: list[str] = []
    server.show.connect(asked.append)
    server.reload.connect(lambda: asked.append("reload"))
    with caller(where) as second:
        second.setblocking(False)
        if said:
            second.send(said)
        assert answer(qtbot, second) == b""
    assert asked == []
    assert server.callers == 0


def test_a_flood_brings_it_up_once_and_not_each_time(qtbot: QtBot, server: InstanceServer, where: str) -> None:
    asked: list[str] = []
    server.show.connect(asked.append)
    for _ in range(50):
        with caller(where) as second, caller(where) as third:
            second.sendall(b"show\n")
            third.sendall(b"show\n" * 1000)
            assert answer(qtbot, second) == DONE
    assert len(asked) < 5


def test_what_a_crashed_one_left_is_removed(qtbot: QtBot, where: str) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(where)
    server = InstanceServer()
    assert server.start(where) == ""
    with caller(where) as second, qtbot.waitSignal(server.show):
        second.sendall(b"show\n")
    retire(server)
    assert not Path(where).exists()


def test_one_that_cannot_listen_says_so(qtbot: QtBot, tmp_path: Path) -> None:
    assert InstanceServer().start(str(tmp_path / "no folder" / "show"))


def test_a_startup_id_says_when() -> None:
    assert time_of("launcher/watchbell/1234-0-host_TIME5678") == 5678
    assert time_of("") == time_of("x_TIME") == time_of("x_TIMEx1") == 0
