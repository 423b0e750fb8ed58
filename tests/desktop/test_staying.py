"""The application stays: one of it, started again when it crashes, and honest about the time in between."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.desktop.application import Application, application
from tests.desktop.session import PROJECT, Session

SECONDS = 20.0
STATUS = "^Watchbell$"
_PAUSE = threading.Event()


def await_that(holds: Callable[[], bool], what: str, seconds: float = SECONDS) -> None:
    """Wait for what nothing announces: a process that comes or goes."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        _PAUSE.wait(0.02)


def children(pid: int) -> list[int]:
    try:
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def argv(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def trays(home: dict[str, str]) -> list[int]:
    """Return every process of the tray application that lives in this home."""
    mine = f"XDG_DATA_HOME={home['XDG_DATA_HOME']}"
    return [p for p in _processes(mine) if "--supervised" in argv(p)]


def servers(home: dict[str, str]) -> list[int]:
    return [p for p in _processes(f"XDG_DATA_HOME={home['XDG_DATA_HOME']}") if " serve " in argv(p)]


def _processes(variable: str) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and variable in (folder / "environ").read_text().split("\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def tray_of(app: Application) -> int:
    """Return the tray's process, once the supervisor has one."""
    await_that(lambda: bool(children(app.process.pid)), "no tray")
    return children(app.process.pid)[0]


def second_start(session: Session, home: dict[str, str], **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "main.py"],
        env={**session.env, **home, **more},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_a_second_start_brings_the_first_to_the_front(session: Session) -> None:
    home = session.new_home()
    with session.map_events() as maps, application(session, home=home) as app:
        session.await_tray_icons(1)
        with session.python("tests/desktop/sample_program.py"):
            done = second_start(session, home, DESKTOP_STARTUP_ID="launcher/watchbell/1-0_TIME0")
            assert (done.returncode, done.stderr) == (0, "")
            assert "running already" in done.stdout
            window = maps.wait(STATUS, SECONDS).window
            await_that(lambda: active(session) == window, "it is not active")
        assert trays(home) == children(app.process.pid)


def active(session: Session) -> int:
    done = subprocess.run(
        ["xdotool", "getactivewindow"], env=dict(session.env), capture_output=True, text=True, check=False
    )
    return int(done.stdout or 0)


def test_a_crashed_one_blocks_nobody_and_its_server_is_neither_orphaned_nor_doubled(session: Session) -> None:
    home = session.new_home()
    with application(session, home=home) as app:
        session.await_tray_icons(1)
        server = app.await_server()["pid"]
        os.killpg(app.process.pid, signal.SIGKILL)
        assert (app.data / "show").exists()
    assert servers(home) == [server]
    with session.map_events() as maps, application(session, home=home) as app:
        session.await_tray_icons(1)
        app.await_server(other_than=int(str(server)))
        # It says that nobody watched, which a person who opens the window reads.
        assert second_start(session, home).returncode == 0
        maps.wait(STATUS, SECONDS)
        app.process.popen.terminate()
        assert app.process.popen.wait(SECONDS) == 0
    await_that(lambda: not servers(home), "the server outlived the end of the application")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGABRT])
def test_a_crashed_tray_is_back_within_5_s_and_says_that_it_was_away(session: Session, how: signal.Signals) -> None:
    home = session.new_home()
    with session.notify_calls() as notes, application(session, home=home) as app:
        session.await_tray_icons(1)
        app.await_server()
        first = tray_of(app)
        killed = time.monotonic()
        os.kill(first, how)
        await_that(lambda: tray_of(app) != first, "it is not started again", 5)
        assert time.monotonic() - killed < 5
        told = notes.wait("^Watchbell is back")
        assert told.body.startswith("Watchbell was not running from ")
        session.await_tray_icons(1)
        await_that(lambda: len(servers(home)) == 1, "one server")
        assert trays(home) == [tray_of(app)]
        app.process.popen.terminate()
        assert app.process.popen.wait(SECONDS) == 0


def test_the_tray_outlives_its_supervisor_and_a_new_start_finds_it(session: Session) -> None:
    home = session.new_home()
    with session.map_events() as maps, application(session, home=home) as app:
        session.await_tray_icons(1)
        tray = tray_of(app)
        os.kill(app.process.pid, signal.SIGKILL)
        app.process.popen.wait()
        assert second_start(session, home).returncode == 0
        maps.wait(STATUS, SECONDS)
        assert trays(home) == [tray]
        os.kill(tray, signal.SIGTERM)
        await_that(lambda: not trays(home), "it does not end")


def test_what_a_person_ended_is_not_told_at_the_next_start(session: Session) -> None:
    home = session.new_home()
    with application(session, home=home) as app:
        session.await_tray_icons(1)
        assert (app.data / "alive").exists()
        app.process.popen.send_signal(signal.SIGINT)
        assert app.process.popen.wait(SECONDS) == 0
        assert not (app.data / "alive").exists()
    with application(session, home=home) as app:
        session.await_tray_icons(1)
        app.process.popen.send_signal(signal.SIGTERM)
        assert app.process.popen.wait(SECONDS) == 0
        assert (app.data / "alive").exists()


def test_the_supervisor_is_small(session: Session) -> None:
    with application(session) as app:
        session.await_tray_icons(1)
        status = Path(f"/proc/{app.process.pid}/status").read_text()
        resident = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
        mapped = Path(f"/proc/{app.process.pid}/maps").read_text()
    assert resident < 30 * 1024
    assert "PySide6" not in mapped
    assert "libQt6" not in mapped
