"""Ends streams whose token was revoked or expired: requests are checked as they come, these stay. On the event loop."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from starlette.concurrency import run_in_threadpool

from desktop.domain.errors import StorageError
from desktop.server.authentication import revoked
from desktop.server.station import Station

log = logging.getLogger(__name__)

SECONDS = 1.0

End = Callable[[frozenset[str], datetime], None]


async def watch(station: Station, streams: Callable[[], int], end: End) -> None:
    """Look every second, for as long as the loop runs, while ``streams`` are open; ``end`` those of what ended."""
    while True:
        await asyncio.sleep(SECONDS)
        if not streams():
            continue
        now = station.clock()
        try:
            end(await run_in_threadpool(_revoked, station, now), now)
        except StorageError as error:
            # Whoever listens is told by another way that the database is gone.
            log.warning("tokens not looked at", extra={"fields": {"error": error.message}})


def _revoked(station: Station, now: datetime) -> frozenset[str]:
    with station.storage.read() as connection:
        return revoked(connection, now)
