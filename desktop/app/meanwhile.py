"""Tells what came and went while nobody watched, once each connection has contact again. GUI thread."""

import threading
from datetime import datetime

from PySide6.QtCore import QObject

from desktop.app.fleet import Fleet
from desktop.app.surfaces import Surfaces
from desktop.domain.attention import ConnectionState, Contact
from desktop.domain.meanwhile import sentence
from desktop.domain.waking import Gap
from desktop.qt.bridge import Bridge

PREFIX = "meanwhile "
SLEPT, AWAY = "While this machine slept", "While Watchbell was not running"
# What is looked through when nobody knows how long that was.
LATELY_HOURS = 12
LATELY = f"In the last {LATELY_HOURS} hours"


class Meanwhile(QObject):
    """Remembers the gap of each connection until it could be asked."""

    def __init__(self, fleet: Fleet, surfaces: Surfaces, bridge: Bridge) -> None:
        super().__init__(surfaces)
        self._fleet = fleet
        self._surfaces = surfaces
        self._bridge = bridge
        self._gaps: dict[str, tuple[Gap, str]] = {}

    def missed(self, gap: Gap, when: str, connections: tuple[ConnectionState, ...]) -> None:
        """Note that nobody watched ``connections`` in ``gap``; ``when`` begins the sentence about it."""
        for state in connections:
            waiting = self._gaps.get(state.id)
            # Asleep twice before there was contact: one time, told together.
            first = gap if waiting is None else Gap(waiting[0].since, gap.until)
            self._gaps[state.id] = first, when if waiting is None else waiting[1]

    def follow(self, states: tuple[ConnectionState, ...]) -> None:
        """Ask those connections that have been heard since their gap."""
        for state in states:
            waiting = self._gaps.get(state.id)
            if waiting is not None and _heard_since(state, waiting[0].until):
                del self._gaps[state.id]
                thread = threading.Thread(
                    target=self._ask, args=(state, *waiting), name="watchbell-meanwhile", daemon=True
                )
                thread.start()

    def _ask(self, state: ConnectionState, gap: Gap, when: str) -> None:
        gone = self._fleet.came_and_went(state.id, gap.since + state.offset, gap.until + state.offset)
        if gone:
            text = sentence(gone, when)
            self._bridge.call(lambda: self._tell(state.id, text))

    def _tell(self, connection: str, text: str) -> None:
        self._surfaces.status.set_notice(PREFIX + connection, text, "OK")
        self._surfaces.notifier.tell(PREFIX + connection, "Meanwhile", text)


def _heard_since(state: ConnectionState, when: datetime) -> bool:
    return state.contact is Contact.LIVE and state.heard_at is not None and state.heard_at >= when
