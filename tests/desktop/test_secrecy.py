"""No token is in anything that a run leaves behind or shows: files, logs, answers, process lists, crash reports.

The whole application with a click, a token that is refused, and a crash.
"""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from desktop.backends.base import NewPage
from desktop.backends.pagerduty.backend import PagerDutyBackend
from desktop.domain.incident import Status
from desktop.domain.severity import Severity
from desktop.server import tokens
from desktop.system.clock import utc_now
from tests.desktop.application import Application, application, await_popup
from tests.desktop.maps import MapEvents
from tests.desktop.session import PROJECT, Session
from tests.desktop.test_staying import await_that, tray_of
from tests.serving import Serving, serving

SECONDS = 20.0
COMMANDS = (
    ("status",),
    ("connections",),
    ("doctor",),
    ("incidents",),
    ("oncall",),
)


@pytest.fixture(autouse=True)
def cores_allowed() -> Iterator[None]:
    """Let crashed processes leave core files, as many systems do."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


class Secrets:
    """What must be found nowhere."""

    def __init__(self, *secrets: str) -> None:
        self._secrets = [secret.encode() for secret in secrets]

    def inside(self, content: bytes) -> bool:
        return any(secret in content for secret in self._secrets)

    def in_files(self, *folders: Path) -> list[str]:
        """Return the files below ``folders`` that hold one; there must be files."""
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        assert len(files) > 3, files
        return [str(path) for path in files if self.inside(path.read_bytes())]

    def in_processes(self, name: str) -> list[int]:
        """Return the processes, of all that run, that show one in ``/proc/PID/name``."""
        return [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and self.inside(_read(p / name))]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def processes(home: Mapping[str, str]) -> list[int]:
    """Return every process that lives in this home: supervisor, application, server, players."""
    mine = f"XDG_DATA_HOME={home['XDG_DATA_HOME']}".encode()
    return [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and mine in _read(p / "environ")]


def said(environment: Mapping[str, str], *arguments: str) -> bytes:
    """Return all that a command prints, whatever it finds."""
    command = [sys.executable, "main.py", *arguments]
    done = subprocess.run(command, env=dict(environment), cwd=PROJECT, capture_output=True, check=False, timeout=60)
    assert done.stdout, done.stderr
    return done.stdout + done.stderr


def connect(session: Session, home: Mapping[str, str], server: Serving, token: str) -> None:
    with session.python("main.py", "--verbose", "connect", server.url, "--token-stdin", env=home) as process:
        process.write(token + "\n")
        assert process.popen.wait(SECONDS) == 0, process.log.read_text()


def page_and_click(app: Application, maps: MapEvents, backend: PagerDutyBackend) -> None:
    it = backend.trigger(NewPage("Disk full", Severity.SEV0))
    popup = await_popup(maps)
    app.acknowledge_by_click(popup, lambda: backend.incident(it.id).status is Status.ACKNOWLEDGED)


def crash(app: Application) -> None:
    """Let the application abort, as Qt does, and be started again."""
    tray = tray_of(app)
    limits = Path(f"/proc/{tray}/limits").read_text().splitlines()
    (cores,) = [line.split() for line in limits if line.startswith("Max core file size")]
    assert cores[4] == "0"
    os.kill(tray, signal.SIGABRT)
    await_that(lambda: tray_of(app) != tray, "it is not started again", 5)


def test_a_run_with_a_click_a_refused_token_and_a_crash_shows_no_token(session: Session, tmp_path: Path) -> None:
    home = session.new_home()
    with serving(tmp_path) as server, session.map_events() as maps:
        old, new = server.token(), server.token()
        secrets = Secrets(old, new)
        connect(session, home, server, old)
        with application(session, "--verbose", home=home) as app:
            session.await_tray_icons(1)
            page_and_click(app, maps, PagerDutyBackend(server.url, old, utc_now))
            first = min(tokens.issued(server.database), key=lambda issued: issued.id)
            tokens.revoke(server.database, first.id)
            maps.wait("^Token ", SECONDS)
            answers = [said({**session.env, **home}, "--verbose", "doctor")]
            assert b"does not accept" in answers[0]
            connect(session, home, server, new)
            PagerDutyBackend(server.url, new, utc_now).trigger(NewPage("Queue stuck", Severity.SEV0))
            crash(app)
            session.await_tray_icons(1)
            environment = {**session.env, **home}
            answers += [said(environment, *command, *more) for command in COMMANDS for more in ((), ("--json",))]
            assert not any(map(secrets.inside, answers))
            assert len(processes(home)) >= 2
            assert secrets.in_processes("cmdline") == []
            assert secrets.in_processes("environ") == []
            assert secrets.in_files(Path(home["HOME"]), tmp_path) == []
            log = app.process.log
        assert "DEBUG" in log.read_text("utf-8", "replace")
        assert not secrets.inside(log.read_bytes())
        assert secrets.in_files(Path(home["HOME"]), tmp_path) == []
        assert not list(PROJECT.glob("core*"))


def test_a_token_of_the_environment_is_handed_to_nothing_that_does_not_need_it(
    session: Session, tmp_path: Path
) -> None:
    with serving(tmp_path) as server, session.map_events() as maps:
        token = server.token()
        secrets = Secrets(token)
        home = {**session.new_home(), "WATCHBELL_URL": server.url, "WATCHBELL_TOKEN": token}
        with application(session, "--verbose", home=home) as app:
            session.await_tray_icons(1)
            page_and_click(app, maps, PagerDutyBackend(server.url, token, utc_now))
            crash(app)
            session.await_tray_icons(1)
            answers = [said({**session.env, **home}, *command, "--json") for command in COMMANDS]
            assert not any(map(secrets.inside, answers))
            assert secrets.in_processes("cmdline") == []
            # Those two a person gave it to.
            assert set(secrets.in_processes("environ")) == {app.process.pid, tray_of(app)}
            assert secrets.in_files(Path(home["HOME"]), tmp_path) == []
            log = app.process.log
        assert not secrets.inside(log.read_bytes())
