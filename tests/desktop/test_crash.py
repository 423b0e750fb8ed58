"""The application is killed between the click and the answer: the acknowledgement arrives, once."""

import os
import signal
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from desktop.backends.base import NewPage
from desktop.backends.pagerduty.backend import PagerDutyBackend
from desktop.domain.incident import Status
from desktop.domain.severity import Severity
from desktop.system.clock import utc_now
from tests.desktop.application import Application, application, await_popup
from tests.desktop.session import Session
from tests.serving import Serving, serving

_PAUSE = threading.Event()


def waiting(app: Application) -> list[str]:
    """Return the incidents whose commands lie in the outbox."""
    file = app.data / "client.db"
    if not file.exists():
        return []
    database = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        return [row[0] for row in database.execute("SELECT incident FROM commands")]
    except sqlite3.OperationalError:
        return []
    finally:
        database.close()


def acknowledgements(server: Serving) -> int:
    """Return how often the server wrote an acknowledgement down."""
    database = sqlite3.connect(server.database.removeprefix("sqlite:///"))
    try:
        (count,) = database.execute("SELECT count(*) FROM log_entries WHERE type = 'acknowledge'").fetchone()
        return int(count)
    finally:
        database.close()


def connect(session: Session, home: dict[str, str], server: Serving) -> None:
    with session.python("main.py", "connect", server.url, "--token-stdin", env=home) as process:
        process.write(server.token() + "\n")
        assert process.popen.wait(20) == 0, process.log.read_text()


def await_acknowledged(backend: PagerDutyBackend, incident_id: str) -> None:
    deadline = time.monotonic() + 20
    while backend.incident(incident_id).status is not Status.ACKNOWLEDGED:
        assert time.monotonic() < deadline, "the acknowledgement never arrived"
        _PAUSE.wait(0.05)


@pytest.mark.parametrize("server_is", ["frozen", "dead"])
def test_an_acknowledgement_outlives_the_application(session: Session, tmp_path: Path, server_is: str) -> None:
    home = session.new_home()
    with serving(tmp_path) as server, session.map_events() as maps:
        connect(session, home, server)
        port = int(server.url.rpartition(":")[2])
        token = server.token()
        with application(session, home=home) as app:
            session.await_tray_icons(1)
            it = PagerDutyBackend(server.url, token, utc_now).trigger(NewPage("Disk full", Severity.SEV0))
            popup = await_popup(maps)
            if server_is == "frozen":
                os.killpg(server.process.pid, signal.SIGSTOP)
            else:
                server.kill()
            app.acknowledge_by_click(popup, lambda: waiting(app) == [it.id])
            os.killpg(app.process.pid, signal.SIGKILL)
        assert waiting(app) == [it.id]
        if server_is == "frozen":
            os.killpg(server.process.pid, signal.SIGCONT)
            finish(session, home, server, it.id, token)
        else:
            with serving(tmp_path, port=port) as again:
                finish(session, home, again, it.id, token)


def finish(session: Session, home: dict[str, str], server: Serving, incident_id: str, token: str) -> None:
    """Start the application again, and see that it brings the acknowledgement to its end."""
    backend = PagerDutyBackend(server.url, token, utc_now)
    with application(session, home=home) as app:
        await_acknowledged(backend, incident_id)
        deadline = time.monotonic() + 20
        while waiting(app):
            assert time.monotonic() < deadline, "the outbox is not emptied"
            _PAUSE.wait(0.05)
    assert acknowledgements(server) == 1
