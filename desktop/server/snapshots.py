"""What a stream begins with: all that is open. Those who come together share one look. On the event loop.

After a restart everybody comes back at once: a look for each, at ten thousand open incidents, would take minutes.
"""

import asyncio
import json
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from desktop.server import handover_shown, hub, present, things
from desktop.server.rows import IS_OPEN, current_version, load, query
from desktop.server.station import Station

_OPEN = query(IS_OPEN)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was true at ``version``; ``content`` is a JSON object."""

    version: int
    content: str

    def event(self, me: object) -> bytes:
        """Return the event for whom ``me`` describes."""
        return f'id: {self.version}\nevent: snapshot\ndata: {{"me": {json.dumps(me)}, {self.content[1:]}\n\n'.encode()


class Snapshots:
    """Gives each who asks a snapshot that was read after they asked."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._reading = asyncio.Lock()
        self._next: asyncio.Task[Snapshot] | None = None

    async def take(self) -> Snapshot:
        """Return a snapshot; StorageError when nothing can be read."""
        if self._next is None:
            self._next = asyncio.create_task(self._read())
        # Whoever hangs up meanwhile does not take it from the others.
        return await asyncio.shield(self._next)

    async def _read(self) -> Snapshot:
        async with self._reading:
            # Whoever comes from here on may have missed what changes before they were registered.
            self._next = None
            return await run_in_threadpool(_look, self._station)


def _look(station: Station) -> Snapshot:
    with station.storage.read() as connection:
        version = current_version(connection)
        found = load(connection, station.policies, _OPEN)
        handovers, silences = handover_shown.open_ones(station, connection)
    now = station.clock()
    content = {
        "version": version,
        "server_time": things.instant(now),
        "incidents": [present.incident(r, station.directory, station.roster) for r in found],
        "oncalls": hub.on_call(station, now),
        "handovers": handovers,
        "acting": silences,
    }
    return Snapshot(version, json.dumps(content))
