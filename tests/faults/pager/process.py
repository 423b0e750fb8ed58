"""A whole pager without windows, as a process that can be killed: told what to do, it tells what it shows.

It is the application's own parts, put together as the application does; only screen, loudspeaker and keyring are not
real, and its clock can be moved. Started by a fork server, so that a start costs a few milliseconds.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from multiprocessing.connection import Connection
from pathlib import Path

import keyring
from PySide6.QtCore import QCoreApplication

from desktop.app.fleet import Fleet
from desktop.app.pager import Pager
from desktop.app.presence import Presence
from desktop.backends.pagerduty.client import Patience
from desktop.connections.live import Tempo
from desktop.qt.bridge import Bridge
from desktop.sync.pace import Pace
from desktop.sync.watcher import Watcher
from desktop.system import clock
from desktop.system import settings as settings_file
from desktop.system.guard import Guard
from desktop.system.paths import paths_under
from desktop.system.session_secrets import SessionSecrets
from desktop.system.settings import ConnectionSettings, Settings
from tests.fakes.keyring_fake import MemoryKeyring
from tests.faults.pager.clocks import Clocks
from tests.faults.pager.screen import screen

QUICK = Pace(
    on_call=(0.05, 0.1),
    off_call=(0.05, 0.1),
    first=0.01,
    most=0.05,
    stream_pause=0.2,
    no_stream=0.5,
    retry=0.1,
)
# The shortest that a busy machine keeps to when nothing is wrong.
SHORT = Patience(connect=2.0, read=0.5, answer=0.7, begin=0.7, silence=0.7)
# Time that passes goes by in such steps, of which none is a jump of the clock.
STEP = timedelta(seconds=5)
DONE = "done"


@dataclass(frozen=True, slots=True)
class Backend:
    """A backend that is watched: an id, where it is, and its token."""

    id: str
    url: str
    token: str


class Clock:
    """The machine's clock; stands in for ``datetime`` where the time is read."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks

    def now(self, zone: tzinfo | None = None) -> datetime:
        """Return what it shows."""
        return datetime.now(zone) + self._clocks.machine()


class Attempts:
    """Counts how often each connection was tried to be watched, so that the end of what is under way can be awaited."""

    def __init__(self) -> None:
        self._begun: Counter[str] = Counter()
        self._ended: Counter[str] = Counter()
        self._changed = threading.Condition()
        attempt = Watcher._attempt

        def counted(watcher: Watcher) -> tuple[float, float]:
            name = watcher._keeper.state.id
            with self._changed:
                self._begun[name] += 1
            try:
                return attempt(watcher)
            finally:
                with self._changed:
                    self._ended[name] += 1
                    self._changed.notify_all()

        setattr(Watcher, "_attempt", counted)  # noqa: B010 - to the checker it is nobody else's

    def await_end(self, connection: str) -> None:
        """Wait until the attempt that is under way has ended."""
        with self._changed:
            under_way = self._begun[connection]
            self._changed.wait_for(lambda: self._ended[connection] >= under_way)


class Desk:
    """The application and what can be done at it. Made in the GUI thread; ``do`` may be called from any."""

    def __init__(
        self, pipe: Connection, folder: Path, backends: tuple[Backend, ...], clocks: Clocks, patience: Patience
    ) -> None:
        self._clocks = clocks
        paths = paths_under(folder)
        secrets = SessionSecrets()
        connections = tuple(ConnectionSettings(b.id, b.id, b.url) for b in backends)
        settings_file.save(paths.settings, Settings(connections))
        for backend in backends:
            secrets.remember(backend.id, backend.token)
        self._bridge = Bridge()
        self._attempts = Attempts()
        self._tell: Callable[[object], None] = pipe.send
        self._screen = screen(self._tell)
        self._fleet = Fleet(
            paths,
            secrets,
            self._bridge.post_states,
            self._bridge.post_notice,
            demo=False,
            tempo=Tempo(QUICK, patience),
        )
        presence = Presence(paths, Guard.NOBODY, self._screen, self._bridge, lambda: self._fleet.states)
        self._pager = Pager(self._fleet, self._bridge, self._screen, presence)

    def start(self) -> None:
        """Begin."""
        self._pager.start()

    def stop(self) -> None:
        """End in order."""
        self._pager.stop(by_person=True)

    def do(self, what: str, arguments: tuple[object, ...]) -> None:
        """Do one thing, in the GUI thread but for waiting; say so when all that it caused there is done, too."""
        doing: Callable[..., None] = getattr(self, f"_{what}")
        if what == "end_attempt":
            doing(*arguments)
        else:
            self._bridge.call(lambda: doing(*arguments))
        self._bridge.call(lambda: self._bridge.call(lambda: self._tell(DONE)))

    def _end_attempt(self, connection: str) -> None:
        self._attempts.await_end(connection)

    def _click(self, connection: str, incident: str) -> None:
        self._screen.popup.acknowledge.emit(connection, incident)

    def _mute(self, seconds: int) -> None:
        self._screen.popup.mute.emit(seconds)

    def _silence(self) -> None:
        self._screen.popup.silence.emit()

    def _quit(self) -> None:
        self._pager.quit()

    def _pass_time(self, time_passed: timedelta) -> None:
        """Let time go by, for all the world, and look at each of its steps as at a tick."""
        left = time_passed
        while left > timedelta(0):
            self._clocks.pass_by(min(STEP, left))
            left -= STEP
            self._tick()

    def _set_clock(self, by: timedelta) -> None:
        """Let the machine's clock be set."""
        self._tick()
        self._clocks.set_machine(by)
        self._tick()

    def _tick(self) -> None:
        self._pager._ticker._run()


def run(
    pipe: Connection, folder: Path, backends: tuple[Backend, ...], clocks: Clocks, patience: Patience = SHORT
) -> None:
    """Be a pager until told to quit, or killed."""
    setattr(clock, "datetime", Clock(clocks))  # noqa: B010 - to the checker it is nobody else's
    keyring.set_keyring(MemoryKeyring())
    application = QCoreApplication(["watchbell"])
    desk = Desk(pipe, folder, backends, clocks, patience)
    desk.start()
    threading.Thread(target=_listen, args=(pipe, desk), daemon=True).start()
    application.exec()
    desk.stop()
    os._exit(0)


def _listen(pipe: Connection, desk: Desk) -> None:
    try:
        while True:
            what, arguments = pipe.recv()
            desk.do(what, arguments)
    except (EOFError, OSError):
        os._exit(1)
