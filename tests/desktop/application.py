"""Watchbell itself on the desktop of the tests, with its embedded server. Main thread."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from desktop.backends.pagerduty.backend import PagerDutyBackend
from desktop.system.clock import utc_now
from tests.desktop.maps import MapEvents, Shown
from tests.desktop.processes import Process
from tests.desktop.session import PROJECT, Session

POPUP = "^Watchbell: page"
SECONDS = 20.0
_PAUSE = threading.Event()


@dataclass
class Application:
    """A running tray application and the home that it lives in."""

    session: Session
    home: Mapping[str, str]
    process: Process

    def command(self, *arguments: str, expect: int = 0) -> str:
        """Run a command of Watchbell as the same person does in a terminal; return what it prints."""
        done = subprocess.run(
            [sys.executable, "main.py", *arguments],
            env={**self.session.env, **self.home},
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert done.returncode == expect, done.stderr
        return done.stdout if expect == 0 else done.stderr

    def await_server(self, other_than: int = 0) -> dict[str, object]:
        """Return what the embedded server's file says, once there is a server (whose process id is another)."""
        file = self.data / "server.json"
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                found: dict[str, object] = json.loads(file.read_text("utf-8"))
                if found["pid"] != other_than:
                    return found
            except (OSError, ValueError):
                pass
            assert time.monotonic() < deadline, "no embedded server"
            # Nothing announces a file that another process writes.
            _PAUSE.wait(0.02)

    def await_history(self, incident: str, *kinds: str) -> None:
        """Wait until the history of ``incident`` has an entry of each of ``kinds``."""
        deadline = time.monotonic() + SECONDS
        asked = "SELECT type FROM log_entries WHERE incident_id = ?"
        while True:
            with closing(sqlite3.connect(f"file:{self.data / 'watchbell.db'}?mode=ro", uri=True)) as database:
                found = {kind for (kind,) in database.execute(asked, (incident,))}
            if found.issuperset(kinds):
                return
            assert time.monotonic() < deadline, f"the history has {sorted(found)} only"
            # Nothing announces a row that another process writes.
            _PAUSE.wait(0.02)

    @property
    def data(self) -> Path:
        """The folder of its databases."""
        return Path(self.home["XDG_DATA_HOME"]) / "watchbell"

    @property
    def url(self) -> str:
        """The embedded server's address."""
        return str(self.await_server()["url"])

    def key(self) -> str:
        """Return a new integration key."""
        return self.command("token", "create", "--service", "default").strip()

    def backend(self) -> PagerDutyBackend:
        """Return a view of the embedded server by a token of its own."""
        person = json.loads(self.command("oncall", "--json"))["roles"]["primary"]["person"]
        token = self.command("token", "create", "--person", person).strip()
        return PagerDutyBackend(self.url, token, utc_now)

    def kill_server(self) -> None:
        """End the embedded server as a crash does, and await the next one."""
        pid = self.await_server()["pid"]
        assert isinstance(pid, int)
        os.kill(pid, signal.SIGKILL)
        self.await_server(other_than=pid)

    def acknowledge_by_click(self, popup: Shown, acknowledged: object) -> float:
        """Click on Acknowledge until ``acknowledged()``: a pop-up ignores clicks in its first moments."""
        assert callable(acknowledged)
        deadline = time.monotonic() + SECONDS
        clicked = time.monotonic()
        while not acknowledged():
            assert time.monotonic() < deadline, "the click acknowledged nothing"
            clicked = time.monotonic()
            width, height = self.size(popup.window)
            # The button takes the left of the row above the foot.
            self.session.click(popup.window, width // 4, height - 66)
        return clicked

    def size(self, window: int) -> tuple[int, int]:
        """Return a window's width and height."""
        shell = subprocess.run(
            ["xdotool", "getwindowgeometry", "--shell", str(window)],
            env=dict(self.session.env),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        values = dict(line.split("=") for line in shell.split())
        return int(values["WIDTH"]), int(values["HEIGHT"])


@contextmanager
def application(session: Session, *arguments: str, home: Mapping[str, str] | None = None) -> Iterator[Application]:
    """Run the tray application until the block ends."""
    home = session.new_home() if home is None else home
    with session.python("main.py", *arguments, env=home) as process:
        begin = process.log.stat().st_size
        try:
            yield Application(session, home, process)
        except BaseException:
            # What the application said is the first thing to read when a test fails.
            print(process.log.read_text("utf-8", "replace")[begin:])
            raise


def await_popup(maps: MapEvents) -> Shown:
    """Return the pop-up once it is on screen."""
    return maps.wait(POPUP, SECONDS)
