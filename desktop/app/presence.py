"""What the application knows of its own being there: a second start, who guards it, and for how long it was away.

GUI thread.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from PySide6.QtCore import QObject, Signal, Slot

from desktop.app import login, meanwhile, passing
from desktop.app.surfaces import Surfaces
from desktop.domain.attention import ConnectionState
from desktop.domain.errors import WatchbellError
from desktop.domain.sight import told
from desktop.domain.waking import Gap
from desktop.qt.bridge import Bridge
from desktop.qt.instance_server import InstanceServer
from desktop.system import instance
from desktop.system.clock import utc_now
from desktop.system.guard import Guard, watch_supervisor
from desktop.system.liveness import Liveness
from desktop.system.paths import Paths
from desktop.ui import words

log = logging.getLogger(__name__)

AWAY = "away"
# What is only to be read: its button takes it away.
_DISMISSED = frozenset({AWAY, login.NOTICE})
_UNGUARDED = (
    "What starts Watchbell again after a crash is gone itself. It goes on, but quit it and start it again when you can."
)


class Presence(QObject):
    """Answers a second start, marks that it lives, and says at its start whether and for how long nobody watched.

    ``reload``: somebody changed the settings. ``states`` are told to a command that asks what is watched.
    """

    reload = Signal()

    def __init__(
        self,
        paths: Paths,
        guard: Guard,
        surfaces: Surfaces,
        bridge: Bridge,
        states: Callable[[], tuple[ConnectionState, ...]],
    ) -> None:
        super().__init__(surfaces)
        self._paths = paths
        self._guard = guard
        self._surfaces = surfaces
        self._bridge = bridge
        self._liveness = Liveness(paths.alive)
        self._server = InstanceServer(self, watch=lambda: told(states(), self._guard.value))
        self._server.show.connect(surfaces.bring_up)
        self._server.reload.connect(self.reload)
        surfaces.status.notice_pressed.connect(self._pressed)
        # What is kept of other such times until it is told.
        self.untold = paths.untold
        # In which nobody watched, and how the sentence about it begins.
        self.missed: tuple[Gap, str] | None = None

    def start(self) -> None:
        """Begin to listen and to mark; tell of the time in which nobody did."""
        now = utc_now()
        self._listen()
        since = self._liveness.begin(now)
        if since is not None:
            self.missed = missed(since, now)
            said = away(since, now)
            self._surfaces.status.set_notice(AWAY, said, "OK")
            self._surfaces.notifier.tell(AWAY, "Watchbell is back", said)
        if self._guard is Guard.SUPERVISOR:
            watch_supervisor(lambda: self._bridge.call(self._unguarded))

    def _listen(self) -> None:
        best, *others = instance.addresses(self._paths)
        trouble = self._listen_at(best)
        for where in others:
            if trouble:
                trouble = self._listen_at(where)
            else:
                instance.clear(where)
        if trouble:
            log.warning("a second start cannot be heard: %s", trouble)

    def _listen_at(self, where: str) -> str:
        try:
            instance.prepare(where)
            return self._server.start(where)
        except WatchbellError as e:
            return e.message

    def touch(self, now: datetime) -> None:
        """Mark that it lives; called with a tick that happens anyway."""
        self._liveness.touch(now)

    def stop(self, *, by_person: bool) -> None:
        """Listen no longer. What a person ended is not told at the next start; all else is."""
        self._server.close()
        for where in instance.addresses(self._paths):
            instance.clear(where)
        if by_person:
            self._liveness.end()

    def _unguarded(self) -> None:
        self._guard = Guard.NOBODY
        self._surfaces.status.set_notice("guard", _UNGUARDED)

    @Slot(str)
    def _pressed(self, key: str) -> None:
        if key in _DISMISSED or key.startswith((meanwhile.PREFIX, passing.PREFIX)):
            self._surfaces.status.set_notice(key, None)


def missed(since: datetime, now: datetime) -> tuple[Gap, str]:
    """Return the time to look through and how to call it; a ``since`` still to come says only that there is one."""
    if since > now:
        return Gap(now - timedelta(hours=meanwhile.LATELY_HOURS), now), meanwhile.LATELY
    return Gap(since, now), meanwhile.AWAY


def away(since: datetime, now: datetime) -> str:
    """Say that nobody watched from ``since`` to ``now``: ``Watchbell was not running from 02:11 to 02:14 (3 min)``."""
    if since > now:
        return "Watchbell was not running; since when is unknown, for the clock of this machine was set back meanwhile."
    passed = now - since
    seconds = ":%S" if passed.total_seconds() < 120 else ""
    begin, end = (f"{words.local_time(at, now)}{at.astimezone():{seconds}}" for at in (since, now))
    return f"Watchbell was not running from {begin} to {end} ({words.roughly(passed)})."
