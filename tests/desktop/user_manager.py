"""A real user manager of systemd, also where there is no systemd: started in namespaces of its own. Main thread."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.desktop.processes import Process, running
from tests.desktop.session import Session
from tests.parts import lacking, need

SECONDS = 20.0
_PAUSE = threading.Event()
_SCRIPT = Path(__file__).with_name("user_manager.sh")
_SYSTEMS = Path("/usr/lib/systemd/user")
# What a session needs; a person's bus and keyring are those of the tests, which no unit may start again.
_UNITS = (
    "app.slice",
    "basic.target",
    "default.target",
    "exit.target",
    "graphical-session.target",
    "graphical-session-pre.target",
    "shutdown.target",
    "systemd-exit.service",
)
# Desktops bind their own target to that of the graphical session, which nobody may start by itself.
_SESSION = "tests-session.target"


@dataclass(frozen=True)
class UserManager:
    """A running manager; ``env`` is that of whoever is logged in."""

    env: Mapping[str, str]
    process: Process

    def systemctl(self, *arguments: str) -> str:
        """Run ``systemctl --user``."""
        command = [str(need("systemctl")), "--user", *arguments]
        done = subprocess.run(command, env=dict(self.env), capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout

    def shown(self, unit: str, name: str) -> str:
        """Return a property of a unit."""
        return self.systemctl("show", "--value", "-p", name, unit).strip()

    def log_in(self) -> None:
        """Begin a graphical session."""
        self.systemctl("daemon-reload")
        self.systemctl("start", _SESSION)

    def log_out(self) -> None:
        """End the session."""
        self.systemctl("stop", "graphical-session.target", _SESSION)

    def await_that(self, holds: Callable[[], bool], what: str, seconds: float = SECONDS) -> None:
        """Wait for what a unit becomes."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, what
            _PAUSE.wait(0.05)


@contextmanager
def user_manager(session: Session, home: Mapping[str, str]) -> Iterator[UserManager]:
    """Run a manager until the block ends; where that cannot be skip the test, or fail in CI."""
    need("systemctl")
    if os.geteuid() != 0 or not _SYSTEMS.is_dir():
        lacking("a user manager needs systemd's units and namespaces of its own, which this user may not make")
    units, own = Path(home["XDG_CONFIG_HOME"]) / "systemd" / "user", Path(home["HOME"]) / "units"
    own.mkdir()
    for name in _UNITS:
        (own / name).symlink_to(_SYSTEMS / name)
    (own / _SESSION).write_text("[Unit]\nBindsTo=graphical-session.target\nBefore=graphical-session.target\n")
    env = {
        **session.env,
        **home,
        "SYSTEMD_UNIT_PATH": f"{units}:{own}",
        "SYSTEMD_GENERATOR_PATH": "/nonexistent",
        "SYSTEMD_ENVIRONMENT_GENERATOR_PATH": "/nonexistent",
        "SYSTEMD_LOG_TARGET": "console",
    }
    command = ("unshare", "--mount", "--cgroup", "sh", str(_SCRIPT), f"watchbell-tests-{os.getpid()}")
    with running(*command, environment=env, log=session.folder / "user-manager.log") as process:
        _await(process, Path(home["XDG_RUNTIME_DIR"]) / "systemd" / "private")
        yield UserManager(env, process)


def _await(process: Process, socket: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not socket.exists():
        if process.popen.poll() is not None or time.monotonic() > deadline:
            lacking(f"no user manager can be started here: {process.log.read_text()[-300:]}")
        # Nothing announces a socket that another process makes.
        _PAUSE.wait(0.02)
