"""A real desktop for the tests: X server, window manager, tray, notifications, keyring and sound, on one bus.

Everything is started by one fixture, in parallel, awaited by what it says and not by sleeping, and lives in a folder of
its own: nothing of the desktop of whoever runs the tests is touched. Main thread.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.desktop.alertmanager import Alertmanager, run_alertmanager
from tests.desktop.bus import NOTIFICATIONS, Bus, NotifyCalls
from tests.desktop.maps import MapEvents
from tests.desktop.processes import Process, await_line, running
from tests.desktop.sound import Listener
from tests.desktop.x11 import PROPERTY_CHANGE, STRUCTURE, SUBSTRUCTURE, Display, Geometry
from tests.isolation import home_environment
from tests.parts import need

PROJECT = Path(__file__).parents[2]
SECONDS = 15
"""How long one part may take to be ready: far longer than it takes, since the machine may be busy."""

SINK = "out"
_KEYRING_PASSWORD = "of the tests' own keyring"

# No service is started on demand, so that only what is started here ever answers.
_BUS_CONFIG = """<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


@dataclass(frozen=True)
class Session:
    """The running desktop; `env` is the whole environment for a program under test."""

    env: Mapping[str, str]
    number: int
    folder: Path
    bus: Bus

    # --- programs ---

    def new_home(self) -> dict[str, str]:
        """Make a person's folders, empty, and return the variables that name them, for a program's `env`."""
        # Not below pytest's tmp_path: a program may put a socket there, whose path may have 107 bytes.
        home = home_environment(Path(tempfile.mkdtemp(prefix="home-", dir=self.folder)))
        # What is kept outside of a home goes with the session.
        return {**home, "TMPDIR": str(self.folder)}

    def program(self, *command: str, env: Mapping[str, str] | None = None) -> AbstractContextManager[Process]:
        """Run a program on this desktop, from the project's folder; `env` is added to the session's."""
        log = self.folder / f"{Path(command[0]).name}.log"
        return running(*command, environment={**self.env, **(env or {})}, log=log, folder=PROJECT)

    def python(self, *arguments: str, env: Mapping[str, str] | None = None) -> AbstractContextManager[Process]:
        """Run Python as the tests' own is."""
        return self.program(sys.executable, *arguments, env=env)

    def alertmanager(self, config: str) -> AbstractContextManager[Alertmanager]:
        """Run Alertmanager with this configuration (YAML)."""
        return run_alertmanager(config, Path(tempfile.mkdtemp(dir=self.folder)), self.env)

    # --- the screen ---

    def screenshot(self, path: Path) -> Path:
        """Write a picture of the whole screen; the ending of the path says in which format."""
        self._run("import", "-silent", "-window", "root", str(path))
        return path

    def map_events(self) -> MapEvents:
        """Watch windows come and go, for a `with` block."""
        return MapEvents(self.number)

    def windows(self, title: str) -> list[int]:
        """Return the windows on screen with this title (an extended regular expression)."""
        found = self._run("xdotool", "search", "--onlyvisible", "--name", title, accept=(0, 1))
        return [int(line) for line in found.split()]

    def click(self, window: int, x: int, y: int) -> None:
        """Click with the left button on a point of a window, counted from its upper left corner."""
        self._run("xdotool", "mousemove", "--window", str(window), str(x), str(y), "click", "1")

    def click_at(self, x: int, y: int, button: int = 1) -> None:
        """Click on a point of the screen."""
        self._run("xdotool", "mousemove", str(x), str(y), "click", str(button))

    def key(self, *keys: str, window: int | None = None) -> None:
        """Press keys (xdotool's names, as "ctrl+Return"), in a window that is given the focus first."""
        if window is not None:
            self._run("xdotool", "windowactivate", "--sync", str(window))
        self._run("xdotool", "key", *keys)

    def tray_icons(self) -> list[Geometry]:
        """Return where the icons are that programs have put into the tray."""
        with Display(self.number) as display:
            return _tray_icons(display)

    def await_tray_icons(self, count: int, seconds: float = SECONDS) -> list[Geometry]:
        """Return where the icons are, once there are this many and they stand still."""
        with Display(self.number) as display:
            display.listen(display.root, SUBSTRUCTURE)
            display.until(lambda: len(_tray_icons(display)) == count, seconds, f"{count} icons in the tray")
            display.settle(0.2)  # the tray makes room for a newcomer, and everything in it moves
            return _tray_icons(display)

    # --- sound and notifications ---

    def listen(self) -> Listener:
        """Hear what comes out of the loudspeaker, for a `with` block."""
        return Listener(self.env, f"{SINK}.monitor")

    def notify_calls(self) -> NotifyCalls:
        """See which notifications programs ask for, for a `with` block."""
        return NotifyCalls(self.bus.address)

    def _run(self, program: str, *arguments: str, accept: tuple[int, ...] = (0,)) -> str:
        command = [str(need(program)), *arguments]
        done = subprocess.run(command, env=dict(self.env), capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode in accept, f"{command}: {done.stderr}"
        return done.stdout


@contextmanager
def start_session() -> Iterator[Session]:
    """Start the desktop; the block begins when every part is ready, and nothing is left of it afterwards."""
    with ExitStack() as stack:
        # Directly below /tmp: the path of a socket may have 107 bytes, and pytest's own folders are deep.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="watchbell-desktop-")))
        env = _environment(folder)
        start = _Starter(stack, env, folder)
        # These three need nothing from each other: all are started before one is awaited.
        bus, screen, sound = start.bus(), start.screen(), start.sound()
        env["DBUS_SESSION_BUS_ADDRESS"] = await_line(bus, re.compile(r"^(unix:\S+)$"), SECONDS)[1]
        number = int(await_line(screen, re.compile(r"^(\d+)$"), SECONDS)[1])
        env["DISPLAY"] = f":{number}"
        start.helpers()
        await_line(sound, re.compile(r"Daemon startup complete"), SECONDS)
        session = Session(env, number, folder, Bus(env["DBUS_SESSION_BUS_ADDRESS"]))
        _await_helpers(session)
        yield session


class _Starter:
    """Starts the parts of the desktop; each ends with the stack."""

    def __init__(self, stack: ExitStack, env: Mapping[str, str], folder: Path) -> None:
        self.stack, self.env, self.folder = stack, env, folder

    def bus(self) -> Process:
        config = self.folder / "bus.conf"
        config.write_text(_BUS_CONFIG.format(socket=Path(self.env["XDG_RUNTIME_DIR"]) / "bus"), encoding="utf-8")
        return self._run("dbus-daemon", f"--config-file={config}", "--nofork", "--print-address=1")

    def screen(self) -> Process:
        return self._run("Xvfb", "-displayfd", "1", "-screen", "0", "1920x1080x24", "-nolisten", "tcp", "-noreset")

    def sound(self) -> Process:
        # norewinds: a sink without listeners works in blocks of 2 s, and the next listener waits for the end of one.
        modules = ("module-native-protocol-unix", f"module-null-sink sink_name={SINK} norewinds=1")
        loads = (part for module in modules for part in ("-L", module))
        command = ("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--log-target=stderr", "-v", *loads)
        return self._run(*command, read_errors=True)

    def helpers(self) -> None:
        """Start what needs the screen or the bus."""
        self._run("openbox", "--sm-disable")
        # It keeps its edge of the screen for itself, as panels do: windows must not cover it.
        place = ("--edge", "bottom", "--align", "right", "--widthtype", "request", "--height", "32")
        self._run("trayer", *place, "--SetDockType", "true", "--SetPartialStrut", "true")
        defaults = self.folder / "dunstrc"
        defaults.touch()
        self._run("dunst", "-conf", str(defaults))
        keyring = self._run("gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets")
        keyring.write(_KEYRING_PASSWORD)

    def _run(self, program: str, *arguments: str, read_errors: bool = False) -> Process:
        return self.stack.enter_context(
            running(
                str(need(program)),
                *arguments,
                environment=self.env,
                log=self.folder / f"{program}.log",
                read="stderr" if read_errors else "stdout",
            )
        )


def _environment(folder: Path) -> dict[str, str]:
    env = home_environment(folder / "home")
    env |= {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "XDG_SESSION_TYPE": "x11"}
    env["PULSE_SERVER"] = f"unix:{env['XDG_RUNTIME_DIR']}/pulse/native"
    return env


def _await_helpers(session: Session) -> None:
    session.bus.await_service("org.freedesktop.secrets", SECONDS)
    session.bus.await_service(NOTIFICATIONS, SECONDS)
    with Display(session.number) as display:
        display.listen(display.root, PROPERTY_CHANGE | STRUCTURE)
        root = display.root
        display.until(lambda: bool(display.property(root, "_NET_SUPPORTING_WM_CHECK")), SECONDS, "a window manager")
        display.until(lambda: display.owner("_NET_SYSTEM_TRAY_S0") != 0, SECONDS, "a tray")


def _tray_icons(display: Display) -> list[Geometry]:
    panels = [window for window in display.inside(display.root) if display.wm_class(window) == "panel.trayer"]
    inside = [window for panel in panels for window in display.inside(panel)]
    return [display.geometry(window) for window in inside if display.property(window, "_XEMBED_INFO")]
