"""The application stays: one of it, started again when it crashes, and honest about the time in between."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.desktop.application import Application, application
from tests.desktop.session import PROJECT, Session
from tests.fakes.logind import Logind

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


def test_a_second_start_brings_the_first_to_the_front_and_its_supervisor_is_small(session: Session) -> None:
    home = session.new_home()
    with session.map_events() as maps, application(session, home=home) as app:
        session.await_tray_icons(1)
        # Another program has the keyboard.
        with session.python("tests/desktop/sample_program.py"):
            maps.wait("^Sample program$", SECONDS)
            done = second_start(session, home, DESKTOP_STARTUP_ID="launcher/watchbell/1-0_TIME0")
            assert (done.returncode, done.stderr) == (0, "")
            assert "running already" in done.stdout
            window = maps.wait(STATUS, SECONDS).window
            await_that(lambda: active(session) == window, "it is not active")
        assert trays(home) == children(app.process.pid)
        status = Path(f"/proc/{app.process.pid}/status").read_text()
        mapped = Path(f"/proc/{app.process.pid}/maps").read_text()
        app.await_server()
    resident = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
    assert resident < 30 * 1024
    assert "libQt6" not in mapped


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
    with application(session, home=home) as app:
        session.await_tray_icons(1)
        app.await_server(other_than=int(str(server)))
        assert len(servers(home)) == 1
        # The end of a session is told at the next start, as a crash is.
        app.process.popen.terminate()
        assert app.process.popen.wait(SECONDS) == 0
        assert (app.data / "alive").exists()
    await_that(lambda: not servers(home), "the server outlived the end of the application")


def test_a_crashed_tray_is_back_within_5_s_says_that_it_was_away_and_outlives_its_supervisor(session: Session) -> None:
    home = session.new_home()
    with session.notify_calls() as notes, session.map_events() as maps, application(session, home=home) as app:
        session.await_tray_icons(1)
        app.await_server()
        first = tray_of(app)
        os.kill(first, signal.SIGKILL)
        await_that(lambda: tray_of(app) != first, "it is not started again", 5)
        assert notes.wait("^Watchbell is back").body.startswith("Watchbell was not running from ")
        session.await_tray_icons(1)
        await_that(lambda: len(servers(home)) == 1, "one server")
        tray = tray_of(app)
        assert trays(home) == [tray]
        os.kill(app.process.pid, signal.SIGKILL)
        app.process.popen.wait()
        assert second_start(session, home).returncode == 0
        maps.wait(STATUS, SECONDS)
        assert trays(home) == [tray]
        app.await_server()
        os.kill(tray, signal.SIGTERM)
        await_that(lambda: not trays(home), "it does not end")


def test_one_that_crashes_at_every_start_is_started_within_5_s_each_time_and_that_is_told(session: Session) -> None:
    # Qt aborts the process.
    home = {**session.new_home(), "QT_QPA_PLATFORM": "there is no such platform"}
    with session.notify_calls() as notes, application(session, home=home) as app:
        begin = app.process.log.stat().st_size
        note = notes.wait("^Watchbell keeps crashing$", SECONDS)
        assert "Nobody watches for pages now." in note.body

        def starts() -> int:
            return app.process.log.read_bytes()[begin:].count(b"starting it again in 2.0 s")

        await_that(lambda: starts() > 0, "it gave up")
        known = starts()
        await_that(lambda: starts() > known, "it is not started again", 5)
        app.process.popen.terminate()
        assert app.process.popen.wait(SECONDS) == 128 + signal.SIGTERM


def test_waking_up_fetches_everything_once_and_tells_what_came_and_went(session: Session) -> None:
    home = {**session.new_home(), "DBUS_SYSTEM_BUS_ADDRESS": session.bus.address}
    with session.notify_calls() as notes, Logind(session.bus.address) as logind, application(session, home=home) as app:
        session.await_tray_icons(1)
        app.await_server()
        log = Path(home["XDG_STATE_HOME"]) / "watchbell" / "log" / "watchbell.log"
        await_that(lambda: "in contact" in log.read_text(), "no contact")
        logind.prepare_for_sleep(True)
        incident = json.loads(app.command("page", "Replica behind", "--severity", "sev3", "--json"))["id"]
        app.command("resolve", incident)
        logind.prepare_for_sleep(False)
        assert "came and went: SEV-3 Replica behind" in notes.wait("^Meanwhile").body
        assert log.read_text().count("nobody watched from") == 1
        # What a person ended is nothing to tell at the next start.
        app.process.popen.send_signal(signal.SIGINT)
        assert app.process.popen.wait(SECONDS) == 0
        assert not (app.data / "alive").exists()
