"""Tells every stream of handovers and acting primaries that changed, whichever server changed them. On any thread."""

import threading

from sqlalchemy import Connection

from desktop.server import changes, handover_shown, handovers, silences
from desktop.server.hub import Hub
from desktop.server.station import Station


class Announcer:
    """Reads on from the last change that was told of: nothing is told twice, and in the order of the commits."""

    def __init__(self, station: Station, hub: Hub) -> None:
        self._station = station
        self._hub = hub
        self._lock = threading.Lock()
        with station.storage.read() as connection:
            self._seen = changes.latest(connection)

    def announce(self) -> None:
        """Tell of all that changed since the last time."""
        with self._lock:
            with self._station.storage.read() as connection:
                latest = changes.latest(connection)
                if latest == self._seen:
                    return
                events = self._changed(connection)
            for _, name, content in sorted(events, key=lambda event: event[0]):
                self._hub.publish_event(name, content)
            self._seen = latest

    def _changed(self, connection: Connection) -> list[tuple[int, str, object]]:
        events: list[tuple[int, str, object]] = []
        for row in handovers.since(connection, self._seen):
            content = handover_shown.shown_or_none(self._station, connection, row)
            if content is not None:
                events.append((row.version, "handover", content))
        changed = silences.since(connection, self._seen)
        return [*events, *((s.version, "acting", {"id": s.id, "version": s.version, **s.shown}) for s in changed)]
