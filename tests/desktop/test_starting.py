"""Machines on which Watchbell cannot start, or not well: it says why, and watches wherever that is possible at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.backends.base import NewPage
from desktop.backends.pagerduty.backend import PagerDutyBackend
from desktop.domain.incident import Status
from desktop.domain.severity import Severity
from desktop.system.clock import utc_now
from tests.desktop.application import application, await_popup
from tests.desktop.session import PROJECT, Session
from tests.serving import serving

TEAM = """
time_zone = "UTC"
people = [{ id = "ana", name = "Ana" }]
[rotation.primary]
members = ["ana"]
start = 2026-01-05T09:00:00
every = "1 week"
"""


def refused(environment: dict[str, str], *arguments: str) -> str:
    """Start it, and return the one line that it says."""
    done = subprocess.run(
        [sys.executable, "main.py", *arguments],
        env=environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize("command", [(), ("demo",)])
@pytest.mark.parametrize(("display", "says"), [(None, "no screen here"), (":9999", "does not answer")])
def test_no_screen(session: Session, display: str | None, says: str, command: tuple[str, ...]) -> None:
    environment = {**session.env, **session.new_home()}
    del environment["DISPLAY"]
    if display is not None:
        environment["DISPLAY"] = display
    assert says in refused(environment, *command)


@pytest.mark.parametrize("blocked", ["a file", "/proc/none"])
def test_a_home_in_which_no_folder_can_be_made_keeps_nobody_from_the_watch(
    session: Session, tmp_path: Path, blocked: str
) -> None:
    (tmp_path / "a file").write_text("no folder can be made below a file")
    folders = dict.fromkeys(("XDG_DATA_HOME", "XDG_STATE_HOME"), str(tmp_path / blocked))
    with serving(tmp_path) as server, session.map_events() as maps:
        token = server.token()
        home = {**session.new_home(), **folders, "WATCHBELL_URL": server.url, "WATCHBELL_TOKEN": token}
        with application(session, home=home) as app:
            session.await_tray_icons(1)
            backend = PagerDutyBackend(server.url, token, utc_now)
            it = backend.trigger(NewPage("Disk full", Severity.SEV0))
            popup = await_popup(maps)
            app.acknowledge_by_click(popup, lambda: backend.incident(it.id).status is Status.ACKNOWLEDGED)
            with session.python("main.py", env=home) as second:
                assert second.popen.wait(8) == 0, second.log.read_text()
            maps.wait("^Watchbell$", 20)
            said = app.process.log.read_text("utf-8", "replace")
    assert "client.db cannot be" in said
    assert "Traceback" not in said


def test_settings_that_cannot_be_understood_open_the_window_and_are_followed_when_they_are_mended(
    session: Session, tmp_path: Path
) -> None:
    home = session.new_home()
    settings = Path(home["XDG_CONFIG_HOME"]) / "watchbell" / "settings.json"
    with serving(tmp_path) as server, session.map_events() as maps:
        token = server.token()
        with session.python("main.py", "connect", server.url, "--token-stdin", env=home) as connect:
            connect.write(token + "\n")
            assert connect.popen.wait(20) == 0, connect.log.read_text()
        understood = settings.read_text()
        settings.write_text(understood[:-5])
        with application(session, home=home) as app:
            maps.wait("^Watchbell$", 20)
            session.await_tray_icons(1)
            assert "settings.json, or let it hold" in app.command("connections", expect=2)
            settings.write_text(understood)
            PagerDutyBackend(server.url, token, utc_now).trigger(NewPage("Disk full", Severity.SEV0))
            await_popup(maps)


def test_what_it_writes_is_its_owners_alone(session: Session) -> None:
    home = session.new_home()
    environment = {**session.env, **home, "WATCHBELL_URL": "http://127.0.0.1:9", "WATCHBELL_TOKEN": "wb_x"}
    old = os.umask(0o022)
    try:
        with session.python("main.py", env=home) as process:
            session.await_tray_icons(1)
            process.popen.terminate()
            assert process.popen.wait(15) == 0
        refused({**environment, "WATCHBELL_TOKEN": "two\nlines"}, "incidents")
    finally:
        os.umask(old)
    open_to_others = [
        path
        for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
        for path in Path(home[name]).rglob("watchbell/**/*")
        if path.is_file() and path.stat().st_mode & 0o077
    ]
    assert open_to_others == []


def test_a_mistake_in_the_team_file_opens_the_window_and_heals_when_it_is_mended(session: Session) -> None:
    home = session.new_home()
    file = Path(home["XDG_CONFIG_HOME"]) / "watchbell" / "team.toml"
    file.parent.mkdir(parents=True)
    file.write_text(TEAM.replace("members", "membrs"), "utf-8")
    with session.map_events() as maps, application(session, home=home) as app:
        maps.wait("^Watchbell$", 20)
        file.write_text(TEAM, "utf-8")
        app.await_server()
        app.command("page", "Disk full", "--severity", "sev0")
        await_popup(maps)
