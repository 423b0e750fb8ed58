"""The unit for systemd, in a real user manager: it starts with the session, again after a crash, and ends with it."""

import sys
from pathlib import Path

from desktop.system.autostart import autostart
from desktop.system.autostart_systemd import NAME, SystemdUnit
from tests.desktop.application import Application
from tests.desktop.session import PROJECT, Session
from tests.desktop.user_manager import UserManager, user_manager


def process(manager: UserManager) -> int:
    return int(manager.shown(NAME, "MainPID"))


def running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_it_starts_with_the_session_again_after_a_crash_and_ends_with_it(session: Session) -> None:
    home = session.new_home()
    with session.notify_calls() as notes, user_manager(session, home) as manager:
        way = autostart(manager.env, systemd=True)
        way.switch_on((sys.executable, str(PROJECT / "main.py")))
        assert SystemdUnit(Path(home["XDG_CONFIG_HOME"]) / "systemd" / "user").read() == way.read()
        manager.log_in()
        session.await_tray_icons(1)
        first = process(manager)
        # No supervisor of ours in between: the application itself is what systemd guards.
        assert "--supervised" in Path(f"/proc/{first}/cmdline").read_text().split("\0")
        app = Application(session, home, manager.process)
        server = int(str(app.await_server()["pid"]))

        manager.systemctl("kill", "--kill-whom=main", "--signal=KILL", NAME)
        manager.await_that(lambda: manager.shown(NAME, "SubState") == "auto-restart", "it did not die", 5)
        # The server pages on meanwhile.
        assert running(server)
        manager.await_that(lambda: process(manager) not in {0, first}, "it is not started again", 5)
        assert notes.wait("^Watchbell is back").body.startswith("Watchbell was not running from ")
        session.await_tray_icons(1)
        assert manager.shown(NAME, "NRestarts") == "1"
        server = int(str(app.await_server(other_than=server)["pid"]))

        # What a person quits stays away.
        manager.systemctl("kill", "--kill-whom=main", "--signal=INT", NAME)
        manager.await_that(lambda: manager.shown(NAME, "ActiveState") == "inactive", "it does not end")
        assert manager.shown(NAME, "Result") == "success"
        manager.await_that(lambda: not running(server), "the server outlives the end of the application")

        manager.systemctl("start", NAME)
        session.await_tray_icons(1)
        manager.log_out()
        manager.await_that(lambda: process(manager) == 0, "it outlives its session")
        session.await_tray_icons(0)
