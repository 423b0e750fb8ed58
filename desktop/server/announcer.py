"""Tells every stream of handovers and acting primaries that changed, whichever server changed them. On any thread."""

import threading

from desktop.server import changes, handover_shown, handovers, silences
from desktop.server.station import Station
from desktop.server.stream import Hub


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
                events = [(row.version, "handover", handover_shown.handover(self._station, connection, row))
                          for row in handovers.since(connection, self._seen)]  # fmt: skip
                events += [(row.version, "acting", {"id": row.id, "version": row.version, **row.shown})
                           for row in silences.since(connection, self._seen)]  # fmt: skip
            for _, name, content in sorted(events, key=lambda event: event[0]):
                self._hub.publish_event(name, content)
            self._seen = latest
